"""``--minutes``: as many seeds as fit, decided by time alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import benchmark
from benchmark.base.errors import UserError
from benchmark.execution.places import Places
from benchmark.experiment.preregistration import Preregistration
from benchmark.workflows import minutes as module
from benchmark.workflows.grid import Grid, plan_grid
from benchmark.workflows.minutes import LEAST, seeds_that_fit
from tests.benchmark.harness import Say, digests
from tests.benchmark.workflows.heard import Heard


@pytest.fixture
def one(features: Path, tmp_path: Path) -> Grid:
    """The first seed of a grid of two methods."""
    return plan_grid(
        tmp_path / "store", datasets=["meld"], methods=["concat", "adam"], seeds=1, preset="smoke", epochs=4,
        device="cpu", data_dir=features,
    )  # fmt: skip


def where(tmp_path: Path, workers: int = 2) -> Places:
    return Places(tmp_path / "store", tmp_path / "report", None, workers, None)


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """What runs take, by method, as if the store knew it."""
    by_method = {"concat": 5.0, "adam": 5.0}

    def known(specs: Sequence[Any], _: Any) -> dict[str, float]:
        return {spec.key: by_method[spec.method.label] for spec in specs if spec.method.label in by_method}

    monkeypatch.setattr(module, "seconds_of_runs", known)
    return by_method


def test_as_many_seeds_are_made_as_fit(one: Grid, tmp_path: Path, seconds: dict[str, float]) -> None:
    heard = Heard()
    # of two workers, 10 s a seed is 5 s; 10 s are kept for the report
    assert seeds_that_fit((10 + 5 * 20) / 60, one, where(tmp_path), heard) == 20
    assert heard.messages == ["20 seeds: about 0:01:50 on 2 workers, the report included"]
    assert seeds_that_fit((10 + 10 * 20) / 60, one, where(tmp_path, workers=1), heard) == 20
    assert not heard.notices


def test_fewer_seeds_than_a_test_needs_are_never_chosen_and_that_is_said(
    one: Grid, tmp_path: Path, seconds: dict[str, float]
) -> None:
    heard = Heard()
    assert seeds_that_fit(0.1, one, where(tmp_path), heard) == LEAST
    assert heard.notices == [
        "warning: a test needs 8 seeds, and 0.1 minutes are too short for them; 8 seeds: about 0:00:50 on 2 workers, "
        "the report included"
    ]


def test_what_no_run_in_the_store_tells_is_timed_and_thrown_away(
    one: Grid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, place = Heard(), where(tmp_path)
    seen: list[float] = []
    real = module.makespan
    monkeypatch.setattr(module, "makespan", lambda times, workers: seen.append(sum(times)) or real(times, workers))
    assert seeds_that_fit(10, one, place, heard) > LEAST
    assert heard.messages[0] == "timing 2 epochs of each method on each data set …"
    assert min(seen) > 0
    assert not (tmp_path / "store" / "runs").exists()


def test_the_grid_is_declared_with_the_seeds_that_fit_and_made_whole(
    features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared: list[Any] = []
    monkeypatch.setattr(
        Preregistration, "declare", lambda self, root: declared.append((list(self.seeds), digests(root)))
    )
    outcome = benchmark.run(
        minutes=0.01, datasets=["meld"], methods=["concat"], preset="smoke", epochs=1, device="cpu", data_dir=features,
        store=tmp_path / "store", report=False,
    )  # fmt: skip
    assert (outcome.made, outcome.failed) == (LEAST, 0)
    assert declared == [(list(range(LEAST)), {})]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"minutes": 0}, "--minutes must be more than 0, got 0"),
        ({"minutes": float("nan")}, "--minutes must be more than 0, got nan"),
        ({"minutes": 5, "seeds": 3}, "leave out --seeds"),
        ({"minutes": 5, "protocol": "published"}, "--protocol published has one"),
        ({"minutes": 5, "locked": "some.json"}, "the lock some.json says how many seeds"),
    ],
)
def test_minutes_that_go_with_another_choice_are_refused(
    more: dict[str, Any], message: str, features: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        benchmark.run(data_dir=features, store=tmp_path / "store", **more)
    assert not (tmp_path / "store").exists()


def test_the_command_takes_minutes(features: Path, tmp_path: Path, say: Say) -> None:
    words = (
        "run",
        "--datasets",
        "meld",
        "--methods",
        "concat",
        "--preset",
        "smoke",
        "--epochs",
        "1",
        "--device",
        "cpu",
    )
    code, out, _ = say(*words, "--data-dir", features, "--store", tmp_path, "--minutes", "0.01", "--dry-run")
    assert code == 0
    assert "8 runs, 0 of them already in" in out
