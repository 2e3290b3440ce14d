"""``cssbench data``: list, audit, import and simulate data sets."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.cli.common import DONE, FAILED, DataOption, DropDefectsOption, show
from benchmark.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table

    from benchmark.data.audit.pages import View

app = typer.Typer(help="The data sets: which there are, and where they come from.")


@app.command("list")
def data_list(data_dir: DataOption = None) -> None:
    """List the data sets, and which of them can be used here."""
    from rich.table import Table

    from benchmark.data.datasets import available

    table = Table("data set", "usable", "what it is")
    for name, found in available(data_dir).items():
        table.add_row(name, *(("no", found) if isinstance(found, str) else ("yes", found.description)))
    show(table)


@app.command("audit", epilog="Exit codes: 0 clean, 1 defects found, 2 unreadable.")
def data_audit(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A feature file of IEMOCAP or MELD.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print every count as JSON instead of tables.")] = False,
    page: Annotated[Path | None, typer.Option("--html", metavar="PAGE", help="Also write a page.")] = None,
    drop_defects: DropDefectsOption = None,
) -> None:
    """Check a feature file: counts, damaged vectors, copies across splits, overlap of conversations and speakers.

    With --drop-defects: what those remedies change, and what is left. The file itself stays as it is.
    """
    import json

    from benchmark.data.audit import audit_file, pages
    from benchmark.files import write_atomically
    from benchmark.grid import parse_remedies
    from benchmark.specs import Inputs

    inputs = Inputs(remedies=parse_remedies(drop_defects))
    if page and not page.parent.is_dir():
        raise UserError(f"no folder {page.parent} for the page; make it first")
    audit = audit_file(file, inputs)
    if page:
        try:
            write_atomically(page, pages.html(audit).encode())
        except OSError as error:  # not exit code 1, which says that there are defects
            raise UserError(f"cannot write the page {page} ({error.strerror}); name another file") from error
    if as_json:
        typer.echo(json.dumps(audit.as_dict(), indent=1, allow_nan=False))
    else:
        typer.echo(f"{audit.file}: {audit.layout}\nSHA-256 {audit.sha256}")
        show(*map(_table, pages.views(audit)))
        typer.echo(pages.verdict(audit))
    raise typer.Exit(FAILED if audit.defects else DONE)


def _table(view: "View") -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(title=view.title, caption=view.note, title_justify="left", caption_justify="left")
    words = view.title in ("Findings", "Remedies")
    for i, name in enumerate(view.header):
        table.add_column(name, justify="left" if words or not i else "right", overflow="fold")
    for row in view.rows:
        table.add_row(*map(Text, row), style="bold yellow" if row[0] == "defect" else "")
    return table


@app.command("import")
def data_import(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A community feature file (pickle).")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File to write.", show_default="FILE with .safetensors")
    ] = None,
) -> None:
    """Write a feature file in the open format: a safetensors file, which any language reads without running a pickle.

    It has every modality and view of the text, and a run reads it in place of the pickle (docs/feature-format.md).
    """
    from benchmark.data.open_format import SUFFIX
    from benchmark.data.reading import import_features

    out = out or file.with_suffix(SUFFIX)
    if out.exists():
        raise UserError(f"{out} is there already: remove it, or name another file with --out")
    if not out.parent.is_dir():
        raise UserError(f"no folder {out.parent} to write {out.name} in: make it, or name another file with --out")
    c = import_features(file, out)
    features = ", ".join(f"{name} {x.shape[1]}" for name, x in c.features.items())
    typer.echo(f"{out}: {len(c)} conversations, {c.utterances} utterances; {features}")


@app.command("simulate")
def data_simulate(
    name: Annotated[str, typer.Option(metavar="NAME", help="iemocap-sim or meld-sim.")],
    seed: Annotated[int, typer.Option(metavar="N", help="Of every draw. Runs use 0.")] = 0,
    ceilings: Annotated[
        bool, typer.Option("--ceilings", help="Also what no model can exceed: minutes at first, then kept.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with scores as shares of 1.")] = False,
) -> None:
    """Describe a simulated corpus: its counts, and how well anything can do on it."""
    import json
    from collections import Counter
    from dataclasses import asdict

    from rich.table import Table

    from benchmark.data.simulator import SPECS, simulate

    corpus = simulate(name, seed=seed)
    counts: dict[str, Any] = {}
    for split in dict.fromkeys(corpus.split):
        part = corpus.where(split)
        assert part.label is not None
        classes = Counter(part.class_names[c] for c in part.label.tolist())
        counts[split] = {
            "conversations": len(part),
            "utterances": part.utterances,
            "classes": {c: classes[c] for c in part.class_names},
        }
    rows = []
    if ceilings:
        from benchmark.data.simulation.ceilings import ceilings as of

        rows = of(SPECS[name], seed)
    if as_json:
        found = {
            "name": name,
            "seed": seed,
            "splits": counts,
            **({"ceilings": list(map(asdict, rows))} if rows else {}),
        }
        typer.echo(json.dumps(found, indent=1))
        return

    sizes = Table("split", "conversations", "utterances", *corpus.class_names, title=f"{name}, seed {seed}")
    for split, of_split in counts.items():
        numbers = (of_split["conversations"], of_split["utterances"], *of_split["classes"].values())
        sizes.add_row(split, *map(str, numbers))
    tables = [sizes]
    if rows:
        columns = ("modalities", "context", "accuracy", "weighted F1", "accuracy (test)", "weighted F1 (test)")
        table = Table(*columns, title="ceilings, % ± Monte Carlo standard error; (test): on this very test split")
        for row in rows:
            table.add_row(
                "+".join(row.modalities),
                "yes" if row.context else "no",
                f"{100 * row.accuracy:.2f} ± {100 * row.accuracy_se:.2f}",
                f"{100 * row.weighted_f1:.2f} ± {100 * row.weighted_f1_se:.2f}",
                f"{100 * row.test_accuracy:.2f}",
                f"{100 * row.test_weighted_f1:.2f}",
            )
        tables.append(table)
    show(*tables)
