"""The table of ablations: a row a variant of the reference method that is without some of its parts."""

import math
from typing import Any

import pandas as pd

from reports.evidence.evidence import Evidence
from reports.evidence.summaries import summary
from reports.inference.ablation import KINDS, left_out
from reports.inference.contrasts import Contrast, Inference, reference
from reports.tables.leaderboard import difference_cells, score_cell
from reports.tables.model import Heading, Listing, Table
from reports.text import MISSING

NOTE = (
    "What the reference method loses without each of its parts: weighted F1 on the test set at the epoch chosen on "
    "validation, in %, and the reference method minus the variant in points, with its 95 % interval and the verdict of "
    "the table of comparisons. A variant without modalities sees the same data. Without L2 and L3 and on one modality "
    "there is one classifier, trained on its cross-entropy alone."
)
HEADER = (
    Heading("method", "name"),
    Heading("left out", "prose"),
    Heading("weighted F1", "number"),
    Heading("difference", "number"),
    Heading("verdict on it", "prose"),
    Heading("n", "number"),
)


def ablation(evidence: Evidence, inference: Inference) -> Table | None:
    """The reference method, then its variants: those without one part first; None where there are none."""
    comparison = evidence.comparison
    whole = reference(comparison)
    variants = [(m, lacking) for m in comparison.methods if (lacking := left_out(m, whole))]
    if not variants:
        return None
    variants.sort(key=lambda pair: (len(pair[1]), KINDS.index(pair[1][0][0])))
    rows, frame = [], []
    for method, lacking in [(whole, ()), *variants]:
        score = summary(evidence, method.label, "selected_weighted_f1")
        contrast = inference.find(comparison.dataset, whole.label, method.label)
        words = "; ".join(text for _, text in lacking)
        rows.append(
            (
                method.label,
                words or MISSING,
                score_cell(score),
                *difference_cells(method, contrast),
                str(score.n),
            )
        )
        frame.append(
            {"dataset": comparison.dataset, "data": comparison.data_origin.kind}
            | {"method": method.label, "left_out": words, "n": score.n}
            | {f"weighted_f1_{part}": 100 * getattr(score, part) for part in ("mean", "sd", "low", "high")}
            | _difference(whole.label, contrast)
        )
    return Table(
        name="ablation",
        title="Ablation",
        note=NOTE,
        data=comparison.data_origin.short,
        dataset=comparison.name,
        sentences=(),
        listings=(Listing("", HEADER, tuple(rows)),),
        frame=pd.DataFrame(frame),
    )


def _difference(whole: str, contrast: Contrast | None) -> dict[str, Any]:
    """The whole method minus the variant, whichever comes first in their contrast."""
    if contrast is None or contrast.missing:
        return {"difference": math.nan, "low": math.nan, "high": math.nan, "verdict": ""}
    low, high = contrast.interval
    mean = contrast.estimate.mean
    if contrast.a != whole:
        mean, low, high = -mean, -high, -low
    return {"difference": mean, "low": low, "high": high, "verdict": contrast.judgement.verdict.value}
