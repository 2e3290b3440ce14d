"""How many seeds of a grid fit into so many minutes: ``--minutes``, decided before the runs and by their time alone."""

import tempfile
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.base.errors import UserError
from benchmark.base.words import counted
from benchmark.execution.estimate import makespan, seconds_of_runs
from benchmark.execution.events import Failed, Interrupted
from benchmark.execution.listener import Listener
from benchmark.execution.places import Places
from benchmark.experiment.grid import MOST_SEEDS
from benchmark.store.store import Store
from benchmark.workflows.grid import Choices, Grid
from benchmark.workflows.preparation import refuse_unusable

if TYPE_CHECKING:
    from benchmark.experiment.spec import RunSpec

LEAST = 8
"""The fewest seeds whose sign flips can reject at 5 % whatever else is tested (2/2⁸ < .01)."""
TIMED_EPOCHS = 2
_REPORT = 10.0
"""Seconds that are left for MLflow's end and the report."""


def refuse_beside_minutes(minutes: float, choices: Choices, locked: Path | str | None) -> None:
    """Raise UserError for minutes that are none, or that go with another choice of seeds."""
    if not minutes > 0:
        raise UserError(f"--minutes must be more than 0, got {minutes:g}")
    if locked is not None:
        raise UserError(f"the lock {locked} says how many seeds there are: leave out --minutes, or it")
    if choices.get("until_decided"):
        raise UserError("--minutes and --until-decided both choose the number of seeds: leave one of them out")
    if choices.get("seeds") is not None:
        raise UserError("--minutes chooses the number of seeds: leave out --seeds, or it")
    if choices.get("protocol") == "published":
        raise UserError(
            "--minutes chooses the number of seeds, and --protocol published has one: leave one of them out"
        )


def seeds_that_fit(minutes: float, one: Grid, where: Places, listener: Listener) -> int:
    """The number of seeds whose runs and report take at most so many minutes from now, but at least :data:`LEAST`.

    Args:
        minutes: for everything.
        one: the grid with one seed.

    The time of a run is that of the store's finished runs like it. Where there are none, the run is made for
    :data:`TIMED_EPOCHS` epochs in a folder that is thrown away, and its scores are not looked at.
    """
    known = seconds_of_runs(one.specs, Store(where.store))
    if unknown := [spec for spec in one.specs if spec.key not in known]:
        listener.message(f"timing {counted(TIMED_EPOCHS, 'epoch')} of each method on each data set …")
        known |= _timed(unknown, one, where)
    workers = max(1, where.at_once())
    budget = 60 * minutes - _REPORT
    times = [known[spec.key] for spec in one.specs]
    seeds = LEAST
    while seeds < MOST_SEEDS and makespan(times * (seeds + 1), workers) <= budget:
        seeds += 1
    needed = makespan(times * seeds, workers)
    taken = timedelta(seconds=round(needed + _REPORT))
    sentence = f"{counted(seeds, 'seed')}: about {taken} on {counted(workers, 'worker')}, the report included"
    if needed > budget:
        listener.notice(
            f"warning: a test needs {LEAST} seeds, and {minutes:g} minutes are too short for them; {sentence}"
        )
    else:
        listener.message(sentence)
    return seeds


def _timed(specs: "Sequence[RunSpec]", grid: Grid, where: Places) -> Mapping[str, float]:
    """Seconds that these runs would take, by key, from the first epochs of each; raises UserError where one fails."""
    from benchmark.execution.coordinator import making
    from benchmark.execution.tasks import Task

    refuse_unusable(specs, grid.datasets)
    data = {each.name: each for each in grid.datasets}
    brief = {
        spec.key: spec.model_copy(
            update={"training": spec.training.model_copy(update={"epochs": min(TIMED_EPOCHS, spec.training.epochs)})}
        )
        for spec in specs
    }
    with tempfile.TemporaryDirectory(prefix="cssbench-") as folder:
        store = Store(Path(folder))
        store.prepare()
        executor = where.executor(store)
        tasks = [Task(spec, data[spec.dataset], None) for spec in brief.values()]
        with making(executor.run(tasks), executor.stop, Listener()) as events:
            for event in events:
                if isinstance(event, Failed):
                    raise UserError(f"a run to be timed failed: {event.error.strip().splitlines()[-1]}")
                if isinstance(event, Interrupted):
                    raise KeyboardInterrupt
        seconds = seconds_of_runs(brief.values(), store)
        return {
            spec.key: seconds[brief[spec.key].key] * spec.training.epochs / brief[spec.key].training.epochs
            for spec in specs
        }
