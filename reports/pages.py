"""A store -> the files of a report: tables, figures, `report.md`, and `index.html`, which needs no other file."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports.analysis import Analysis, analyse
from reports.evidence.comparisons import Comparison
from reports.evidence.data_origin import DataOrigin, examination
from reports.evidence.evidence import Evidence
from reports.figures import style
from reports.figures.effects import factorial_plot
from reports.figures.figures import FIGURES
from reports.figures.forest import forest_plot
from reports.figures.looks import looks_plot
from reports.figures.view import FigureView, viewed
from reports.inference import imported as imports
from reports.inference.answer import answers, parts_of_methods
from reports.inference.contrasts import Inference
from reports.inference.findings import findings, power_statement
from reports.reading.runs import Run
from reports.tables.accuracy import accuracy
from reports.tables.claims import claims_table
from reports.tables.comparisons import comparisons as comparisons_table
from reports.tables.conflict import conflict
from reports.tables.conflict_blocks import conflict_blocks
from reports.tables.cost import cost
from reports.tables.directions import directions
from reports.tables.factorial import factorial
from reports.tables.instrument import instrument
from reports.tables.looks import looks
from reports.tables.model import Table
from reports.tables.rendering import write_page, write_tables
from reports.tables.selection import selection
from reports.tables.stability import stability
from reports.tuning.page import write as write_tuning

SELECTION = (
    "Selected scores are test scores at the epoch chosen on validation data. Peak-test scores choose the epoch on the "
    "test set itself: they are shown only for comparison with that practice and are never a result."
)

SUMMARIES = (accuracy, stability, conflict, conflict_blocks, directions, cost)
"""The tables that every data set has, in the order of the pages; to add one, write its file and add it here."""


@dataclass(frozen=True)
class Section:
    """One data set."""

    comparison: Comparison
    data_origin: DataOrigin
    setting: str
    examination: list[str]
    power: str
    findings: list[str]
    figures: list[FigureView]
    tables: list[Table]
    origin: list[tuple[str, str]]


def write_report(store: Path, folder: Path, keys: Collection[str] | None = None) -> list[str]:
    """Write every file of the report but its marker into an existing folder, and return its answers in words.

    Raises ReportError like `read_store`.
    """
    analysis = analyse(store, keys)
    (folder / "tables").mkdir()
    (folder / "figures").mkdir()
    labels = [method.label for e in analysis.evidence for method in e.comparison.methods]
    palette = style.Palette([*labels, *(subject.first.label for subject in analysis.subjects)])
    sections = [_section(e, analysis.inference, palette, folder / "figures") for e in analysis.evidence]
    claims = claims_table(analysis.validated, analysis.claims)
    check = instrument(analysis.checks)
    tables = [*(table for section in sections for table in section.tables), claims, *([check] if check else [])]
    write_tables(tables, folder / "tables")
    answered = answers(analysis.validated, analysis.inference)
    context = {
        "answers": answered,
        "parts": parts_of_methods(analysis.validated),
        "forest": _forest(analysis, folder / "figures"),
        "sections": sections,
        "claims": claims,
        "instrument": check,
        "notices": list(dict.fromkeys(section.data_origin for section in sections)),
        "selection": SELECTION,
        "omitted": analysis.omitted,
        "store": analysis.stored,
        "tuning": bool(analysis.subjects),
        "shown_runs": sum(_shown_runs(e.comparison) for e in analysis.evidence),
        "hues": style.HUES,
    }
    for name in ("index.html", "report.md"):
        write_page(folder / name, context)
    if analysis.subjects:
        write_tuning(folder, analysis.groups, analysis.subjects, palette, context)
    return [answer.in_words for answer in answered]


def _forest(analysis: Analysis, folder: Path) -> list[FigureView]:
    """The forest plot of all data sets with verdicts, where there is any estimate."""
    data = "; ".join(e.comparison.data_origin.short for e in analysis.validated)
    with style.drawing():
        drawing = forest_plot(analysis.validated, analysis.inference)
        return [viewed(drawing, data, folder)] if drawing else []


def _shown_runs(comparison: Comparison) -> int:
    imported = sum(len(method.runs) for method in comparison.imported)
    return len(comparison.runs) + len(comparison.refits) + imported


def _section(evidence: Evidence, inference: Inference, palette: style.Palette, folder: Path) -> Section:
    comparison = evidence.comparison
    data = comparison.data_origin.short
    with style.drawing():
        drawn = [draw(evidence, palette) for draw in (*FIGURES, *((factorial_plot,) if comparison.validated else ()))]
        if comparison.validated:
            drawn.insert(0, looks_plot(evidence, inference, palette))
        figures = [viewed(drawing, data, folder) for drawing in drawn if drawing]
    return Section(
        comparison=comparison,
        data_origin=comparison.data_origin,
        setting=_setting(comparison),
        examination=examination(comparison.runs[0]),
        power=power_statement(evidence),
        findings=findings(evidence, inference),
        figures=figures,
        tables=_tables(evidence, inference),
        origin=_origin(comparison),
    )


def _tables(evidence: Evidence, inference: Inference) -> list[Table]:
    """The tables of one data set in the order of the pages, the verdicts first."""
    first, *others = (summarized(evidence) for summarized in SUMMARIES)
    if not evidence.comparison.validated:
        return [first, *others]
    verdicts = [comparisons_table(evidence, inference)]
    plan = inference.plans.get(evidence.comparison.dataset)
    if plan is not None and plan.is_followed:
        verdicts.append(looks(evidence, inference))
    return [*verdicts, first, selection(evidence), factorial(evidence), *others]


def _setting(comparison: Comparison) -> str:
    training = comparison.runs[0].training
    methods, seeds = len(comparison.methods), len(comparison.seeds)
    parts = [
        f"{methods} {'method' if methods == 1 else 'methods'} × {seeds} {'seed' if seeds == 1 else 'seeds'}",
        f"preset {comparison.presets}",
        *([] if comparison.validated else ["published protocol: best test epoch, no result"]),
        *(f"{name} {training[name]}" for name in ("epochs", "hidden", "batch_size", "lr") if name in training),
        f"budget {comparison.budget[:12]}",
    ]
    return ", ".join(parts).replace("_", " ")


def _origin(comparison: Comparison) -> list[tuple[str, str]]:
    """Where the runs come from; what differs between them is listed in full."""
    manifests = [run.manifest for run in comparison.runs]
    data = manifests[0]["data"]

    def distinct(values: list[str]) -> str:
        return "; ".join(sorted(set(values)))

    def sizes(name: str) -> str:
        return ", ".join(f"{split} {count:,}" for split, count in data.get(name, {}).items())

    git = [m.get("git") for m in manifests]
    commits = [f"{g['commit']}{' with uncommitted changes' if g['dirty'] else ''}" if g else "not in git" for g in git]
    return [
        ("data", data["description"]),
        ("data fingerprint", data["fingerprint"]),
        ("conversations", sizes("conversations")),
        ("utterances", sizes("utterances")),
        ("seeds", ", ".join(map(str, comparison.seeds))),
        ("training", _settings(comparison.runs[0].training)),
        *((m.label, _tuned(m.runs[0])) for m in comparison.methods if m.tuned),
        ("versions", distinct([", ".join(f"{k} {v}" for k, v in m["versions"].items()) for m in manifests])),
        ("hardware", distinct([", ".join(f"{k} {v}" for k, v in m["hardware"].items()) for m in manifests])),
        ("git commit", distinct(commits)),
        ("source fingerprint", distinct([m["source"] for m in manifests])),
        *(("imported", sentence) for sentence in imports.sentences(comparison)),
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
