"""``cssbench estimate``."""

from pathlib import Path

import pytest
import torch

from tests.benchmark.harness import Say

SMALL = ("--preset", "smoke", "--datasets", "meld-sim", "--hidden", 8, "--heads", 2, "--batch-size", 256)


def test_it_says_what_each_method_of_the_grid_costs_and_writes_nothing(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.execution.calibration.STEPS_SECONDS", 0.0)
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    words = ("estimate", *SMALL, "--methods", "css,adam", "--seeds", 3, "--workers", 2, "--store", tmp_path / "store")
    code, out, err = say(*words)

    assert code == 0, err
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if "│" in line]
    assert [row[:3] for row in rows] == [["meld-sim", "css", "3"], ["meld-sim", "adam", "3"]]
    assert all(float(row[3]) > 0 and float(row[4]) > 0 and float(row[5]) > 0 for row in rows)
    assert float(rows[0][3]) > 1.5 * float(rows[1][3])  # three backward passes for one
    assert "6 runs: about" in out
    assert "on 2 workers" in out
    assert not (tmp_path / "store").exists()
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.are_deterministic_algorithms_enabled()


def test_runs_that_hold_out_sessions_in_turn_are_estimated_too(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.execution.calibration.STEPS_SECONDS", 0.0)
    words = ("--preset", "smoke", "--datasets", "iemocap-sim", *SMALL[4:], "--methods", "adam", "--seeds", 2)
    code, out, err = say("estimate", *words, "--protocol", "sessions")

    assert code == 0, err
    assert "10 runs: about" in out  # five sessions of two seeds


def test_what_cannot_be_estimated_is_said(say: Say) -> None:
    code, _, err = say("estimate", *SMALL, "--workers", 0)
    assert code == 2
    assert "--workers is 0" in err
    code, _, err = say("estimate", *SMALL, "--methods", "cs")
    assert code == 2
    assert "css" in err
