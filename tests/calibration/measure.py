"""How often the tests of reports/statistics are wrong, where the truth is known. Rows are dicts: a row of a table.

Everything is a share of `runs` simulated comparisons; `bound` is what a share may be at most: nominal + 2 Monte Carlo
standard errors.
"""

from collections import Counter

import numpy as np
from scipy import stats

from reports.statistics import (
    compare_variances,
    conversation_flip_test,
    judge,
    judge_variances,
    paired_comparison,
    unpaired_comparison,
)
from reports.statistics.effects import bca_interval
from reports.statistics.family import joint_flip_test
from reports.statistics.power import attained_level, power
from reports.statistics.variances import log_ratio_interval, pitman_morgan
from reports.statistics.verdicts import Verdict
from tests.calibration.simulate import SHAPES, scores, standard_error

ALPHA = 0.05
CORRELATIONS = (0.0, 0.5, 0.9)
RESAMPLES = 999  # random flips for n = 20, where all 2¹⁹ of every simulated family would take hours
BLOCK = 250  # comparisons that share their random flips
AGAIN = 4  # times the runs of the second measurement


def share(hits, nominal=ALPHA):
    """A share, its standard error and the bound it has to respect."""
    hits = np.asarray(hits, dtype=float)
    error = standard_error(hits.mean(), len(hits))
    return {"share": hits.mean(), "se": error, "bound": nominal + 2 * standard_error(nominal, len(hits))}


def _work(n):
    return 0 if n > 10 else np.inf


def single_p(differences):
    """Raw p of the sign-flip test for every column of [n, runs]."""
    n, runs = differences.shape
    blocks = [differences[:, i : i + BLOCK] for i in range(0, runs, BLOCK)]
    return np.concatenate(
        [joint_flip_test(b, seed=i, resamples=RESAMPLES, exact_work=_work(n)).p for i, b in enumerate(blocks)]
    )


def single_rejects(x):
    return single_p((x[:, :, 0] - x[:, :, 1]).T) <= ALPHA


def family_rejects(x):
    """Whether any of the comparisons of the first method with the others is called different."""
    n = x.shape[1]
    return np.array(
        [
            joint_flip_test(d, seed=i, resamples=RESAMPLES, exact_work=_work(n)).adjusted.min() <= ALPHA
            for i, d in enumerate(x[:, :, :1] - x[:, :, 1:])
        ]
    )


def variance_rejects(x):
    """What judge_variances calls a difference, in either direction."""
    decided = (Verdict.SUPPORTED, Verdict.CONTRADICTED)
    return np.array([judge_variances(compare_variances(a, b), label="").verdict in decided for a, b in _pairs(x)])


def unpaired_rejects(x):
    """The permutation test of Welch's t, all runs of the first method against 8 of the second."""
    return np.array([unpaired_comparison(run[:, 0], run[:8, 1], resamples=RESAMPLES).p <= ALPHA for run in x])


# what feeds verdicts: how many methods, what decides, for which numbers of seeds, at which share of the runs
DECISIVE = {
    "sign flip, one comparison": (2, single_rejects, (8, 10, 20), 4.0),
    "max-t sign flip, family of 5": (6, family_rejects, (8, 10, 20), 1.0),
    "max-t sign flip, family of 20": (21, family_rejects, (8, 10, 20), 1.0),
    "variances: p and interval": (2, variance_rejects, (8, 9, 10), 1.0),
    "unpaired, n against 8 runs": (2, unpaired_rejects, (8, 10, 20), 0.5),
}


def decisive_sizes(runs, seed=0):
    """Size of every test that feeds a verdict; above its bound it is measured once more, and that counts."""
    for name, (methods, rejects, seeds, factor) in DECISIVE.items():
        for n in seeds:
            for shape in SHAPES:
                for correlation in CORRELATIONS:
                    cell = {"test": name, "n": n, "scores": shape, "correlation": correlation}
                    rng = np.random.default_rng([seed, n, methods])
                    count = int(factor * runs)
                    found = share(rejects(scores(rng, count, n, methods, correlation, shape)))
                    first = found["share"]
                    if found["share"] > found["bound"]:
                        found = share(rejects(scores(rng, AGAIN * count, n, methods, correlation, shape)))
                        count *= AGAIN
                        found["first"] = first
                    yield cell | {"runs": count} | found


def descriptive(runs, seed=0):
    """Measured size of descriptive tests and of intervals (share that misses the truth), correlation .5."""
    for shape in SHAPES:
        for n in (5, 8, 10, 20):
            x = scores(np.random.default_rng([seed, n]), runs, n, 2, 0.5, shape)
            d = x[:, :, 0] - x[:, :, 1]
            skewed = stats.skewnorm(8)  # differences of two unlike methods need not be symmetric
            d_skewed = skewed.rvs((runs, n), random_state=np.random.default_rng([seed, n, 1])) - skewed.mean()
            shares = {
                "sign flip": single_p(d.T) <= ALPHA,
                "paired t": stats.ttest_1samp(d, 0, axis=1).pvalue <= ALPHA,
                "Wilcoxon": stats.wilcoxon(d, axis=1).pvalue <= ALPHA,
                "BCa misses": [bca_interval(row).excludes(0.0) for row in d],
                "variances, permutation": single_p(np.subtract(*_distances(x)).T) <= ALPHA,
                "variances, log ratio misses": [
                    log_ratio_interval(a, b, np.arange(len(a))).excludes(0.0) for a, b in _pairs(x)
                ],
                "Pitman–Morgan": [pitman_morgan(a, b) <= ALPHA for a, b in _pairs(x)],
            }
            if shape == "normal":
                shares |= {
                    "paired t, skewed differences": stats.ttest_1samp(d_skewed, 0, axis=1).pvalue <= ALPHA,
                    "sign flip, skewed differences": single_p(d_skewed.T) <= ALPHA,
                }
            for name, hits in shares.items():
                yield {"what": name, "scores": shape, "n": n, "runs": runs} | share(hits)


def variances_of_many_seeds(runs, seed=0):
    """From 50 seeds on the permutation test decides alone."""
    for shape in SHAPES:
        x = scores(np.random.default_rng([seed, 60]), runs, 60, 2, 0.5, shape)
        yield {"scores": shape, "n": 60, "runs": runs} | share(single_p(np.subtract(*_distances(x)).T) <= ALPHA)


def utterance_flips(runs, seed=0):
    """Two equally good methods whose hits cluster in conversations: flips of conversations, and of utterances."""
    rng = np.random.default_rng(seed)
    conversations, length, classes = 31, 20, 4
    hits = {"conversations": [], "utterances": []}
    for run in range(runs):
        label = rng.integers(0, classes, (conversations, length))
        chance = rng.beta(1.2, 0.8, (2, 1, conversations, 1))
        guess = rng.integers(0, classes, (2, 1, conversations, length))
        right = rng.random((2, 1, conversations, length)) < chance
        one_hot = np.eye(classes, dtype=np.int64)
        counts = one_hot[label][..., :, None] * one_hot[np.where(right, label, guess)][..., None, :]
        by_utterance = counts.reshape(2, 1, conversations * length, classes, classes)
        for name, pair in (("conversations", counts.sum(axis=3)), ("utterances", by_utterance)):
            hits[name].append(conversation_flip_test(*pair, resamples=299, seed=run).p <= ALPHA)
    return [{"flipped": name, "runs": runs} | share(values) for name, values in hits.items()]


def power_against_planted(runs, seed=0):
    """Share that sees a planted difference, beside what reports.statistics.power predicts."""
    for n, d_z in ((8, 1.0), (10, 1.0), (20, 0.6), (20, 0.8)):
        x = np.random.default_rng([seed, n]).normal(d_z, 1, (n, 4 * runs))
        found = share(single_p(x) <= ALPHA)
        yield {
            "family": 1,
            "n": n,
            "d_z": d_z,
            "runs": 4 * runs,
            "predicted": power(d_z, 1.0, n, attained_level(n)),
        } | found
        for m in (5, 20):
            x = scores(np.random.default_rng([seed, n, m]), runs, n, m + 1, 0.0, "normal")
            d = (x[:, :, :1] - x[:, :, 1:]) / 2**0.5
            d[:, :, 0] += d_z
            tests = [joint_flip_test(r, seed=i, resamples=RESAMPLES, exact_work=_work(n)) for i, r in enumerate(d)]
            predicted = np.mean([power(d_z, 1.0, n, t.level) for t in tests])
            found = share([t.adjusted[0] <= ALPHA for t in tests])
            yield {"family": m, "n": n, "d_z": d_z, "runs": runs, "predicted": predicted} | found


def verdicts(runs, seed=0):
    """Share of every verdict where the truth is 0 or the margin itself; the sd of a difference is 1."""
    for n in (8, 10, 20):
        for margin in (0.5, 1.0):
            for truth in (0.0, margin):
                x = np.random.default_rng([seed, n]).normal(truth, 1, (runs, n))
                comparisons = [paired_comparison(row, np.zeros(n), resamples=50) for row in x]
                found = Counter(judge(c, c.p, label="", margin=margin).verdict for c in comparisons)
                yield {"n": n, "margin": margin, "truth": truth, "runs": runs} | {v: found[v] / runs for v in Verdict}


def wrong_verdicts(rows):
    """Per row of `verdicts`: the share of verdicts that are wrong, and its bound.

    Of truth 0: supported or contradicted, at most alpha. Of the margin: that the difference is smaller than it, alpha.
    """
    small, different = (Verdict.SHOWN_EQUAL, Verdict.WITHIN_MARGIN), (Verdict.SUPPORTED, Verdict.CONTRADICTED)
    for row in rows:
        wrong = sum(row[v] for v in (different if row["truth"] == 0 else small))
        yield wrong, ALPHA + 2 * standard_error(ALPHA, row["runs"])


def _pairs(x):
    return ((run[:, 0], run[:, 1]) for run in x)


def _distances(x):
    distances = np.abs(x - np.median(x, axis=1, keepdims=True))
    return distances[:, :, 0], distances[:, :, 1]
