"""What ``cssbench run`` and ``report`` end with."""

import io
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.cli.display.scoreboards import next_step, show_report, show_scoreboards
from reports.scoreboard import Score, Scoreboard

CSS = Score(method="css", n=10, mean=87.9, sd=1.04, difference=None, low=None, high=None, verdict="", diverged=0)
LINEAR = replace(CSS, method="linear[x]", mean=68.6, difference=19.19, low=17.41, high=20.97, verdict="▲ supported")
BOARD = Scoreboard(
    dataset="meld-sim",
    data="SIMULATED DATA (meld-sim)",
    answer="SIMULATED DATA (meld-sim): css is better than linear[x].",
    reference="css",
    scores=(CSS, LINEAR),
    seeds=10,
    needed=8,
    undecided=False,
    seconds_a_seed=30.0,
)
WORDS = ("run", "--datasets", "meld-sim", "--seeds", "3", "--minutes=2", "--store", "a store")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def step(board: Scoreboard, words: tuple[str, ...] = WORDS, workers: int = 2) -> str:
    return next_step([board], words, store=Path("a store"), workers=workers)


def test_a_pipe_gets_a_row_a_method_without_any_control_character(capsys: pytest.CaptureFixture[str]) -> None:
    show_scoreboards([BOARD])
    text = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == "SIMULATED DATA (meld-sim)"
    assert "css 87.9 ± 1.0 10" in lines
    assert "linear[x] 68.6 ± 1.0 10 +19.19 [17.41, 20.97] ▲ supported" in lines
    assert "css is better than linear[x]." in lines
    assert "\x1b" not in text


def test_a_terminal_of_eighty_columns_has_no_wider_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    long = replace(LINEAR, verdict="≈ different, but within the margin (exploratory)")
    show_scoreboards([replace(BOARD, scores=(CSS, long), answer="")])
    text = re.sub(r"\x1b\[[\d;]*m", "", out.getvalue())
    assert max(map(len, text.splitlines())) <= 80
    assert "+19.19 [17.41, 20.97]" in text


def test_diverged_runs_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    show_scoreboards([replace(BOARD, scores=(CSS, replace(LINEAR, diverged=2)))])
    assert "Diverged on meld-sim: linear[x] 2 of 10; their scores are in the means." in capsys.readouterr().out


def test_the_report_is_a_link_on_a_terminal_and_a_path_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "a b" / "index.html"
    show_report(page)
    assert capsys.readouterr().out == f"report: {page}\n"
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setenv("TERM", "xterm-256color")
    show_report(page)
    assert out.getvalue() == f"report: \x1b]8;;{page.as_uri()}\x1b\\{page}\x1b]8;;\x1b\\\n"
    assert "%20" in page.as_uri()


def test_too_few_seeds_are_followed_by_the_same_command_with_as_many_as_a_test_needs() -> None:
    said = step(replace(BOARD, seeds=3))
    assert said.endswith("cssbench run --datasets meld-sim --store 'a store' --seeds 8")
    assert "(about 75 seconds)" in said  # five seeds, half a minute each, two workers


def test_what_is_undecided_is_followed_by_seeds_until_it_is_decided_in_a_store_of_their_own() -> None:
    said = step(replace(BOARD, undecided=True))
    assert said.endswith("cssbench run --datasets meld-sim --until-decided --store 'a store-decided'")
    assert "about 15 seconds for each further seed" in said


@pytest.mark.parametrize("words", [WORDS, (*WORDS, "--until-decided")])
def test_what_is_decided_or_cannot_be_is_followed_by_a_check_of_the_runs(words: tuple[str, ...]) -> None:
    said = step(replace(BOARD, undecided="--until-decided" in words), words)
    assert said.endswith("cssbench verify --all --store 'a store'")
    assert "about 2 minutes" in said


def test_without_a_scoreboard_nothing_follows() -> None:
    assert next_step([], WORDS, store=Path("store"), workers=1) == ""
