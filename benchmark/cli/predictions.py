"""``cssbench import-predictions``: another code base's predictions beside ours."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.base.errors import UserError
from benchmark.cli.display.lines import say, tell
from benchmark.cli.options import STORE, DataOption, DropDefectsOption, StoreOption

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmark.data.datasets import DataSet
    from benchmark.store.store import Store

app = typer.Typer()


@app.command(
    "import-predictions",
    epilog="Examples:\n\n"
    "cssbench import-predictions sdt.csv --method SDT --dataset iemocap --seed 0 --selection test\n\n"
    "cssbench import-predictions ten-seeds.parquet --method SDT --dataset meld --selection validation\n\n"
    "cssbench import-predictions every-epoch.parquet --validation scores.csv --method SDT --dataset meld",
)
def import_predictions(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="CSV or parquet, a row a test utterance: conversation, utterance (from 0), predicted (number or name "
            "of the class), if known probability_0 … or a column a class; for several runs a column seed; for whole "
            "runs a column epoch (from 1), and a row a test utterance and epoch.",
        ),
    ],
    method: Annotated[str, typer.Option(metavar="NAME", help="What tables call it; not one of this suite's names.")],
    dataset: Annotated[
        str, typer.Option(metavar="NAME", help="Of which they are: iemocap, meld, a simulated one, or one of your own.")
    ],
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, help="Of all rows, without a column seed.")] = None,
    validation: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Of whole runs: CSV or parquet, a row an epoch: epoch, validation_weighted_f1 (a fraction), for "
            "several runs seed, and if known picked (1 at the epoch whose score their authors report, else 0). The "
            "best validation score selects the epoch, as in this suite's runs.",
        ),
    ] = None,
    selection: Annotated[
        str | None,
        typer.Option(
            metavar="HOW",
            help="What their epoch was chosen on, where the file is of one epoch a run: validation, test or unknown. "
            "On every page.",
            show_default="unknown",
        ),
    ] = None,
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

    They stand beside this suite's runs on the same data, or alone; what is not known of them is shown as not available.
    How they are compared: docs/imports.md.
    """
    from benchmark.base.names import look_up
    from benchmark.base.words import counted
    from benchmark.data.datasets import dataset as known
    from benchmark.data.inputs import parse_inputs
    from benchmark.evaluation.predictions.files import read_predictions
    from benchmark.evaluation.predictions.records import SELECTIONS, check_name

    check_name(method)
    if validation is not None and selection not in (None, "validation"):
        raise UserError(
            f"--selection {selection} with --validation: of whole runs the best validation score selects the epoch; "
            "leave out --selection, or import the predictions of the epoch that was chosen without --validation"
        )
    chose = selection or ("unknown" if validation is None else "validation")
    look_up("way to choose the epoch", chose, dict.fromkeys(SELECTIONS))
    chosen = known(dataset, data_dir, parse_inputs(None, None, drop_defects))
    conversations = chosen.load()
    content = read_predictions(file, conversations, chosen.name, seed, validation)
    from benchmark.evaluation.predictions.numbering import warning
    from benchmark.evaluation.predictions.storing import store_predictions
    from benchmark.store.store import Store

    runs = store_predictions(
        Store(store),
        chosen,
        content,
        method,
        chose,  # type: ignore[arg-type]  # looked up
        paired=paired,
        replace=replace,
    )
    for run in runs:
        tell(
            f"{run.key} {chosen.name} · {method} · seed {run.seed}: {_scores(run.result)}"
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
    how = (
        "their epoch is the best on validation data, chosen here"
        if validation is not None
        else "their epoch was chosen on validation data"
        if chose == "validation"
        else f"how their epoch was chosen: {chose}, so they can lose against other methods and not win"
    )
    new = sum(run.new for run in runs)
    tell(
        f"{new} of {counted(len(runs), 'run')} imported into {store}; {how}. "
        f"Next: cssbench report --store {shlex.quote(str(store))}" + _beside(Store(store), chosen)
    )


def _scores(result: "Mapping[str, Any]") -> str:
    """The score that counts; of a whole run with its epoch, and what other choices of it would have given."""
    if result["selected"] is None:
        return f"weighted F1 {100 * result['imported']['weighted_f1']:.2f}"

    def at(scores: "Mapping[str, Any]") -> str:
        return f"{100 * scores['weighted_f1']:.2f} at epoch {scores['epoch']}"

    picked = result["picked"]
    others = [] if picked is None else [f"picked by its authors {at(picked)}"]
    others += [f"last {at(result['last'])}", f"best on test {at(result['peak_test'])}, which is no result"]
    return f"weighted F1 {at(result['selected'])}, the best on validation ({'; '.join(others)})"


def _beside(store: "Store", chosen: "DataSet") -> str:
    """How to put runs of this suite beside the import, where the store has none on these data."""
    data = chosen.fingerprint
    if any(s.get("protocol") != "imported" and s["provenance"]["data"] == data for s in store.specs()):
        return ""
    where = f" --data-dir {shlex.quote(str(chosen.file.parent))}" if chosen.file else ""
    return (
        "; this suite's own runs on these data come beside it by "
        f"cssbench run --datasets {shlex.quote(chosen.name)}{where} --store {shlex.quote(str(store.root))}"
    )
