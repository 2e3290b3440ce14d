"""The page of tuning: `tuning.html` and `tuning.md` beside the report's pages, with their tables and figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from reports.figures import style
from reports.figures.view import FigureView, viewed
from reports.tables import listings
from reports.tables.listings import Sheet
from reports.tuning import tables
from reports.tuning.budgets import Tournament, tournament, verdicts
from reports.tuning.figures import FIGURES
from reports.tuning.figures_budget import budget, fair
from reports.tuning.subjects import Group, Subject

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
    data: str
    setting: str
    sentences: list[str]
    sheet: Sheet | None
    figures: list[FigureView]


def write(
    folder: Path,
    groups: Sequence[Group],
    subjects: Sequence[Subject],
    palette: style.Palette,
    environment: jinja2.Environment,
    context: dict[str, Any],
) -> None:
    """Write pages, tables and figures of tuning into a report's folder."""
    spent = tables.budgets(subjects)
    fair_sections = [_group(group, palette, folder / "figures") for group in groups]
    sections = [_subject(subject, folder / "figures") for subject in subjects]
    settings = [section.sheet for section in sections if section.sheet is not None]
    by_budget = [spent, *(section.sheet for section in fair_sections if section.sheet is not None)]
    for sheets in (settings, by_budget):
        for suffix, text in listings.files(sheets).items():
            (folder / "tables" / f"{sheets[0].name}.{suffix}").write_text(text, encoding="utf-8")
    trials = [trial for subject in subjects for study in subject.studies for trial in study.trials]
    context = context | {
        "lead": LEAD,
        "spent": spent,
        "sections": [*fair_sections, *sections],
        "notices": list(dict.fromkeys(s.data_origin for s in subjects if s.data_origin is not None)),
        "counts": {
            "studies": sum(len(subject.studies) for subject in subjects),
            "trials": len(trials),
            **{state: sum(t.state == state for t in trials) for state in ("pruned", "failed", "running")},
        },
    }
    for name in ("tuning.html", "tuning.md"):
        (folder / name).write_text(environment.get_template(name).render(context), encoding="utf-8")


def _subject(subject: Subject, folder: Path) -> Section:
    with style.drawing():
        drawings = [drawing for draw in (*FIGURES, budget) if (drawing := draw(subject)) is not None]
        views = [viewed(drawing, subject.data, folder) for drawing in drawings]
    sheet = tables.best_settings(subject)
    return Section(subject.name, subject.slug, subject.data, _setting(subject), [], sheet, views)


def _group(group: Group, palette: style.Palette, folder: Path) -> Section:
    data = group.subjects[0].data
    methods = ", ".join(subject.first.label for subject in group.subjects)
    setting = f"{methods}; {group.subjects[0].first.sampler} search; is a gain only more tuning?"
    found: Tournament | None = tournament(group)
    if found is None:
        waiting = ["A study has no complete drawn trial yet."]
        return Section(group.name, group.slug, data, setting, waiting, None, [])
    with style.drawing():
        views = [viewed(fair(found, palette), data, folder)]
    sheet = tables.fair(found, [*verdicts(found), *found.remarks])
    return Section(group.name, group.slug, data, setting, [], sheet, views)


def _setting(subject: Subject) -> str:
    study = subject.first
    objectives = [f"{o.name} ({'highest' if o.maximize else 'lowest'})" for o in study.objectives]
    parts = [
        f"method {study.label}",
        f"data set {study.dataset}",
        f"preset {study.preset}",
        f"sampler {study.sampler}",
        *([f"pruner {study.pruner}"] if study.pruner else []),
        f"seeds {', '.join(map(str, study.seeds))}",
        f"objective {' and '.join(objectives)}",
        f"budget {study.budget[:12]}",
    ]
    space = "; ".join(
        f"{p.name} in {{{', '.join(map(str, p.choices))}}}"
        if p.kind == "categorical"
        else f"{p.name} from {p.low:g} to {p.high:g}{' (log)' if p.log else ''}"
        for p in subject.searched
    )
    return f"{', '.join(parts)}. Space: {space}".replace("_", " ")
