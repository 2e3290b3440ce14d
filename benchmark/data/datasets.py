"""The data sets that a run can name: the community's feature files, and the built-in simulated corpora."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from benchmark.data.cache import load_cached
from benchmark.data.conversations import Conversations
from benchmark.data.reading import PUBLISHED_SHA256, find_feature_file, fingerprint
from benchmark.data.simulator import IEMOCAP_SIM, MELD_SIM, simulate
from benchmark.errors import UserError

_SIMULATED = {"iemocap-sim": IEMOCAP_SIM, "meld-sim": MELD_SIM}
_fingerprint_once = cache(lambda path, size, modified: fingerprint(path))


@dataclass(frozen=True)
class DataSet:
    """A data set by name, where it comes from, and how to get it.

    Attributes:
        name: ``iemocap``, ``meld``, ``iemocap-sim`` or ``meld-sim``.
        family: ``iemocap`` or ``meld``: which published settings and which layout apply.
        file: the feature file, or None for a simulated corpus.
    """

    name: str
    family: Literal["iemocap", "meld"]
    file: Path | None

    @property
    def kind(self) -> Literal["real", "simulated"]:
        """Whether conversations of people or of the simulator are shown."""
        return "simulated" if self.file is None else "real"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the file's bytes, or of the simulator's specification."""
        if self.file is None:
            return hashlib.sha256(repr(_SIMULATED[self.name]).encode()).hexdigest()
        stat = self.file.stat()
        return _fingerprint_once(self.file, stat.st_size, stat.st_mtime_ns)

    @property
    def published(self) -> bool:
        """Whether this is, byte for byte, the feature file that the community uses."""
        return self.file is not None and self.fingerprint == PUBLISHED_SHA256[self.family]

    @property
    def description(self) -> str:
        """One line for people: what these data are and are not."""
        if self.file is None:
            return f"simulated corpus {self.name}, no conversation of people"
        what = (
            "the community's feature file" if self.published else "not the community's feature file (SHA-256 differs)"
        )
        return f"{self.file.name}, {what}"

    def load(self) -> Conversations:
        """Read (from the cache after the first time) or simulate them; raises DataError where the file is unusable."""
        if self.file is None:
            return simulate(self.name)
        return load_cached(self.file, self.family, sha256=self.fingerprint)


NAMES = ("iemocap", "meld", "iemocap-sim", "meld-sim")


def dataset(name: str, folder: Path | None) -> DataSet:
    """The data set of that name; real ones are looked for in ``folder``.

    Raises:
        UserError: for an unknown name or a real data set with no folder given, DataError for a missing file.
    """
    from benchmark.registry import look_up

    look_up("data set", name, dict.fromkeys(NAMES))
    family: Literal["iemocap", "meld"] = "iemocap" if name.startswith("iemocap") else "meld"
    if name in _SIMULATED:
        return DataSet(name, family, None)
    if folder is None:
        raise UserError(f"data set {name!r} needs its feature file: name its folder with --data-dir or $CSSBENCH_DATA")
    return DataSet(name, family, find_feature_file(folder, name))


def available(folder: Path | None) -> Mapping[str, DataSet | str]:
    """Every known data set, or the reason why it cannot be used."""
    found: dict[str, DataSet | str] = {}
    for name in NAMES:
        try:
            found[name] = dataset(name, folder)
        except UserError as error:
            found[name] = str(error)
    return found


def default(folder: Path | None) -> list[DataSet]:
    """The feature files in ``folder``, or without one the simulated pair; raises DataError for a folder with none."""
    if folder is None:
        return [dataset(name, None) for name in _SIMULATED]
    found = [d for name in ("iemocap", "meld") if isinstance(d := available(folder)[name], DataSet)]
    return found or [dataset("iemocap", folder)]  # which raises, saying what was looked for
