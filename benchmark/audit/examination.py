"""What a reader must know of a data set beside the scores on it: its audit, the references, a simulated one's ceiling.

All are functions of the data and of the code, made once and kept in the user's cache.
"""

import hashlib
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from benchmark.base.files import cache_folder, kept
from benchmark.base.fingerprints import files_fingerprint
from benchmark.data.datasets import DataSet


def examine(dataset: DataSet, tell: Callable[[str], None]) -> dict[str, Any]:
    """``audit``, ``references`` and ``ceiling`` (None for real data) of what runs train on: docs/run-format.md.

    ``tell`` takes a line before anything that takes more than a moment.
    """
    code = files_fingerprint(("benchmark/audit", "benchmark/data"))
    asked = (dataset.name, dataset.fingerprint, dataset.inputs.model_dump_json(), code)
    name = f"{dataset.corpus}-{hashlib.sha256(repr(asked).encode()).hexdigest()[:32]}.json"

    def make() -> dict[str, Any]:
        tell(f"examining {dataset.name} (once: it is kept) …")
        from benchmark.audit.references import references

        return {"audit": _audit(dataset), "ceiling": _ceiling(dataset), "references": references(dataset.load())}

    return kept(cache_folder() / "examinations" / name, make)


def _audit(dataset: DataSet) -> dict[str, Any]:
    from benchmark.audit import audit, audit_file, summary

    if dataset.file is None:
        return summary(audit(dataset.load()))
    return summary(audit_file(dataset.file, dataset.inputs, dataset.roberta))


def _ceiling(dataset: DataSet) -> dict[str, Any] | None:
    """The ceiling of the modalities in use, with context; None for a file, and where a remedy changed the vectors."""
    if dataset.file is not None or any(change.counts for change in dataset.load_remedied()[1]):
        return None
    from benchmark.data.simulation.ceilings import ceilings

    (row,) = ceilings(dataset.simulated, subsets=[dataset.inputs.modalities], contexts=(True,))
    return asdict(row) | {"modalities": list(row.modalities)}
