"""A run of a store as a task to be executed here and now."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from benchmark.base.devices import resolve_device
from benchmark.base.errors import UserError
from benchmark.base.names import look_up
from benchmark.base.process_state import put_back
from benchmark.data.datasets import dataset
from benchmark.execution.tasks import Task
from benchmark.experiment.provenance import provenance
from benchmark.experiment.spec import RunSpec
from benchmark.methods.admission import admit
from benchmark.methods.parsing import KINDS
from benchmark.methods.plugins import load_class


def read_spec(record: Mapping[str, Any]) -> RunSpec:
    """The specification in a ``spec.json``; raises UserError for one that this version cannot have written."""
    if record.get("protocol") == "imported":
        raise UserError("it was imported, so there is nothing here to execute again; --files checks its files")
    try:
        return RunSpec.from_record(record)
    except (KeyError, TypeError, ValueError) as error:
        cause = " ".join(str(error).split())[:200]
        raise UserError(
            f"run {record.get('key')} is not as this version of css-bench describes runs: {cause}"
        ) from None


def rebuild(record: Mapping[str, Any], data_dir: Path | None, plugins: Collection[str] = ()) -> Task:
    """The run's task with the code, libraries and device that are here; its key is the same where these are the same.

    Args:
        record: the content of its ``spec.json``.
        data_dir: holds the community's feature files.
        plugins: those that the user named; what the record names besides is imported only where it is installed.

    Raises:
        UserError: the data, a component or the device are not at hand, or the data or the plug-in here are others.
    """
    spec = read_spec(record)
    admit(spec.method, plugins)
    for kind, known in KINDS.items():
        component = getattr(spec.method, kind)
        if component.plugin is None:
            look_up(kind, component.name, known)
        else:
            with put_back():
                load_class(component.plugin.factory)
    data = dataset(spec.dataset, data_dir, spec.inputs)
    if data.fingerprint != spec.provenance.data:
        where = data.file or "the simulator"
        raise UserError(
            f"run {spec.key} was made from other data: fingerprint {spec.provenance.data[:12]}, but {where} has "
            f"{data.fingerprint[:12]}; name the folder of its feature file with --data-dir"
        )
    here = provenance(data.fingerprint, resolve_device(spec.provenance.device))
    return Task(spec.model_copy(update={"provenance": here}), data, None)
