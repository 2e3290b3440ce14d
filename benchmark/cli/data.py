"""``cssbench data``: list, fetch, audit, import, build and simulate data sets."""

import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.base.errors import UserError
from benchmark.base.words import counted
from benchmark.cli.display.lines import say, tell
from benchmark.cli.display.tables import show
from benchmark.cli.options import DONE, FAILED, INTERRUPTED, DataOption, DropDefectsOption, JsonOption

if TYPE_CHECKING:
    from rich.table import Table as RichTable

    from benchmark.fetching.published import Terms
    from reports.tables.model import Table

_MISTAKES = 20
"""More mistakes of a built corpus than these are counted, not listed."""

app = typer.Typer(help="The data sets: which there are, and where they come from.")

RobertaOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="M3NET's RoBERTa features, in place of the text of MMGCN's FILE."),
]


@app.command("list")
def data_list(data_dir: DataOption = None, as_json: JsonOption = False) -> None:
    """List the data sets, and which of them can be used here."""
    from rich.table import Table

    from benchmark.data.datasets import available, refusal

    rows: list[dict[str, Any]] = []
    for name, data in available(data_dir).items():
        reason = data if isinstance(data, str) else refusal(data)
        what = reason if isinstance(data, str) or reason else data.description
        rows.append({"name": name, "usable": not reason, "description": what})
    if as_json:
        import json

        tell(json.dumps(rows, indent=1))
        return
    table = Table("data set", "usable", "what it is")
    for row in rows:
        table.add_row(row["name"], "yes" if row["usable"] else "no", row["description"])
    show(table)


@app.command(
    "fetch",
    epilog="Exit codes: 0 fetched, or there already; 1 it did not arrive: the same command goes on from where it was; "
    "2 wrong usage, terms not accepted, or another content than expected.",
)
def data_fetch(
    dataset: Annotated[str, typer.Argument(metavar="NAME", help="iemocap or meld.")],
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Fetch from this http, https or file address.",
            show_default="the published Google Drive folder",
        ),
    ] = None,
    sha256: Annotated[
        str | None,
        typer.Option(
            metavar="HEX|any",
            help="Expect this SHA-256; any: take what comes, and print it.",
            show_default="the published file's",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Gets the file.", show_default="the cache, where runs look for it"),
    ] = None,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="You accept the corpus's terms: do not ask.")
    ] = False,
) -> None:
    """Download a feature file: checked, and continued where it was cut off.

    Its corpus has terms of its own, shown first: IEMOCAP needs an agreement with its owner.
    """
    from rich.console import Console

    from benchmark.base.files import fetched_folder
    from benchmark.base.names import look_up
    from benchmark.cli.display.downloads import shown
    from benchmark.data.feature_files.reading import PUBLISHED_SHA256, file_name
    from benchmark.fetching import TERMS, DriveFile, fetch, fetched, source_of

    look_up("data set with a feature file", dataset, TERMS)
    expected = PUBLISHED_SHA256[dataset] if sha256 is None else sha256.lower()
    if expected != "any" and not re.fullmatch("[0-9a-f]{64}", expected):
        raise UserError(f"--sha256 takes 64 hexadecimal digits or the word any, got {sha256!r}")
    wanted = None if expected == "any" else expected
    name = file_name(dataset)
    source = DriveFile(file=name) if url is None else source_of(url)
    target = (out or fetched_folder()) / name
    digest = fetched(target, source, wanted)
    if digest:
        tell(f"{target} is there already, SHA-256 {digest}")
    else:
        _agree(TERMS[dataset], accept_licence)
        tell(f"fetching {source.name} to {target}")
        with shown(name, Console(stderr=True)) as progress:
            digest = fetch(target, source, wanted, progress, say)
        tell(f"{target}: {target.stat().st_size:,} bytes, SHA-256 {digest}")
    if digest != PUBLISHED_SHA256[dataset]:
        tell("This is not the published file: reports will say so.")
    folder = f" --data-dir {shlex.quote(str(out))}" if out else ""
    tell(f"Next: cssbench data audit {shlex.quote(str(target))}\n      cssbench run --datasets {dataset}{folder}")


def _agree(terms: "Terms", accepted: bool) -> None:
    """Show the terms and have them accepted; raises UserError where they are not."""
    tell(terms.notice)
    if accepted:
        return
    if not sys.stdin.isatty():
        raise UserError("nobody is at a terminal to accept these terms: add --accept-licence if you do")
    try:
        agreed = typer.confirm(terms.question)
    except typer.Abort:  # Ctrl-C, or the end of the input
        raise typer.Exit(INTERRUPTED) from None
    if not agreed:
        raise UserError("terms not accepted: nothing was downloaded")


@app.command("audit", epilog="Exit codes: 0 clean, 1 defects found, 2 unreadable.")
def data_audit(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A feature file, of IEMOCAP, MELD or a corpus of your own.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print every count as JSON instead of tables.")] = False,
    page: Annotated[Path | None, typer.Option("--html", metavar="PAGE", help="Also write a page.")] = None,
    roberta: RobertaOption = None,
    drop_defects: DropDefectsOption = None,
) -> None:
    """Check a feature file: counts, damaged vectors, copies across splits, overlap of conversations and speakers.

    With --drop-defects: what those remedies change, and what is left. The file itself stays as it is.
    """
    import json

    from benchmark.audit import audit_file, pages
    from benchmark.base.files import write_atomically
    from benchmark.data.inputs import Inputs, parse_remedies

    inputs = Inputs(remedies=parse_remedies(drop_defects))
    if page and not page.parent.is_dir():
        raise UserError(f"no folder {page.parent} for the page; make it first")
    audit = audit_file(file, inputs, roberta)
    if page:
        try:
            write_atomically(page, pages.html(audit).encode())
        except OSError as error:  # not exit code 1, which says that there are defects
            raise UserError(f"cannot write the page {page} ({error.strerror}); name another file") from error
    if as_json:
        tell(json.dumps(audit.as_dict(), indent=1, allow_nan=False))
    else:
        tell(f"{audit.file}: {audit.layout}\nSHA-256 {audit.sha256}")
        show(*map(_shown, pages.tables(audit)))
        tell(pages.verdict(audit))
    raise typer.Exit(FAILED if audit.defects else DONE)


def _shown(table: "Table") -> "RichTable":
    from rich.table import Table as RichTable
    from rich.text import Text

    (listing,) = table.listings
    shown = RichTable(title=table.title, caption=table.note, title_justify="left", caption_justify="left")
    for heading in listing.header:
        shown.add_column(heading.text, justify="right" if heading.kind == "number" else "left", overflow="fold")
    for i, row in enumerate(listing.rows):
        shown.add_row(*map(Text, row), style="bold yellow" if i in listing.marked else "")
    return shown


@app.command("import")
def data_import(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A community feature file (pickle).")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File to write.", show_default="FILE with .safetensors")
    ] = None,
    roberta: RobertaOption = None,
) -> None:
    """Write a feature file in the open format: a safetensors file, which any language reads without running a pickle.

    It has every modality and view of the text, and a run reads it in place of the pickle (docs/feature-format.md).
    """
    from benchmark.data.feature_files.open_format import SUFFIX
    from benchmark.data.feature_files.reading import import_features

    out = out or file.with_suffix(SUFFIX)
    _new_file(out)
    c = import_features(file, out, roberta)
    features = ", ".join(f"{name} {x.shape[1]}" for name, x in c.features.items())
    tell(f"{out}: {counted(len(c), 'conversation')}, {counted(c.utterances, 'utterance')}; {features}")


@app.command("build", epilog="Exit codes: 0 written, 2 wrong usage or mistakes in the files, each on a line.")
def data_build(
    folder: Annotated[
        Path,
        typer.Option(
            "--from",
            metavar="FOLDER",
            help="Holds utterances.csv and an array a modality: text, audio, visual, each .npy, .npz or .parquet.",
        ),
    ],
    name: Annotated[str, typer.Option(metavar="NAME", help="Of the data set, as in --datasets NAME.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Gets NAME.safetensors.", show_default="the one of --from"),
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(
            metavar="A,B", help="The classes in label order.", show_default="the training utterances' labels, sorted"
        ),
    ] = None,
) -> None:
    """Make a data set of your own from arrays: a row an utterance, in the order of the rows of utterances.csv.

    Its columns are conversation, utterance (0, 1, …), speaker, label, split (train, dev, test), and text if you like
    (docs/your-corpus.md). Nothing in the files is executed.
    """
    from rich.table import Table

    from benchmark.audit.counts import count_splits
    from benchmark.base.names import listed
    from benchmark.building import MistakesError, build

    try:
        built = build(folder, name, out, None if classes is None else listed("--classes", classes), say)
    except MistakesError as error:
        for line in error.lines[:_MISTAKES]:
            say(line)
        where = f"{counted(len(error.lines), 'mistake')} in {folder}"
        raise UserError(f"{where}: correct {'it' if len(error.lines) == 1 else 'them'}; nothing was written") from None
    c = built.conversations
    sizes = Table("split", "conversations", "utterances", *c.class_names, title=name)
    for split, of_split in count_splits(c).items():
        sizes.add_row(split, *map(str, (of_split.conversations, of_split.utterances, *of_split.labels)))
    show(sizes)
    features = ", ".join(f"{modality} {x.shape[1]}" for modality, x in c.features.items())
    tell(f"{built.file}: {counted(c.speakers, 'speaker')}; {features}")
    if built.ignored:
        say(f"no modality, so not used: {', '.join(built.ignored)}")
    if built.strangers:
        say(
            f"note: {len(built.strangers)} of {counted(c.speakers, 'speaker')} never in train, so that nothing is "
            "learned of them; where speakers do not come back, name them by their part in the conversation: A, B, …"
        )
    tell(
        f"Next: cssbench data audit {shlex.quote(str(built.file))}\n"
        f"      cssbench run --datasets {name} --data-dir {shlex.quote(str(built.file.parent))}"
    )


@app.command("simulate")
def data_simulate(
    name: Annotated[str, typer.Option(metavar="NAME", help="A simulated corpus, with or without knobs.")],
    seed: Annotated[int, typer.Option(metavar="N", help="Of every draw. Runs use 0.")] = 0,
    ceilings: Annotated[
        bool, typer.Option("--ceilings", help="Also what no model can exceed: minutes at first, then kept.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the corpus as a feature file (safetensors).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with scores as shares of 1.")] = False,
) -> None:
    """Describe a simulated corpus: its counts, and how well anything can do on it."""
    import json
    from collections import Counter
    from dataclasses import asdict

    from rich.table import Table

    from benchmark.data.simulation.knobs import parse_corpus
    from benchmark.data.simulation.simulator import simulate_spec

    name, spec = parse_corpus(name)
    if out:
        _new_file(out)
    corpus = simulate_spec(spec, seed)
    if out:
        from benchmark.data.simulation.export import export_corpus

        export_corpus(out, corpus, name, spec, seed)
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
        from benchmark.data.simulation.ceilings import ceilings as ceilings_of

        rows = ceilings_of(spec, seed)
    if as_json:
        shown = {
            "name": name,
            "seed": seed,
            "splits": counts,
            **({"ceilings": list(map(asdict, rows))} if rows else {}),
        }
        tell(json.dumps(shown, indent=1))
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


def _new_file(out: Path) -> None:
    if out.exists():
        raise UserError(f"{out} is there already: remove it, or name another file with --out")
    if not out.parent.is_dir():
        raise UserError(f"no folder {out.parent} to write {out.name} in: make it, or name another file with --out")
