"""Every claim of claims.toml on every data set that it is about."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reports.evidence.evidence import Evidence
from reports.inference.claims.claim import Claim, Part
from reports.inference.claims.classes import check_classes
from reports.inference.claims.contrasts import check_contrasts
from reports.inference.claims.grid import check_grid
from reports.inference.claims.published import check_published
from reports.inference.claims.variance import check_variance
from reports.inference.contrast import Inference

CHECKS: Mapping[str, Callable[[Mapping[str, Any], Sequence[Evidence], Inference], list[Part]]] = {
    "published": check_published,
    "contrasts": check_contrasts,
    "variance": check_variance,
    "grid": check_grid,
    "classes": check_classes,
}


def check_claims(evidence: Sequence[Evidence], inference: Inference) -> tuple[Claim, ...]:
    """The claims with their parts, in the order of claims.toml."""
    entries = tomllib.loads((Path(__file__).parent / "claims.toml").read_text(encoding="utf-8"))["claim"]
    return tuple(_check(entry, evidence, inference) for entry in entries)


def _check(entry: Mapping[str, Any], evidence: Sequence[Evidence], inference: Inference) -> Claim:
    corpora = tuple(entry.get("corpora", ()))
    about = [e for e in evidence if not corpora or e.comparison.dataset.startswith(corpora)]
    parts = CHECKS[entry["check"]](entry, about, inference)
    order = [e.comparison.dataset for e in about]
    return Claim(
        id=entry["id"],
        says=entry["says"],
        attributed=entry.get("attributed", False),
        published=entry.get("published", ""),
        corpora=corpora,
        parts=tuple(sorted(parts, key=lambda part: order.index(part.dataset))),
    )
