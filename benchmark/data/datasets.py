"""The data sets that a run can name: the community's feature files, and the built-in simulated corpora."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from benchmark.data import layouts
from benchmark.data.cache import load_cached
from benchmark.data.conversations import Conversations
from benchmark.data.reading import PUBLISHED_SHA256, find_feature_file, fingerprint, load_unchecked
from benchmark.data.remedies import Change, remedied
from benchmark.data.simulator import IEMOCAP_SIM, MELD_SIM, SimulatorSpec, simulate
from benchmark.data.views import choose
from benchmark.errors import DataError, UserError
from benchmark.specs import DEFAULT_INPUTS, Inputs

_SIMULATED = {"iemocap-sim": IEMOCAP_SIM, "meld-sim": MELD_SIM}
_fingerprint_once = cache(lambda path, size, modified: fingerprint(path))


@dataclass(frozen=True)
class DataSet:
    """A data set by name, where it comes from, and how to get it.

    Attributes:
        name: ``iemocap``, ``meld``, ``iemocap-sim`` or ``meld-sim``.
        family: ``iemocap`` or ``meld``: which published settings and which layout apply.
        file: the feature file, or None for a simulated corpus.
        inputs: what of it is used.
    """

    name: str
    family: Literal["iemocap", "meld"]
    file: Path | None
    inputs: Inputs = DEFAULT_INPUTS

    @property
    def kind(self) -> Literal["real", "simulated"]:
        """Whether conversations of people or of the simulator are shown."""
        return "simulated" if self.file is None else "real"

    @property
    def simulated(self) -> SimulatorSpec:
        """What a simulated corpus is."""
        return _SIMULATED[self.name]

    @property
    def fingerprint(self) -> str:
        """Of what is trained on: the content's, and with remedies the hash of that and their names."""
        if not self.inputs.remedies:
            return self.content
        return hashlib.sha256(" ".join((self.content, *self.inputs.remedies)).encode()).hexdigest()

    @property
    def content(self) -> str:
        """SHA-256 of the file's bytes, or of the simulator's specification."""
        if self.file is None:
            return hashlib.sha256(repr(self.simulated).encode()).hexdigest()
        stat = self.file.stat()
        return _fingerprint_once(self.file, stat.st_size, stat.st_mtime_ns)

    @property
    def published(self) -> bool:
        """Whether this is, byte for byte, the feature file that the community uses."""
        return self.file is not None and self.content == PUBLISHED_SHA256[self.family]

    @property
    def description(self) -> str:
        """One line for people: what these data are and are not."""
        used = f", {self.inputs}" if str(self.inputs) else ""
        if self.file is None:
            return f"simulated corpus {self.name}, no conversation of people{used}"
        what = (
            "the community's feature file" if self.published else "not the community's feature file (SHA-256 differs)"
        )
        return f"{self.file.name}, {what}{used}"

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
            return choose(simulate(self.name), modalities, "1")
        try:
            return load_cached(self.file, self.family, modalities, text_view, sha256=self.content)
        except DataError:
            if "zero-non-finite" not in self.inputs.remedies:
                raise
            found, _, _ = load_unchecked(self.file, modalities, text_view)  # raises again for all but NaN and Inf
            if layouts.family(found) != self.family:
                raise
            return found


NAMES = ("iemocap", "meld", "iemocap-sim", "meld-sim")


def dataset(name: str, folder: Path | None, inputs: Inputs = DEFAULT_INPUTS) -> DataSet:
    """The data set of that name; real ones are looked for in ``folder``.

    Raises:
        UserError: for an unknown name, a real data set with no folder given, or a view of the text that simulated data
            have not got; DataError for a missing file.
    """
    from benchmark.registry import look_up

    look_up("data set", name, dict.fromkeys(NAMES))
    family: Literal["iemocap", "meld"] = "iemocap" if name.startswith("iemocap") else "meld"
    if name in _SIMULATED:
        if inputs.text_view != "1":
            raise UserError(
                f"{name} has one view of the text: leave out --text-view {inputs.text_view}, or the data set"
            )
        return DataSet(name, family, None, inputs)
    if folder is None:
        raise UserError(f"data set {name!r} needs its feature file: name its folder with --data-dir or $CSSBENCH_DATA")
    return DataSet(name, family, find_feature_file(folder, name), inputs)


def available(folder: Path | None) -> Mapping[str, DataSet | str]:
    """Every known data set, or the reason why it cannot be used."""
    found: dict[str, DataSet | str] = {}
    for name in NAMES:
        try:
            found[name] = dataset(name, folder)
        except UserError as error:
            found[name] = str(error)
    return found


def default(folder: Path | None, inputs: Inputs = DEFAULT_INPUTS) -> list[DataSet]:
    """The feature files in ``folder``, or without one the simulated pair; raises DataError for a folder with none."""
    if folder is None:
        return [dataset(name, None, inputs) for name in _SIMULATED]
    there = available(folder)
    found = [dataset(name, folder, inputs) for name in ("iemocap", "meld") if isinstance(there[name], DataSet)]
    return found or [dataset("iemocap", folder)]  # which raises, saying what was looked for
