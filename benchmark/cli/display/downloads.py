"""How a download is shown: a bar with speed and remaining time on a terminal, else a line at its start and end."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from benchmark.fetching.transfer import Progress as Told


@contextmanager
def shown(name: str, console: Console) -> Iterator[Told]:
    """A function to call with the bytes received and in all; the bar is there while the block lasts."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as bar:
        task = None

        def told(received: int, total: int | None) -> None:
            nonlocal task
            if task is None or received < bar.tasks[0].completed:  # what was there before counts for no speed
                if task is not None:
                    bar.remove_task(task)
                task = bar.add_task(name, completed=received, total=total)
            bar.update(task, completed=received)

        yield told
