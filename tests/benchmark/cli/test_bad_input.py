"""Wrong input: exit code 2, one line that names it, nothing written, nothing executed."""

import errno
import os
import pickle
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.main import get_command

from benchmark import cli
from benchmark.cli import _explain
from benchmark.execution import coordinator
from tests.benchmark.harness import feature_items, write_features

Said = tuple[int, list[str]]


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Said]:
    """``say(*words)`` is the command line in this process: its exit code and its lines on stderr."""
    monkeypatch.chdir(tmp_path)
    for name in ("CSSBENCH_DATA", "CSSBENCH_STORE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(coordinator, "run_grid", lambda *_, **__: pytest.fail("something was executed"))

    def run(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["cssbench", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        return int(left.value.code or 0), capsys.readouterr().err.splitlines()

    return run


def refused(said: Said, *parts: str) -> None:
    code, lines = said
    assert code == 2, lines
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    for part in parts:
        assert part in lines[0]


STORES = ("runs", "report", "verify --all", "sync", "store prune --outdated", "run --preset smoke", "tune --trials 1")


@pytest.mark.parametrize("words", STORES)
def test_a_store_whose_path_is_not_utf_8_is_refused(say: Callable[..., Said], words: str, tmp_path: Path) -> None:
    name = os.fsdecode(b"st\xffre")
    (tmp_path / name / "runs").mkdir(parents=True)
    more = ("--dataset", "meld-sim") if words.startswith("tune") else ()
    refused(say(*words.split(), *more, "--store", name), r"st\udcffre' is not UTF-8: rename it")
    assert [path.name for path in (tmp_path / name).iterdir()] == ["runs"]


def test_a_file_whose_path_is_not_utf_8_is_no_fault(say: Callable[..., Said], tmp_path: Path) -> None:
    name = os.fsdecode(b"f\xff.pkl")
    (tmp_path / name).write_bytes(pickle.dumps(3))
    code, lines = say("data", "audit", name)
    assert code == 2
    assert len(lines) == 1
    assert "a fault of css-bench" not in lines[0]


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("--preset smok", ["unknown preset 'smok'", "did you mean 'smoke'"]),
        ("--methods cs", ["unknown method 'cs'", "did you mean 'css'"]),
        ("--methods spff+pgm", ["unknown fusion 'spff'", "did you mean 'spf'"]),
        ("--methods spf+pgmm", ["unknown aggregator 'pgmm'", "did you mean 'pgm'"]),
        ("--methods spf(rnk=3)", ["'rnk'", "did you mean 'rank'"]),
        ("--methods spf(rank=0)", ["rank must be at least 1, got 0"]),
        ("--methods spf(order=0)+pgm", ["order must be at least 1, got 0"]),
        ("--methods spf(rank=two)", ["rank must be of type int, got 'two'"]),
        ("--methods spf(", ["cannot read method part 'spf('"]),
        ("--methods a+b+c", ["cannot read method 'a+b+c'"]),
        ("--methods ,", ["--methods names nothing"]),
        ("--datasets ,", ["--datasets names nothing"]),
        ("--datasets meld-simm", ["unknown data set 'meld-simm'", "did you mean 'meld-sim'"]),
        ("--datasets meld-sim(conflict=1)", ["unknown knob of 'meld-sim' 'conflict'", "did you mean 'conflict_rate'"]),
        ("--datasets iemocap", ["--data-dir"]),
        ("--encoder papr", ["unknown encoder 'papr'", "did you mean 'paper'"]),
        ("--device cuda:7", ["unknown device 'cuda:7'"]),
        ("--rank 0", ["rank must be at least 1, got 0"]),
        ("--order -1", ["order must be at least 1, got -1"]),
        ("--epochs -5", ["epochs must be at least 1, got -5"]),
        ("--epochs three", ["--epochs must be a whole number, got 'three'; see cssbench run --help"]),
        ("--lr fast", ["--lr must be a number, got 'fast'; see cssbench run --help"]),
        ("--lr -1", ["lr must be more than 0, got -1"]),
        ("--lr nan", ["lr must be a finite number, got nan"]),
        ("--dropout 1", ["dropout must be less than 1, got 1"]),
        ("--batch-size 0", ["batch_size must be at least 1, got 0"]),
        ("--heads 3", ["hidden must be a multiple of heads (3), got 16"]),
        ("--warmup 0.1", ["warmup goes with schedule warmup-cosine: choose that, or warmup 0, got 0.1"]),
        ("--schedule warmup-cosine", ["schedule warmup-cosine needs warmup"]),
        ("--schedule cosine --warmup 0", ["schedule must be 'constant' or 'warmup-cosine', got 'cosine'"]),
        ("--clip-norm -1", ["clip_norm must be at least 0, got -1"]),
        ("--class-weigths", ["--class-weigths", "cssbench run --help"]),
        ("--hidden 7", ["hidden must be a multiple of heads", "7"]),
        ("--seeds some", ["cannot read seeds 'some'"]),
        ("--seeds 0", ["--seeds must be at least 1, got 0"]),
        ("--workers 0", ["--workers must be at least 1, got 0"]),
        ("--data-dir absent", ["no folder absent"]),
        ("--store /dev/null", ["/dev/null is a file"]),
        ("--store /dev/null/store", ["no store can be at /dev/null/store: /dev/null is a file"]),
        ("--store /proc/store", ["cannot write to the store /proc/store"]),
        ("--report /dev", ["/dev exists and is not a report"]),
        ("--report /dev/null/report", ["/dev/null is a file"]),
        ("--epocs 3", ["--epocs", "cssbench run --help"]),
        ("--seeds", ["--seeds"]),
        ("surplus", ["surplus", "did you mean --datasets surplus?"]),
        ("--device gpu", ["unknown device 'gpu', did you mean 'cuda'?"]),
    ],
)
def test_a_wrong_word_is_named_and_nothing_is_written(
    say: Callable[..., Said], tmp_path: Path, words: str, parts: list[str]
) -> None:
    refused(say("run", "--preset", "smoke", *words.split()), *parts)
    assert not list(tmp_path.iterdir())


def test_no_option_of_any_command_answers_in_the_words_of_a_library(say: Callable[..., Said]) -> None:
    commands, wrong = [((), get_command(cli.app))], []
    while commands:
        words, command = commands.pop()
        commands += [((*words, name), inner) for name, inner in getattr(command, "commands", {}).items()]
        numbers = [p.opts[0] for p in command.params if p.type_descriptor.annotation in (int, float)]
        wrong += [(*words, option, "word") for option in numbers]
    assert len(wrong) > 40
    for words in wrong:
        refused(say(*words), f"error: {words[-2]} must be a ", " number, got 'word'; see cssbench ")


def test_a_store_without_its_option_is_recognised(say: Callable[..., Said]) -> None:
    refused(say("report", "s3"), "did you mean --store s3?")


@pytest.mark.parametrize("words", ["runs 000", "runs --method css", "verify 000"])
def test_a_command_that_is_proposed_can_be_copied_whatever_the_store_is_called(
    say: Callable[..., Said], tmp_path: Path, words: str
) -> None:
    (tmp_path / "a b" / "runs").mkdir(parents=True)
    refused(say(*words.split(), "--store", "a b"), "cssbench runs --store 'a b' lists ")


def test_a_report_that_cannot_be_written_names_another_folder(
    say: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def read_only(*_: object) -> None:
        raise PermissionError(30, "Read-only file system", "store/.report.draft")

    (tmp_path / "store" / "runs").mkdir(parents=True)
    monkeypatch.setattr("reports.build", read_only)
    refused(say("report", "--store", "store"), "Read-only file system", "cssbench report --store store --out FOLDER")


@pytest.mark.parametrize(
    "words",
    ["report --store absent", "runs --store absent", "runn", "--nope", "data", "data lst", "runs --store /dev/null"],
)
def test_other_commands_refuse_in_one_line_too(say: Callable[..., Said], tmp_path: Path, words: str) -> None:
    refused(say(*words.split()))
    assert not list(tmp_path.iterdir())


class _Hostile:
    def __reduce__(self) -> Any:
        return os.system, ("touch executed",)


def _nan(items: list[Any]) -> None:
    items[3][0][0] = np.full(6, np.nan, np.float32)


def _label(items: list[Any]) -> None:
    items[2][0][0] = 7


def _hostile(items: list[Any]) -> None:
    items[9][0] = _Hostile()


def _layout(items: list[Any]) -> None:
    del items[8:]


def _no_test(items: list[Any]) -> None:
    items[10] = [*items[10], *items[11]]
    items[11] = []


@pytest.mark.parametrize("damage", [_nan, _label, _hostile, _layout, _no_test])
def test_a_damaged_feature_file_is_refused_before_the_store_is_made(
    say: Callable[..., Said], tmp_path: Path, damage: Callable[[list[Any]], None]
) -> None:
    items = feature_items()
    damage(items)
    write_features(tmp_path / "data", items)
    refused(say("run", "--preset", "smoke", "--data-dir", "data", "--datasets", "meld"))
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize("content", [b"", b"text\n", pickle.dumps(tuple(feature_items()))[:-100]])
def test_a_file_that_is_no_whole_pickle_is_refused(say: Callable[..., Said], tmp_path: Path, content: bytes) -> None:
    (tmp_path / "meld_multimodal_features.pkl").write_bytes(content)
    refused(say("run", "--preset", "smoke", "--data-dir", "."), "meld_multimodal_features.pkl")
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_without_feature_files_is_refused_naming_what_was_looked_for(
    say: Callable[..., Said], tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").touch()
    refused(say("run", "--data-dir", "."), "iemocap_multimodal_features.pkl", "notes.txt")


def test_a_damaged_run_folder_is_named(say: Callable[..., Said], tmp_path: Path) -> None:
    folder = tmp_path / "store" / "runs" / ("0" * 16)
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text("{")
    code, (line,) = say("runs", "--store", "store")
    assert code == 1
    assert f"left out: {Path('store/runs') / folder.name} is damaged (spec.json cannot be read" in line
    refused(say("runs", "000", "--store", "store"), "is damaged (spec.json cannot be read", "; remove it, and")


def test_debug_shows_the_traceback_wherever_it_stands(say: Callable[..., Said]) -> None:
    for words in (
        ["--debug", "run", "--rank", "0"],
        ["run", "--debug", "--rank", "0"],
        ["run", "--rank", "0", "--debug"],
    ):
        code, lines = say(*words)
        assert code == 2
        assert lines[0].startswith("Traceback")
        assert lines[-1].startswith("error: rank must be at least 1")


def test_a_fault_of_our_own_is_one_line_and_not_called_wrong_input(
    say: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("x / 0")

    monkeypatch.setattr("benchmark.workflows.grid.parse_seeds", broken)
    code, lines = say("run", "--preset", "smoke")
    assert (code, len(lines)) == (1, 1)
    assert "ZeroDivisionError: x / 0" in lines[0]


def test_a_good_command_passes_all_these_checks(say: Callable[..., Said], monkeypatch: pytest.MonkeyPatch) -> None:
    reached = []
    monkeypatch.setattr(coordinator, "run_grid", lambda *specs, **_: reached.append(specs) or Counter())
    say("run", "--preset", "smoke", "--datasets", "iemocap-sim")
    assert reached


@pytest.mark.parametrize(
    ("number", "room"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "free some space"),
        (errno.EFBIG, "raise the limit on file sizes (ulimit -f)"),
    ],
)
def test_a_full_disk_comes_with_a_remedy(number: int, room: str) -> None:
    code, message = _explain(OSError(number, os.strerror(number), "report.md"))
    assert (code, message) == (
        1,
        f"{os.strerror(number)}: report.md: {room}, or have the command write to another disk; "
        "the same command goes on",
    )
