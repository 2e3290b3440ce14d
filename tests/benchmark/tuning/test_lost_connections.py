"""A study whose database is away for a moment, again and again, is the study that it would have been."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from benchmark.base.errors import UserError
from benchmark.tuning import patience
from benchmark.tuning.storage import Heartbeat, connect, explained
from benchmark.tuning.study import Study
from tests.benchmark.tuning.studies import Score, Workshop, opened, plan, rank_and_order

SCORE: Score = lambda spec: 0.5 + 0.01 * rank_and_order(spec)[1] + 0.0001 * (spec.seed % 7)  # noqa: E731


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST_PAUSE_SECONDS", 0.001)


def away(engine: Any, when: Iterator[bool]) -> None:
    """Have the connection be lost at some statements."""

    def lose(*_: object) -> None:
        if next(when):
            raise OperationalError("SELECT 1", {}, ConnectionResetError("the server closed the connection"))

    event.listen(engine, "before_cursor_execute", lose)


def test_lost_connections_change_nothing_of_a_study(tmp_path: Path, workshop: Callable[[Score], Workshop]) -> None:
    chosen = plan(seeds=2, also=("lr",))
    with opened(f"sqlite:///{tmp_path}/whole.db", chosen, trials=7) as (study,):
        workshop(SCORE).run([study])
        whole = [(attempt.params, attempt.values) for _, attempt in study.attempts()]
    notices: list[str] = []
    database = connect(f"sqlite:///{tmp_path}/lost.db", notices.append)
    away(database.engine, itertools.cycle([False] * 22 + [True]))
    study = Study(chosen, database, Heartbeat(database), tmp_path / "locks")
    study.extend(7)
    workshop(SCORE).run([study])
    assert [(attempt.params, attempt.values) for _, attempt in study.attempts()] == whole
    assert len(study.optuna.get_trials()) == 7
    lost = [line for line in notices if "does not answer (ConnectionResetError: the server closed" in line]
    assert len(lost) == len([line for line in notices if line.endswith("answers again")]) == len(notices) / 2 > 5
    database.engine.dispose()


def test_a_database_that_stays_away_is_given_up_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 0.05)
    notices: list[str] = []
    url = f"sqlite:///{tmp_path}/lost.db"
    database = connect(url, notices.append)
    study = Study(plan(), database, Heartbeat(database), tmp_path / "locks")
    away(database.engine, itertools.repeat(True))
    with pytest.raises(UserError, match=r"cannot use the storage .*; see that the database answers"), explained(url):
        study.extend(3)
    assert len(notices) == 1
    assert "it is asked again for 0.05 s" in notices[0]
    database.engine.dispose()


def test_what_is_no_lost_connection_is_not_tried_again(tmp_path: Path) -> None:
    notices: list[str] = []
    database = connect(f"sqlite:///{tmp_path}/x.db", notices.append)
    with pytest.raises(KeyError):
        database.get_study_id_from_name("no such study")
    assert patience.lost_connection(ValueError("x")) is None
    assert not notices
    database.engine.dispose()
