"""Two methods, paired by seed: every number that a table shows about their difference."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import special, stats

from reports.statistics.effects import (
    BCA_SEEDS,
    Interval,
    bca_interval,
    d_z_interval,
    improvement,
    t_interval,
)
from reports.statistics.groups import group_means, mean_of
from reports.statistics.pairing import Values, align
from reports.statistics.sign_flips import EXACT_SEEDS, FlipTest, group_flip_test, sign_flip_test
from reports.text import html_table, number


@dataclass(frozen=True, eq=False)
class PairedComparison:
    """Differences a - b by seed, in the unit of the values, and what follows from them.

    Decisive: `mean`, its standard error `se`, `interval` (paired t, 95 %), `interval_90` (for equivalence), `flip`
    (sign-flip test, before adjustment). Description: everything else. NaN where a number cannot be computed; an sd is
    unknown below two seeds. `improvement` is P(a > b) for one seed. `dropped` are seeds that one of the two has no
    finite value for.

    `groups`: of each seed, where seeds of a group have something in common; else empty. What decides is then the mean
    of the group means, with t of as many means (`reports.statistics.groups`); `degrees` of freedom.
    """

    seeds: tuple[int, ...]
    dropped: tuple[int, ...]
    groups: tuple[int, ...]
    differences: Float[np.ndarray, " n"]
    mean: float
    sd: float
    se: float
    degrees: int
    interval: Interval
    interval_90: Interval
    flip: FlipTest
    p_t: float
    p_wilcoxon: float
    bca: Interval
    d_z: float
    d_z_interval: Interval
    improvement: float
    improvement_interval: Interval

    @property
    def n(self) -> int:
        """Number of paired seeds."""
        return len(self.seeds)

    def _repr_html_(self) -> str:
        """What a notebook shows: the numbers that decide, then those that describe."""

        def limits(interval: Interval) -> str:
            return f"[{number(interval.low, 3)}, {number(interval.high, 3)}]"

        rows = [
            ("mean difference", number(self.mean, 3)),
            ("95 % interval (paired t)", limits(self.interval)),
            ("90 % interval", limits(self.interval_90)),
            ("p, sign flips", number(self.p, 4, tiny=True)),
            ("sd of a difference", number(self.sd, 3)),
            ("share of seeds in which a is better", number(self.improvement, 2)),
            ("paired seeds", str(self.n)),
        ]
        return html_table(("a − b", ""), rows)

    @property
    def p(self) -> float:
        """Raw two-sided p of the sign-flip test."""
        return self.flip.p

    @property
    def spread(self) -> float:
        """Sd of a difference as independent seeds would have it that had this standard error: se √n."""
        return self.se * self.n**0.5

    @property
    def group_degrees(self) -> int | None:
        """Degrees of freedom that more seeds would not add to; None where seeds are on their own."""
        return self.degrees if self.groups else None

    @property
    def varies(self) -> bool:
        """Whether any difference is not 0."""
        return bool(self.differences.any())

    def p_equal(self, margin: float) -> float:
        """P of the two one-sided t tests that the difference lies in (-margin, margin); NaN for an unknown se.

        At most .05 just where the 90 % interval lies within. Source: Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987.
        """
        if math.isnan(self.se):
            return float("nan")
        inside = margin - abs(self.mean)
        if self.se == 0:
            return float(inside <= 0)
        return float(special.stdtr(self.degrees, -inside / self.se))

    @property
    def bca_warning(self) -> str:
        """What a table has to say beside the BCa interval; empty where it covers nearly what it claims."""
        return "" if self.n >= BCA_SEEDS else f"BCa is too narrow below {BCA_SEEDS} seeds"


def paired_comparison(
    a: Values, b: Values, *, sessions: int = 0, resamples: int = 2_000, seed: int = 0
) -> PairedComparison:
    """Compare two methods whose values are given by seed (dict, Series) or in the same order of seeds (arrays).

    `sessions`: seeds that are equal modulo this number are a group; 0 or 1: all are on their own. `resamples` is the
    size of the BCa bootstrap, `seed` starts its draws and those of the flips beyond 20 seeds. Raises ValueError where
    values cannot be paired.
    """
    aligned = align(a, b)
    differences = aligned.values[0] - aligned.values[1]
    options = {"sessions": sessions, "resamples": resamples, "seed": seed}
    return from_differences(aligned.seeds, differences, aligned.dropped, **options)


def from_differences(
    seeds: tuple[int, ...],
    differences: Float[np.ndarray, " n"],
    dropped: tuple[int, ...] = (),
    *,
    sessions: int = 0,
    resamples: int = 2_000,
    seed: int = 0,
) -> PairedComparison:
    """The same from a difference, or any contrast, per seed."""
    # Scores that agree on paper may differ by rounding: such a difference is none, and equal ones have no spread.
    differences = np.where(np.abs(differences) < 1e-13, 0.0, differences)
    n = len(differences)
    plain = mean_of(differences)
    groups = tuple(s % sessions for s in seeds) if sessions > 1 else ()
    decisive = mean_of(group_means(differences, np.array(groups))) if groups and n else plain
    d_z = _ratio(plain.mean, plain.sd)
    t = _ratio(decisive.mean, decisive.se)
    share, share_interval = improvement(differences)
    return PairedComparison(
        seeds=seeds,
        dropped=dropped,
        groups=groups,
        differences=differences,
        mean=decisive.mean,
        sd=plain.sd,
        se=decisive.se,
        degrees=decisive.degrees,
        interval=t_interval(decisive.mean, decisive.se, decisive.degrees, 0.95),
        interval_90=t_interval(decisive.mean, decisive.se, decisive.degrees, 0.90),
        flip=group_flip_test(differences, np.array(groups), seed=seed)
        if groups and n > 1
        else sign_flip_test(differences, seed=seed),
        p_t=float(2 * special.stdtr(decisive.degrees, -abs(t))) if decisive.degrees > 0 else float("nan"),
        p_wilcoxon=_wilcoxon(differences),
        bca=bca_interval(differences, resamples, seed),
        d_z=d_z,
        d_z_interval=d_z_interval(d_z, n),
        improvement=share,
        improvement_interval=share_interval,
    )


def _ratio(mean: float, sd: float) -> float:
    """mean / sd; 0 for differences that are all zero, infinite for equal ones."""
    if sd > 0 or np.isnan(sd):
        return mean / sd
    return 0.0 if mean == 0 else float(np.copysign(np.inf, mean))


def _wilcoxon(differences: Float[np.ndarray, " n"]) -> float:
    """Two-sided p of the signed-rank test; exact up to 20 differences that are not 0; 1 if there are none of these."""
    if not len(differences):
        return float("nan")
    unequal = differences[differences != 0]
    if not len(unequal):
        return 1.0
    if len(unequal) > EXACT_SEEDS:
        return float(stats.wilcoxon(differences).pvalue)
    return sign_flip_test(np.sign(unequal) * stats.rankdata(np.abs(unequal))).p  # flips of ranks, tied or not
