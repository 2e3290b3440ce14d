"""Progress on a terminal, in a file, and where there is one line alone."""

import io
import re
from typing import Any

import pytest
from rich.console import Console

from benchmark.cli.display.runs import RunDisplay
from benchmark.cli.display.terminal import Terminal
from benchmark.data.datasets import dataset
from benchmark.execution.events import Epoch, Failed, Finished, Interrupted, Started, Waiting
from benchmark.execution.progress import GridProgress
from benchmark.experiment.grid import expand
from benchmark.experiment.presets import load_preset
from benchmark.experiment.spec import RunSpec


@pytest.fixture
def specs() -> dict[str, RunSpec]:
    grid = expand(load_preset("smoke"), [dataset("meld-sim", None)], ["css", "adam"], [0, 1])
    return {spec.key: spec for spec in grid}


def story(specs: dict[str, RunSpec]) -> list[Any]:
    """Every run is trained for two epochs; the last one fails."""
    events: list[Any] = []
    for key in specs:
        events += [Started(key), *(Epoch(key, epoch, {}, 0.25) for epoch in (1, 2))]
        events.append(Finished(key) if key != list(specs)[-1] else Failed(key, "Traceback\nValueError: no"))
    return events


def drawn(specs: dict[str, RunSpec], *, terminal: bool, one_line: bool) -> str:
    screen = io.StringIO()
    with RunDisplay(specs, Console(file=screen, force_terminal=terminal, width=100), one_line=one_line) as display:
        for event in story(specs):
            display.update(event)
    return screen.getvalue()


def test_in_a_file_every_run_is_a_line(specs: dict[str, RunSpec]) -> None:
    lines = drawn(specs, terminal=False, one_line=False).splitlines()
    assert [line.partition("]")[0] for line in lines] == ["[1/4", "[2/4", "[3/4", "[4/4"]
    assert all("best validation F1 25.0" in line for line in lines[:3])
    assert lines[3].endswith("failed: ValueError: no")


def test_one_line_moves_no_cursor_up_and_says_only_what_went_wrong(specs: dict[str, RunSpec]) -> None:
    up = "\x1b[1A"
    assert up in drawn(specs, terminal=True, one_line=False)
    screen = drawn(specs, terminal=True, one_line=True)
    assert up not in screen
    assert "4/4 runs" in screen
    assert screen.count("validation F1") == 0
    assert screen.count("failed: ValueError: no") == 1


def test_a_notebooks_command_has_one_line(specs: dict[str, RunSpec], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    screen = io.StringIO()
    with Terminal(Console(file=screen, force_terminal=True, width=100)).runs(specs) as hear:
        for event in story(specs):
            hear(event)
    assert "\x1b[1A" not in screen.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_clock_is_whole_at_every_width(specs: dict[str, RunSpec], width: int) -> None:
    screen = io.StringIO()
    with RunDisplay(specs, Console(file=screen, force_terminal=True, width=width)) as display:
        for event in story(specs):
            display.update(event)
    plain = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", screen.getvalue())
    assert re.search(r"4/4 runs \d:\d\d:\d\d", plain)


def test_without_colours_there_is_no_bar_that_looks_full(specs: dict[str, RunSpec]) -> None:
    screen = io.StringIO()
    with RunDisplay(specs, Console(file=screen, force_terminal=True, width=120, no_color=True)) as display:
        display.update(Started(next(iter(specs))))
    assert "━" not in screen.getvalue()
    assert "0/4 runs" in screen.getvalue()


def test_a_run_that_another_process_makes_is_said_to_be(specs: dict[str, RunSpec]) -> None:
    progress = GridProgress(specs)
    key = next(iter(specs))
    assert progress.time_left == "starting"
    said = progress.update(Waiting(key))
    assert said is not None
    assert said.endswith("made by another process, waiting for it")
    assert progress.time_left == "made by another process"


def test_a_stopped_run_is_not_done(specs: dict[str, RunSpec]) -> None:
    progress = GridProgress(specs)
    first, second, *_ = specs
    for event in (Started(first), Finished(first), Started(second), Interrupted(second)):
        progress.update(event)
    assert progress.count == "1/4 runs, 1 stopped"
