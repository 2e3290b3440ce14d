"""A store -> the files of a report: tables, figures, `report.md`, and `index.html`, which needs no other file."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from reports.errors import ReportError
from reports.evidence.comparisons import Comparison, compare, published
from reports.evidence.data_origin import DataOrigin, examination
from reports.evidence.evidence import Evidence, collect
from reports.figures import style
from reports.figures.effects import factorial_plot
from reports.figures.figures import FIGURES
from reports.figures.view import FigureView, viewed
from reports.inference import imported as imports
from reports.inference.claims import check_claims
from reports.inference.contrasts import Inference, infer
from reports.inference.findings import findings, power_statement
from reports.reading.preregistration import read_preregistrations
from reports.reading.runs import TUNING_SEED, Run, read_store
from reports.tables import listings, rendering
from reports.tables.claims import claims_sheet
from reports.tables.comparisons import comparisons as comparisons_sheet
from reports.tables.factorial import factorial
from reports.tables.listings import Sheet
from reports.tables.model import Block, Table
from reports.tables.overview import TABLES
from reports.tables.selection import selection
from reports.tuning import subjects as tuning
from reports.tuning.page import write as write_tuning

SELECTION = (
    "Selected scores are test scores at the epoch chosen on validation data. Peak-test scores choose the epoch on the "
    "test set itself: they are shown only for comparison with that practice and are never a result."
)

# The order of tables on the pages: the verdicts first.
ORDER = (
    "comparisons",
    "accuracy",
    "selection",
    "factorial",
    "stability",
    "conflict",
    "conflict-blocks",
    "directions",
    "cost",
)


@dataclass(frozen=True)
class TableView:
    """One table of one data set as the templates show it."""

    table: Table
    name: str
    data: str
    blocks: list[Block]
    frame: pd.DataFrame


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
    tables: list[TableView]
    sheets: list[Sheet]
    origin: list[tuple[str, str]]

    @property
    def parts(self) -> list[TableView | Sheet]:
        """All tables in the order of the pages."""
        named = {view.table.name: view for view in self.tables} | {sheet.name: sheet for sheet in self.sheets}
        return [named[name] for name in ORDER if name in named]


def write_report(store: Path, folder: Path, keys: Collection[str] | None = None) -> None:
    """Write every file of the report but its marker into an existing folder. Raises ReportError like `read_store`."""
    records = read_store(store, keys)
    compared, omitted = compare(records.runs)
    if records.runs and not compared and all(run.protocol == "imported" for run in records.runs):
        raise ReportError(
            f"{store} holds imported runs only, and nothing to put them beside: "
            f"cssbench run --datasets {omitted[0].dataset} --store {store}"
        )
    as_published, omitted_published = published(records.runs)
    comparisons = (*compared, *as_published)
    (folder / "tables").mkdir()
    (folder / "figures").mkdir()
    groups, subjects = tuning.collect(store, records, keys)
    if not records.runs and not subjects:
        raise ReportError(
            f"nothing to report: all {len(records.tuning)} complete runs in {store / 'runs'} are of searches (seeds "
            f"from {TUNING_SEED}) whose studies are not in {store / 'studies'}; run `cssbench run` first"
        )
    labels = [method.label for c in comparisons for method in c.methods]
    palette = style.Palette([*labels, *(subject.first.label for subject in subjects)])
    evidence = [collect(comparison) for comparison in comparisons]
    verdicts = evidence[: len(compared)]  # the published protocol's runs are in none
    inference = infer(verdicts, read_preregistrations(store), records.failed)
    frames = {table.name: [table.frame(e) for e in evidence] for table in TABLES}
    sections = [
        _section(e, [frames[table.name][i] for table in TABLES], inference, palette, folder / "figures")
        for i, e in enumerate(evidence)
    ]
    for i, table in enumerate(TABLES if sections else ()):  # a store may hold searches alone
        _write_table(table, frames[table.name], [section.tables[i] for section in sections], folder / "tables")
    claims = claims_sheet(verdicts, check_claims(verdicts, inference))
    for sheets in [*zip(*(section.sheets for section in sections if section.sheets), strict=True), (claims,)]:
        for suffix, text in listings.files(sheets).items():
            (folder / "tables" / f"{sheets[0].name}.{suffix}").write_text(text, encoding="utf-8")
    context = {
        "sections": sections,
        "claims": claims,
        "notices": list(dict.fromkeys(section.data_origin for section in sections)),
        "selection": SELECTION,
        "omitted": omitted + omitted_published,
        "store": records,
        "tuning": bool(subjects),
        "shown_runs": sum(len(c.runs) + len(c.refits) + sum(len(m.runs) for m in c.imported) for c in comparisons),
        "hues": style.HUES,
    }
    environment = _environment()
    for name in ("index.html", "report.md"):
        (folder / name).write_text(environment.get_template(name).render(context), encoding="utf-8")
    if subjects:
        write_tuning(folder, groups, subjects, palette, environment, context)


def _section(
    evidence: Evidence, frames: Sequence[pd.DataFrame], inference: Inference, palette: style.Palette, folder: Path
) -> Section:
    comparison = evidence.comparison
    data = comparison.data_origin.short
    with style.drawing():
        drawn = (draw(evidence, palette) for draw in (*FIGURES, *((factorial_plot,) if comparison.validated else ())))
        figures = [viewed(drawing, data, folder) for drawing in drawn if drawing]
    return Section(
        comparison,
        comparison.data_origin,
        _setting(comparison),
        examination(comparison.runs[0]),
        power_statement(evidence),
        findings(evidence, inference),
        figures,
        [
            TableView(table, comparison.name, comparison.data_origin.short, rendering.shown_blocks(table, frame), frame)
            for table, frame in zip(TABLES, frames, strict=True)
        ],
        _sheets(evidence, inference) if comparison.validated else [],
        _origin(comparison),
    )


def _sheets(evidence: Evidence, inference: Inference) -> list[Sheet]:
    return [comparisons_sheet(evidence, inference), selection(evidence), factorial(evidence)]


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
    own = {name: run.spec["training"][name] for name in run.tuned["base"]}
    return f"{run.spec['method']}, {_settings(own)}, from study {run.tuned['study']}"


def _write_table(table: Table, frames: Sequence[pd.DataFrame], views: Sequence[TableView], folder: Path) -> None:
    """`<name>.csv` (numbers: fractions, nats, seconds), `<name>.md` and `<name>.tex` (what people read)."""
    pd.concat(frames, ignore_index=True).to_csv(folder / f"{table.name}.csv", index=False, lineterminator="\n")
    text, latex = [f"# {table.title}"], ["% packages: booktabs, graphicx"]
    for view in views:
        if not view.blocks:
            continue
        text += [f"## {view.name}", f"**{view.data}.** {table.note}"]
        for block in view.blocks:
            text += [*([f"### {block.title}"] if block.title else []), rendering.markdown(block, view.frame)]
            title = f"{table.title}{f', {block.title.lower()}' if block.title else ''}, {view.name}"
            latex.append(rendering.latex(block, view.frame, f"{title}. {view.data}. {table.note}"))
    (folder / f"{table.name}.md").write_text("\n\n".join(text) + "\n", encoding="utf-8")
    (folder / f"{table.name}.tex").write_text("\n".join(latex), encoding="utf-8")


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=jinja2.select_autoescape(("html",)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= _helpers()
    return environment


def _helpers() -> dict[str, Any]:
    return {
        "rows": rendering.rows,
        "header_groups": rendering.header_groups,
        "markdown": rendering.markdown,
        "listing_markdown": listings.markdown,
    }
