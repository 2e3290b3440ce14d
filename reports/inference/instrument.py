"""What was planted in a simulated corpus against what was found there: a check of the harness, of no method.

Planted is what the product of the synergy's bits gives: the ceiling of weighted F1 less that of an observer who does
not know the product (docs/simulator.md). A method that only adds modalities cannot see it, so the reference method less
the additive one has to show it. Where nothing is planted, no method can gain by multiplying modalities.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from reports.evidence.comparisons import Comparison
from reports.evidence.data_origin import DataOrigin
from reports.evidence.evidence import Evidence
from reports.evidence.method import Method
from reports.inference.contrasts import REFERENCES, Contrast, Inference, reference
from reports.inference.scores import points
from reports.statistics import Verdict
from reports.statistics.effects import Interval
from reports.statistics.power import detectable_difference
from reports.statistics.verdicts import ALPHA, seeds_to_test

ADDITIVE = "linear"
NAN = float("nan")
DIFFERENT = (Verdict.SUPPORTED, Verdict.CONTRADICTED)
OPPOSITE = {Verdict.SUPPORTED: Verdict.CONTRADICTED, Verdict.CONTRADICTED: Verdict.SUPPORTED}


@dataclass(frozen=True, kw_only=True)
class Planted:
    """What knowing the product of the bits gives, in points of weighted F1, and its Monte Carlo standard error.

    `without`: the ceiling of who does not know it, %. Exactly 0 points where no product is there to be seen.
    """

    points: float
    se: float
    without: float


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The difference of two methods, first − second, in points of weighted F1, paired by seed.

    Attributes:
        interval: of 95 %; NaN where it is unknown.
        verdict: on the first being better; None with too few seeds for any, of which `needed` are enough.
        exploratory: whether the comparison was not declared before the runs.
        sd: of a difference, as independent seeds would have it.
        detectable: the smallest true difference that so many seeds see with probability .8 at the level of the family;
            NaN where there are too few seeds, the runs are not testable, or nothing varies.
    """

    first: str
    second: str
    n: int
    mean: float
    interval: Interval
    verdict: Verdict | None
    exploratory: bool
    sd: float
    detectable: float
    needed: int

    @property
    def label(self) -> str:
        """How a sentence calls it."""
        return f"{self.first} − {self.second}"

    @property
    def direction(self) -> int:
        """1 where the first is shown to be better, −1 where the second is; 0 where neither is."""
        return int(np.sign(self.mean)) if self.verdict in (*DIFFERENT, Verdict.WITHIN_MARGIN) else 0


@dataclass(frozen=True, kw_only=True)
class Check:
    """What one simulated corpus shows of the harness.

    Attributes:
        planted: None where the manifest does not say it.
        gain: the reference method less the additive one, where something is planted and both have runs.
        missing: why `gain` is not there: a clause that names what has to be added; empty where it is not missing.
        shortfall: how far the additive method stays below its own ceiling, in points; NaN without it.
        largest: the largest difference in absolute value, with the better method first; None without comparisons.
        comparisons: how many there are. verdicts: how many have which one; empty with too few seeds.
    """

    dataset: str
    data_origin: DataOrigin
    planted: Planted | None
    gain: Difference | None
    missing: str
    shortfall: float
    largest: Difference | None
    comparisons: int
    verdicts: Mapping[Verdict, int]

    @property
    def basis(self) -> Difference | None:
        """The difference whose spread says how fine the harness is."""
        return self.gain or self.largest


def check_instrument(evidence: Sequence[Evidence], inference: Inference) -> tuple[Check, ...]:
    """A check for every simulated corpus; none for real data. Imported methods are in no check."""
    return tuple(_check(e, inference) for e in evidence if e.comparison.data_origin.simulated and e.comparison.methods)


def _check(evidence: Evidence, inference: Inference) -> Check:
    comparison = evidence.comparison
    ours = {method.label for method in comparison.methods}
    contrasts = [c for c in inference.of(comparison.dataset) if {c.a, c.b} <= ours]
    shown = [difference for c in contrasts if (difference := _difference(c)) is not None]
    planted, gain, missing, shortfall = _planted(comparison), None, "", NAN
    if planted is not None and planted.points:
        first, second = reference(comparison), _additive(comparison)
        if second is None or _is_additive(first):
            missing = _to_add(first, second)
        else:
            contrast = inference.find(comparison.dataset, first.label, second.label)
            assert contrast is not None  # the reference is compared with every method of its kind
            gain, missing = _difference(contrast, first.label), contrast.missing
            shortfall = planted.without - float(points(evidence, second).mean())
    return Check(
        dataset=comparison.dataset,
        data_origin=comparison.data_origin,
        planted=planted,
        gain=gain,
        missing=missing,
        shortfall=shortfall,
        largest=max((_positive(d) for d in shown), key=lambda d: d.mean, default=None),
        comparisons=len(shown),
        verdicts=Counter(d.verdict for d in shown if d.verdict is not None),
    )


def _planted(comparison: Comparison) -> Planted | None:
    """What the manifest says; None of runs that were made before it did, or on vectors that a remedy changed."""
    ceiling = comparison.runs[0].ceiling
    if ceiling is None or "weighted_f1_without_synergy" not in ceiling:
        return None
    without = 100 * ceiling["weighted_f1_without_synergy"]
    return Planted(
        points=100 * ceiling["weighted_f1"] - without, se=100 * ceiling["weighted_f1_synergy_se"], without=without
    )


def _additive(comparison: Comparison) -> Method | None:
    """The first method that only adds modalities, with the encoder and the kind of settings of the reference."""
    first = reference(comparison)
    encoder = first.runs[0].component("encoder")
    alike = (m for m in comparison.methods if m.tuned is first.tuned and m.runs[0].component("encoder") == encoder)
    return next((m for m in alike if _is_additive(m)), None)


def _is_additive(method: Method) -> bool:
    return method.runs[0].component("fusion")["name"] == ADDITIVE


def _to_add(first: Method, second: Method | None) -> str:
    """Which method is missing beside these, and how to add it."""
    name, what = (ADDITIVE, "only adds modalities") if second is None else (REFERENCES[0], "can multiply modalities")
    encoder = first.runs[0].component("encoder")["name"]
    name = name if encoder == "paper" else f"{encoder}/{name}"
    return f"{name}, which {what}, has no runs here: add {name} to --methods of the same cssbench run"


def _difference(contrast: Contrast, first: str = "") -> Difference | None:
    """The contrast as a difference of `first`, or of its own first method, and the other; None without common seeds."""
    c = contrast.comparison
    if contrast.missing or c is None:
        return None
    needed = seeds_to_test(contrast.judgement.numbers.get("alpha", ALPHA))
    verdict = None if c.n < needed else contrast.judgement.verdict
    telling = verdict not in (None, Verdict.NOT_TESTABLE) and c.spread > 0
    difference = Difference(
        first=contrast.a,
        second=contrast.b,
        n=c.n,
        mean=c.mean,
        interval=contrast.interval,
        verdict=verdict,
        exploratory=bool(contrast.remark),
        sd=c.spread,
        detectable=detectable_difference(c.spread, c.n, contrast.level, c.degrees) if telling else NAN,
        needed=needed,
    )
    return _turned(difference) if contrast.b == first else difference


def _turned(difference: Difference) -> Difference:
    """The same the other way round."""
    return replace(
        difference,
        first=difference.second,
        second=difference.first,
        mean=-difference.mean,
        interval=Interval(-difference.interval.high, -difference.interval.low),
        verdict=difference.verdict and OPPOSITE.get(difference.verdict, difference.verdict),
    )


def _positive(difference: Difference) -> Difference:
    """The same with the better method first."""
    return _turned(difference) if difference.mean < 0 else difference
