import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.statistics import adjust_family, paired_comparison
from reports.statistics.family import holm, joint_flip_test


def brute_force(differences):
    """t of every column under every flip of rows, by the textbook formula."""
    n = len(differences)
    t = []
    for signs in itertools.product([1, -1], repeat=n):
        flipped = np.array(signs)[:, None] * differences
        t.append(np.abs(flipped.mean(0)) / (flipped.std(0, ddof=1) / n**0.5))
    t = np.array(t)
    observed = np.abs(differences.mean(0)) / (differences.std(0, ddof=1) / n**0.5)
    raw = (t >= observed - 1e-9).mean(0)
    return observed, raw, (t.max(1)[:, None] >= observed - 1e-9).mean(0)


@pytest.mark.parametrize("n", [3, 6, 8])
def test_the_adjusted_p_is_that_of_the_largest_t_over_all_joint_flips(n):
    rng = np.random.default_rng(n)
    differences = rng.normal(size=(n, 1)) + rng.normal(0.5, 1, size=(n, 5)) * np.array([1, 10, 0.1, 1, 3])
    found = joint_flip_test(differences)
    t, raw, adjusted = brute_force(differences)
    np.testing.assert_allclose(np.abs(found.t), t)
    np.testing.assert_allclose(found.p, raw)
    np.testing.assert_allclose(found.adjusted, adjusted)


@given(st.integers(2, 9), st.integers(1, 4), st.integers(0, 10**6))
@settings(max_examples=60)
def test_adjusting_never_helps_and_no_p_is_below_its_floor(n, columns, seed):
    rng = np.random.default_rng(seed)
    differences = rng.integers(-3, 4, size=(n, columns)).astype(float)  # ties, zeros and constant columns abound
    differences[rng.random(differences.shape) < 0.2] = np.nan
    for work in (np.inf, 0):
        found = joint_flip_test(differences, exact_work=work, resamples=200)
        known = found.n > 1
        assert (np.isnan(found.p) == ~known).all()
        assert (found.adjusted[known] >= found.p[known]).all()
        assert (found.holm[known] >= found.p[known]).all()
        assert (found.p[known] >= (found.floor[known] if work else 1 / 201)).all()
        assert (found.adjusted[known] <= 1).all()
        flipped = joint_flip_test(-7 * differences, exact_work=work, resamples=200)
        np.testing.assert_array_equal(found.adjusted, flipped.adjusted)


def test_the_raw_p_is_the_one_of_the_comparison_alone():
    rng = np.random.default_rng(4)
    scores = {name: dict(enumerate(rng.normal(size=9))) for name in "abc"}
    del scores["b"][3]
    comparisons = [paired_comparison(scores["a"], scores[other]) for other in "bc"]
    found = adjust_family(comparisons)
    assert found.n.tolist() == [8, 9]
    assert found.p.tolist() == pytest.approx([c.p for c in comparisons])
    assert found.floor.tolist() == [2 / 2**8, 2 / 2**9]
    alone = joint_flip_test(comparisons[0].differences[:, None])
    assert alone.adjusted[0] == comparisons[0].p


def test_a_comparison_with_one_seed_is_left_out_and_does_not_disturb_the_others():
    rng = np.random.default_rng(5)
    differences = rng.normal(1, 1, size=(8, 2))
    with_more = np.column_stack([differences, np.r_[5.0, [np.nan] * 7], np.full(8, np.nan)])
    found, plain = joint_flip_test(with_more), joint_flip_test(differences)
    np.testing.assert_array_equal(found.adjusted, np.r_[plain.adjusted, np.nan, np.nan])
    np.testing.assert_array_equal(found.holm[:2], plain.holm)


def test_comparisons_of_different_n_compete_alike():
    """|t| of 3 with 3 seeds is weak, with 12 strong: the family must not be ruled by the short comparison."""
    rng = np.random.default_rng(6)
    strong = rng.normal(1.2, 1, 12)
    short = np.r_[1.0, 1.1, 1.2, [np.nan] * 9]  # t = 19: extreme in |t|, ordinary for 3 seeds
    found = joint_flip_test(np.column_stack([strong, short]))
    assert found.t[1] > found.t[0] > 3
    assert found.adjusted[0] < 0.05
    assert found.adjusted[1] >= found.p[1] == 0.25


def test_equal_differences_reach_the_floor_and_zeros_reach_one():
    found = joint_flip_test(np.column_stack([np.full(8, 0.1), np.zeros(8)]))
    assert found.p.tolist() == [2 / 2**8, 1.0]
    assert found.adjusted.tolist() == [2 / 2**8, 1.0]
    assert np.isinf(found.t[0])
    assert found.t[1] == 0


def test_random_flips_agree_with_all_of_them():
    differences = np.random.default_rng(7).normal(0.4, 1, size=(12, 6))
    exact, drawn = joint_flip_test(differences), joint_flip_test(differences, exact_work=0)
    assert exact.exact
    assert not drawn.exact
    assert (np.abs(exact.adjusted - drawn.adjusted) <= 5 * drawn.mc_se + 1e-3).all()
    assert drawn.level == pytest.approx(exact.level, rel=0.2)


def test_the_level_is_the_familys_own():
    """Alone, nearly the level asked for; with twenty independent comparisons near Šidák's; with a copy no stricter."""
    rng = np.random.default_rng(8)
    one = rng.normal(size=(14, 1))
    assert joint_flip_test(one).level == pytest.approx(0.05, rel=0.1)
    assert joint_flip_test(np.repeat(one, 20, axis=1)).level == pytest.approx(joint_flip_test(one).level)
    many = np.mean([joint_flip_test(rng.normal(size=(14, 20))).level for _ in range(8)])
    assert many == pytest.approx(1 - 0.95 ** (1 / 20), rel=0.25)


def test_holm_multiplies_by_the_number_of_hypotheses_left():
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, np.nan, 0.03, 0.005])), [0.03, 0.06, np.nan, 0.06, 0.02])
    assert holm(np.array([0.6, 0.9])).tolist() == [1.0, 1.0]


def test_an_empty_family_is_refused():
    with pytest.raises(ValueError, match="empty family"):
        adjust_family([])


def test_a_family_without_a_single_seed_has_no_p():
    found = adjust_family([paired_comparison({}, {})])
    assert np.isnan(found.adjusted).all()
    assert found.level == 0


def test_random_flips_count_the_identity_and_never_give_zero():
    found = joint_flip_test(np.column_stack([np.ones(40), np.zeros(40)]), resamples=99)
    assert found.p.tolist() == found.adjusted.tolist() == [0.01, 1.0]
    assert found.floor.tolist() == [0.01, 0.01]
