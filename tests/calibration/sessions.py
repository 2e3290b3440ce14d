"""How often verdicts are wrong: seeds that share a held-out session, rates with few events, plans that are extended."""

from collections import Counter
from functools import cache

import numpy as np
from scipy import stats

from reports.statistics import (
    Verdict,
    compare_variances,
    judge_rates,
    judge_variances,
    paired_comparison,
    rate_comparison,
)
from reports.statistics.family import joint_flip_test
from tests.calibration.measure import ALPHA, RESAMPLES, share

CORRELATIONS = (0.0, 0.3, 0.6)
SESSIONS = 4
NUMBERS = (8, 10, 12, 20)


def differences(rng, runs, seeds, correlation, comparisons=1):
    """[runs, seeds, comparisons], sd 1, mean 0: two seeds of a session (seed mod 4) have this correlation."""
    common = np.sqrt(correlation) * rng.standard_normal((runs, SESSIONS, comparisons))
    own = np.sqrt(1 - correlation) * rng.standard_normal((runs, seeds, comparisons))
    return common[:, np.arange(seeds) % SESSIONS] + own


def rejects(x, grouped=True):
    """Whether the joint test of a family [seeds, comparisons] calls any difference one, for each of the families."""
    groups = np.tile((np.arange(x.shape[1]) % SESSIONS)[:, None], x.shape[2]) if grouped else None
    work = np.inf if x.shape[1] <= 10 else 0
    tests = (joint_flip_test(d, groups, seed=i, resamples=RESAMPLES, exact_work=work) for i, d in enumerate(x))
    return [test.adjusted.min() <= ALPHA for test in tests]


def session_sizes(runs, seed=0):
    """Size with the sessions known, and without as a warning; share of 95 % intervals that miss."""
    for n in NUMBERS:
        for correlation in CORRELATIONS:
            rng = np.random.default_rng([seed, n])
            cell = {"n": n, "correlation": correlation, "runs": runs}
            one, five = (differences(rng, runs, n, correlation, m) for m in (1, 5))
            intervals = [paired_comparison(d[:, 0], np.zeros(n), sessions=SESSIONS, resamples=2).interval for d in one]
            yield cell | {"test": "t of session means, one comparison"} | share(rejects(one))
            extreme = {"warning": True} if correlation > 0.5 else {}  # there a family is measured to be a little bold
            yield cell | {"test": "t of session means, family of 5"} | extreme | share(rejects(five))
            yield cell | {"test": "its 95 % interval misses"} | share([i.excludes(0.0) for i in intervals])
            yield cell | {"test": "sessions ignored", "warning": True} | share(rejects(one, grouped=False))


def spread_verdicts(x, grouped=True):
    """Whether the spread of two methods [runs, seeds, 2] is called different, for each of the runs."""
    decided = (Verdict.SUPPORTED, Verdict.CONTRADICTED)
    options = {"sessions": SESSIONS if grouped else 0}
    return [judge_variances(compare_variances(*scores.T, **options), label="").verdict in decided for scores in x]


def spread_sizes(runs, seed=0):
    """Wrong verdicts on the spread of two methods that vary alike; as a warning, with the sessions ignored."""
    for n in NUMBERS:
        for correlation in CORRELATIONS:
            x = differences(np.random.default_rng([seed, n, 2]), runs, n, correlation, 2)
            cell = {"n": n, "correlation": correlation, "runs": runs}
            yield cell | {"test": "spread, by session"} | share(spread_verdicts(x))
            yield cell | {"test": "spread, sessions ignored", "warning": True} | share(spread_verdicts(x, False))


def rate_verdicts(runs, seed=0):
    """Shares of verdicts on two equal rates, and on two that differ by the margin of 10 points; seeds independent."""
    for n in (8, 12, 60):
        for a, b in ((0.0, 0.0), (0.1, 0.1), (0.4, 0.4), (0.05, 0.15)):
            rng = np.random.default_rng([seed, n])
            counted = Counter()
            for x, y in zip(rng.random((runs, n)) < a, rng.random((runs, n)) < b, strict=True):
                comparison = rate_comparison(x.astype(float), y.astype(float))
                counted[judge_rates(comparison, comparison.difference.p, label="", margin=10.0).verdict] += 1
            wrong = (
                (Verdict.SUPPORTED, Verdict.CONTRADICTED) if a == b else (Verdict.SHOWN_EQUAL, Verdict.WITHIN_MARGIN)
            )
            hits = np.arange(runs) < sum(counted[verdict] for verdict in wrong)
            yield {"n": n, "a": a, "b": b, "runs": runs} | {v: counted[v] / runs for v in Verdict} | share(hits)


def shared_rates(runs, seeds, correlation, rate, seed=0):
    """[runs, seeds, 2]: whether something happens, as often to both; the normal scores behind it share sessions."""
    scores = differences(np.random.default_rng([seed, seeds, 3]), runs, seeds, correlation, 2)
    return scores < stats.norm.ppf(rate)


def shared_rate_verdicts(events, grouped=True):
    """Whether two rates [runs, seeds, 2] are called different, and whether the 95 % interval misses, for each run."""

    @cache
    def judged(first, second):
        sessions = SESSIONS if grouped else 0
        compared = rate_comparison(np.array(first, float), np.array(second, float), sessions=sessions)
        verdict = judge_rates(compared, compared.difference.p, label="", margin=10.0).verdict
        return verdict in (Verdict.SUPPORTED, Verdict.CONTRADICTED), compared.difference.interval.excludes(0.0)

    return np.array([judged(tuple(x), tuple(y)) for x, y in events.transpose(0, 2, 1)]).T


def shared_rate_sizes(runs, seed=0):
    """Wrong verdicts on two equal rates of seeds that share sessions; as a warning, with the sessions ignored."""
    for n in NUMBERS:
        for correlation in CORRELATIONS:
            for rate in (0.1, 0.4):
                events = shared_rates(runs, n, correlation, rate, seed)
                cell = {"n": n, "correlation": correlation, "rate": rate, "runs": runs}
                wrong, misses = shared_rate_verdicts(events)
                yield cell | {"test": "rates, by session"} | share(wrong)
                yield cell | {"test": "their 95 % interval misses"} | share(misses)
                ignored = shared_rate_verdicts(events, grouped=False)[0]
                yield cell | {"test": "rates, sessions ignored", "warning": True} | share(ignored)


def extension_sizes(runs, seed=0):
    """Size after a look at 5 seeds: extended to a number fixed before, given up at will, or chosen by the scores.

    Adversarial: with the five before them, whoever declares takes 8 seeds where these promise a rejection, else 20.
    """
    x = np.random.default_rng([seed, 5]).standard_normal((runs, 20))
    eight = np.array([joint_flip_test(d[:8, None]).adjusted[0] <= ALPHA for d in x])
    twenty = np.array([joint_flip_test(d[:, None], seed=i, resamples=RESAMPLES, exact_work=0).adjusted[0] <= ALPHA
                       for i, d in enumerate(x)])  # fmt: skip
    promising = np.abs(x[:, :5].sum(axis=1)) / np.sqrt(5) > 1.2
    for rule, hits in (
        ("to 8, fixed before", eight),
        ("to 20, fixed before", twenty),
        ("to 20, or given up where the five promise little", twenty & promising),
        ("adversarial: to 8 or to 20, by the five", np.where(promising, eight, twenty)),
    ):
        yield {"rule": rule, "runs": runs} | share(hits)
