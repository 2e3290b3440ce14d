"""``cssbench import-predictions``: another code base's predictions beside ours."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmark.cli.display.lines import say, tell
from benchmark.cli.options import STORE, DataOption, DropDefectsOption, StoreOption

if TYPE_CHECKING:
    from benchmark.data.datasets import DataSet
    from benchmark.store.store import Store

app = typer.Typer()


@app.command(
    "import-predictions",
    epilog="Examples:\n\n"
    "cssbench import-predictions sdt.csv --method SDT --dataset iemocap --seed 0 --selection test\n\n"
    "cssbench import-predictions ten-seeds.parquet --method SDT --dataset meld --selection validation",
)
def import_predictions(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="CSV or parquet, a row a test utterance: conversation, utterance (from 0), predicted (number or name "
            "of the class), if known probability_0 … or a column a class; for several runs a column seed.",
        ),
    ],
    method: Annotated[str, typer.Option(metavar="NAME", help="What tables call it; not one of this suite's names.")],
    dataset: Annotated[
        str, typer.Option(metavar="NAME", help="Of which they are: iemocap, meld, a simulated one, or one of your own.")
    ],
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, help="Of all rows, without a column seed.")] = None,
    selection: Annotated[
        str,
        typer.Option(metavar="HOW", help="What their epoch was chosen on: validation, test or unknown. On every page."),
    ] = "unknown",
    paired: Annotated[
        bool,
        typer.Option(
            "--paired", help="Their seeds are matched with this suite's: seed by seed the same data order and start."
        ),
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="In the place of others of this method and seed.")] = False,
    store: StoreOption = STORE,
    data_dir: DataOption = None,
    drop_defects: DropDefectsOption = None,
) -> None:
    """Put another code base's predictions on the same tables, with the same scores and statistics.

    They stand beside this suite's runs on the same data; what is not known of them is shown as not available. How they
    are compared: docs/imports.md.
    """
    from benchmark.base.names import look_up
    from benchmark.base.words import counted
    from benchmark.data.datasets import dataset as known
    from benchmark.data.inputs import parse_inputs
    from benchmark.evaluation.predictions.files import read_predictions
    from benchmark.evaluation.predictions.records import SELECTIONS, check_name

    check_name(method)
    look_up("way to choose the epoch", selection, dict.fromkeys(SELECTIONS))
    chosen = known(dataset, data_dir, parse_inputs(None, None, drop_defects))
    conversations = chosen.load()
    content = read_predictions(file, conversations, chosen.name, seed)
    from benchmark.evaluation.predictions.numbering import warning
    from benchmark.evaluation.predictions.storing import store_predictions
    from benchmark.store.store import Store

    runs = store_predictions(
        Store(store),
        chosen,
        content,
        method,
        selection,  # type: ignore[arg-type]  # looked up
        paired=paired,
        replace=replace,
    )
    for run in runs:
        tell(
            f"{run.key} {chosen.name} · {method} · seed {run.seed}: weighted F1 {100 * run.weighted_f1:.2f}"
            + ("" if run.new else " (there already)")
        )
    label = conversations.where("test").label
    assert label is not None, "a feature file has labels"
    for one in content.predictions:
        if sentence := warning(one.predicted, label, conversations.class_names, f"{method}, seed {one.seed}"):
            say(f"warning: {sentence}")
    if disagreeing := sum(one.disagreeing for one in content.predictions):
        count = counted(disagreeing, "predicted class is", "predicted classes are")
        tell(f"{count} not the most probable; the scores are of what is predicted")
    if content.ignored:
        tell(f"columns that say nothing here: {', '.join(content.ignored)}")
    chose = (
        "their epoch was chosen on validation data"
        if selection == "validation"
        else (f"how their epoch was chosen: {selection}, so they can lose against this suite's methods and not win")
    )
    new = sum(run.new for run in runs)
    tell(f"{new} of {counted(len(runs), 'run')} imported into {store}; {chose}. Next: {_next(Store(store), chosen)}")


def _next(store: "Store", chosen: "DataSet") -> str:
    """What shows the import: a report, where the store has a run of this suite on these data to stand beside."""
    data = chosen.fingerprint
    ours = any(s.get("protocol") != "imported" and s["provenance"]["data"] == data for s in store.specs())
    if ours:
        return f"cssbench report --store {store.root}"
    where = f" --data-dir {chosen.file.parent}" if chosen.file else ""
    return f"runs to compare it with, cssbench run --datasets '{chosen.name}'{where} --store {store.root}"
