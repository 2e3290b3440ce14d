"""A cheap part of the calibration of sessions, rates and extensions."""

import numpy as np
import pytest

from reports.statistics import Verdict
from tests.calibration import sessions
from tests.calibration.measure import share


@pytest.mark.parametrize("correlation", [0.0, 0.3])
def test_seeds_that_share_sessions_keep_the_level(correlation):
    x = sessions.differences(np.random.default_rng(1), 400, 8, correlation)
    found = share(sessions.rejects(x))
    assert 0.02 < found["share"] <= found["bound"]


def test_with_sessions_ignored_they_would_not():
    x = sessions.differences(np.random.default_rng(1), 400, 12, 0.6)
    assert np.mean(sessions.rejects(x, grouped=False)) > 0.12


def test_the_spread_over_seeds_that_share_sessions_keeps_the_level_and_would_not_with_them_ignored():
    x = sessions.differences(np.random.default_rng(1), 400, 16, 0.6, 2)
    by_session = share(sessions.spread_verdicts(x))
    assert by_session["share"] <= by_session["bound"]
    assert np.mean(sessions.spread_verdicts(x, grouped=False)) > 1.3 * by_session["bound"]


def test_rates_over_seeds_that_share_sessions_keep_the_level_and_would_not_with_them_ignored():
    events = sessions.shared_rates(300, 12, 0.9, 0.4)
    wrong, misses = (share(hits) for hits in sessions.shared_rate_verdicts(events))
    assert 0 < wrong["share"] <= wrong["bound"]
    assert misses["share"] <= misses["bound"]
    assert np.mean(sessions.shared_rate_verdicts(events, grouped=False)[0]) > 0.09


def test_without_events_no_verdict_is_wrong_or_right():
    row = next(sessions.rate_verdicts(50))
    assert (row["a"], row["b"], row[Verdict.TOO_FEW_EVENTS]) == (0.0, 0.0, 1.0)
