"""The table of claims: what the paper says, and what is left of it on every data set of the report."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from reports.evidence.evidence import Evidence
from reports.inference.claims import Claim, scope, speaks_of_the_paper
from reports.statistics import Judgement, Verdict
from reports.tables.model import Table, listing
from reports.text import MISSING

NOTE = (
    "Lyu et al., AAAI 2026. A claim with several parts is supported only if every part is, and contradicted if any is. "
    "Each verdict follows from p adjusted for its family, the 90 % interval against the margin, and the power."
)
PARTS = 3  # told in words; more are counted


def claims_table(evidence: Sequence[Evidence], claims: Sequence[Claim]) -> Table:
    """A row a claim on the page; a row a part in the CSV file."""
    names = [e.comparison.dataset for e in evidence]
    together = _together(evidence)
    header = ("", "claim", *names, *([f"{' and '.join(together)} together"] if len(together) > 1 else []))
    rows = tuple(
        (
            claim.id,
            claim.says,
            *(_shown(claim.verdict(name)) for name in names),
            *([_shown(claim.overall(together))] if len(together) > 1 else []),
        )
        for claim in claims
    )
    words = tuple(
        (claim.id, name, _words(claim, e))
        for claim in claims
        for e in evidence
        if claim.verdict(name := e.comparison.dataset) is not None
    )
    return Table(
        name="claims",
        title="The paper's claims",
        note=NOTE,
        data="; ".join(e.comparison.data_origin.short for e in evidence),
        dataset="claims",
        sentences=tuple(scope(e.comparison) for e in evidence),
        listings=(
            listing("", header, rows, prose=header[1:]),
            listing("In words", ("", "data set", "numbers"), words, prose=["numbers"]),
        ),
        frame=pd.DataFrame([row for claim in claims for row in _rows(claim, evidence)]),
    )


def _together(evidence: Sequence[Evidence]) -> list[str]:
    """The data sets of the most telling kind: real ones where there are any."""
    simulated = all(e.comparison.data_origin.simulated for e in evidence)
    return [e.comparison.dataset for e in evidence if e.comparison.data_origin.simulated == simulated]


def _words(claim: Claim, evidence: Evidence) -> str:
    judgements = [part.judgement for part in claim.parts if part.dataset == evidence.comparison.dataset]
    if len(judgements) <= PARTS:
        text = " ".join(judgement.sentence for judgement in judgements)
    else:
        counts = {verdict: sum(j.verdict is verdict for j in judgements) for verdict in Verdict}
        told = ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items() if count)
        text = f"{len(judgements)} parts: {told}. Furthest from the claim: {_weakest(judgements).sentence}"
    published = claim.published and speaks_of_the_paper(evidence.comparison)
    return f"{text} Published: {claim.published}." if published else text


def _weakest(parts: Sequence[Judgement]) -> Judgement:
    contradicted = [part for part in parts if part.verdict is Verdict.CONTRADICTED]
    return (contradicted or [max(parts, key=lambda part: part.numbers.get("p", float("inf")))])[0]


def _rows(claim: Claim, evidence: Sequence[Evidence]) -> list[dict[str, Any]]:
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
                "claim_verdict": verdict.value,
                "part": part.label,
                "verdict": part.judgement.verdict.value,
                "alone": part.judgement.alone.value,
                **part.judgement.numbers,
                "sentence": part.judgement.sentence,
            }
        )
    return rows


def _shown(verdict: Verdict | None) -> str:
    return MISSING if verdict is None else verdict.value
