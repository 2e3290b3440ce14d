"""The table of claims: what the paper says, and what is left of it on every data set of the report."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports.evidence.evidence import Evidence
from reports.inference.claims import Claim, scope, speaks_of_the_paper
from reports.inference.claims.claim import Part
from reports.statistics import Verdict, holm
from reports.statistics.conjunction import AGAINST
from reports.statistics.effects import Interval
from reports.statistics.verdicts import seeds_to_test, shown_interval, signed
from reports.tables.model import Link, Table, listing
from reports.text import MISSING, number, slug

NOTE = (
    "Lyu et al., AAAI 2026. A claim with several parts is supported only if every part is, contradicted if any is, and "
    "not supported if any is shown equal or lies within the margin. Each verdict follows from p adjusted for its "
    "family, the 90 % interval against the margin, and the power. The error is 5 % a claim and 5 % an equality: of ten "
    "independent differences as large as the margin some are shown equal in up to 1 − .95¹⁰ = 40 % of all cases. The "
    "CSV file has p of each claim adjusted over the claims of its data set (Holm), the table of comparisons that of "
    "each equality over its family."
)


def claims_table(evidence: Sequence[Evidence], claims: Sequence[Claim]) -> Table:
    """A row a claim on the page; a row a part in the CSV file."""
    names = [e.comparison.dataset for e in evidence]
    together = _together(evidence)
    words = _in_words(claims, evidence, together)
    header = ("claim", "what it says", *names, *([f"{' and '.join(together)} together"] if len(together) > 1 else []))
    rows = tuple(
        (
            claim.id,
            claim.says + (" (attributed to the paper, not verified)" if claim.attributed else ""),
            *(_on(claim, e, words) for e in evidence),
            *([_shown(claim, claim.overall(together), together, words)] if len(together) > 1 else []),
        )
        for claim in claims
    )
    adjusted = _adjusted(claims, names)
    return Table(
        name="claims",
        title="The paper's claims",
        note=NOTE,
        data="; ".join(e.comparison.data_origin.short for e in evidence),
        dataset="claims",
        sentences=(*(scope(e.comparison) for e in evidence), *_seeds_needed(evidence, claims)),
        listings=(
            listing("", header, rows, prose=header[1:]),
            listing(
                "In words",
                ("claim", "data set", "numbers"),
                [(id, " and ".join(where), text) for (id, text), where in words.items()],
                prose=["numbers"],
                ids=tuple(_anchor(id, where) for (id, _), where in words.items()),
                closed=True,
            ),
        ),
        frame=pd.DataFrame([row for claim in claims for row in _rows(claim, evidence, adjusted)]),
    )


def _together(evidence: Sequence[Evidence]) -> list[str]:
    """The data sets of the most telling kind: real ones where there are any, of these those with the published split.

    The same conversations in another split are no further evidence.
    """
    origins = [e.comparison.data_origin for e in evidence]
    simulated = all(origin.simulated for origin in origins)
    alike = [origin for origin in origins if origin.simulated == simulated]
    return [origin.dataset for origin in alike if not origin.folds] or [origin.dataset for origin in alike]


Words = Mapping[tuple[str, str], list[str]]
"""What is said of a claim: by its id and the text, the data sets of which it is said."""


def _in_words(claims: Sequence[Claim], evidence: Sequence[Evidence], together: Sequence[str]) -> Words:
    words: dict[tuple[str, str], list[str]] = {}
    for claim in claims:
        for e in evidence:
            if claim.verdict(name := e.comparison.dataset) is not None:
                words.setdefault((claim.id, _words(claim, e)), []).append(name)
        if len(together) > 1 and (text := claim.words_together(together)):
            words.setdefault((claim.id, text), []).append("together")
    return words


def _anchor(id: str, where: Sequence[str]) -> str:
    return slug(f"claim-{id.replace('′', '1')}-{where[0]}")


def _words(claim: Claim, evidence: Evidence) -> str:
    text = claim.words(evidence.comparison.dataset)
    published = claim.published and speaks_of_the_paper(evidence.comparison)
    return f"{text} Published: {claim.published}." if published else text


def _adjusted(claims: Sequence[Claim], datasets: Sequence[str]) -> dict[tuple[str, str], float]:
    """P of every claim on a data set, adjusted over the claims that are checked there."""
    adjusted: dict[tuple[str, str], float] = {}
    for dataset in datasets:
        checked = [claim for claim in claims if claim.verdict(dataset) is not None]
        values = holm(np.array([claim.p(dataset) for claim in checked], dtype=float))
        adjusted |= {(claim.id, dataset): float(p) for claim, p in zip(checked, values, strict=True)}
    return adjusted


def _rows(
    claim: Claim, evidence: Sequence[Evidence], adjusted: Mapping[tuple[str, str], float]
) -> list[dict[str, Any]]:
    kinds = {e.comparison.dataset: e.comparison.data_origin.kind for e in evidence}
    rows = []
    for part in claim.parts:
        verdict = claim.verdict(part.dataset)
        assert verdict is not None
        rows.append(
            {
                "dataset": part.dataset,
                "data": kinds[part.dataset],
                "claim": claim.id,
                "says": claim.says,
                "attributed": claim.attributed,
                "claim_verdict": verdict.value,
                "part": part.label,
                "verdict": part.judgement.verdict.value,
                "alone": part.judgement.alone.value,
                "exploratory": part.exploratory,
                "seeds_declared": part.standing.declared if part.standing else None,
                "seeds_present": part.standing.present if part.standing else None,
                "runs_failed": part.standing.failures if part.standing else None,
                "p_claim": claim.p(part.dataset),
                "p_claim_adjusted": adjusted[claim.id, part.dataset],
                **part.judgement.numbers,
                "sentence": part.judgement.sentence,
            }
        )
    return rows


def _on(claim: Claim, evidence: Evidence, words: Words) -> str:
    """What is shown of a claim on one data set; one about the paper's corpora cannot be tested on another."""
    origin, name = evidence.comparison.data_origin, evidence.comparison.dataset
    if origin.own and claim.corpora:
        return f"{Verdict.NOT_TESTABLE.icon} {Verdict.NOT_TESTABLE.value}: it is about {' and '.join(claim.corpora)}"
    return _shown(claim, claim.verdict(name), [name], words)


def _shown(claim: Claim, verdict: Verdict | None, datasets: Sequence[str], words: Words) -> str:
    """The verdict with what it rests on, and a link to its words.

    Where there are too few seeds for a verdict, what the estimates point to.
    """
    if verdict is None:
        return MISSING
    parts = claim.on(*datasets)
    text = verdict.value
    if verdict is Verdict.TOO_FEW_SEEDS:
        points = {part.judgement.points for part in parts} - {""}
        text = points.pop() if len(points) == 1 else "its parts point to different things" if points else text
    shown = f"{verdict.icon} {text}{_effect(verdict, parts)}"
    if claim.exploratory(datasets):
        shown += " (exploratory)"
    where = datasets[0] if len(datasets) == 1 else "together"
    anchors = [_anchor(id, names) for (id, _), names in words.items() if id == claim.id and where in names]
    return Link(shown, f"#{anchors[0]}") if anchors else shown


def _effect(verdict: Verdict, parts: Sequence[Part]) -> str:
    """The estimate of a claim that is one comparison; of several parts, how many have led to the verdict."""
    if verdict is Verdict.NOT_TESTABLE:
        return ""
    if len(parts) > 1:
        refuted = verdict in (Verdict.NOT_SUPPORTED, Verdict.CONTRADICTED)
        count = sum(part.judgement.verdict in (AGAINST if refuted else (verdict,)) for part in parts)
        return f": {count} of {len(parts)} parts{' against it' if refuted else ''}"
    numbers = parts[0].judgement.numbers
    low, high, n = (numbers.get(name, math.nan) for name in ("low", "high", "n"))
    if "log_ratio" in numbers:  # of variances
        ratio, low, high = (math.exp(value / 2) for value in (numbers["log_ratio"], low, high))
        return f": sd × {number(ratio, 2)} [{number(low, 2)}, {number(high, 2)}], n = {n:.0f}"
    if not math.isfinite(numbers.get("mean", math.nan)):
        return ""
    interval = f" {shown_interval(Interval(low, high))}" if math.isfinite(low) else ""
    return f": {signed(numbers['mean'])}{interval}, n = {n:.0f}"


def _seeds_needed(evidence: Sequence[Evidence], claims: Sequence[Claim]) -> list[str]:
    """What the cells without a verdict lack, once; nothing where none lacks seeds."""
    names = [e.comparison.dataset for e in evidence]
    few = [name for name in names if any(claim.verdict(name) is Verdict.TOO_FEW_SEEDS for claim in claims)]
    if not few:
        return []
    return [
        f"Where a cell says what an estimate points to ({', '.join(few)}), there are too few seeds for a test, which "
        f"needs {seeds_to_test()}: its 95 % interval lies within the margin, on one side of 0, or holds 0. How long "
        "further seeds take is said with each data set."
    ]
