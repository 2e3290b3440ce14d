"""The next look at a family that is followed until it is decided."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from reports.errors import DamagedRunError, NothingToJudgeError, ReportError
from reports.evidence.comparisons import validated_sessions
from reports.measures.runs import learned
from reports.reading.documents import document
from reports.reading.looks import RecordedLook, look_content
from reports.reading.preregistration import Pair, Preregistration, read_preregistration, read_preregistrations
from reports.reading.runs import Run, read_validated
from reports.statistics.sequential import Look, follow

MISSING = "are missing"
Runs = Mapping[tuple[str, int], Run]
"""Finished runs by group and seed."""


def take_look(store: Path, name: str) -> dict[str, Any] | None:
    """The next look at the family of this name, to be written down; None where no look is left or all is decided.

    It needs the runs of every open comparison with the seeds of the look. A comparison that lacks one is withdrawn, and
    so is one with runs that learned nothing: which runs fail is not chance. Raises NothingToJudgeError where all of
    them lack runs, and ReportError where the runs do not lead to the looks that were taken before.
    """
    path = store / "preregistrations" / f"{name}.json"
    plan = read_preregistration(path)
    if plan.design is None:
        raise ReportError(f"{path} declares a fixed number of seeds, and no looks")
    if len(plan.looks) == len(plan.design.looks) or (plan.looks and _over(plan.looks[-1].look)):
        return None
    runs, damages = _finished(store)
    n = plan.design.looks[len(plan.looks)]
    earlier = [look.reasons for look in plan.looks]
    is_open = [True] * len(plan.pairs)
    if plan.looks:
        is_open = [standing.decision is None for standing in plan.looks[-1].look.comparisons]
    reasons = [
        _obstacle(runs, pair, plan.order[:n]) if undecided else next((given[i] for given in earlier if given[i]), "")
        for i, (pair, undecided) in enumerate(zip(plan.pairs, is_open, strict=True))
    ]
    due = [reason for reason, undecided in zip(reasons, is_open, strict=True) if undecided]
    if damages and any(MISSING in reason for reason in due):
        raise next(iter(damages.values()))  # it may be what is missing, and a withdrawal would be for good
    if all(MISSING in reason for reason in due):
        raise NothingToJudgeError(f"nothing can be judged at {n} seeds: {next(filter(None, reasons))}")
    looks = _follow(plan, runs, n, [*earlier, reasons])
    for taken, again in zip(plan.looks, looks, strict=False):
        if [s.decision for s in taken.look.comparisons] != [s.decision for s in again.comparisons]:
            raise ReportError(
                f"{path} was decided otherwise at {taken.seeds} seeds than its runs say now: runs were replaced after "
                "the look; put them back, or declare the comparison again in another store"
            )
    comparisons = document(path, {"comparisons": list})["comparisons"]
    return look_content(looks[-1], comparisons, reasons)


def check_looks(store: Path) -> dict[str, tuple[int, str]]:
    """Whether the looks of every followed family follow from its runs, by name.

    Returns how many looks were taken, and where the first of them differs from what its runs say; empty where none
    does. Raises ReportError like `take_look`.
    """
    plans = [plan for plan in read_preregistrations(store) if plan.looks]
    runs, damages = _finished(store) if plans else ({}, {})
    checked = {}
    for plan in plans:
        reasons = [look.reasons for look in plan.looks]
        try:
            again = _follow(plan, runs, plan.looks[-1].seeds, reasons)
        except ValueError as error:  # runs are not there
            raise next(iter(damages.values()), error) from error
        faults = (_fault(plan, taken, now) for taken, now in zip(plan.looks, again, strict=False))
        checked[plan.name] = len(plan.looks), next(filter(None, faults), "")
    return checked


def _fault(plan: Preregistration, taken: RecordedLook, again: Look) -> str:
    """The first number of a look that its runs do not lead to, to nine digits."""
    for pair, before, now in zip(plan.pairs, taken.look.comparisons, again.comparisons, strict=True):
        where = f"at {taken.seeds} seeds, {pair.dataset}: {pair.a[1]} − {pair.b[1]}"
        if before.decision != now.decision:
            return f"{where} was {before.decision or 'open'}, and is {now.decision or 'open'} by its runs"
        for name, a, b in (("t", before.t, now.t), ("boundary", before.boundary, now.boundary)):
            if not np.isclose(a, b, rtol=1e-9, atol=0, equal_nan=True):
                return f"{where} has {name} {a:g}, and {b:g} by its runs"
    return ""


def _finished(store: Path) -> tuple[Runs, dict[Path, DamagedRunError]]:
    runs, damages = read_validated(store)
    return {(run.group, run.seed): run for run in runs}, damages


def _over(look: Look) -> bool:
    return all(standing.decision is not None for standing in look.comparisons)


def _follow(plan: Preregistration, runs: Runs, n: int, reasons: Sequence[Sequence[str]]) -> tuple[Look, ...]:
    """All looks up to the one at n seeds. reasons: of every look, why comparisons are withdrawn."""
    assert plan.design is not None
    withdrawn: dict[int, int] = {}
    for look, of_look in enumerate(reasons, start=1):
        for i, why in enumerate(of_look):
            if why:
                withdrawn.setdefault(i, look)
    seeds = plan.order[:n]
    columns = [_differences(runs, pair, seeds) for pair in plan.pairs]
    labels = [groups_of(pair, seeds, runs.values()) for pair in plan.pairs]
    rng = np.random.default_rng(int(plan.name, 16))
    return follow(np.stack(columns, axis=1), plan.design, rng, groups=np.stack(labels, axis=1), withdrawn=withdrawn)


def _differences(runs: Runs, pair: Pair, seeds: Sequence[int]) -> Float[np.ndarray, " n"]:
    """a - b in points of weighted F1 at the selected epoch; NaN where a run is missing."""

    def score(group: str, seed: int) -> float:
        run = runs.get((group, seed))
        return float("nan") if run is None else 100 * run.number("selected", "weighted_f1")

    return np.array([score(pair.a[0], seed) - score(pair.b[0], seed) for seed in seeds])


def groups_of(pair: Pair, seeds: Sequence[int], runs: Iterable[Run]) -> Int[np.ndarray, " n"]:
    """The number of the session that each seed holds out, as runs on the data set say; -1 where seeds are alone."""
    sessions = next((validated_sessions(run) for run in runs if run.dataset == pair.dataset), 0)
    return np.array([seed % sessions if sessions > 1 else -1 for seed in seeds])


def _obstacle(runs: Runs, pair: Pair, seeds: Sequence[int]) -> str:
    """Why the comparison cannot be judged; empty where it can."""
    sides = []
    for group, label in (pair.a, pair.b):
        wanted = [runs.get((group, seed)) for seed in seeds]
        present = [run for run in wanted if run is not None]
        if len(present) < len(wanted):
            return f"{len(wanted) - len(present)} of {len(wanted)} runs of {label} {MISSING}"
        if hopeless := sum(learned(run, "selected") == 0 for run in present):
            return f"{hopeless} of {len(wanted)} runs of {label} learned nothing"
        sides.append([run.weights_digest for run in present])
    if sides[0] == sides[1] and None not in sides[0]:
        return f"{pair.a[1]} and {pair.b[1]} end with equal weights in all {len(seeds)} seeds: they are the same runs"
    return ""
