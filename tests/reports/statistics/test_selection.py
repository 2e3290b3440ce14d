import numpy as np
import pytest

from reports.statistics import best_of_seeds, confusions, rankings, selection_gap
from reports.statistics.counts import margins, weighted_f1


def run(epochs, conversations=12, seed=0, quality=None):
    """Counts of one run whose epochs are equally good but for chance, unless `quality` (share right) says otherwise."""
    rng = np.random.default_rng(seed)
    conversation = np.repeat(np.arange(conversations), 5)
    label = rng.integers(0, 3, len(conversation))
    right = np.full(epochs, 0.6) if quality is None else np.asarray(quality)
    predicted = np.where(
        rng.random((epochs, len(label))) < right[:, None], label, rng.integers(0, 3, (epochs, len(label)))
    )
    return confusions(label, predicted, conversation, 3)


def test_gap_is_peak_minus_selected():
    counts = run(6)
    scores = weighted_f1(margins(counts.sum(axis=1)))
    found = selection_gap(counts, selected_epoch=2)
    assert found.selected == scores[1]
    assert (found.peak, found.peak_epoch) == (scores.max(), scores.argmax() + 1)
    assert found.gap == scores.max() - scores[1]
    assert found.regret == found.gap - found.optimism


def test_optimism_is_the_mean_over_halvings_of_a_loop():
    counts, rng = run(5), np.random.default_rng(0)
    found = selection_gap(counts, 1, halvings=4_000)
    values = []
    for _ in range(4_000):
        order = rng.permutation(12)
        a, b = (weighted_f1(margins(counts[:, part].sum(axis=1))) for part in (order[:6], order[6:]))
        values.append((a.max() - b[a.argmax()] + b.max() - a[b.argmax()]) / 2)
    error = np.std(values) / len(values) ** 0.5
    assert found.optimism == pytest.approx(np.mean(values), abs=4 * 2**0.5 * error)


def test_which_halvings_are_drawn_hardly_matters():
    """With one direction of each, how hard half A happens to be is in the result, and its error is much larger."""
    rng = np.random.default_rng(5)
    conversation, label = np.repeat(np.arange(31), 20), rng.integers(0, 3, 620)
    right = rng.random((20, 620)) < rng.beta(2, 2, 31)[conversation]  # some conversations are hard in every epoch
    counts = confusions(label, np.where(right, label, (label + 1) % 3), conversation, 3)
    both, one = [], []
    for draw in range(30):
        both.append(selection_gap(counts, 1, halvings=200, seed=draw).optimism)
        rng, single = np.random.default_rng(draw), []
        for _ in range(200):
            order = rng.permutation(31)
            a, b = (weighted_f1(margins(counts[:, part].sum(axis=1))) for part in (order[:15], order[15:]))
            single.append(a.max() - b[a.argmax()])
        one.append(np.mean(single))
    assert np.mean(both) == pytest.approx(np.mean(one), abs=4 * np.std(one) / 30**0.5 + 1e-3)
    assert np.std(both) < np.std(one) / 2


def test_one_epoch_leaves_nothing_to_choose():
    runs = [selection_gap(run(1, seed=seed), 1) for seed in range(40)]
    assert all(r.gap == 0 for r in runs)
    assert [r.optimism for r in runs] == pytest.approx(np.zeros(40), abs=1e-12)


def test_many_equal_epochs_are_chance_and_one_good_epoch_is_regret():
    chance = [selection_gap(run(30, seed=seed), 1) for seed in range(20)]
    assert np.mean([r.optimism for r in chance]) > 0.1
    missed = selection_gap(run(3, conversations=60, quality=[0.2, 0.9, 0.2]), selected_epoch=1)
    assert missed.peak_epoch == 2
    assert missed.regret > 0.3
    assert abs(missed.optimism) < 0.05


def test_one_conversation_cannot_be_halved():
    assert np.isnan(selection_gap(run(3, conversations=1), 1).optimism)


def test_rankings_under_three_rules():
    selected = np.array([[0.70, 0.70, 0.70], [0.69, 0.69, 0.69]])
    peak = np.array([[0.71, 0.71, 0.71], [0.70, 0.70, 0.76]])
    by = {r.rule: r for r in rankings(selected, peak, resamples=4_000)}
    assert (by["selected"].order, by["selected"].scores) == ((0, 1), pytest.approx((0.70, 0.69)))
    assert by["selected"].changed == 0
    assert by["peak"].order == (1, 0)
    assert by["best seed"].scores == (0.71, 0.76)
    # Seed 3 decides: the peak mean turns when it is drawn (1 - (2/3)³ of all), as does the maximum.
    assert by["peak"].changed == by["best seed"].changed == pytest.approx(1 - (2 / 3) ** 3, abs=0.03)
    assert by["peak"].winner_changed == by["peak"].changed


def test_of_seeds_in_groups_the_groups_are_drawn_with_all_their_seeds():
    """The fourth seed is in the group of the first: means are of group means, a maximum is of all seeds drawn."""
    selected = np.array([[0.70, 0.70, 0.70, 0.70], [0.69, 0.69, 0.69, 0.69]])
    peak = np.array([[0.71, 0.71, 0.71, 0.71], [0.66, 0.70, 0.70, 0.78]])
    by = {r.rule: r for r in rankings(selected, peak, (0, 1, 2, 0), resamples=4_000)}
    assert by["peak"].scores == pytest.approx((0.71, (0.72 + 0.70 + 0.70) / 3))
    assert by["peak"].order == (0, 1)
    assert by["best seed"].scores == (0.71, 0.78)
    # one group of three decides: the maximum turns wherever it is drawn, the mean where it is drawn twice or more
    assert by["best seed"].changed == pytest.approx(1 - (2 / 3) ** 3, abs=0.03)
    assert by["peak"].changed == pytest.approx(7 / 27, abs=0.03)


def test_an_order_can_change_below_an_unchanged_winner():
    selected = np.array([[0.9, 0.9], [0.5, 0.5], [0.4, 0.4]])
    peak = np.array([[0.9, 0.9], [0.5, 0.5], [0.6, 0.6]])
    by = {r.rule: r for r in rankings(selected, peak, resamples=50)}
    assert (by["peak"].order, by["peak"].changed, by["peak"].winner_changed) == ((0, 2, 1), 1.0, 0.0)


def test_the_most_flattering_number():
    found = best_of_seeds([7, 8, 9], np.array([0.6, 0.7, 0.5]), np.array([0.65, 0.72, 0.72]))
    assert (found.seed, found.claimed) == (8, 0.72)
    assert found.excess == pytest.approx(0.12)


def test_the_mean_that_should_have_been_reported_weighs_groups_the_same():
    found = best_of_seeds([0, 1, 4], np.array([0.6, 0.7, 0.5]), np.array([0.65, 0.72, 0.7]), (0, 1, 0))
    assert found.mean_selected == pytest.approx((0.55 + 0.7) / 2)


def test_means_that_are_equal_on_paper_tie():
    same = np.array([[0.3, 0.2, 0.1], [0.1, 0.2, 0.3]])  # their sums differ in the last bit
    assert rankings(same, same, resamples=10)[0].order == (0, 1)


def test_no_rule_chooses_an_epoch_that_is_not_usable():
    """The second epoch is the best everywhere: with it left out, all is as if it had not been."""
    counts = run(3, conversations=30, quality=[0.5, 0.95, 0.6])
    usable = np.array([True, False, True])
    without = selection_gap(counts[usable], 1)
    found = selection_gap(counts, 1, usable=usable)
    assert selection_gap(counts, 1).peak_epoch == 2
    assert (found.peak_epoch, found.peak, found.optimism) == (3, without.peak, without.optimism)
