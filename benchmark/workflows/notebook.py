"""Progress in a notebook: one line that updates, and below it what a reader has to know."""

import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from benchmark.execution.events import Event, Finished
from benchmark.execution.listener import EndedTrial, Hear, Listener, TrialProgress, TrialRun
from benchmark.execution.progress import GridProgress
from benchmark.experiment.spec import RunSpec


def default_listener() -> Listener:
    """What hears when nobody is named: a notebook's line where a notebook calls, else somebody who says nothing."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return Notebook() if hasattr(shell, "kernel") else Listener()


class Notebook(Listener):
    """Shows everything through IPython's display: progress in a line of its own, which is drawn again in its place."""

    def __init__(self) -> None:
        # MLflow imports tqdm, which asks every notebook for widgets that nothing here draws
        warnings.filterwarnings("ignore", "IProgress not found")

    def message(self, text: str) -> None:
        """Show a line below."""
        _Line().show(text)

    def notice(self, text: str) -> None:
        """Show a line below."""
        _Line().show(text)

    @contextmanager
    def runs(self, specs: Mapping[str, RunSpec], title: str = "all runs") -> Iterator[Hear]:
        """Show how many runs are over, what the last one was, and how long the rest takes."""
        grid, line, last = GridProgress(specs), _Line(), ""
        lead = "" if title == "all runs" else title

        def hear(event: Event) -> None:
            nonlocal last
            progress = grid.update(event)
            if progress is not None and isinstance(event, Finished):
                last = progress.partition("; ")[0].partition("] ")[2]
            elif progress is not None:
                self.notice(progress)
            line.show(" · ".join(filter(None, (lead, grid.count, grid.time_left, last))))

        yield hear

    @contextmanager
    def trials(self, total: int, over: int) -> Iterator[TrialProgress]:
        """Show how many trials are over, and the last one's score."""
        yield _Trials(total, over)


class _Trials:
    """The trials of studies in one line."""

    def __init__(self, total: int, over: int) -> None:
        self._total, self._over, self._line = total, over, _Line()

    def update(self, event: Event, run: TrialRun) -> None:
        """Show which trial is being made."""
        self._show(f"{run.study} trial {run.number} · seed {run.seed}")

    def ended(self, trial: EndedTrial) -> None:
        """Count the trial and show its mean score."""
        self._over += 1
        mean = 100 * sum(trial.scores) / len(trial.scores) if trial.scores else None
        score = "" if mean is None else f": validation F1 {mean:.1f}"
        self._show(f"{trial.study} trial {trial.number}" + (f": failed: {trial.error}" if trial.error else score))

    def _show(self, last: str) -> None:
        self._line.show(f"{self._over}/{self._total} trials · {last}")


class _Line:
    """A line of text in the output of a cell; shown again, it takes its own place."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, text: str) -> None:
        """Show the text, in the place of what was shown before."""
        from IPython.display import Pretty, display

        shown = Pretty(text)
        if self._handle is None:
            self._handle = display(shown, display_id=True)
        else:
            self._handle.update(shown)
