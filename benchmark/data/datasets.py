"""The data sets that a run can name: the community's files, the simulated corpora, and corpora of users' own."""

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
from benchmark.data.corpora import CORPORA, DEFAULT, SETTINGS_OF_OTHERS, SIMULATED, CorpusName, own_name, shape
from benchmark.data.defects.remedies import Change, remedied
from benchmark.data.feature_files.cache import load_cached
from benchmark.data.feature_files.open_format import SUFFIX
from benchmark.data.feature_files.reading import (
    PUBLISHED_SHA256,
    file_name,
    find_feature_file,
    fingerprint,
    load_features,
    load_unchecked,
    open_own,
    roberta_beside,
)
from benchmark.data.inputs import DEFAULT_INPUTS, Inputs
from benchmark.data.simulation.knobs import parse_corpus
from benchmark.data.simulation.simulator import simulate_spec
from benchmark.data.simulation.spec import SimulatorSpec
from benchmark.data.splits import split
from benchmark.data.views import MODALITIES, TEXT_ARRAYS, choose

_fingerprint_once = cache(lambda _stats, *files: fingerprint(*files))


@dataclass(frozen=True)
class DataSet:
    """A data set by name, where it comes from, and how to get it.

    Attributes:
        name: ``iemocap``, ``meld``, a simulated corpus (``iemocap-sim``, ``meld-sim(conflict_rate=0.5)``), or the name
            of a corpus of the user's own.
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
        """The name by which presets have settings for it: without knobs; of a corpus of its own the other corpus."""
        return self.corpus if self.own else self.name.partition("(")[0]

    @property
    def own(self) -> bool:
        """Whether it is a corpus of the user's own, with classes, speakers and splits that only its file says."""
        return self.file is not None and self.name not in CORPORA

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
        if self.own:
            return f"{self.file.name}, a corpus of its own{used}"
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
        if self.own:
            return load_features(self.file, modalities=modalities, text_view=text_view)
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

    A corpus of the user's own is ``NAME.safetensors`` in ``folder``, or a path to such a file. Where all modalities are
    asked for, those that it has are used.

    Raises:
        UserError: for an unknown name, or a view of the text that simulated data have not got; DataError for a missing
            or unreadable file.
    """
    base = name.partition("(")[0].strip()
    if "/" in base or name.endswith(SUFFIX):
        return _in_file(Path(name), inputs)
    if base not in NAMES and folder is not None and (file := folder / f"{name}{SUFFIX}").is_file():
        return _in_file(file, inputs)
    _check_known(base, folder)
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


def _check_known(name: str, folder: Path | None) -> None:
    try:
        look_up("data set", name, dict.fromkeys((*NAMES, *_own_names(folder))))
    except UserError as error:
        raise UserError(
            f"{error}; a corpus of your own is {name}{SUFFIX} in the folder of --data-dir, or the path of its file"
        ) from None


def _in_file(file: Path, inputs: Inputs) -> DataSet:
    """The data set that a file in the open format is."""
    held = open_own(file)
    if held.simulated:
        raise DataError(f"{file}: this is a simulated corpus; run it as --datasets '{held.simulated}'")
    called = held.header.dataset
    corpus = shape(called) if called in CORPORA else SETTINGS_OF_OTHERS
    if called in CORPORA and file.stem == Path(file_name(called)).stem:
        return DataSet(called, corpus, file, inputs)
    name = own_name(file.stem)
    if called not in (name, *CORPORA):
        raise DataError(f"{file}: its data set is called {called}; name the file {called}{SUFFIX}")
    present = tuple(
        m for m in MODALITIES if m in held.features or (m == "text" and {*TEXT_ARRAYS.values()} & {*held.features})
    )
    if inputs.modalities == MODALITIES and present:
        if "text" not in present and inputs.text_view != "1":
            raise UserError(f"{name} has no text: leave out --text-view {inputs.text_view}, or the data set")
        inputs = inputs.model_copy(update={"modalities": present})
    return DataSet(name, corpus, file, inputs)


def _own_names(folder: Path | None) -> list[str]:
    """The names of the files in the open format that a folder has beside those of the two corpora, sorted."""
    known = {Path(file_name(name)).stem for name in CORPORA}
    return sorted(file.stem for file in (folder.glob(f"*{SUFFIX}") if folder else ()) if file.stem not in known)


def available(folder: Path | None) -> Mapping[str, DataSet | str]:
    """Every known data set and every corpus of its own in ``folder``, or the reason why there is none.

    Nothing but the headers of the latter is read.
    """
    known: dict[str, DataSet | str] = {}
    for name in dict.fromkeys((*NAMES, *_own_names(folder))):
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
    """The feature files in ``folder``, or without one the simulated pair; raises DataError for a folder with none.

    Corpora of their own are taken where there is neither IEMOCAP nor MELD.
    """
    if folder is None:
        return [dataset(name, None, inputs) for name in DEFAULT]
    present = available(folder)
    datasets = [dataset(name, folder, inputs) for name in ("iemocap", "meld") if isinstance(present[name], DataSet)]
    others = (name for name, data in present.items() if isinstance(data, DataSet) and data.own)
    datasets = datasets or [dataset(name, folder, inputs) for name in others]
    return datasets or [dataset("iemocap", folder)]  # which raises, saying what was looked for
