"""The answer of a report: for each data set one sentence made from its verdicts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reports.evidence.comparisons import Comparison
from reports.evidence.data_origin import DataOrigin
from reports.evidence.evidence import Evidence
from reports.evidence.method import Method
from reports.inference.ablation import left_out
from reports.inference.contrasts import Contrast, Inference, reference
from reports.inference.findings import TEST_SEEDS, more_seeds, work_left
from reports.statistics import Verdict
from reports.statistics.verdicts import shown_interval, signed
from reports.text import counted, listing_of

BETTER, WORSE, EQUAL, SMALL, OPEN, NONE = "better", "worse", "equal", "small", "open", "none"
_OPEN = (Verdict.UNDERPOWERED, Verdict.NO_DIFFERENCE_SHOWN, Verdict.NOT_TESTABLE_YET, Verdict.TOO_FEW_SEEDS)


@dataclass(frozen=True)
class Answer:
    """What one data set says of the reference method, in a sentence.

    undecided: the sentence on what is open, empty where nothing is. budget: how many seeds, and which preset.
    """

    dataset: str
    data_origin: DataOrigin
    sentence: str
    undecided: str
    budget: str

    @property
    def in_words(self) -> str:
        """All of it, with its data, for where there is no page."""
        return " ".join(filter(None, (f"{self.data_origin.short}: {self.sentence}", self.undecided)))


def answers(evidence: Sequence[Evidence], inference: Inference) -> tuple[Answer, ...]:
    """The answer of every data set with verdicts."""
    return tuple(_answer(e, inference) for e in evidence if inference.of(e.comparison.dataset))


def outcome_of(contrast: Contrast) -> str:
    """What a contrast says of its first method, in one word: `better`, `worse`, `equal`, `small`, `open`, `none`."""
    verdict = contrast.judgement.verdict
    if verdict is Verdict.SUPPORTED:
        return BETTER
    if verdict is Verdict.CONTRADICTED:
        return WORSE
    if verdict is Verdict.SHOWN_EQUAL:
        return EQUAL
    if verdict is Verdict.WITHIN_MARGIN:
        return SMALL
    return OPEN if verdict in _OPEN else NONE


def _answer(evidence: Evidence, inference: Inference) -> Answer:
    comparison = evidence.comparison
    first = reference(comparison).label
    contrasts = inference.of(comparison.dataset)
    declared = [contrast for contrast in contrasts if not contrast.remark] or contrasts
    of_first = [contrast for contrast in declared if first == contrast.a] or declared
    name = of_first[0].a
    sides = [c for c in of_first if c.a == name]
    margin = f"±{sides[0].margin:g} points"
    by_outcome = {
        kind: [c for c in sides if outcome_of(c) == kind] for kind in (BETTER, WORSE, EQUAL, SMALL, OPEN, NONE)
    }
    parts = [f"{kind} than {_with_sizes(by_outcome[kind])}" for kind in (BETTER, WORSE) if by_outcome[kind]]
    if by_outcome[EQUAL]:
        parts.append(f"shown equal, within {margin}, to {_names(by_outcome[EQUAL])}")
    if by_outcome[SMALL]:
        parts.append(f"different by less than {margin[1:]} from {_names(by_outcome[SMALL])}")
    mark = " (exploratory: not declared before the runs)" if all(c.remark for c in sides) else ""
    sentence = f"{name} is {'; '.join(parts)}{mark}." if parts else f"Nothing is decided about {name}{mark}."
    return Answer(
        dataset=comparison.dataset,
        data_origin=comparison.data_origin,
        sentence=sentence,
        undecided=_undecided(comparison, by_outcome[OPEN], by_outcome[NONE]),
        budget=_budget(comparison),
    )


def _with_sizes(contrasts: Iterable[Contrast]) -> str:
    return listing_of([f"{c.b} ({signed(c.estimate.mean)} points {shown_interval(c.interval)})" for c in contrasts])


def _names(contrasts: Iterable[Contrast]) -> str:
    return listing_of([c.b for c in contrasts])


def _undecided(comparison: Comparison, still_open: Sequence[Contrast], not_testable: Sequence[Contrast]) -> str:
    """What is open, with what the estimates point to, what cannot be tested, and what would decide."""
    by_reason: dict[str, list[str]] = {}
    for contrast in (*still_open, *not_testable):
        reason = "no run" if contrast.missing else contrast.judgement.points or contrast.judgement.verdict.value
        by_reason.setdefault(reason, []).append(contrast.b)
    if not by_reason:
        return ""
    text = "; ".join(f"{listing_of(names)} ({reason})" for reason, names in by_reason.items())
    few = any(contrast.judgement.verdict is Verdict.TOO_FEW_SEEDS for contrast in still_open)
    how = f"--seeds {TEST_SEEDS}, {work_left(comparison)}" if comparison.methods else more_seeds(comparison)
    remedy = f" A test needs {TEST_SEEDS} seeds: {how}." if few else ""
    return f"Not decided: {text}.{remedy}"


def _budget(comparison: Comparison) -> str:
    numbers = {len(method.runs) for method in comparison.methods or comparison.imported}
    low, high = min(numbers), max(numbers)
    seeds = counted(low, "seed") if low == high else f"{low} to {high} seeds"
    return f"{seeds} a method, " + (f"preset {comparison.presets}" if comparison.methods else "imported runs alone")


def parts_of_methods(evidence: Sequence[Evidence]) -> str:
    """What methods are made of whose names do not say it, each once: `css = spf fusion with pgm weights`.

    A variant of the reference method whose fusion is without some part is described by what it is without.
    """
    words = {
        method.label: _made_of(method, reference(e.comparison))
        for e in evidence
        for method in e.comparison.methods
        if not set("+(/") & set(method.label)
    }
    return "; ".join(f"{label} = {text}" for label, text in words.items())


def _made_of(method: Method, whole: Method) -> str:
    lacking = left_out(method, whole) or ()
    if lacking and all(text.startswith("SPF's") for _, text in lacking):
        return f"{whole.label} without {' and '.join(text for _, text in lacking)}"
    fusion, aggregator = (method.runs[0].component(kind)["name"] for kind in ("fusion", "aggregator"))
    return f"{fusion} fusion with {aggregator} weights"
