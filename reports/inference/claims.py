"""The claims of the paper (claims.toml), each with a verdict from the same logic as every other comparison."""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from reports.evidence.comparisons import Comparison
from reports.evidence.evidence import Evidence
from reports.evidence.method import Method
from reports.inference.claim_metrics import METRICS, Metric
from reports.inference.contrasts import Inference, joint_test, points
from reports.inference.imported import fair
from reports.statistics import (
    Judgement,
    PairedComparison,
    Verdict,
    align,
    compare_variances,
    conjunction,
    from_differences,
    holm,
    judge,
    judge_unpaired,
    judge_variances,
    not_testable,
    paired_comparison,
    unpaired_comparison,
)
from reports.statistics.counts import margins

DIFFERENT = (Verdict.SUPPORTED, Verdict.CONTRADICTED)
ALIKE = (Verdict.SHOWN_EQUAL, Verdict.WITHIN_MARGIN)


@dataclass(frozen=True, eq=False)
class Part:
    """One comparison that a claim rests on; `p_adjusted` and `comparison` are None where there is none."""

    dataset: str
    label: str
    judgement: Judgement


@dataclass(frozen=True, eq=False)
class Claim:
    """A claim with its parts, in the order of the data sets."""

    id: str
    says: str
    published: str
    corpora: tuple[str, ...]
    parts: tuple[Part, ...]

    def verdict(self, dataset: str) -> Verdict | None:
        """On one data set; None where the claim is not about it."""
        own = [part.judgement for part in self.parts if part.dataset == dataset]
        return _together(own) if own else None

    def overall(self, datasets: Sequence[str]) -> Verdict | None:
        """On these data sets together; not testable where one of the claim's corpora is not among them."""
        own = [part.judgement for part in self.parts if part.dataset in datasets]
        if not own:
            return None
        covered = all(any(d.startswith(corpus) for d in datasets) for corpus in self.corpora)
        return _together(own) if covered else Verdict.NOT_TESTABLE


def _together(parts: Sequence[Judgement]) -> Verdict:
    """One part has its own verdict, by its adjusted p; only a conjunction of several may go by their raw ones."""
    return parts[0].verdict if len(parts) == 1 else conjunction(parts)


@dataclass(frozen=True, eq=False)
class _Question:
    """A difference to be judged: on one data set, in one metric."""

    evidence: Evidence
    label: str
    metric: Metric
    margin: float
    comparison: PairedComparison
    declared: tuple[float, float] | None = None  # p adjusted and level, of the declared family

    @property
    def dataset(self) -> str:
        return self.evidence.comparison.dataset


def check_claims(evidence: Sequence[Evidence], inference: Inference) -> tuple[Claim, ...]:
    """Every claim of claims.toml on every data set that it is about."""
    entries = tomllib.loads((Path(__file__).parent / "claims.toml").read_text(encoding="utf-8"))["claim"]
    return tuple(_check(entry, evidence, inference) for entry in entries)


def scope(comparison: Comparison) -> str:
    """What the verdicts of a data set are about, and whether published figures stand beside them."""
    name, origin = comparison.dataset, comparison.data_origin
    method = subject(comparison)
    what = f"On {name} the claims are checked for {method.label}" if method else f"On {name} CSS was not run"
    if origin.simulated:
        return f"{what}, on simulated data: no verdict on the paper, and no published figure is compared."
    if not origin.published:
        return (
            f"{what}, on features that are not the published ones: no verdict on the paper, and no published figure is "
            "compared."
        )
    if method is None or not _is_papers(method):
        return (
            f"{what}. Verdicts on the paper are taken from css-released after a refit on all training data, which is "
            "not here, so no published figure is compared."
        )
    return f"{what} after a refit, on the published features: these are verdicts on the paper."


def speaks_of_the_paper(comparison: Comparison) -> bool:
    """Whether published figures may stand beside this data set's results."""
    method = subject(comparison)
    return comparison.data_origin.published and method is not None and _is_papers(method)


def subject(comparison: Comparison) -> Method | None:
    """The method that the claims are about: css-released if refitted, else css, else css-released."""
    by_label = {method.label: method for method in comparison.methods}
    released = by_label.get("css-released")
    if released is not None and (_is_papers(released) or "css" not in by_label):
        return released
    return by_label.get("css")


def _is_papers(method: Method) -> bool:
    return method.label == "css-released" and 0 < len(method.refits) == len(method.runs)


def _check(entry: Mapping[str, Any], evidence: Sequence[Evidence], inference: Inference) -> Claim:
    corpora = tuple(entry.get("corpora", ()))
    about = [e for e in evidence if not corpora or e.comparison.dataset.startswith(corpora)]
    check: Callable[..., list[Part]] = {
        "published": _published, "contrasts": _contrasts, "variance": _variance, "grid": _grid, "classes": _classes,
    }[entry["check"]]  # fmt: skip
    parts = check(entry, about, inference)
    order = [e.comparison.dataset for e in about]
    parts.sort(key=lambda part: order.index(part.dataset))
    return Claim(entry["id"], entry["says"], entry.get("published", ""), corpora, tuple(parts))


def _published(entry: Mapping[str, Any], evidence: Sequence[Evidence], inference: Inference) -> list[Part]:
    """Against what was imported on the same data, but for what is called CSS itself."""
    missing, paired, unpaired = [], [], []
    for e in evidence:
        method = subject(e.comparison)
        rivals = [m for m in e.comparison.imported if not m.label.lower().startswith("css")]
        if method is None or not rivals:
            missing.append(_missing(e, "CSS − published baselines", f"it needs {entry['run']}"))
            continue
        for rival in rivals:
            for name, margin in zip(entry["metrics"], entry["margin"], strict=True):
                metric = METRICS[name].after_refit() if speaks_of_the_paper(e.comparison) else METRICS[name]
                label = f"{method.label} − {rival.label}, {metric.title}"
                a, b = (points(e, m, metric.measure) for m in (method, rival))
                delta = inference.margin if margin == "family" else margin
                if rival.paired:
                    paired.append((_Question(e, label, metric, delta, paired_comparison(a, b)), method, rival))
                else:
                    found = unpaired_comparison(a.to_numpy(dtype=float), b.to_numpy(dtype=float))
                    unpaired.append((e, label, metric, delta, found, method, rival))
    parts = [
        replace(part, judgement=fair(part.judgement, method, rival))
        for part, (_, method, rival) in zip(_judged([q for q, *_ in paired], inference.alpha), paired, strict=True)
    ]
    adjusted = holm(np.array([found.p for *_, found, _, _ in unpaired], dtype=float))
    for (e, label, metric, delta, found, method, rival), p in zip(unpaired, adjusted, strict=True):
        judgement = judge_unpaired(
            found, float(p), label=label, margin=delta, unit=metric.unit, claim=metric.better, alpha=inference.alpha
        )
        parts.append(Part(e.comparison.dataset, label, fair(judgement, method, rival)))
    return missing + parts


def _contrasts(entry: Mapping[str, Any], evidence: Sequence[Evidence], inference: Inference) -> list[Part]:
    missing, questions = [], []
    for e, method, rivals, lack in _pairs(entry, evidence):
        if method is None or not rivals:
            missing.append(_missing(e, lack, entry["run"]))
            continue
        for rival in rivals:
            for name, margin in zip(entry["metrics"], entry["margin"], strict=True):
                metric = METRICS[name]
                if speaks_of_the_paper(e.comparison):
                    metric = metric.after_refit()
                declared = None
                if entry["family"] == "declared" and metric == METRICS[name]:  # what was declared is the selected score
                    declared = _declared(inference, e.comparison.dataset, method.label, rival.label)
                questions.append(
                    _Question(
                        e,
                        f"{method.label} − {rival.label}, {metric.title}",
                        metric,
                        inference.margin if margin == "family" else margin,
                        paired_comparison(metric.values(e, method.label), metric.values(e, rival.label)),
                        declared,
                    )
                )
    return missing + _judged(questions, inference.alpha)


def _variance(entry: Mapping[str, Any], evidence: Sequence[Evidence], inference: Inference) -> list[Part]:
    parts = []
    for e, method, rivals, lack in _pairs(entry, evidence):
        if method is None or not rivals:
            parts.append(_missing(e, lack, entry["run"]))
            continue
        for rival in rivals:
            label = f"sd of {method.label} / sd of {rival.label}, weighted F1"
            judgement = judge_variances(
                compare_variances(points(e, method), points(e, rival)), label=label, alpha=inference.alpha
            )
            parts.append(Part(e.comparison.dataset, label, judgement))
    return parts


def _classes(entry: Mapping[str, Any], evidence: Sequence[Evidence], inference: Inference) -> list[Part]:
    """Mean gain on the named classes minus mean gain on the others, by seed."""
    missing, questions = [], []
    for e, method, rivals, lack in _pairs(entry, evidence):
        named = np.isin(e.comparison.classes, entry["classes"])
        if method is None or not rivals or named.sum() != len(entry["classes"]):
            missing.append(_missing(e, lack, entry["run"]))
            continue
        for rival in rivals:
            paired = align(points(e, method), points(e, rival))
            gain = _class_f1(e, method, paired.seeds) - _class_f1(e, rival, paired.seeds)
            difference = gain[:, named].mean(axis=1) - gain[:, ~named].mean(axis=1)
            label = f"gain of {method.label} on {rival.label}, {' and '.join(entry['classes'])} minus the other classes"
            questions.append(
                _Question(
                    e, label, METRICS["weighted_f1"], inference.margin,
                    from_differences(paired.seeds, difference, paired.dropped),
                )
            )  # fmt: skip
    return missing + _judged(questions, inference.alpha)


def _class_f1(evidence: Evidence, method: Method, seeds: Sequence[int]) -> np.ndarray:
    """F1 in points, [seeds, C]."""
    if not seeds:
        return np.zeros((0, len(evidence.comparison.classes)))
    hits, labels, predictions = np.moveaxis(margins(evidence.counts(method.label, seeds)).sum(axis=1), -2, 0)
    return 100 * 2 * hits / np.maximum(labels + predictions, 1)


def _grid(entry: Mapping[str, Any], evidence: Sequence[Evidence], inference: Inference) -> list[Part]:
    """Order: a difference at any rank, beyond the margin. Rank: every interval within the margin, at every order."""
    missing: list[Part] = []
    of_order: list[_Question] = []
    of_rank: list[_Question] = []
    for e in evidence:
        method = subject(e.comparison)
        cells = {
            (r, p): next(iter(_rivals(e.comparison, method, {"fusion_options": {"rank": r, "order": p}}, True)), None)
            for r in entry["ranks"]
            for p in entry["orders"]
            if method is not None
        }
        lacking = sum(cell is None for cell in cells.values())
        if method is None or lacking:
            lack = "CSS" if method is None else f"{lacking} of {len(cells)} cells of rank × order"
            missing.append(_missing(e, f"no finished run of {lack}", entry["run"]))
            continue
        options = method.runs[0].component("fusion")["options"]
        rank, order = options["rank"], options["order"]
        for (r, p), cell in cells.items():
            for base, questions in (((r, order), of_order), ((rank, p), of_rank)):
                reference = cells[base]
                if cell is None or reference is None or cell is reference:
                    continue
                comparison = paired_comparison(points(e, reference), points(e, cell))
                label = f"rank {base[0]}, order {base[1]} − rank {r}, order {p}"
                questions.append(_Question(e, label, METRICS["weighted_f1"], inference.margin, comparison))
    return [
        *missing,
        *_summed(_judged(of_order, inference.alpha), "order", differ=True),
        *_summed(_judged(of_rank, inference.alpha), "rank", differ=False),
    ]


def _summed(parts: Sequence[Part], what: str, differ: bool) -> list[Part]:
    """One part a data set from all that vary one setting: whether any differs, or whether all are alike."""
    found = []
    for dataset in dict.fromkeys(part.dataset for part in parts):
        own = [part.judgement for part in parts if part.dataset == dataset]
        verdicts = [judgement.verdict for judgement in own]
        different = [j for j in own if j.verdict in DIFFERENT]
        alike = sum(verdict in ALIKE for verdict in verdicts)
        if Verdict.NOT_TESTABLE in verdicts:
            verdict = Verdict.NOT_TESTABLE
        elif Verdict.TOO_FEW_SEEDS in verdicts:
            verdict = Verdict.TOO_FEW_SEEDS
        elif different:
            verdict = Verdict.SUPPORTED if differ else Verdict.CONTRADICTED
        elif alike == len(own):
            verdict = Verdict.SHOWN_EQUAL if differ else Verdict.SUPPORTED
        else:
            verdict = Verdict.UNDERPOWERED if Verdict.UNDERPOWERED in verdicts else Verdict.NO_DIFFERENCE_SHOWN
        largest = max(own, key=lambda j: abs(j.numbers.get("mean", 0.0)))
        claim = f"{what} {'matters' if differ else 'does not matter'}"
        sentence = (
            f"{claim}: {len(different)} of {len(own)} differences are shown and beyond the margin, {alike} are shown "
            f"to lie within it; the largest: {largest.sentence[:-1]}: {verdict.value}."
        )
        found.append(Part(dataset, claim, Judgement(verdict, verdict, sentence, largest.numbers)))
    return found


def _judged(questions: Sequence[_Question], alpha: float) -> list[Part]:
    """Verdicts on differences, p adjusted within these questions or as the declared family has it."""
    test, there = joint_test([question.comparison for question in questions], alpha)
    position = {i: k for k, i in enumerate(there)}
    parts = []
    for i, q in enumerate(questions):
        adjusted, level = float("nan"), alpha
        if q.declared is not None:
            adjusted, level = q.declared
        elif test is not None and i in position:
            adjusted, level = float(test.adjusted[position[i]]), test.level
        judgement = judge(
            q.comparison, adjusted, label=q.label, margin=q.margin, unit=q.metric.unit, claim=q.metric.better,
            alpha=alpha, level=level,
        )  # fmt: skip
        parts.append(Part(q.dataset, q.label, judgement))
    return parts


def _declared(inference: Inference, dataset: str, a: str, b: str) -> tuple[float, float] | None:
    for contrast in inference.of(dataset):
        if (contrast.a, contrast.b) == (a, b) and not contrast.remark:
            return contrast.p_adjusted, contrast.level
    return None


def _missing(evidence: Evidence, lack: str, run: str) -> Part:
    return Part(evidence.comparison.dataset, lack, not_testable(lack, run))


def _pairs(
    entry: Mapping[str, Any], evidence: Sequence[Evidence]
) -> Iterator[tuple[Evidence, Method | None, list[Method], str]]:
    """The method under test and its rivals on each data set, and what is missing if there are none."""
    for e in evidence:
        method = subject(e.comparison)
        rivals = [] if method is None else _rivals(e.comparison, method, entry["rival"])
        lack = (
            "no finished run of CSS"
            if method is None
            else f"what {method.label} is to be compared with has not been run"
        )
        yield e, method, rivals, lack


def _rivals(comparison: Comparison, method: Method | None, change: Any, itself: bool = False) -> list[Method]:
    """Methods that are `method` but for a change of its parts, found by their parts and not by their names.

    "any": every other one of the same encoder and objectives. Tuned methods are none: a claim is about the preset's
    settings, and what one side was given beyond them the other lacks.
    """
    if method is None:
        return []
    mine = {kind: method.runs[0].component(kind) for kind in ("encoder", "fusion", "aggregator", "objectives")}

    def fits(other: Method) -> bool:
        theirs = {kind: other.runs[0].component(kind) for kind in mine}
        if change == "any":
            return all(theirs[kind] == mine[kind] for kind in ("encoder", "objectives"))
        for kind, component in mine.items():
            if kind in change:
                if theirs[kind]["name"] != change[kind]:
                    return False
            elif kind == "fusion" and "fusion_options" in change:
                if theirs[kind] != {**component, "options": component["options"] | change["fusion_options"]}:
                    return False
            elif theirs[kind] != component:
                return False
        return True

    return [
        other for other in comparison.methods if (itself or other is not method) and not other.tuned and fits(other)
    ]
