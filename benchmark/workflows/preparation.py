"""What has to be settled before runs are made: which are missing, and whether all of them can be made at all."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.base.errors import UserError
from benchmark.base.process_state import put_back
from benchmark.workflows.defaults import utf8

if TYPE_CHECKING:
    from benchmark.data.datasets import DataSet
    from benchmark.execution.listener import Listener
    from benchmark.experiment.spec import RunSpec
    from benchmark.store.store import Store


def missing(specs: "Iterable[RunSpec]", store: "Store") -> "dict[str, RunSpec]":
    """The runs that the store does not hold whole, by key: those are to be made."""
    return {spec.key: spec for spec in specs if not store.is_whole(spec.key)}


def damages(keys: Iterable[str], store: "Store") -> Iterator[str]:
    """A sentence for each of these runs that is finished and damaged, and therefore going to be made again."""
    from benchmark.store.checksums import damage

    for key in keys:
        if store.is_complete(key):
            yield f"warning: run {key} in {store.root} is damaged ({damage(store.folder(key))}): made again"


def refuse_unusable(specs: "Iterable[RunSpec]", datasets: "Iterable[DataSet]") -> None:
    """Raise UserError for data that cannot be split or a method that cannot be built, before anything is written."""
    from benchmark.experiment.grid import may_be_refused
    from benchmark.training.run_data import run_data

    by_name, runs = {data.name: data for data in datasets}, list(specs)
    for spec in {(spec.dataset, spec.validates, spec.fold): spec for spec in runs}.values():
        run_data(spec, by_name[spec.dataset].load())
    if doubtful := list(filter(may_be_refused, runs)):
        from benchmark.training.building import refuse_unbuildable

        with put_back():
            refuse_unbuildable(doubtful)


def existing(store: Path) -> Path:
    """The store's folder itself; raises UserError where no store is there."""
    if not (utf8(store) / "runs").is_dir():
        raise UserError(f"no runs in {store}: name a store with --store, or make one with cssbench run")
    return store


def warn_of_tracking(uri: str | None, listener: "Listener") -> None:
    """A warning, before anything is made, where MLflow cannot be where the option or the environment says."""
    from benchmark.tracking.reachability import hindrance

    chosen = uri or os.environ.get("MLFLOW_TRACKING_URI")  # the store's own database is where the store is
    if chosen and (cause := hindrance(chosen)):
        listener.notice(f"warning: {cause}")
