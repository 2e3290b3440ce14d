"""The table of methods: what each is made of, what its parts compute, and where that was published."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from reports.evidence.evidence import Evidence
from reports.measures.rules import DECIDING
from reports.reading.runs import Run
from reports.tables.model import Table, listing
from reports.text import MISSING

NOTE = (
    "Methods of a data set differ by what this table says; all else is equal. "
    "Symbols: x are the features of the M modalities, g the gradients of the K objectives with respect to the shared "
    "parameters, γ the weights of the objectives in the update. "
    "With its option unit an aggregator does so to g_i/‖g_i‖."
)
KINDS = ("fusion", "aggregator")
UNKNOWN = {"does": "a part that this report does not know: a plug-in", "source": MISSING}


def methods(evidence: Sequence[Evidence]) -> Table:
    """A row a method, and a row a fusion or an aggregator in use."""
    runs: dict[str, Run] = {}
    for e in evidence:
        for method in e.comparison.methods:
            runs.setdefault(method.label, method.runs[0])
    parts = {(kind, str(run.component(kind)["name"])): run.component(kind) for run in runs.values() for kind in KINDS}
    known = _known()
    rows = [
        {"method": label, "canonical": str(run.spec["method"])}
        | {kind: str(run.component(kind)["name"]) for kind in (*KINDS, "encoder", "objectives")}
        | {"options": _options(run)}
        for label, run in runs.items()
    ]
    header = ("method", "fusion", "aggregator", "encoder", "objectives", "options of its parts")
    described = [
        (name, kind, entry["does"], entry["source"])
        for kind, name in parts
        for entry in [known[kind].get(name, UNKNOWN)]
    ]
    imported = dict.fromkeys(method.label for e in evidence for method in e.comparison.imported)
    sentences = (
        [f"Imported, so that nothing is known of what they are made of: {', '.join(imported)}."] if imported else []
    )
    listings = (
        listing("", header, [tuple(row.values())[:1] + tuple(row.values())[2:] for row in rows], prose=header[-1:]),
        listing("What the parts compute", ("part", "kind", "what it computes", "source"), described,
                prose=("what it computes", "source")),
    )  # fmt: skip
    return Table(
        name="methods",
        title="Methods",
        note=NOTE,
        data="",
        dataset="",
        sentences=(*selections(evidence), *sentences),
        listings=listings if rows else (),
        frame=pd.DataFrame(rows),
    )


def selections(evidence: Sequence[Evidence]) -> list[str]:
    """A sentence for each data set on which another rule than the best validation score chose the epochs."""
    return [
        f"On {e.comparison.name} the epoch that counts is {DECIDING[e.comparison.selection]} (--selection "
        f"{e.comparison.selection})."
        for e in evidence
        if e.comparison.validated and e.comparison.selection != "best"
    ]


@lru_cache(maxsize=1)
def _known() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    return tomllib.loads((Path(__file__).parent / "methods.toml").read_text(encoding="utf-8"))


def _options(run: Run) -> str:
    """The options of all parts, `spf: rank 16, order 3; pgm: solver exact`."""
    parts = [run.component(kind) for kind in (*KINDS, "encoder", "objectives")]
    return "; ".join(f"{part['name']}: {_listed(part.get('options') or {})}" for part in parts if part.get("options"))


def _listed(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_word(value)}" for name, value in options.items()).replace("_", " ")


def _word(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
