"""The claim that the order of the fusion matters and its rank does not, on a fixed grid."""

from collections.abc import Mapping, Sequence
from typing import Any

from reports.evidence.evidence import Evidence
from reports.evidence.method import Method
from reports.inference.claims.claim import Part
from reports.inference.claims.metrics import METRICS, Metric
from reports.inference.claims.question import Question, judged
from reports.inference.claims.subject import changed, missing_part, speaks_of_the_paper, subject
from reports.inference.contrast import Inference
from reports.inference.scores import paired_points
from reports.statistics import Judgement, Verdict

DIFFERENT = (Verdict.SUPPORTED, Verdict.CONTRADICTED)
ALIKE = (Verdict.SHOWN_EQUAL, Verdict.WITHIN_MARGIN)
DECIDE_FIRST = (Verdict.NOT_TESTABLE, Verdict.NOT_TESTABLE_YET, Verdict.TOO_FEW_SEEDS)

Cells = dict[tuple[int, int], Method | None]


def check_grid(entry: Mapping[str, Any], evidence: Sequence[Evidence], inference: Inference) -> list[Part]:
    """Order: a difference at any rank, beyond the margin. Rank: every interval within the margin, at every order."""
    missing: list[Part] = []
    by_order: list[Question] = []
    by_rank: list[Question] = []
    for e in evidence:
        method = subject(e.comparison)
        cells: Cells = {}
        if method is not None:
            cells = {(r, p): _cell(e, method, r, p) for r in entry["ranks"] for p in entry["orders"]}
        lacking = sum(cell is None for cell in cells.values())
        if method is None or lacking:
            lack = "CSS" if method is None else f"{lacking} of {len(cells)} cells of rank × order"
            missing.append(missing_part(e, f"no finished run of {lack}", entry["run"]))
            continue
        options = method.runs[0].component("fusion")["options"]
        rank, order = options["rank"], options["order"]
        margin = inference.margin(e.comparison.dataset)
        by_order += _questions(e, cells, {cell: (cell[0], order) for cell in cells}, margin)
        by_rank += _questions(e, cells, {cell: (rank, cell[1]) for cell in cells}, margin)
    return [
        *missing,
        *_summed(judged(by_order, inference), "order", differ=True),
        *_summed(judged(by_rank, inference), "rank", differ=False),
    ]


def _cell(evidence: Evidence, method: Method, rank: int, order: int) -> Method | None:
    options = {"fusion_options": {"rank": rank, "order": order}}
    return next(iter(changed(evidence.comparison, method, options, itself=True)), None)


def _questions(
    evidence: Evidence, cells: Cells, bases: Mapping[tuple[int, int], tuple[int, int]], margin: float
) -> list[Question]:
    """Every cell against the cell that it is compared with."""
    weighted_f1: Metric = METRICS["weighted_f1"]
    metric = weighted_f1.after_refit() if speaks_of_the_paper(evidence.comparison) else weighted_f1
    questions = []
    for (rank, order), cell in cells.items():
        base = bases[rank, order]
        reference = cells[base]
        if cell is None or reference is None or cell is reference:
            continue
        questions.append(
            Question(
                evidence=evidence,
                a=reference,
                b=cell,
                label=f"rank {base[0]}, order {base[1]} − rank {rank}, order {order}",
                metric=metric,
                margin=margin,
                comparison=paired_points(evidence, reference, cell, metric.measure),
            )
        )
    return questions


def _summed(parts: Sequence[Part], what: str, differ: bool) -> list[Part]:
    """One part a data set from all that vary one setting: whether any differs, or whether all are alike."""
    sums = []
    for dataset in dict.fromkeys(part.dataset for part in parts):
        members = [part for part in parts if part.dataset == dataset]
        judgements = [part.judgement for part in members]
        verdicts = [judgement.verdict for judgement in judgements]
        different = sum(verdict in DIFFERENT for verdict in verdicts)
        alike = sum(verdict in ALIKE for verdict in verdicts)
        if first := next((verdict for verdict in DECIDE_FIRST if verdict in verdicts), None):
            verdict = first
        elif different:
            verdict = Verdict.SUPPORTED if differ else Verdict.CONTRADICTED
        elif alike == len(members):
            verdict = Verdict.SHOWN_EQUAL if differ else Verdict.SUPPORTED
        else:
            verdict = Verdict.UNDERPOWERED if Verdict.UNDERPOWERED in verdicts else Verdict.NO_DIFFERENCE_SHOWN
        undecided = [j for j in judgements if j.verdict is verdict] if verdict in DECIDE_FIRST else judgements
        told = max(undecided, key=lambda j: abs(j.numbers.get("mean", 0.0)))
        claim = f"{what} {'matters' if differ else 'does not matter'}"
        sentence = (
            f"{claim}: {different} of {len(members)} differences are shown and beyond the margin, {alike} are shown "
            f"to lie within it; the largest: {told.sentence[:-1]}: {verdict.value}."
        )
        standing = next((part.standing for part in members if part.exploratory), members[0].standing)
        judgement = Judgement(verdict, verdict, sentence, told.numbers)
        sums.append(Part(dataset=dataset, label=claim, judgement=judgement, standing=standing))
    return sums
