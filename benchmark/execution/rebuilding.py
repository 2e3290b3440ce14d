"""A run of a store as a task to be executed here and now."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmark.data.datasets import dataset
from benchmark.errors import UserError
from benchmark.execution.tasks import Task
from benchmark.fingerprints import provenance, resolve_device
from benchmark.registry import AGGREGATORS, ENCODERS, FUSIONS, look_up
from benchmark.specs import RunSpec


def read_spec(record: Mapping[str, Any]) -> RunSpec:
    """The specification in a ``spec.json``; raises UserError for one that this version cannot have written."""
    try:
        return RunSpec.from_record(record)
    except (KeyError, TypeError, ValueError) as error:
        cause = " ".join(str(error).split())[:200]
        raise UserError(
            f"run {record.get('key')} is not as this version of css-bench describes runs: {cause}"
        ) from None


def rebuild(record: Mapping[str, Any], data_dir: Path | None) -> Task:
    """The run's task with the code, libraries and device that are here; its key is the same where these are the same.

    Raises:
        UserError: the data, a component or the device are not at hand, or the data here are others.
    """
    spec = read_spec(record)
    for kind, known, name in (
        ("encoder", ENCODERS, spec.encoder.name),
        ("fusion", FUSIONS, spec.method.fusion.name),
        ("aggregator", AGGREGATORS, spec.method.aggregator.name),
    ):
        look_up(kind, name, known)
    data = dataset(spec.dataset, data_dir, spec.inputs)
    if data.fingerprint != spec.provenance.data:
        where = data.file or "the simulator"
        raise UserError(
            f"run {spec.key} was made from other data: fingerprint {spec.provenance.data[:12]}, but {where} has "
            f"{data.fingerprint[:12]}; name the folder of its feature file with --data-dir"
        )
    here = provenance(data.fingerprint, resolve_device(spec.provenance.device))
    return Task(spec.model_copy(update={"provenance": here}), data, None)
