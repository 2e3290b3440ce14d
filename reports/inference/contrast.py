"""A comparison of two methods with its verdict, and all of a report."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reports.evidence.evidence import Evidence
from reports.evidence.method import Method
from reports.inference.plans import FailedSeeds, Followed, Plan, Standing, standing
from reports.statistics import Judgement, PairedComparison, UnpairedComparison, VarianceComparison
from reports.statistics.effects import Interval
from reports.statistics.sequential_verdicts import repeated_interval

MARGIN = 0.5
OTHER_MEASURE = "the differences in weighted F1 have decided how many seeds it has"


@dataclass(frozen=True, eq=False, kw_only=True)
class Contrast:
    """a - b in weighted F1 at the selected epoch, in points; `missing` says why there is no `comparison`.

    `unpaired` in its place where the seeds of one, imported, are not those of the other.

    `followed`: its looks, where its family is followed until it is decided; `comparison` is then of the seeds that the
    last of them judged, there is no p adjusted, and `level` is that of its boundary.

    `standing`: what was declared of it. `level`: of a single t test that is as strict as the family; `members`: how
    many comparisons were adjusted for. `p_equal`: of the two one-sided tests at the margin, `p_equal_holm` adjusted for
    the same comparisons: equality is judged one comparison at a time, and this is what a family of them would need.
    """

    dataset: str
    a: str
    b: str
    standing: Standing
    missing: str
    margin: float
    comparison: PairedComparison | None
    unpaired: UnpairedComparison | None
    p_adjusted: float
    p_holm: float
    mc_se: float
    p_equal: float
    p_equal_holm: float
    level: float
    members: int
    judgement: Judgement
    spread: VarianceComparison | None
    spread_judgement: Judgement

    @property
    def followed(self) -> Followed | None:
        """Its looks; None where the number of seeds was fixed."""
        return self.standing.followed

    @property
    def estimate(self) -> PairedComparison | UnpairedComparison:
        """Its difference, of pairs or not; only where nothing is `missing`."""
        estimate = self.comparison or self.unpaired
        assert estimate is not None
        return estimate

    @property
    def interval(self) -> Interval:
        """The interval that a sentence may quote: at 95 %, or the repeated one over all looks."""
        if self.comparison is None or self.followed is None or not self.followed.path:
            return self.estimate.interval
        return repeated_interval(self.comparison, self.followed.last)

    @property
    def remark(self) -> str:
        """Why it is exploratory; empty where it was declared before its runs."""
        return self.standing.remark

    @property
    def label(self) -> str:
        """How a sentence calls it."""
        return f"{self.a} − {self.b}"

    @property
    def verdict(self) -> str:
        """The verdict as tables show it."""
        return self.judgement.shown + (" (exploratory)" if self.remark else "")


@dataclass(frozen=True, kw_only=True)
class Inference:
    """All contrasts of a report; by data set what was declared in words, and the plan in force (None: nothing was)."""

    contrasts: tuple[Contrast, ...]
    declarations: Mapping[str, str]
    plans: Mapping[str, Plan | None]
    failed: FailedSeeds
    alpha: float

    def of(self, dataset: str) -> list[Contrast]:
        """The contrasts of one data set."""
        return [contrast for contrast in self.contrasts if contrast.dataset == dataset]

    def find(self, dataset: str, a: str, b: str) -> Contrast | None:
        """The contrast of two methods, whichever of them comes first in it."""
        return next((c for c in self.of(dataset) if {c.a, c.b} == {a, b}), None)

    def margin(self, dataset: str) -> float:
        """δ in points of F1, as it was declared for this data set."""
        plan = self.plans.get(dataset)
        return MARGIN if plan is None else plan.margin

    def standing(self, evidence: Evidence, a: Method, b: Method, *, decisive: bool = True) -> Standing:
        """How any comparison of two methods stands to what was declared of this pair.

        decisive: whether it is in the measure that was declared. Where that one has decided how many seeds there are, a
        comparison in any other is exploratory.
        """
        plan = self.plans.get(evidence.comparison.dataset)
        sides = [(method.runs[0].group, method.label) for method in (a, b)]
        declared = plan is not None and any({p.a[0], p.b[0]} == {group for group, _ in sides} for p in plan.pairs)
        stands = standing((a, b), sides, plan if declared else None, self.failed)
        if decisive or stands.followed is None:
            return stands
        return replace(stands, remark=stands.remark or OTHER_MEASURE, followed=None)
