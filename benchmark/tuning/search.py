"""Studies over one scheduler: a free worker gets the next run of an open trial, or the first one of a new trial."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmark.execution.events import Event, Failed, Finished
from benchmark.execution.tasks import Task
from benchmark.experiment.spec import RunSpec
from benchmark.store.store import Store
from benchmark.tuning.measuring import Measured, Volatility, measure
from benchmark.tuning.study import Study

if TYPE_CHECKING:
    from optuna import Trial


@dataclass(eq=False)
class Open:
    """A trial under way: its runs by seed, and what the finished ones were."""

    study: Study
    trial: "Trial"
    number: int
    specs: list[RunSpec]
    started: int = 0
    measured: dict[int, Measured] = field(default_factory=dict)
    over: bool = False
    error: str | None = None

    @property
    def may_start(self) -> bool:
        """Whether its next run may start; where the pruner decides from run to run, after the one before."""
        waits = self.study.plan.pruner is not None and self.started > len(self.measured)
        return not self.over and not waits and self.started < len(self.specs)

    @property
    def runs(self) -> list[Measured]:
        """The finished ones, in the order of their seeds."""
        return [self.measured[i] for i in sorted(self.measured)]


class Search:
    """Decides what runs next, and what finished runs mean for their trials.

    Args:
        task: a run with all that a worker needs.
        volatility: of a run's loss.
        tell: called with a trial that ended.
    """

    def __init__(
        self,
        studies: Sequence[Study],
        store: Store,
        task: Callable[[RunSpec], Task],
        volatility: Volatility,
        tell: Callable[[Open], None],
    ) -> None:
        self.studies = studies
        self.store = store
        self.open: list[Open] = []
        self._task = task
        self._volatility = volatility
        self._tell = tell
        self._flying: dict[str, list[tuple[Open, int]]] = {}  # who waits for a run that is being made, by its key

    def tasks(self) -> Iterator[Task | None]:
        """Every run that the store does not hold, one after the other; None where there is none now."""
        while True:
            while (task := self._from_open()) is None and self._take():
                pass  # a trial whose runs are all there is over at once
            if task is not None:
                yield task
            elif self.open or any(self.studies_left()):
                yield None
            else:
                return

    def studies_left(self) -> Iterator[Study]:
        """Those with trials to come or, in other processes, under way."""
        return (study for study in self.studies if not study.is_finished)

    def hear(self, event: Event) -> None:
        """Something happened to a run."""
        if isinstance(event, Finished):
            for trial, index in self._flying.pop(event.key, ()):
                self._measured(trial, index)
        elif isinstance(event, Failed):
            for trial, index in self._flying.pop(event.key, ()):
                last = event.error.strip().splitlines()[-1]
                self._end(trial, error=f"the run of seed {trial.specs[index].seed} ({event.key}) failed: {last}")

    def of(self, key: str) -> Open:
        """A trial that waits for the run."""
        return self._flying[key][0][0]

    def release(self) -> None:
        """Leave what is open to whoever goes on."""
        for trial in self.open:
            trial.study.release(trial.trial)
        self.open.clear()

    def _from_open(self) -> Task | None:
        while trial := next((t for t in self.open if t.may_start), None):
            index, trial.started = trial.started, trial.started + 1
            spec = trial.specs[index]
            if spec.key in self._flying:  # another trial has the same settings
                self._flying[spec.key].append((trial, index))
            elif self.store.is_whole(spec.key):
                self._measured(trial, index)
            else:
                self._flying[spec.key] = [(trial, index)]
                return self._task(spec)
        return None

    def _take(self) -> bool:
        """Begin a trial, of the study that has the fewest open: a search learns from trials that ended."""
        for study in sorted(self.studies, key=lambda study: sum(t.study is study for t in self.open)):
            if asked := study.ask():
                trial, number = asked
                self.open.append(Open(study, trial, number, study.plan.specs(trial.params)))
                return True
        return False

    def _measured(self, trial: Open, index: int) -> None:
        from optuna.exceptions import UpdateFinishedTrialError

        if trial.over:
            return
        run = trial.measured[index] = measure(
            self.store.folder(trial.specs[index].key), trial.specs[index].seed, self._volatility
        )
        try:
            trial.study.report(trial.trial, trial.runs, index, run.validation)
        except UpdateFinishedTrialError:  # this process seemed dead, and another one took the trial over
            self._close(trial)
            trial.study.forget(trial.trial)
            return
        if len(trial.measured) == len(trial.specs):
            values = [[run.goal(name) for run in trial.runs] for name in trial.study.plan.goals]
            known = [[v for v in by_seed if v is not None] for by_seed in values]
            if any(len(by_seed) < len(trial.specs) for by_seed in known):
                self._end(trial, error="the volatility of a run could not be computed: its loss was not finite")
            else:
                self._end(trial, values=[sum(by_seed) / len(by_seed) for by_seed in known])
        elif trial.study.is_hopeless(trial.trial):
            self._end(trial)

    def _end(self, trial: Open, values: Sequence[float] | None = None, error: str | None = None) -> None:
        if not trial.over:
            trial.error = error
            trial.study.end(trial.trial, values, error)
            self._close(trial)
            self._tell(trial)

    def _close(self, trial: Open) -> None:
        trial.over = True
        self.open.remove(trial)
