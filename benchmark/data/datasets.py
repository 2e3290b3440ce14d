"""The data sets that a run can name: the community's feature files, and the built-in simulated corpora."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from benchmark.base.errors import DataError, UserError
from benchmark.base.files import fetched_folder
from benchmark.base.names import look_up
from benchmark.data.conversations import Conversations
from benchmark.data.corpora import CORPORA, DEFAULT, SIMULATED, CorpusName, shape
from benchmark.data.defects.remedies import Change, remedied
from benchmark.data.feature_files.cache import load_cached
from benchmark.data.feature_files.reading import (
    PUBLISHED_SHA256,
    find_feature_file,
    fingerprint,
    load_unchecked,
    roberta_beside,
)
from benchmark.data.inputs import DEFAULT_INPUTS, Inputs
from benchmark.data.simulation.knobs import parse_corpus
from benchmark.data.simulation.simulator import simulate_spec
from benchmark.data.simulation.spec import SimulatorSpec
from benchmark.data.splits import split
from benchmark.data.views import choose

_fingerprint_once = cache(lambda _stats, *files: fingerprint(*files))


@dataclass(frozen=True)
class DataSet:
    """A data set by name, where it comes from, and how to get it.

    Attributes:
        name: ``iemocap``, ``meld``, or a simulated corpus: ``iemocap-sim``, ``meld-sim(conflict_rate=0.5)``.
        corpus: ``iemocap`` or ``meld``: which published settings and which layout apply.
        file: the feature file, or None for a simulated corpus.
        inputs: what of it is used.
        roberta: the RoBERTa file that its text is taken from, or None where it has its own.
    """

    name: str
    corpus: CorpusName
    file: Path | None
    inputs: Inputs = DEFAULT_INPUTS
    roberta: Path | None = None

    @property
    def base(self) -> str:
        """The name without knobs."""
        return self.name.partition("(")[0]

    @property
    def kind(self) -> Literal["real", "simulated"]:
        """Whether conversations of people or of the simulator are shown."""
        return "simulated" if self.file is None else "real"

    @property
    def simulated(self) -> SimulatorSpec:
        """What a simulated corpus is: its name says all of it."""
        return parse_corpus(self.name)[1]

    @property
    def fingerprint(self) -> str:
        """The fingerprint of what is trained on: the content's, or with remedies the hash of that and their names."""
        if not self.inputs.remedies:
            return self.content
        return hashlib.sha256(" ".join((self.content, *self.inputs.remedies)).encode()).hexdigest()

    @property
    def content(self) -> str:
        """SHA-256 of the file's bytes (with a RoBERTa file: of both), or of the simulator's specification."""
        if self.file is None:
            return hashlib.sha256(repr(self.simulated).encode()).hexdigest()
        files = [file for file in (self.file, self.roberta) if file is not None]
        stats = tuple((stat.st_size, stat.st_mtime_ns) for stat in (file.stat() for file in files))
        return _fingerprint_once(stats, *files)

    @property
    def published(self) -> bool:
        """Whether this is, byte for byte, the feature file that the community uses."""
        return self.file is not None and self.content == PUBLISHED_SHA256[self.corpus]

    @property
    def description(self) -> str:
        """One line for people: what these data are and are not."""
        used = f", {self.inputs}" if str(self.inputs) else ""
        if self.file is None:
            return f"simulated corpus {self.name}, no conversation of people{used}"
        what = (
            "the community's feature file" if self.published else "not the community's feature file (SHA-256 differs)"
        )
        text = f" with the text of {self.roberta.name}" if self.roberta else ""
        return f"{self.file.name}{text}, {what}{used}"

    def load(self) -> Conversations:
        """Read (from the cache after the first time) or simulate them; raises DataError where the file is unusable."""
        return self.load_remedied()[0]

    def load_remedied(self) -> tuple[Conversations, tuple[Change, ...]]:
        """The same, and what each remedy changed."""
        mended = remedied(self._load(), self.inputs.remedies)
        return mended.conversations, mended.changes

    def _load(self) -> Conversations:
        modalities, text_view = self.inputs.modalities, self.inputs.text_view
        if self.file is None:
            return choose(simulate_spec(self.simulated), modalities, "1")
        try:
            return load_cached(self.file, self.corpus, modalities, text_view, self.content, self.roberta)
        except DataError:
            if "zero-non-finite" not in self.inputs.remedies:
                raise
            # raises again for all but NaN and Inf
            unchecked = load_unchecked(self.file, modalities, text_view, self.roberta)
            if unchecked.dataset != self.corpus:
                raise
            return unchecked.conversations


NAMES = (*CORPORA, *SIMULATED)


def dataset(name: str, folder: Path | None, inputs: Inputs = DEFAULT_INPUTS) -> DataSet:
    """The data set of that name: real ones are in ``folder``, without one among what was fetched; simulated ones may
    have knobs (:mod:`.simulation.knobs`).

    Raises:
        UserError: for an unknown name, or a view of the text that simulated data have not got; DataError for a missing
            file.
    """
    base = name.partition("(")[0].strip()
    look_up("data set", base, dict.fromkeys(NAMES))
    corpus = shape(base)
    if base in SIMULATED:
        name, _ = parse_corpus(name)
        if inputs.text_view != "1":
            raise UserError(
                f"{name} has one view of the text: leave out --text-view {inputs.text_view}, or the data set"
            )
        return DataSet(name, corpus, None, inputs)
    if base != name:
        raise UserError(f"data set {name!r}: only simulated corpora have knobs; write {base}, or {base}-sim(…)")
    try:
        file = find_feature_file(folder or fetched_folder(), name)
    except DataError:
        if folder:
            raise
        raise DataError(
            f"data set {name!r} needs its feature file: get it with cssbench data fetch {name}, or name the folder "
            "that has it with --data-dir or $CSSBENCH_DATA"
        ) from None
    return DataSet(name, corpus, file, inputs, roberta_beside(file))


def available(folder: Path | None) -> Mapping[str, DataSet | str]:
    """Every known data set, or the reason why there is none; files are not opened."""
    known: dict[str, DataSet | str] = {}
    for name in NAMES:
        try:
            known[name] = dataset(name, folder)
        except UserError as error:
            known[name] = str(error)
    return known


def refusal(data: DataSet) -> str | None:
    """Why a run would refuse the data set, which is read for that; None where it would not."""
    if data.file is None:
        return None
    try:
        split(data.load(), seed=0)
    except UserError as error:
        return str(error)
    return None


def default(folder: Path | None, inputs: Inputs = DEFAULT_INPUTS) -> list[DataSet]:
    """The feature files in ``folder``, or without one the simulated pair; raises DataError for a folder with none."""
    if folder is None:
        return [dataset(name, None, inputs) for name in DEFAULT]
    present = available(folder)
    datasets = [dataset(name, folder, inputs) for name in ("iemocap", "meld") if isinstance(present[name], DataSet)]
    return datasets or [dataset("iemocap", folder)]  # which raises, saying what was looked for
