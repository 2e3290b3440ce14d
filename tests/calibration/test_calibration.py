"""A cheap part of `nox -s calibrate`: it runs, and the sizes are where they belong."""

import numpy as np
import pytest

from reports.statistics.verdicts import Verdict
from tests.calibration import measure
from tests.calibration.__main__ import table
from tests.calibration.simulate import SHAPES, scores, standard_error


@pytest.mark.parametrize("shape", SHAPES)
def test_simulated_methods_are_alike_and_correlated_within_a_seed(shape):
    x = scores(np.random.default_rng(0), 4_000, 2, 2, 0.9, shape)
    ranks = x.reshape(-1, 2).argsort(axis=0).argsort(axis=0)
    assert np.corrcoef(ranks.T)[0, 1] == pytest.approx(0.89, abs=0.02)  # Spearman's of a normal copula of .9
    assert np.median(x[..., 0]) == pytest.approx(np.median(x[..., 1]), abs=0.05)


@pytest.mark.parametrize(
    ("name", "runs"), [("sign flip, one comparison", 2_000), ("max-t sign flip, family of 5", 300)]
)
def test_a_test_that_feeds_verdicts_keeps_its_level(name, runs):
    methods, rejects, _, _ = measure.DECISIVE[name]
    found = measure.share(rejects(scores(np.random.default_rng(1), runs, 8, methods, 0.5, "normal")))
    assert 0.02 < found["share"] <= found["bound"]


def test_a_family_that_is_not_adjusted_would_not():
    x = scores(np.random.default_rng(2), 300, 8, 6, 0.0, "normal")
    raw = [measure.single_p(d).min() <= measure.ALPHA for d in x[:, :, :1] - x[:, :, 1:]]
    assert np.mean(raw) > 0.1


def test_planted_differences_are_seen_as_often_as_predicted():
    row = next(r for r in measure.power_against_planted(300) if r["family"] == 1)
    assert row["share"] == pytest.approx(row["predicted"], abs=3 * row["se"] + 0.01)


def test_flips_of_utterances_are_too_bold():
    conversations, utterances = measure.utterance_flips(60)
    assert conversations["share"] < 0.2 < utterances["share"]


def test_a_wrong_verdict_is_one_that_the_truth_refutes():
    shares = dict.fromkeys(Verdict, 0.0) | {
        Verdict.SUPPORTED: 0.03,
        Verdict.CONTRADICTED: 0.02,
        Verdict.SHOWN_EQUAL: 0.5,
    }
    rows = [{"truth": truth, "runs": 100} | shares for truth in (0.0, 0.5)]
    (null, bound), (margin, _) = measure.wrong_verdicts(rows)
    assert (null, margin) == (pytest.approx(0.05), 0.5)
    assert bound == pytest.approx(0.05 + 2 * standard_error(0.05, 100))


def test_tables_are_markdown():
    assert table(["a", "b"], [[1, "x"]]) == "| a | b |\n| --- | --- |\n| 1 | x |\n"
