"""The runs of a grid that the store has not got, made."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchmark.base.words import counted
from benchmark.execution.listener import Listener
from benchmark.execution.places import Places
from benchmark.store.store import Store
from benchmark.workflows.outcome import Outcome
from benchmark.workflows.preparation import damages, missing, refuse_unusable

if TYPE_CHECKING:
    from benchmark.data.datasets import DataSet
    from benchmark.experiment.preregistration import Preregistration
    from benchmark.experiment.spec import RunSpec


def make_missing(
    what: str,
    specs: "Sequence[RunSpec]",
    datasets: "Sequence[DataSet]",
    store: Store,
    where: Places,
    listener: Listener,
    *,
    declared: "Preregistration | None" = None,
    title: str = "all runs",
) -> Outcome:
    """Declare what will be compared, then make the runs that the store does not hold.

    Args:
        what: the runs are called in messages.
        title: of them all, for the display of progress.
    """
    to_make = missing(specs, store)
    for sentence in damages(to_make, store):
        listener.notice(sentence)
    listener.message(f"{counted(len(specs), what)}, {len(specs) - len(to_make)} of them already in {store.root}")
    keys = [spec.key for spec in specs]
    if not to_make:
        store.tidy()
        return Outcome(store.root, keys)
    refuse_unusable(to_make.values(), datasets)
    from benchmark.execution.coordinator import run_grid
    from benchmark.execution.events import Failed, Finished
    from benchmark.tracking.uris import resolve_uri

    store.prepare()
    if declared:
        declared.declare(store.root)
    outcomes = run_grid(
        to_make,
        {data.name: data for data in datasets},
        store,
        executor=where.executor(store),
        tracking_uri=resolve_uri(where.tracking_uri, store.root),
        listener=listener,
        title=title,
        invocation=where.invocation,
    )
    if failed := outcomes[Failed]:
        listener.notice(
            f"{failed} of {counted(len(to_make), 'run')} failed; {store.runs}/*/error.txt has the tracebacks, and the "
            "same command tries them again"
        )
    made = outcomes[Finished] + failed
    return Outcome(store.root, keys, made=made, failed=failed, interrupted=made < len(to_make))
