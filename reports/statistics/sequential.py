"""A family of paired comparisons that is judged several times as seeds come in: an exact group-sequential test.

A design declares looks n₁ < … < n_K. After n_k seeds the statistic is T_k = max |t_j| over the family's paired t. Its
reference are flips of whole seeds: a seed has one sign, the same for all comparisons and at every look, so that given
the sizes of the differences every path (T₁, …, T_k) of the flips is as likely as the observed one if methods could have
changed places. The boundary c_k is the smallest with

    P(T₁ < c₁, …, T_{k-1} < c_{k-1}, T_k ≥ c_k) ≤ what the spending function allows by look k less what is spent,

so the shares of all looks add up to at most α (Lan & DeMets, Biometrika 70, 1983). Earlier boundaries are constants.

Several comparisons: a comparison is rejected if its own |t| reaches the boundary of the largest. The largest over the
family is at least the largest over those comparisons without a true difference, so that the boundary is not below
theirs (Westfall & Young, Resampling-Based Multiple Testing, 1993). Nothing leaves the maximum after a rejection.

Decided comparisons: they get no more seeds, and can reject nothing more. Were they dropped from the reference, or kept
there with the t of their last look, a later boundary would be that of fewer comparisons than were selected from: those
that stay are the ones with the larger |t|, and they would be rejected too often. So a decided comparison stays in the
reference with stand-ins for the seeds that it lacks: its own differences again, from the first on, under the signs of
the new seeds. The boundary is then that of a family of which none was decided, and the errors are some of that family's
errors. This step is no longer exact, since the stand-ins are not the differences that would have come.

Seeds that have something in common by group (`reports.statistics.groups`): t is that of the group means, flips are of
single seeds as ever, and the comparison competes with others by the normal score of its t (Wallace, Ann. Math. Statist.
30, 1959), which for t of as many degrees of freedom is the order of |t|.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from numbers import Integral
from types import MappingProxyType

import numpy as np
from jaxtyping import Float, Int
from scipy import special

from reports.statistics.boundaries import as_strict, as_with, boundary_ratio, draw, largest_ratios, t_of
from reports.statistics.effects import Interval, t_interval
from reports.statistics.groups import group_means, mean_of
from reports.statistics.power import sd_limit
from reports.statistics.sign_flips import RESAMPLES

ENUMERATED_SEEDS = 16  # up to here all 2ⁿ flips are counted; sums of 20 seeds over five looks would take minutes
FUTILE_POWER = 0.1


def _obrien_fleming(share: float, alpha: float) -> float:
    return float(2 * special.ndtr(special.ndtri(alpha / 2) / math.sqrt(share)))


def _pocock(share: float, alpha: float) -> float:
    return alpha * math.log1p((math.e - 1) * share)


SPENDING: Mapping[str, Callable[[float, float], float]] = MappingProxyType(
    {"obrien-fleming": _obrien_fleming, "pocock": _pocock}
)
"""The two-sided error that may be spent by a share of the seeds, of O'Brien & Fleming's type and of Pocock's.

2 - 2 Φ(z_{1-α/2} / √τ) and α log(1 + (e - 1) τ): Lan & DeMets, Biometrika 70, 1983, section 3.
"""


@dataclass(frozen=True)
class Design:
    """What is declared before the first run.

    looks: numbers of seeds after which the family is judged, in increasing order; the last is the most that it takes.
    alpha: two-sided error of the whole family over all looks. spending: a name of `SPENDING`. margin: δ, the smallest
    difference that matters, in the unit of the differences. Raises ValueError, with the remedy, for anything else.
    """

    looks: tuple[int, ...] = (8, 12, 16, 20, 30)
    alpha: float = 0.05
    spending: str = "obrien-fleming"
    margin: float = 0.5

    def __post_init__(self) -> None:
        looks = tuple(self.looks)
        whole = all(isinstance(n, Integral) and n >= 2 for n in looks)
        if not looks or not whole or any(b <= a for a, b in itertools.pairwise(looks)):
            raise ValueError(
                f"Looks are increasing numbers of seeds, from 2 on: got {looks}. Give such as {Design.looks}."
            )
        if not 0 < self.alpha < 0.5:
            raise ValueError(f"The level alpha lies between 0 and .5: got {self.alpha}. Give such as .05.")
        if self.spending not in SPENDING:
            raise ValueError(f"No spending function is called {self.spending!r}: choose one of {', '.join(SPENDING)}.")
        if not 0 < self.margin < math.inf:
            raise ValueError(f"The margin is positive and finite: got {self.margin}. Give the δ that matters.")

    def spent(self, look: int) -> float:
        """The error that may be spent by this look, α*(n_k / n_K): looks count from 1, and `spent(0)` is 0.

        Raises ValueError for a look that the design does not have.
        """
        if not 0 <= look <= len(self.looks):
            raise ValueError(f"The design has looks 1 to {len(self.looks)}: there is no look {look}.")
        return SPENDING[self.spending](self.looks[look - 1] / self.looks[-1], self.alpha) if look else 0.0

    def share(self, look: int) -> float:
        """The error that this look adds, α_k = α*(n_k / n_K) - α*(n_{k-1} / n_K); over the looks they sum to alpha."""
        return self.spent(look) - self.spent(look - 1)


class Decision(StrEnum):
    """What ends a comparison."""

    REJECTED = "rejected"
    """|t| has reached the boundary: the two methods differ."""
    SHOWN_EQUAL = "shown equal"
    """The Student interval at 1 - 2 α_k lies within the margin: two one-sided tests at α_k, which sum to α over looks
    (Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987)."""
    FUTILE = "futile"
    """More seeds would hardly help. No error is spent on this, so going on nevertheless harms no boundary."""
    WITHDRAWN = "withdrawn"
    """It cannot be judged any more, whatever its differences are: the caller says why."""


@dataclass(frozen=True)
class Standing:
    """Where a comparison stands after a look; once decided it stays as it was at that look.

    seeds: that it is judged on, 0 where it was withdrawn before its first look. mean, t: of its differences, or of the
    means of their groups; t is infinite where they are equal. degrees: of freedom of t. boundary: c_k for a t of so
    many; infinite while there is none. interval: the repeated confidence interval, mean ± c_k standard errors, which
    all comparisons and looks together hold at 1 - alpha whatever makes one stop, as far as the boundary holds for
    differences with another mean than 0 (Jennison & Turnbull, J. R. Statist. Soc. B 51, 1989); infinite before there is
    a boundary. conditional_power: see that function; NaN at the last look, and while no boundary can be computed.
    """

    seeds: int
    mean: float
    t: float
    degrees: int
    boundary: float
    interval: Interval
    conditional_power: float
    decision: Decision | None


UNJUDGED = Standing(
    seeds=0,
    mean=math.nan,
    t=math.nan,
    degrees=0,
    boundary=math.inf,
    interval=Interval(-math.inf, math.inf),
    conditional_power=math.nan,
    decision=None,
)
"""Where a comparison stands before its first look."""


@dataclass(frozen=True)
class Look:
    """The family after one of its looks.

    boundary: c_k of |t| with n_k - 1 degrees of freedom; None if the flips of so few seeds are too coarse for what may
    be spent, which stays for later looks. It is just above the largest value of the flips that is not rejected. spent:
    what all looks so far have spent, never more than `Design.spent`; mc_se: its Monte Carlo standard error, 0 while all
    flips are counted.
    comparisons: in the order given.
    """

    seeds: int
    boundary: float | None
    spent: float
    mc_se: float
    comparisons: tuple[Standing, ...]


def follow(
    differences: Float[np.ndarray, "seeds comparisons"],
    design: Design,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    *,
    groups: Int[np.ndarray, "seeds comparisons"] | None = None,
    withdrawn: Mapping[int, int] = MappingProxyType({}),
) -> tuple[Look, ...]:
    """Every look that the seeds so far have reached, up to the one that decides the last comparison.

    differences: a row a seed, in the declared order. Only rows that a look needs are read: no seed beyond the last
    look, and none that a comparison has after its decision, which may be NaN. rng: of the family's own. It draws
    nothing up to 16 seeds; beyond, `resamples` flips of the whole design, to which the observed signs are added
    (Phipson & Smyth, Stat. Appl. Genet. Mol. Biol. 9, 2010). The same generator and more seeds give the same looks and
    further ones. groups: number of the group of every seed, -1 where seeds are on their own. withdrawn: comparisons
    that are not judged any more from a look (counted from 1) on; from then on they are in the reference as decided ones
    are, and one that no look has judged is not there at all. Raises ValueError for an empty family, for a seed that an
    open comparison lacks, and for no resamples.
    """
    values = _checked(differences, resamples)
    labels = np.full(values.shape, -1) if groups is None else np.asarray(groups)
    comparisons = range(values.shape[1])
    standings = dict.fromkeys(comparisons, UNJUDGED)
    judged = np.zeros(len(comparisons), dtype=int)  # seeds of each comparison
    ratios: list[float] = []  # the boundaries, on the scale of r
    signs: np.ndarray | None = None
    drawn = spent = error = 0.0
    looks: list[Look] = []
    for look, n in enumerate(design.looks, start=1):
        undecided = [j for j in comparisons if standings[j].decision is None]
        if n > len(values) or not undecided:
            break
        for j in undecided:
            if withdrawn.get(j, look + 1) <= look:
                standings[j] = replace(standings[j], decision=Decision.WITHDRAWN)
        undecided = [j for j in undecided if standings[j].decision is None]
        _refuse_lacking(values[:n], undecided)
        judged[undecided] = n
        family = [with_stand_ins(each, judged, n)[:, judged > 0] for each in (values, labels)]
        if n > ENUMERATED_SEEDS and signs is None:
            signs = draw(design.looks[-1], resamples, rng)
        largest = largest_ratios(
            family[0], family[1], design.looks[:look], ratios, signs if n > ENUMERATED_SEEDS else None
        )
        ratio, share = boundary_ratio(largest, design.spent(look) - spent)
        ratios.append(ratio)
        spent += share
        if n > ENUMERATED_SEEDS:
            drawn += share
            error = math.sqrt(drawn * (1 - drawn) / len(largest))
        ahead, _ = boundary_ratio(np.where(largest >= ratio, -1.0, largest), design.alpha - spent)
        for j in undecided:
            standings[j] = _stand(values[:n, j], labels[:n, j], design, look, ratio=ratio, ahead=ahead)
        boundary = t_of(ratio, n - 1) if ratio <= 1 else None
        looks.append(Look(n, boundary, spent, error, tuple(standings[j] for j in comparisons)))
    return tuple(looks)


def with_stand_ins(
    differences: Float[np.ndarray, "seeds comparisons"], judged: Int[np.ndarray, " comparisons"], n: int
) -> Float[np.ndarray, "n comparisons"]:
    """The first n differences; a comparison that is judged on fewer goes on with its own again, from the first on."""
    return np.take_along_axis(differences, np.arange(n)[:, None] % np.maximum(judged, 1), axis=0)


def conditional_power(mean: float, sd: float, n: int, last: int, *, delta: float, critical: float) -> float:
    """Probability that |t| reaches `critical` at the last seeds, given the mean of n, if the rest differ by delta.

    Σd at the end is normal with mean n d + (last - n) δ and variance (last - n) sd² (Lan, Simon & Halperin, Sequential
    Analysis 1, 1982; Lan & Wittes, Biometrics 44, 1988). δ has the sign that promises more. sd: taken as known.
    """
    bound, spread = critical * sd * math.sqrt(last), sd * math.sqrt(last - n)

    def reached(total: float) -> float:
        if spread == 0:
            return float(abs(total) >= bound)
        return float(special.ndtr((total - bound) / spread) + special.ndtr((-total - bound) / spread))

    return max(reached(n * mean + (last - n) * delta), reached(n * mean - (last - n) * delta))


def _checked(differences: Float[np.ndarray, "seeds comparisons"], resamples: int) -> np.ndarray:
    values = np.asarray(differences, dtype=float)
    if values.ndim != 2 or values.shape[1] == 0:
        raise ValueError(
            f"A family has a row a seed and a column a comparison, at least one: got the shape {values.shape}."
        )
    if resamples < 1:
        raise ValueError(f"Beyond {ENUMERATED_SEEDS} seeds flips are drawn: got {resamples} resamples, give 1 or more.")
    return np.where(np.abs(values) < 1e-13, 0.0, values)  # scores that agree on paper may differ by rounding


def _refuse_lacking(values: Float[np.ndarray, "n comparisons"], undecided: Sequence[int]) -> None:
    lacking = np.argwhere(~np.isfinite(values[:, undecided]))
    if len(lacking):
        row, column = lacking[0]
        raise ValueError(
            f"Comparison {undecided[column]} is undecided and lacks a finite difference for seed {row} of the declared "
            f"order, which the look at {len(values)} seeds needs: run that seed, or leave it out of all comparisons."
        )


def _stand(
    differences: Float[np.ndarray, " n"],
    labels: Int[np.ndarray, " n"],
    design: Design,
    look: int,
    *,
    ratio: float,
    ahead: float,
) -> Standing:
    """A comparison at a look. ratio, ahead: r of the boundary, and of one that spent all that is left at this look."""
    n, last, plain = len(differences), design.looks[-1], labels[0] < 0
    units = differences if plain else group_means(differences, labels)
    mean, _, se, degrees = mean_of(units)
    k, squares = len(units), float((units**2).sum())
    r = min(float(units.sum()) ** 2 / (k * squares), 1.0) if squares > 0 else 0.0
    on_scale = as_with if not plain and degrees > 0 else lambda value, *_: value
    reached = degrees > 0 and on_scale(r, degrees, n - 1) >= ratio
    bounds = [t_of(on_scale(value, n - 1, degrees), degrees) if value <= 1 else math.inf for value in (ratio, ahead)]
    power = float("nan")
    if n < last and bounds[1] < math.inf:
        spread = sd_limit(se * math.sqrt(n), degrees + 1, 0.5)
        final = as_strict(bounds[1], degrees, last - 1 if plain else degrees)
        power = conditional_power(mean, spread, n, last, delta=design.margin, critical=final)
    decision = None
    if reached:
        decision = Decision.REJECTED
    elif t_interval(mean, se, degrees, 1 - 2 * design.share(look)).inside(design.margin):
        decision = Decision.SHOWN_EQUAL
    elif power < FUTILE_POWER:
        decision = Decision.FUTILE
    half = bounds[0] * se if bounds[0] < math.inf else math.inf
    interval = Interval(mean - half, mean + half)
    return Standing(
        seeds=n,
        mean=mean,
        t=math.copysign(t_of(r, degrees), mean),
        degrees=degrees,
        boundary=bounds[0],
        interval=interval,
        conditional_power=power,
        decision=decision,
    )
