"""Reports put in their place by several writers at once, and after kills at the worst moments."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from reports import is_current
from reports.build import refuse_foreign
from reports.swap import draft_of, put_in_place, recover


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def accept(target: Path) -> None:
    """Accept whatever is there."""


def die(*arguments: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed_between_the_renames(target: Path) -> None:
    """Put a new folder in the target's place, and die when the old one is away."""
    rename = Path.rename
    Path.rename = lambda path, to: rename(path, to) if path == target else die()  # type: ignore[assignment,method-assign]
    with draft_of(target) as draft:
        put_in_place(draft, target, accept)


def in_a_process_that_dies(function: object, *arguments: object) -> None:
    process = multiprocessing.get_context("fork").Process(target=function, args=arguments)  # type: ignore[arg-type]
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_report_whose_swap_was_killed_comes_back_when_it_is_asked_for(tmp_path: Path):
    out = tmp_path / "report"
    out.mkdir()
    (out / "page").write_text("old")
    in_a_process_that_dies(killed_between_the_renames, out)
    assert not out.exists()
    assert len(left(tmp_path)) == 2
    assert not is_current(tmp_path, out)
    assert (out / "page").read_text() == "old"
    assert left(tmp_path) == {"report"}


def draw_and_die(target: Path) -> None:
    with draft_of(target) as draft:
        (draft / "half").write_text("drawn")
        die()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_half_drawn_reports_of_the_dead_are_removed_and_those_of_the_living_stay(tmp_path: Path):
    target = tmp_path / "report[1]"
    in_a_process_that_dies(draw_and_die, target)
    assert len(left(tmp_path)) == 1
    with draft_of(target) as draft:
        recover(target)
        assert left(tmp_path) == {draft.name}
    assert left(tmp_path) == set()


def test_a_writer_that_finds_another_ones_report_replaces_it(tmp_path: Path):
    """Both have seen no report before they drew: the second swap once failed, as its target was no longer empty."""
    target = tmp_path / "report"
    with draft_of(target) as first, draft_of(target) as second:
        for draft in (first, second):
            (draft / "page").write_text(draft.name)
        put_in_place(first, target, accept)
        put_in_place(second, target, accept)
        assert (target / "page").read_text() == second.name
    assert left(tmp_path) == {"report"}


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_nobody_looks_at_a_report_in_the_middle_of_a_swap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Between the two renames a second writer waits; it once was told that the folder is no report, or not there."""
    out, rename, context = tmp_path / "report", Path.rename, multiprocessing.get_context("fork")
    out.mkdir()
    away, looks, told = context.Event(), context.Event(), context.Event()

    def look() -> None:
        assert away.wait(30)
        looks.set()
        refuse_foreign(out)  # an empty folder passes
        told.set()

    other = context.Process(target=look)
    other.start()  # before this process has a lock that it would inherit

    def rename_slowly(path: Path, to: Path) -> Path:
        moved = rename(path, to)
        if path == out:
            away.set()
            assert looks.wait(30)
            assert not told.wait(0.1)
        return moved

    monkeypatch.setattr(Path, "rename", rename_slowly)
    with draft_of(out) as draft:
        put_in_place(draft, out, accept)
    other.join(30)
    assert (other.exitcode, told.is_set()) == (0, True)
