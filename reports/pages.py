"""A store -> the files of a report: tables, figures, `report.md`, and `index.html`, which needs no other file."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from reports.analysis import Analysis, analyse
from reports.chapters import CHAPTERS, Chapter
from reports.evidence.comparisons import Comparison
from reports.evidence.data_origin import DataOrigin, examination
from reports.evidence.evidence import Evidence
from reports.figures import style
from reports.figures.forest import forest_plot
from reports.figures.view import FigureView, viewed
from reports.inference import imported as imports
from reports.inference.answer import answers, parts_of_methods
from reports.inference.contrasts import Inference
from reports.inference.findings import findings, power_statement
from reports.inference.scoreboards import scoreboards
from reports.reading.runs import Run
from reports.scoreboard import Scoreboard
from reports.tables.claims import claims_table
from reports.tables.dictionary import write_dictionary
from reports.tables.every_run import details, every_run
from reports.tables.instrument import instrument
from reports.tables.methods import methods, selections
from reports.tables.model import Table
from reports.tables.rendering import write_page, write_tables
from reports.text import counted
from reports.tuning.page import write as write_tuning

SELECTION = (
    "Selected scores are test scores at the epoch chosen on validation data. Peak-test scores choose the epoch on the "
    "test set itself: they are shown only for comparison with that practice and are never a result."
)


@dataclass(frozen=True)
class Section:
    """One chapter: in words what is unknown; its figures and tables, each a list over the data sets that have it."""

    chapter: Chapter
    unknown: list[str]
    figures: list[list[FigureView]]
    tables: list[list[Table]]


@dataclass(frozen=True)
class DataSet:
    """What is said of one data set beside its tables and figures."""

    name: str
    data_origin: DataOrigin
    setting: str
    examination: list[str]
    power: str
    findings: list[str]
    origin: list[tuple[str, str]]


class Written(NamedTuple):
    """The scoreboards of a report, and the damaged runs that it leaves out: their folders' names, what is wrong."""

    scoreboards: tuple[Scoreboard, ...]
    left_out: Mapping[str, str]


def write_report(store: Path, folder: Path, keys: Collection[str] | None = None) -> Written:
    """Write every file of the report but its marker into an existing folder, and return what the marker says of it.

    Raises ReportError like `read_store`.
    """
    analysis = analyse(store, keys)
    (folder / "tables").mkdir()
    (folder / "figures").mkdir()
    labels = [method.label for e in analysis.evidence for method in e.comparison.methods]
    imported = [method.label for e in analysis.evidence for method in e.comparison.imported]
    palette = style.Palette([*labels, *(subject.first.label for subject in analysis.subjects)], imported)
    with style.drawing():
        forest = _forest(analysis, folder / "figures")
        sections = [_section(chapter, analysis, palette, folder / "figures") for chapter in CHAPTERS]
    claims = claims_table(analysis.validated, analysis.claims)
    check = instrument(analysis.checks)
    beside = (methods(analysis.evidence), every_run(analysis.evidence))
    tables = [table for section in sections for of_kind in section.tables for table in of_kind]
    if not analysis.is_of_searches_alone:
        write_tables([*tables, claims, *([check] if check else []), *beside], folder / "tables")
    answered = answers(analysis.validated, analysis.inference)
    data_sets = [_data_set(e, analysis.inference) for e in analysis.evidence]
    context = {
        "answers": answered,
        "parts": parts_of_methods(analysis.validated),
        "forest": forest,
        "sections": [section for section in sections if section.figures or section.tables or section.unknown],
        "data_sets": data_sets,
        "claims": claims,
        "instrument": check,
        "methods": beside[0],
        "runs": beside[1],
        "details": Markup(details(analysis.evidence)),
        "notices": list(dict.fromkeys(data_set.data_origin for data_set in data_sets)),
        "selection": " ".join((SELECTION, *selections(analysis.validated))),
        "omitted": analysis.omitted,
        "store": analysis.stored,
        "tuning": bool(analysis.subjects),
        "searches_alone": analysis.is_of_searches_alone,
        "shown_runs": sum(_shown_runs(e.comparison) for e in analysis.evidence),
        "hues": style.HUES,
    }
    if not analysis.is_of_searches_alone:
        for name in ("index.html", "report.md"):
            write_page(folder / name, context)
    if analysis.subjects:
        write_tuning(folder, analysis.groups, analysis.subjects, palette, context)
    write_dictionary(folder / "tables")
    boards = scoreboards(analysis.validated, analysis.inference, answered)
    return Written(boards, analysis.stored.damaged)


def _forest(analysis: Analysis, folder: Path) -> list[FigureView]:
    """The forest plot of all data sets with verdicts, where there is any estimate."""
    data = "; ".join(e.comparison.data_origin.short for e in analysis.validated)
    drawing = forest_plot(analysis.validated, analysis.inference)
    return [viewed(drawing, data, folder)] if drawing else []


def _shown_runs(comparison: Comparison) -> int:
    imported = sum(len(method.runs) for method in comparison.imported)
    return sum(len(run.parts) for run in comparison.runs) + len(comparison.refits) + imported


def _section(chapter: Chapter, analysis: Analysis, palette: style.Palette, folder: Path) -> Section:
    """The chapter with what the data sets have of it; a table that has nothing to read is left out."""
    inference = analysis.inference
    drawn = [
        [
            viewed(drawing, evidence.comparison.data_origin.short, folder)
            for evidence in analysis.evidence
            if (drawing := draw(evidence, inference, palette)) is not None
        ]
        for draw in chapter.figures
    ]
    made = [
        [table for evidence in analysis.evidence if (table := make(evidence, inference)) is not None]
        for make in chapter.tables
    ]
    unknown = dict.fromkeys(filter(None, map(chapter.unknown, analysis.evidence)))
    return Section(chapter, [*unknown], [views for views in drawn if views], [tables for tables in made if tables])


def _data_set(evidence: Evidence, inference: Inference) -> DataSet:
    comparison = evidence.comparison
    return DataSet(
        name=comparison.name,
        data_origin=comparison.data_origin,
        setting=_setting(comparison),
        examination=examination(comparison.first),
        power=power_statement(evidence),
        findings=findings(evidence, inference),
        origin=_origin(comparison),
    )


def _setting(comparison: Comparison) -> str:
    if not comparison.methods:
        runs = counted(sum(len(method.runs) for method in comparison.imported), "run")
        return f"{counted(len(comparison.imported), 'imported method')}, {runs} in all, no run of this suite"
    training = comparison.runs[0].training
    methods, seeds = len(comparison.methods), len(comparison.seeds)
    parts = [
        f"{counted(methods, 'method')} × {counted(seeds, 'seed')}"
        + (f" × {counted(comparison.folds, 'fold')}" if comparison.folds else ""),
        f"preset {comparison.presets}",
        *([f"epoch: {comparison.selection}"] if comparison.validated and comparison.selection != "best" else []),
        *([] if comparison.validated else ["published protocol: best test epoch, no result"]),
        *(f"{name} {training[name]}" for name in ("epochs", "hidden", "batch_size", "lr") if name in training),
        f"budget {comparison.budget[:12]}",
    ]
    return ", ".join(parts).replace("_", " ")


def _origin(comparison: Comparison) -> list[tuple[str, str]]:
    """Where the data and the runs come from; what differs between runs is listed in full."""
    data = comparison.first.manifest["data"]
    of_runs = _origin_of_runs(comparison) if comparison.methods else []
    return [
        ("data", data["description"]),
        ("data fingerprint", data["fingerprint"]),
        *((name, ", ".join(f"{split} {n:,}" for split, n in data.get(name, {}).items()))
          for name in ("conversations", "utterances")),
        *of_runs,
        *(("imported", sentence) for sentence in imports.sentences(comparison)),
    ]  # fmt: skip


def _origin_of_runs(comparison: Comparison) -> list[tuple[str, str]]:
    manifests = [part.manifest for run in comparison.runs for part in run.parts]

    def distinct(values: list[str]) -> str:
        return "; ".join(sorted(set(values)))

    git = [m.get("git") for m in manifests]
    commits = [f"{g['commit']}{' with uncommitted changes' if g['dirty'] else ''}" if g else "not in git" for g in git]
    return [
        ("seeds", ", ".join(map(str, comparison.seeds))),
        ("training", _settings(comparison.runs[0].training)),
        *((m.label, _tuned(m.runs[0])) for m in comparison.methods if m.tuned),
        ("versions", distinct([", ".join(f"{k} {v}" for k, v in m["versions"].items()) for m in manifests])),
        ("hardware", distinct([", ".join(f"{k} {v}" for k, v in m["hardware"].items()) for m in manifests])),
        ("git commit", distinct(commits)),
        ("source fingerprint", distinct([m["source"] for m in manifests])),
        ("runs made", f"{min(r.created for r in comparison.runs):%Y-%m-%d %H:%M} to "
                      f"{max(r.created for r in comparison.runs):%Y-%m-%d %H:%M} UTC"),
    ]  # fmt: skip


def _settings(training: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in training.items()).replace("_", " ")


def _tuned(run: Run) -> str:
    """The settings that a search has chosen, and which search; the rest is the comparison's."""
    assert run.tuned is not None
    tuned = {name: run.spec["training"][name] for name in run.tuned["base"]}
    return f"{run.spec['method']}, {_settings(tuned)}, from study {run.tuned['study']}"
