"""Which runs of a store are meant: by filters, or by the first digits of their keys."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.base.errors import UserError
from benchmark.base.words import run_name
from benchmark.store.records import DamagedRunError
from benchmark.store.store import Store

IMPORTED = "imported"
"""Protocol of runs that another code base made."""


@dataclass(frozen=True)
class Held:
    """A run of a store: its ``spec.json`` and whether it is ``complete``, ``failed`` or ``unfinished``."""

    spec: dict[str, Any]
    state: str

    @property
    def key(self) -> str:
        """The run's key."""
        return self.spec["key"]

    @property
    def name(self) -> str:
        """What people call it."""
        return run_name(self.spec)


@dataclass(frozen=True)
class Filter:
    """Runs that agree with everything that is not None; ``method`` is a label or a canonical string."""

    dataset: str | None = None
    method: str | None = None
    seed: int | None = None
    preset: str | None = None
    state: str | None = None

    def __post_init__(self) -> None:
        if self.state not in (None, "complete", "failed", "unfinished"):
            raise UserError(f"--state is complete, failed or unfinished, not {self.state!r}")

    def __str__(self) -> str:
        """The choices, as options of the command line."""
        return " ".join(f"--{name} {value}" for name, value in vars(self).items() if value is not None)

    @property
    def names_something(self) -> bool:
        """Whether any run could be left out."""
        return self != Filter()

    def select(self, store: Store, damaged: list[DamagedRunError] | None = None) -> Iterator[Held]:
        """The runs of the store that agree, in the order of their keys; folders that cannot be used are put apart."""
        for spec in store.specs(damaged):
            if self.method not in (None, spec["label"], spec["method"]):
                continue
            wanted = (("dataset", self.dataset), ("seed", self.seed), ("preset", self.preset))
            if all(value in (None, spec[name]) for name, value in wanted):
                held = Held(spec, store.state(spec["key"]))
                if self.state in (None, held.state) and not store.is_gone(held.key):
                    yield held


def by_prefix(store: Store, prefixes: Sequence[str], damaged: list[DamagedRunError] | None = None) -> list[Held]:
    """The runs whose keys begin so, each once; raises UserError for a prefix of none or of several.

    A run that is meant and cannot be used is put into ``damaged``, or raised where there is no such list.
    """
    unusable: list[DamagedRunError] = []
    runs: dict[str, Held | DamagedRunError] = {held.key: held for held in Filter().select(store, unusable)}
    runs |= {error.folder.name: error for error in unusable}
    matches: dict[str, Held | DamagedRunError] = {}
    for prefix in prefixes:
        keys = [key for key in runs if prefix and key.startswith(prefix)]
        if len(keys) != 1:
            what = f"{len(keys)} runs begin with {prefix!r}" if keys else f"no run begins with {prefix!r}"
            every = f"cssbench runs --store {shlex.quote(str(store.root))}"
            raise UserError(f"{what} in {store.root}; {every} lists the keys")
        matches[keys[0]] = runs[keys[0]]
    for match in matches.values():
        if isinstance(match, DamagedRunError):
            if damaged is None:
                raise match
            damaged.append(match)
    return [match for match in matches.values() if isinstance(match, Held)]


def conflicting_imports(spec: Mapping[str, Any], store: Store) -> list[str]:
    """Keys of a store's imported runs of the same data, method and seed as this one, which say something else."""
    if spec.get("protocol") != IMPORTED:
        return []
    others = (other for other in store.specs() if other.get("protocol") == IMPORTED)
    return [other["key"] for other in others if _identity(other) == _identity(spec) and other["key"] != spec["key"]]


def _identity(spec: Mapping[str, Any]) -> tuple[Any, ...]:
    return spec["dataset"], spec["provenance"]["data"], spec["label"], spec["seed"]
