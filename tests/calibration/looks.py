"""How often families that are followed until they are decided are decided wrongly, and how many seeds they take."""

import numpy as np

from reports.statistics.power import power
from reports.statistics.sequential import SPENDING, Decision, Design, follow
from tests.calibration.measure import ALPHA, CORRELATIONS, share
from tests.calibration.sessions import SESSIONS, differences
from tests.calibration.simulate import SHAPES, scores

RESAMPLES = 999
MARGIN = 1.0  # in sds of a difference
FIXED = 20  # seeds of the design that does not look


def followed(x, design, groups=None, seed=0):
    """Where every comparison of the families [runs, seeds, comparisons] stands at its end."""
    ends = []
    for i, family in enumerate(x):
        looks = follow(family, design, np.random.default_rng([seed, i]), RESAMPLES, groups=groups)
        ends.append(looks[-1].comparisons)
    return ends


def rejected(ends):
    """Whether any comparison of the family is called different."""
    return [any(s.decision is Decision.REJECTED for s in family) for family in ends]


def equal(ends):
    """Whether the first comparison of the family is shown equal."""
    return [family[0].decision is Decision.SHOWN_EQUAL for family in ends]


def missed(ends, truth=0.0):
    """Whether any repeated interval misses the true difference."""
    return [any(s.interval.excludes(truth) for s in family) for family in ends]


def paired(rng, runs, correlation, shape, rivals):
    """[runs, 30, rivals]: differences of one method and its rivals, sd 1, mean 0."""
    x = scores(rng, runs, 30, rivals + 1, correlation, shape)
    d = x[:, :, :1] - x[:, :, 1:]
    return d / d.std()


def error_rates(runs, seed=0):
    """Errors over all looks, of families of five: any rejection and any interval that misses, and false equality.

    At the margin every comparison differs by it; a false equality is counted for one comparison.
    """
    for spending in SPENDING:
        for shape in SHAPES:
            for correlation in CORRELATIONS:
                rng = np.random.default_rng([seed, 30, round(10 * correlation)])
                x = paired(rng, runs, correlation, shape, 5)
                design = Design(spending=spending, margin=MARGIN)
                alike, apart = followed(x, design, seed=seed), followed(x + MARGIN, design, seed=seed)
                cell = {"spending": spending, "scores": shape, "correlation": correlation}
                yield cell | {"error": "any rejection"} | share(rejected(alike))
                yield cell | {"error": "false equality"} | share(equal(apart))
                yield cell | {"error": "interval misses 0"} | share(missed(alike))
                yield cell | {"error": "interval misses δ"} | share(missed(apart, MARGIN))


def session_error_rates(runs, seed=0):
    """The same for seeds that share held-out sessions, by their intra-session correlation."""
    groups = np.tile((np.arange(30) % SESSIONS)[:, None], 5)
    for spending in SPENDING:
        for correlation in (0.0, 0.3):
            x = differences(np.random.default_rng([seed, 31]), runs, 30, correlation, 5)
            design = Design(spending=spending, margin=MARGIN)
            alike, apart = followed(x, design, groups, seed), followed(x + MARGIN, design, groups, seed)
            cell = {"spending": spending, "correlation": correlation}
            yield cell | {"error": "any rejection"} | share(rejected(alike))
            yield cell | {"error": "false equality"} | share(equal(apart))
            yield cell | {"error": "interval misses 0"} | share(missed(alike))


def seeds_and_power(runs, seed=0):
    """Shares of decisions and mean seeds of one comparison at true differences in units of the margin; normal, sd 1.

    Beside them what `FIXED` seeds would do: the share that their t test rejects.
    """
    for spending in SPENDING:
        for truth in (0.0, 0.5, 1.0, 2.0):
            x = paired(np.random.default_rng([seed, 32]), runs, 0.0, "normal", 1) + truth * MARGIN
            ends = [family[0] for family in followed(x, Design(spending=spending, margin=MARGIN), seed=seed)]
            shares = {d.value: np.mean([s.decision is d for s in ends]) for d in Decision if d != "withdrawn"}
            yield {
                "spending": spending,
                "truth": truth,
                "seeds": float(np.mean([s.seeds for s in ends])),
                "open": np.mean([s.decision is None for s in ends]),
                "fixed": power(truth * MARGIN, 1.0, FIXED, ALPHA, FIXED - 1) if truth else ALPHA,
            } | shares
