"""The page of tuning: `tuning.html` and `tuning.md` beside the report's pages, with their tables and figures.

Of a store that holds nothing but searches it is the report: `index.html` and `report.md`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reports.figures import style
from reports.figures.view import FigureView, viewed
from reports.tables.model import Table
from reports.tables.rendering import write_page, write_tables
from reports.tuning.budgets import fair_comparison, verdicts
from reports.tuning.figures import FIGURES
from reports.tuning.figures_budget import budget, fair
from reports.tuning.subjects import Group, Subject
from reports.tuning.tables import best_settings
from reports.tuning.tables_budget import budgets, scores_by_budget

LEAD = (
    "Settings were chosen on validation data alone, with seeds from 1000000, which no comparison uses. Test scores on "
    "this page were not used by any search and are no result: what tuning changed on seeds of its own stands under "
    "“Final runs”, and in the comparisons, where tuned methods are marked [tuned]."
)


@dataclass(frozen=True)
class Section:
    """A fair comparison or a subject: its tables and figures."""

    name: str
    id: str
    setting: str
    sentences: list[str]
    table: Table | None
    figures: list[FigureView]


def write(
    folder: Path,
    groups: Sequence[Group],
    subjects: Sequence[Subject],
    palette: style.Palette,
    context: dict[str, Any],
) -> None:
    """Write pages, tables and figures of tuning into a report's folder."""
    cost = budgets(subjects)
    fair_sections = [_group(group, palette, folder / "figures") for group in groups]
    sections = [_subject(subject, folder / "figures") for subject in subjects]
    by_study = [section.table for section in (*fair_sections, *sections) if section.table is not None]
    write_tables([cost, *by_study], folder / "tables")
    trials = [trial for subject in subjects for study in subject.studies for trial in study.trials]
    context = context | {
        "lead": LEAD,
        "cost": cost,
        "sections": [*fair_sections, *sections],
        "notices": list(dict.fromkeys(s.data_origin for s in subjects if s.data_origin is not None)),
        "counts": {
            "studies": sum(len(subject.studies) for subject in subjects),
            "trials": len(trials),
            **{state: sum(t.state == state for t in trials) for state in ("pruned", "failed", "running")},
        },
    }
    for name, first in (("tuning.html", "index.html"), ("tuning.md", "report.md")):
        write_page(folder / name, context)
        if context["searches_alone"]:
            (folder / name).rename(folder / first)


def _subject(subject: Subject, folder: Path) -> Section:
    with style.drawing():
        drawings = [drawing for draw in (*FIGURES, budget) if (drawing := draw(subject)) is not None]
        views = [viewed(drawing, subject.data, folder) for drawing in drawings]
    return Section(
        name=subject.name,
        id=subject.slug,
        setting=_setting(subject),
        sentences=[],
        table=best_settings(subject),
        figures=views,
    )


def _group(group: Group, palette: style.Palette, folder: Path) -> Section:
    data = group.subjects[0].data
    methods = ", ".join(subject.first.label for subject in group.subjects)
    section = Section(
        name=group.name,
        id=group.slug,
        setting=f"{methods}; {group.subjects[0].first.sampler} search; is a gain only more tuning?",
        sentences=["A study has no complete drawn trial yet."],
        table=None,
        figures=[],
    )
    comparison = fair_comparison(group)
    if comparison is None:
        return section
    with style.drawing():
        views = [viewed(fair(comparison, palette), data, folder)]
    table = scores_by_budget(comparison, [*verdicts(comparison), *comparison.remarks])
    return replace(section, sentences=[], table=table, figures=views)


def _setting(subject: Subject) -> str:
    study = subject.first
    goals = [f"{o.name} ({'highest' if o.maximize else 'lowest'})" for o in study.goals]
    parts = [
        f"method {study.label}",
        f"data set {study.dataset}",
        f"preset {study.preset}",
        f"sampler {study.sampler}",
        *([f"pruner {study.pruner}"] if study.pruner else []),
        f"seeds {', '.join(map(str, study.seeds))}",
        f"goal {' and '.join(goals)}",
        f"budget {study.budget[:12]}",
    ]
    space = "; ".join(
        f"{p.name} in {{{', '.join(map(str, p.choices))}}}"
        if p.kind == "categorical"
        else f"{p.name} from {p.low:g} to {p.high:g}{' (log)' if p.log else ''}"
        for p in subject.searched
    )
    return f"{', '.join(parts)}. Space: {space}".replace("_", " ")
