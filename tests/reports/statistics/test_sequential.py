"""The group-sequential test: against enumeration, numerical integration, published boundaries, and by simulation."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from reports.statistics.family import joint_flip_test
from reports.statistics.sequential import (
    SPENDING,
    Decision,
    Design,
    Look,
    conditional_power,
    follow,
    with_stand_ins,
)


def looks_of(values: np.ndarray, design: Design, seed: int = 0, **options: int) -> tuple[Look, ...]:
    return follow(values, design, np.random.default_rng(seed), **options)


# Enumeration.


def largest_t(values: np.ndarray) -> float:
    return float(np.abs(stats.ttest_1samp(values, 0, axis=0).statistic).max())


def enumerated(values: np.ndarray, design: Design, looks: int) -> list[tuple[float, float, float]]:
    """What is spent after each look, and the two values of max |t| between which the boundary lies, flip by flip."""
    found, middles, spent = [], list[float](), 0.0
    for look, n in enumerate(design.looks[:looks], start=1):
        alive = []
        for signs in itertools.product((1, -1), repeat=n):
            flipped = values[:n] * np.array(signs)[:, None]
            before = zip(design.looks, middles, strict=False)
            if all(largest_t(flipped[:m]) < middle for m, middle in before):
                alive.append(largest_t(flipped))
        alive.sort(reverse=True)
        budget, count = design.spent(look) - spent, 0
        for rejecting in range(1, len(alive)):
            if rejecting / 2**n > budget + 1e-12:
                break
            if alive[rejecting - 1] > alive[rejecting] * (1 + 1e-9):
                count = rejecting
        upper, lower = (alive[count - 1], alive[count]) if count else (math.inf, alive[0])
        middles.append((upper + lower) / 2 if count else math.inf)
        spent += count / 2**n
        found.append((spent, lower, upper))
    return found


@pytest.mark.parametrize("spending", SPENDING)
@pytest.mark.parametrize(("case", "at"), [*((case, (4, 6, 8)) for case in range(4)), (4, (6, 9, 12))])
def test_spending_and_boundaries_are_those_of_every_flip_enumerated(
    spending: str, case: int, at: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(case)
    values = rng.standard_t(4, size=(at[-1], 2)) + rng.normal(size=(at[-1], 1)) + 0.3 * (case % 4)
    design = Design(at, alpha=0.3, spending=spending, margin=1.0)
    found = looks_of(values, design)
    open_looks = 1 + next((i for i, look in enumerate(found) if any(s.decision for s in look.comparisons)), 9)
    expected = enumerated(values, design, min(open_looks, len(found)))
    for look, (spent, lower, upper) in zip(found, expected, strict=False):
        assert look.spent == pytest.approx(spent, abs=1e-12)
        assert (look.boundary is None) == math.isinf(upper)
        if look.boundary is not None:
            assert lower < look.boundary < upper
        for standing, t in zip(look.comparisons, stats.ttest_1samp(values[: look.seeds], 0).statistic, strict=True):
            assert standing.t == pytest.approx(t)
            rejected = look.boundary is not None and abs(t) >= look.boundary
            assert (standing.decision is Decision.REJECTED) == rejected


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.floats(0, 2))
def test_one_look_decides_as_the_fixed_test_does(seed: int, comparisons: int, shift: float) -> None:
    values = np.random.default_rng(seed).normal(size=(9, comparisons)) + shift
    (look,) = looks_of(values, Design((9,), margin=1e-6))
    adjusted = joint_flip_test(values).adjusted
    rejected = np.array([s.decision is Decision.REJECTED for s in look.comparisons])
    np.testing.assert_array_equal(rejected, adjusted <= 0.05)


# Normal theory.


def crossing(bounds: list[float], shares: list[float]) -> list[float]:
    """P(first |Z| ≥ c at look k) of a Brownian motion, by recursive integration (Armitage, McPherson & Rowe 1969)."""
    grid, density, probabilities, last = np.array([0.0]), np.array([1.0]), list[float](), 0.0
    for bound, share in zip(bounds, shares, strict=True):
        sd, edge = math.sqrt(share - last), bound * math.sqrt(share)
        width = grid[1] - grid[0] if len(grid) > 1 else 1.0
        inside = stats.norm.cdf((edge - grid) / sd) - stats.norm.cdf((-edge - grid) / sd)
        probabilities.append(float(((1 - inside) * density).sum() * width))
        fresh = np.linspace(-edge, edge, 801)
        density = (stats.norm.pdf((fresh[:, None] - grid) / sd) / sd * density).sum(1) * width
        density[[0, -1]] /= 2
        grid, last = fresh, share
    return probabilities


@pytest.mark.parametrize(("constant", "power"), [(2.413, 0.0), (2.040, 0.5)])
def test_the_integration_agrees_with_the_published_boundaries_of_pocock_and_obrien_fleming(
    constant: float, power: float
) -> None:
    # Jennison & Turnbull 2000, tables 2.1 and 2.3: five looks, two-sided .05
    shares = [k / 5 for k in range(1, 6)]
    bounds = [constant * (5 / k) ** power for k in range(1, 6)]
    assert sum(crossing(bounds, shares)) == pytest.approx(0.05, abs=2e-4)


@pytest.mark.parametrize(("spending", "first"), [("pocock", 0), ("obrien-fleming", 2)])
def test_many_normal_seeds_have_the_boundaries_of_normal_theory(spending: str, first: int) -> None:
    design = Design((100, 200, 300, 400, 500), spending=spending, margin=1e-9)
    shares, bounds = [n / 500 for n in design.looks], list[float]()
    for k in range(5):

        def overspent(bound: float, k: int = k) -> float:
            return crossing([*bounds, bound], shares[: k + 1])[-1] - design.share(k + 1)

        bounds.append(float(optimize.brentq(overspent, 1.0, 8.0, xtol=1e-4)))
    # every block alike, at a mean that is neither rejected nor equal nor futile until the end
    blocks = np.random.default_rng(5).normal(size=(5, 100))
    values = (blocks - blocks.mean(1, keepdims=True)) / blocks.std(1, keepdims=True) + 0.075
    found = looks_of(values.reshape(-1, 1), Design(design.looks, spending=spending, margin=0.12), resamples=100_000)
    assert len(found) == 5
    for k in range(first, 5):
        t, n = found[k].boundary, found[k].seeds
        assert t is not None
        z = math.sqrt(n * t**2 / (n - 1 + t**2))  # Σd / √Σd², which is nearly normal under the flips
        assert z == pytest.approx(bounds[k], abs=0.035)
        assert found[k].mc_se < 0.001


@pytest.mark.parametrize("spending", SPENDING)
def test_what_the_looks_add_sums_to_alpha(spending: str) -> None:
    design = Design((8, 12, 16, 20, 30), alpha=0.04, spending=spending)
    shares = [design.share(k) for k in range(1, 6)]
    assert sum(shares) == pytest.approx(0.04)
    assert min(shares) > 0
    assert design.spent(0) == 0


# Properties.


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.permutations(range(3)))
def test_the_order_and_sign_of_comparisons_do_not_matter(seed: int, order: list[int]) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(10, 3)) + rng.choice([0, 0.8, 2], size=3)
    design = Design((6, 8, 10), alpha=0.1, margin=0.4)
    plain, moved = looks_of(values, design), looks_of(-values[:, order], design)
    assert len(plain) == len(moved)
    for one, other in zip(plain, moved, strict=True):
        assert (one.seeds, one.spent) == (other.seeds, other.spent)
        assert [one.comparisons[j].decision for j in order] == [s.decision for s in other.comparisons]
        np.testing.assert_allclose([one.comparisons[j].t for j in order], [-s.t for s in other.comparisons], rtol=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_decisions_stay_and_more_seeds_change_no_look_that_was(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(18, 3)) + rng.choice([0, 0.5, 2], size=3)
    design = Design((6, 9, 18), alpha=0.1, margin=0.5)
    whole = looks_of(values, design, resamples=500)
    assert whole[: len(looks_of(values[:11], design, resamples=500))] == looks_of(values[:11], design, resamples=500)
    for one, following in itertools.pairwise(whole):
        assert one.spent <= following.spent <= design.alpha + 1e-12
        for standing, later in zip(one.comparisons, following.comparisons, strict=True):
            assert standing.decision is None or later == standing
    for look in whole:
        for standing in look.comparisons:
            if standing.decision is Decision.REJECTED:
                assert not standing.interval.low <= 0 <= standing.interval.high


def test_a_decided_comparison_needs_no_more_seeds_and_an_open_one_does() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(12, 2))
    values[:, 0] = 5 + 0.1 * values[:, 0]
    values[:, 1] = 1 + 1.5 * (values[:, 1] - values[:8, 1].mean()) / values[:8, 1].std(ddof=1)
    design = Design((8, 12), margin=1.5)
    first = looks_of(values[:8], design)[0]
    assert [s.decision for s in first.comparisons] == [Decision.REJECTED, None]
    values[8:, 0] = np.nan
    assert looks_of(values, design)[1].comparisons[0] == first.comparisons[0]
    values[9, 1] = np.nan
    with pytest.raises(ValueError, match="Comparison 1 is undecided and lacks a finite difference for seed 9"):
        looks_of(values, design)


def test_what_granularity_cannot_spend_stays_for_later() -> None:
    values = np.random.default_rng(1).normal(size=(8, 1))
    looks = looks_of(values, Design((4, 8), spending="pocock", margin=0.9))
    assert (looks[0].boundary, looks[0].spent) == (None, 0.0)  # 2/2⁴ is more than may be spent
    assert math.isinf(looks[0].comparisons[0].interval.high)
    if len(looks) > 1:
        assert 0.04 < looks[1].spent <= 0.05


def test_methods_that_are_alike_are_shown_equal_and_hopeless_ones_are_futile() -> None:
    rng = np.random.default_rng(2)
    values = np.column_stack([0.01 * rng.normal(size=12), 9 * rng.normal(size=12)])
    values -= values[:12].mean(0)
    decisions = [s.decision for s in looks_of(values, Design((8, 12, 30), margin=0.5))[0].comparisons]
    assert decisions == [Decision.SHOWN_EQUAL, Decision.FUTILE]


def test_stand_ins_are_a_comparisons_own_differences_again() -> None:
    values = np.arange(10.0).reshape(5, 2)
    found = with_stand_ins(values, np.array([2, 5]), 5)
    np.testing.assert_array_equal(found[:, 0], [0, 2, 0, 2, 0])
    np.testing.assert_array_equal(found[:, 1], values[:, 1])


def test_conditional_power_is_that_of_simulated_ends() -> None:
    mean, sd, n, last, critical, delta = 0.2, 1.0, 10, 40, 2.1, 0.3
    rest = np.random.default_rng(3).normal(delta, sd, size=(200_000, last - n)).sum(1)
    simulated = (np.abs(n * mean + rest) >= critical * sd * math.sqrt(last)).mean()
    assert conditional_power(mean, sd, n, last, delta=delta, critical=critical) == pytest.approx(simulated, abs=0.005)
    assert conditional_power(-mean, sd, n, last, delta=delta, critical=critical) == pytest.approx(simulated, abs=0.005)


# Calibration: the cheap part.


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_where_nothing_differs_a_family_rejects_rarely_over_all_looks(correlation: float) -> None:
    rng, repetitions = np.random.default_rng(4), 400
    rejected = covered = judged = 0
    for _ in range(repetitions):
        common = rng.normal(size=(12, 1))
        values = math.sqrt(correlation) * common + math.sqrt(1 - correlation) * rng.normal(size=(12, 4))
        last = looks_of(values, Design((6, 9, 12), margin=0.6))[-1]
        rejected += any(s.decision is Decision.REJECTED for s in last.comparisons)
        covered += sum(s.interval.low <= 0 <= s.interval.high for s in last.comparisons)
        judged += len(last.comparisons)
    error = math.sqrt(0.05 * 0.95 / repetitions)
    assert rejected / repetitions <= 0.05 + 2 * error
    assert covered / judged >= 0.95 - 2 * error


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"looks": ()}, "Looks are increasing numbers of seeds"),
        ({"looks": (8, 8)}, "Looks are increasing numbers of seeds"),
        ({"looks": (1, 8)}, "from 2 on"),
        ({"looks": (8, 12.5)}, "Looks are increasing"),
        ({"alpha": 0.0}, "between 0 and .5"),
        ({"alpha": math.nan}, "between 0 and .5"),
        ({"spending": "linear"}, "choose one of obrien-fleming, pocock"),
        ({"margin": 0.0}, "The margin is positive and finite"),
        ({"margin": math.inf}, "The margin is positive and finite"),
    ],
)
def test_a_design_that_cannot_be_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Design(**wrong)  # type: ignore[arg-type]


def test_a_family_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match=r"got the shape \(8,\)"):
        looks_of(np.zeros(8), Design())
    with pytest.raises(ValueError, match=r"got the shape \(8, 0\)"):
        looks_of(np.zeros((8, 0)), Design())
    with pytest.raises(ValueError, match="got 0 resamples"):
        looks_of(np.zeros((8, 1)), Design(), resamples=0)
    with pytest.raises(ValueError, match="no look 6"):
        Design().spent(6)


# Groups, and what is withdrawn.


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 3))
def test_one_look_at_seeds_by_session_decides_as_the_fixed_test_of_groups_does(seed: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    sessions = np.arange(10) % 4
    values = rng.normal(size=(10, 2)) + rng.normal(size=4)[sessions][:, None] + shift
    groups = np.stack([sessions, np.full(10, -1)], axis=1)
    (look,) = follow(values, Design((10,), margin=1e-6), np.random.default_rng(0), groups=groups)
    fixed = joint_flip_test(values, groups=groups)
    np.testing.assert_allclose([s.t for s in look.comparisons], fixed.t)
    assert [s.degrees for s in look.comparisons] == [3, 9]
    rejected = [s.decision is Decision.REJECTED for s in look.comparisons]
    assert rejected == list(fixed.adjusted <= 0.05)
    for standing in look.comparisons:
        assert (abs(standing.t) >= standing.boundary) == (standing.decision is Decision.REJECTED)


@pytest.mark.parametrize("n", [12, 24])
def test_a_withdrawn_comparison_needs_no_seeds_and_stays_where_it_was(n: int) -> None:
    values = np.random.default_rng(2).normal(scale=2, size=(n, 3)) + 0.6
    design = Design((8, n, 40), spending="pocock", margin=1.8)
    first = looks_of(values, design)[0]
    lacking = values.copy()
    lacking[8:, 1] = np.nan
    lacking[:, 2] = np.nan
    looks = follow(lacking, design, np.random.default_rng(0), withdrawn={1: 2, 2: 1})
    never = [look.comparisons[2] for look in looks]
    assert [(s.seeds, s.decision) for s in never] == [(0, Decision.WITHDRAWN)] * 2
    assert math.isnan(never[0].mean)
    one, two = (look.comparisons[1] for look in looks)
    assert one.decision is None
    assert one == looks_of(values[:, :2], design)[0].comparisons[1]
    assert (two.decision, two.seeds, two.t) == (Decision.WITHDRAWN, 8, one.t)
    assert looks[1].comparisons[0].seeds == n
    assert first.boundary is not None
    assert looks[0].boundary is not None
    assert looks[0].boundary < first.boundary  # of a smaller family


@pytest.mark.parametrize("n", [8, 20])
def test_where_all_are_withdrawn_a_look_says_so(n: int) -> None:
    (look,) = follow(np.full((n, 2), np.nan), Design((n, 30)), np.random.default_rng(0), withdrawn={0: 1, 1: 1})
    assert [s.decision for s in look.comparisons] == [Decision.WITHDRAWN] * 2
    assert (look.boundary, look.spent) == (None, 0.0)
