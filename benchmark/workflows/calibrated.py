"""What a grid is going to cost on this machine, measured on a few steps of each of its kinds of runs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmark.workflows.preparation import refuse_unusable

if TYPE_CHECKING:
    from benchmark.execution.calibration import Cost
    from benchmark.experiment.spec import RunSpec
    from benchmark.workflows.grid import Grid


def calibrated(
    grid: "Grid", on_start: Callable[["RunSpec"], None] = lambda _: None
) -> "Mapping[str, tuple[Sequence[RunSpec], Cost]]":
    """The runs of each method on each data set, by their group, and what one of them takes.

    Args:
        grid: the runs; their seeds are taken to cost the same.
        on_start: called with a run of each group before it is measured.

    Raises:
        UserError: data that cannot be split, or a method that cannot be built.
    """
    from benchmark.execution.calibration import measure
    from benchmark.training.run_data import run_data

    refuse_unusable(grid.specs, grid.datasets)
    groups: dict[str, list[RunSpec]] = {}
    for spec in grid.specs:
        groups.setdefault(spec.group, []).append(spec)
    conversations = {data.name: data.load() for data in grid.datasets}
    costs = {}
    with _as_in_a_worker():
        for group, (spec, *_) in groups.items():
            on_start(spec)
            _, data = run_data(spec, conversations[spec.dataset])
            costs[group] = measure(spec, data)
    return {group: (specs, costs[group]) for group, specs in groups.items()}


@contextmanager
def _as_in_a_worker() -> Iterator[None]:
    """One thread and deterministic algorithms for the block, and torch's generator put back after it."""
    import torch

    from benchmark.execution.worker import prepare

    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    filled = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    with torch.random.fork_rng(devices=[]):
        prepare()
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(deterministic)
            torch.utils.deterministic.fill_uninitialized_memory = filled  # type: ignore[attr-defined]
