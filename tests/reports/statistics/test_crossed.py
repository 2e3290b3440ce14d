import itertools

import numpy as np
import pytest
from scipy import stats

from reports.statistics import confusions, conversation_flip_test, crossed_bootstrap, variance_components
from reports.statistics.counts import margins, pool, weighted_f1
from reports.statistics.crossed import two_way


def corpus(conversations, length=6, classes=4, seed=0):
    """Labels and the conversation of every utterance."""
    rng = np.random.default_rng(seed)
    conversation = np.repeat(np.arange(conversations), rng.integers(1, 2 * length, conversations))
    return rng.integers(0, classes, len(conversation)), conversation


def predictions(label, seeds, hit, classes=4, seed=1):
    rng = np.random.default_rng(seed)
    guess = rng.integers(0, classes, (seeds, len(label)))
    return np.where(rng.random((seeds, len(label))) < hit, label, guess)


def f1_oracle(label, predicted):
    """Class by class from the definition; sklearn's takes a millisecond."""
    score = 0.0
    for c in np.unique(label):
        hits = ((label == c) & (predicted == c)).sum()
        score += 2 * hits / ((label == c).sum() + (predicted == c).sum()) * (label == c).mean()
    return score


def test_f1_from_counts_is_sklearns_for_any_set_of_conversations():
    metrics = pytest.importorskip("sklearn.metrics")
    label, conversation = corpus(9)
    label[label == 3] = 2  # a class without a label, and with false positives
    predicted = predictions(label, 3, 0.5)
    counts = confusions(label, predicted, conversation, 4)
    assert counts.shape == (3, 9, 4, 4)
    for chosen in ([0, 3, 4], [2], range(9)):
        there = np.isin(conversation, list(chosen))
        weights = np.isin(np.arange(9), list(chosen)).astype(float)[None]
        found = weighted_f1(pool(weights, margins(counts)))[0]
        np.testing.assert_allclose(found, [f1_oracle(label[there], p[there]) for p in predicted])
        expected = [metrics.f1_score(label[there], p[there], average="weighted", zero_division=0) for p in predicted]
        np.testing.assert_allclose(found, expected)
    assert weighted_f1(np.zeros((3, 4))) == 0.0


def counts_of(label, conversation, *predicted):
    return [confusions(label, p, conversation, 4) for p in predicted]


def test_the_crossed_bootstrap_resamples_both_independently():
    label, conversation = corpus(8)
    a, b = predictions(label, 4, 0.7), predictions(label, 4, 0.5, seed=2)
    found = crossed_bootstrap(*counts_of(label, conversation, a, b), resamples=4_000)
    where = [np.flatnonzero(conversation == c) for c in range(8)]

    def difference(seeds, conversations):
        there = np.concatenate([where[c] for c in conversations])
        return np.mean([f1_oracle(label[there], a[s, there]) - f1_oracle(label[there], b[s, there]) for s in seeds])

    assert found.difference == pytest.approx(difference(range(4), range(8)))
    rng = np.random.default_rng(5)
    naive = [difference(rng.integers(0, 4, 4), rng.integers(0, 8, 8)) for _ in range(400)]
    assert found.se == pytest.approx(np.std(naive), rel=0.12)
    assert found.interval == pytest.approx(tuple(np.quantile(naive, [0.025, 0.975])), abs=0.04)
    swapped = crossed_bootstrap(*counts_of(label, conversation, b, a), resamples=4_000)
    assert swapped.interval == pytest.approx((-found.interval.high, -found.interval.low))


def test_components_of_a_mean_are_those_of_the_analysis_of_variance():
    """A textbook table: effects of known size, and unbiased estimates on average."""
    rng = np.random.default_rng(0)
    found = [
        two_way(rng.normal(0, 2, (12, 1)) + rng.normal(0, 2.5, (1, 12)) + rng.normal(0, 3, (12, 12)))
        for _ in range(800)
    ]
    estimates = np.array([(c.seed, c.conversation, c.remainder) for c in found]).mean(axis=0)
    assert estimates == pytest.approx([4, 6.25, 9], rel=0.08)


def test_the_jackknife_is_leaving_out_a_seed_a_conversation_and_both():
    label, conversation = corpus(5)
    a, b = predictions(label, 3, 0.7), predictions(label, 3, 0.5, seed=2)

    def theta(without_seed=None, without_conversation=None):
        there = conversation != (-1 if without_conversation is None else without_conversation)
        seeds = [s for s in range(3) if s != without_seed]
        return np.mean([f1_oracle(label[there], a[s, there]) - f1_oracle(label[there], b[s, there]) for s in seeds])

    S, V = 3, 5
    cells = np.array(
        [
            [
                S * V * theta()
                - (S - 1) * V * theta(s)
                - S * (V - 1) * theta(None, v)
                + (S - 1) * (V - 1) * theta(s, v)
                for v in range(V)
            ]
            for s in range(S)
        ]
    )
    expected = two_way(cells)
    found = variance_components(*counts_of(label, conversation, a, b))
    for name in ("seed", "conversation", "remainder"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name))


def test_components_need_two_seeds_and_two_conversations():
    label, conversation = corpus(5)
    one = counts_of(label, conversation, predictions(label, 1, 0.7), predictions(label, 1, 0.5))
    assert np.isnan(variance_components(*one).seed)


def test_the_flip_test_swaps_whole_conversations():
    label, conversation = corpus(7)
    a, b = predictions(label, 2, 0.8), predictions(label, 2, 0.4, seed=3)
    found = conversation_flip_test(*counts_of(label, conversation, a, b))

    def difference(swap):
        there = np.array(swap)[conversation]
        first, second = np.where(there, b, a), np.where(there, a, b)
        return np.mean([f1_oracle(label, x) - f1_oracle(label, y) for x, y in zip(first, second, strict=True)])

    observed = abs(difference([False] * 7))
    reached = [abs(difference(swap)) >= observed - 1e-9 for swap in itertools.product([False, True], repeat=7)]
    assert (found.p, found.exact) == (np.mean(reached), True)


def test_many_conversations_are_flipped_at_random():
    label, conversation = corpus(40)
    same = predictions(label, 2, 0.6), predictions(label, 2, 0.6, seed=4)
    found = conversation_flip_test(*counts_of(label, conversation, *same), resamples=999)
    assert not found.exact
    assert 0.05 < found.p <= 1
    assert found.floor == 0.001
    better = predictions(label, 2, 0.95), predictions(label, 2, 0.2, seed=4)
    assert conversation_flip_test(*counts_of(label, conversation, *better), resamples=999).p == 0.001
    assert conversation_flip_test(*counts_of(label, conversation, same[0], same[0]), resamples=99).p == 1.0


def test_p_of_the_flip_test_is_uniform_without_a_difference():
    ps = []
    for seed in range(150):
        label, conversation = corpus(8, seed=seed)
        pair = [predictions(label, 1, 0.6, seed=1000 + 2 * seed + i) for i in range(2)]
        ps.append(conversation_flip_test(*counts_of(label, conversation, *pair)).p)
    assert stats.kstest(ps, "uniform").pvalue > 0.01


def test_methods_on_different_labels_are_refused():
    label, conversation = corpus(5)
    a = confusions(label, predictions(label, 2, 0.7), conversation, 4)
    with pytest.raises(ValueError, match="Not the same"):
        crossed_bootstrap(a, a[:, ::-1])
