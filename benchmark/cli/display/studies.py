"""The progress and the outcome of studies: bars on a terminal, a line a trial elsewhere, a table at the end."""

import math
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from statistics import mean, stdev
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmark.cli.display.bars import Bars
from benchmark.execution.events import Epoch, Event, Failed, Finished, Interrupted, Retried, Started
from benchmark.execution.listener import EndedTrial, TrialRun
from benchmark.tuning.space import shown


class StudyDisplay(Bars):
    """Live progress: all trials in one bar, and one for each run that is being made.

    Args:
        total: trials of all studies.
        done: of these, over before.
        console: where to draw; not a terminal, it gets a line a trial.
        one_line: draw the bar of all trials alone, and say only what went wrong.
    """

    def __init__(self, total: int, done: int, console: Console, *, one_line: bool = False) -> None:
        self._one_line = one_line
        self._total, self._before, self._done = total, done, done
        self._best: dict[str, tuple[float, int]] = {}
        self._start = time.monotonic()
        super().__init__(console, "all trials", total=total, done=done, count=f"{done}/{total} trials", note="starting")

    def update(self, event: Event, run: TrialRun) -> None:
        """Show what happened to a run."""
        match event:
            case Started() | Epoch() if self._one_line:
                pass
            case Started():
                self.start_run(event.key, f"{run.study} trial {run.number} · seed {run.seed}", run.epochs)
            case Epoch(epoch=epoch, best=best):
                self.move_run(event.key, epoch, run.epochs, "" if math.isnan(best) else f"val F1 {100 * best:.1f}")
            case Finished() | Failed() | Interrupted() | Retried():
                self.end_run(event.key)
                if isinstance(event, Retried):
                    self.say(f"a run is to be tried again, after: {event.error.strip().splitlines()[-1]}")

    def ended(self, trial: EndedTrial) -> None:
        """Show a trial that ended here."""
        self._done += 1
        scores = trial.scores
        if len(scores) == trial.seeds and mean(scores) > self._best.get(trial.study, (-1.0, 0))[0]:
            self._best[trial.study] = mean(scores), trial.number
        outcome = f"validation F1 {spread(scores)}" if scores else ""
        if trial.error:
            outcome = f"failed: {trial.error}"
        elif len(scores) < trial.seeds:
            outcome += f", stopped after {len(scores)} of {trial.seeds} seeds"
        if trial.study in self._best:
            outcome += f"; best {100 * self._best[trial.study][0]:.1f} (trial {self._best[trial.study][1]})"
        elapsed = time.monotonic() - self._start
        left = elapsed * (self._total - self._done) / (self._done - self._before)
        note = f"{_time(left)} left" if self._done < self._total else ""
        self.move_all(self._done, f"{self._done}/{self._total} trials", note)
        if self._one_line and not trial.error:
            return
        self.say(
            f"[{self._done:>{len(str(self._total))}}/{self._total}] {trial.study} trial {trial.number}, "
            f"{shown(trial.settings)}: {outcome}; {', '.join(filter(None, (f'{_time(elapsed)} elapsed', note)))}"
        )


def summary(records: Sequence[Mapping[str, Any]]) -> Table:
    """A row a setting: of each study the default, then the best or the front."""
    table = Table(title="Validation weighted F1, mean ± sd over seeds", title_justify="left", caption_justify="left")
    for name in (
        "study",
        "setting",
        "trial",
        "validation F1 (n)",
        "trials: complete, pruned, failed",
        "epochs",
        "time",
    ):
        table.add_column(name)
    for record in records:
        trials = {trial["number"]: trial for trial in record["trials"]}
        states = [trial["state"] for trial in trials.values()]
        runs = {run["key"]: run for trial in trials.values() for run in trial["runs"]}.values()  # each was made once
        budget = (
            ", ".join(str(states.count(state)) for state in ("complete", "pruned", "failed")),
            str(sum(run["epochs"] for run in runs)),
            _time(sum(run["seconds"] for run in runs)),
        )
        named = {0: "default"} | dict.fromkeys(record["front"] or (), "front")
        if record["best"] is not None:
            named[record["best"]] = "best"
        for number, what in sorted(named.items()):
            if (trial := trials.get(number)) is None or not trial["runs"]:
                continue
            if number == 0:
                what = "default" if what == "default" else f"default, {what}"
            scores = [run["validation"] for run in trial["runs"]]
            setting = f"{what}: {shown(trial['params'])}"
            table.add_row(record["name"], setting, str(number), f"{spread(scores)} ({len(scores)})", *budget)
            budget = ("", "", "")
    table.caption = (
        "The best of many trials is chosen for its score, which is therefore flattering: what counts is the comparison "
        "on other seeds and the test set."
    )
    return table


def spread(scores: Sequence[float]) -> str:
    """The mean ± sd of scores, in points; of one score, that score."""
    shown = f"{100 * mean(scores):.2f}"
    return f"{shown} ± {100 * stdev(scores):.2f}" if len(scores) > 1 else shown


def _time(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
