"""What besides the specification decides a run's numbers, worked out without importing torch."""

from functools import cache
from importlib.metadata import version

from benchmark.base.fingerprints import files_fingerprint, json_fingerprint
from benchmark.base.values import Frozen
from benchmark.methods.parsing import KINDS
from benchmark.methods.plugins import PluginEntry

NUMBERS = ("css", "baselines", "benchmark/data", "benchmark/training", "benchmark/evaluation/scoring.py")
"""The source that decides a run's numbers, beside the registry's factories and defaults."""
NO_NUMBERS = (
    "benchmark/data/feature_files/cache.py",
    "benchmark/data/simulation/ceilings.py",
    "benchmark/data/simulation/export.py",
    "benchmark/data/simulation/f1_rule.py",
    "benchmark/data/simulation/pair_bit.py",
    "benchmark/data/simulation/posterior.py",
    "css/released/state.py",
)
"""Files in these folders that no run uses, or that only keep what it reads: they may change and every key stays."""


class Provenance(Frozen):
    """What besides the specification decides the numbers: data, code, libraries, device type."""

    data: str
    source: str
    torch: str
    numpy: str
    device: str


@cache
def source_fingerprint() -> str:
    """SHA-256 over the files that decide numbers, and over what the registry makes of a method's name.

    Of the registry, the factories and the defaults of the built-in components count (``directions.parquet`` has every
    aggregator at its defaults), not their descriptions, limits and search spaces. A plug-in's source is in the keys of
    its own runs.
    """
    files = files_fingerprint(NUMBERS, NO_NUMBERS)
    return json_fingerprint([files, _registered()])


def _registered() -> dict[str, dict[str, object]]:
    return {
        kind: {
            name: [entry.factory, {option: allowed.default for option, allowed in entry.options.items()}]
            for name, entry in known.items()
            if not isinstance(entry, PluginEntry)
        }
        for kind, known in KINDS.items()
    }


def provenance(data: str, device: str) -> Provenance:
    """What goes into a run's key besides its specification, for the data of this fingerprint and this device type."""
    return Provenance(
        data=data, source=source_fingerprint(), torch=version("torch"), numpy=version("numpy"), device=device
    )
