"""What was declared before the runs, with its extensions, and how a comparison stands to it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reports.evidence.comparisons import Comparison
from reports.evidence.method import Method
from reports.reading.looks import RecordedLook
from reports.reading.preregistration import Pair, Preregistration
from reports.reading.runs import FailedRun
from reports.statistics import Verdict, smallest_p
from reports.statistics.sequential import UNJUDGED, Decision, Design
from reports.statistics.sequential import Standing as Judged
from reports.text import MISSING

AFTERTHOUGHT = "not declared before the runs"

FailedSeeds = Mapping[str, frozenset[int]]
"""Seeds of failed runs by group."""


@dataclass(frozen=True)
class Followed:
    """A comparison of a family that is followed until it is decided.

    order: the declared seeds. path: where it stood after each look that was taken. reason: why it was withdrawn.
    """

    design: Design
    order: tuple[int, ...]
    path: tuple[Judged, ...]
    reason: str = ""

    @property
    def last(self) -> Judged:
        """Where it stands."""
        return self.path[-1] if self.path else UNJUDGED

    @property
    def number(self) -> int:
        """The look, counted from 1, of the numbers that it stands on; 0 before the first."""
        return next((k for k, n in enumerate(self.design.looks, 1) if n == self.last.seeds), 0)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that it is judged on; before the first look, those that this one needs."""
        return self.order[: self.last.seeds or self.design.looks[0]]

    @property
    def is_over(self) -> bool:
        """Whether no look is going to judge it any more."""
        return self.last.decision is not None or len(self.path) == len(self.design.looks)

    @property
    def obstacle(self) -> tuple[Verdict, str] | None:
        """What takes the place of a verdict: it was withdrawn, or the next look is still to come."""
        if self.last.decision is Decision.WITHDRAWN:
            look = self.design.looks[len(self.path) - 1]
            return Verdict.NOT_TESTABLE, f"withdrawn at the look at {look} seeds: {self.reason}"
        if not self.is_over:
            due = self.design.looks[len(self.path)]
            state = f"undecided after {self.last.seeds} seeds; " if self.path else ""
            return Verdict.NOT_TESTABLE_YET, f"{state}the look at {due} seeds is to come, and the same command goes on"
        return None


@dataclass(frozen=True)
class Plan:
    """A preregistration in force, and those that extended it by seeds or by later looks."""

    parts: tuple[Preregistration, ...]

    @property
    def declared(self) -> datetime:
        """When its comparisons were declared."""
        return self.parts[0].declared

    @property
    def margin(self) -> float:
        """δ in points."""
        return self.parts[0].margin

    @property
    def alpha(self) -> float:
        """Level of the family."""
        return self.parts[0].alpha

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """What is compared, as one family."""
        return self.parts[0].pairs

    @property
    def seeds(self) -> dict[int, datetime]:
        """Every declared seed, and when it was first named."""
        named: dict[int, datetime] = {}
        for part in self.parts:
            for seed in part.seeds:
                named.setdefault(seed, part.declared)
        return named

    @property
    def is_followed(self) -> bool:
        """Whether it is judged at looks until it is decided."""
        return self.parts[0].design is not None

    @property
    def looks(self) -> tuple[RecordedLook, ...]:
        """The looks that were taken, of a family that is followed until it is decided."""
        return tuple(look for part in self.parts for look in part.looks)

    def covers(self, budget: str) -> bool:
        """Whether it says what is compared under this budget."""
        return self.parts[0].covers([budget])

    def followed(self, groups: Collection[str]) -> Followed | None:
        """The declared comparison of these two groups; None where the number of seeds was fixed."""
        for part in reversed(self.parts):  # a comparison that was left open goes on in the part that continues it
            position = next((i for i, pair in enumerate(part.pairs) if {pair.a[0], pair.b[0]} == set(groups)), None)
            if part.design is not None and position is not None:
                path = [taken.look.comparisons[position] for taken in part.looks]
                decided = next((k for k, judged in enumerate(path, 1) if judged.decision is not None), len(path))
                reason = part.looks[decided - 1].reasons[position] if path else ""
                return Followed(part.design, part.order, tuple(path[:decided]), reason)
        return None


def in_force(preregistrations: Sequence[Preregistration]) -> tuple[Plan, ...]:
    """The plans that these (earliest first) make.

    A look at so few seeds that nothing can be rejected (2/2ⁿ > α) spends no error, so the same comparisons under the
    same margin and level may be declared again with more seeds: that extends the plan, until it has seeds enough for a
    rejection. What is declared after that is another plan, and so is any other choice of comparisons.
    """
    plans: list[Plan] = []
    for declared in preregistrations:
        extended = next((i for i, plan in enumerate(plans) if _extends(declared, plan)), None)
        if extended is None:
            plans.append(Plan((declared,)))
        else:
            plans[extended] = Plan((*plans[extended].parts, declared))
    return tuple(plans)


def _extends(declared: Preregistration, plan: Plan) -> bool:
    def question(part: Preregistration) -> tuple[frozenset[Pair], float, float]:
        return frozenset(part.pairs), part.margin, part.alpha

    if declared.design is not None or plan.parts[0].design is not None:  # its looks say how often it may be judged
        return bool(declared.continues) and declared.continues == plan.parts[-1].name
    nothing_to_spend = smallest_p(len(plan.seeds)) > plan.alpha
    return nothing_to_spend and question(declared) == question(plan.parts[0])


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a comparison of two methods stands to what was declared, and to the runs that failed.

    `remark`: why it is exploratory, empty where it was declared before its runs. `declared`: number of declared seeds,
    None where the pair was not declared. `present`: seeds that both have, of the declared ones. `failed`: by method.
    `followed`: its looks, where the family is followed until it is decided; `declared` are then the seeds that it has
    to have by now.
    """

    remark: str
    declared: int | None = None
    present: int = 0
    failed: tuple[tuple[str, tuple[int, ...]], ...] = ()
    followed: Followed | None = None

    @property
    def failures(self) -> int:
        """Number of failed runs."""
        return sum(len(seeds) for _, seeds in self.failed)

    @property
    def counts(self) -> str:
        """`12 / 10 / 2`: declared seeds, those of them that both have, failed runs."""
        return f"{MISSING if self.declared is None else self.declared} / {self.present} / {self.failures}"

    @property
    def obstacle(self) -> tuple[Verdict, str] | None:
        """What takes the place of a verdict while runs are missing: which fail is not chance, and may be the worst."""
        if self.followed is not None and (obstacle := self.followed.obstacle):
            return obstacle
        declared = "" if self.declared is None else f", {self.present} of {self.declared} declared seeds are there"
        if self.failed:
            who = " and ".join(f"{label} failed in {_counted(seeds)}" for label, seeds in self.failed)
            return Verdict.NOT_TESTABLE, f"{who}{declared}; the same command tries failed runs again"
        if self.declared is not None and self.present < self.declared:
            return Verdict.NOT_TESTABLE_YET, f"{self.present} of {self.declared} declared seeds are there"
        return None


def standing(
    methods: Sequence[Method | None], sides: Sequence[tuple[str, str]], plan: Plan | None, failed: FailedSeeds
) -> Standing:
    """How these two stand to their plan (None: not declared). `sides`: their groups and labels, finished runs or none.

    Imported runs were made elsewhere: when, and with how many seeds, was not to be planned here.
    """
    ours = [method for method in methods if method is not None and not method.imported]
    seeds = [set(method.seeds) for method in ours or methods if method is not None]
    common = set.intersection(*seeds) if seeds and None not in methods else set()
    followed = None if plan is None else plan.followed([group for group, _ in sides])
    lost = []
    for method, (group, label) in zip(methods, sides, strict=True):
        without = failed.get(group, frozenset())
        if without := without if followed is None else without & set(followed.seeds):
            lost.append((method.label if method else label, tuple(sorted(without))))
    if plan is not None and not ours and None not in methods:
        return Standing(remark="")  # two imports have the seeds that they came with
    if plan is None:
        return Standing(remark=AFTERTHOUGHT, present=len(common), failed=tuple(lost))
    needed = set(plan.seeds if followed is None else followed.seeds)
    return Standing(
        remark="" if None in methods else _afterthought(ours, plan),
        declared=len(needed),
        present=len(common & needed),
        failed=tuple(lost),
        followed=followed,
    )


def failed_seeds(failed: Iterable[FailedRun]) -> FailedSeeds:
    """Seeds of failed runs by group."""
    by_group: dict[str, frozenset[int]] = {}
    for run in failed:
        if run.seed is not None:
            by_group[run.group] = by_group.get(run.group, frozenset()) | {run.seed}
    return by_group


def _afterthought(methods: Sequence[Method], plan: Plan) -> str:
    """Why a declared comparison is none; empty where every seed was declared before its runs."""
    runs = [run for method in methods for run in method.runs]
    if rules := plan.parts[0].changed_from.get(runs[0].parts[0].dataset):
        earlier = " and ".join(rules)
        return f"the rule for the epoch was changed to {runs[0].selection} after runs under {earlier} were there"
    named = plan.seeds
    before = sum(run.created < named[run.seed] for run in runs if run.seed in named)
    if before:
        return f"declared after {before} of its {len(runs)} runs were begun"
    added = sorted({run.seed for run in runs} - named.keys())
    return f"seeds {listed(added)} were added after the declaration" if added else ""


def in_words(comparison: Comparison, plan: Plan | None, plans: Sequence[Plan], remarks: Collection[str]) -> str:
    """What was declared for a data set, when, and what of it still counts as declared."""
    if not comparison.methods:
        return "Imported runs were made elsewhere, so no comparison of them was declared before: all are exploratory."
    if plan is None:
        return (
            "No family of comparisons was declared before these runs, so every comparison here is exploratory. "
            "cssbench run declares one before it starts."
        )
    pairs = [pair for pair in plan.pairs if pair.budget == comparison.budget]
    sets = len({pair.dataset for pair in plan.pairs})
    extended = ", ".join(_when(part.declared) for part in plan.parts[1:])
    text = (
        f"Declared on {_when(plan.declared)}{f', extended on {extended}' if extended else ''}: {len(pairs)} "
        f"{'comparison' if len(pairs) == 1 else 'comparisons'} here, {len(plan.pairs)} over {sets} data "
        f"{'set' if sets == 1 else 'sets'}, seeds {listed(sorted(plan.seeds))}, margin {plan.margin:g} points."
    )
    if extended and plan.is_followed:
        text += f" The later looks have the error that the earlier ones had left, {plan.parts[-1].alpha:.4f}."
    elif extended:
        text += " With the seeds declared before nothing could be rejected, so nothing was spent by looking at them."
    if remarks:
        text += f" Exploratory: {'; '.join(sorted(remarks))}."
    other = [p for p in plans if p is not plan and p.covers(comparison.budget) and p.margin != plan.margin]
    if other:
        text += f" A later declaration with margin {other[0].margin:g} ({_when(other[0].declared)}) is not used."
    return text


def listed(seeds: Sequence[int]) -> str:
    """`0–4, 7`."""
    spans: list[list[int]] = []
    for seed in seeds:
        if spans and seed == spans[-1][1] + 1:
            spans[-1][1] = seed
        else:
            spans.append([seed, seed])
    return ", ".join(str(low) if low == high else f"{low}–{high}" for low, high in spans)


def _counted(seeds: Sequence[int]) -> str:
    return f"{'seed' if len(seeds) == 1 else 'seeds'} {listed(seeds)}"


def _when(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"
