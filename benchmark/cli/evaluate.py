"""``cssbench evaluate``: an author's checkpoint under our metrics."""

from pathlib import Path
from typing import Annotated

import typer

from benchmark.base.errors import UserError
from benchmark.cli.display.lines import say, tell
from benchmark.cli.display.tables import show
from benchmark.cli.options import FAILED, DataOption

app = typer.Typer()


@app.command()
def evaluate(
    checkpoint: Annotated[Path, typer.Option(metavar="FILE", help="A state dict of the released implementation.")],
    dataset: Annotated[
        str, typer.Option(metavar="NAME", help="iemocap, meld, a simulated corpus, or one of your own.")
    ],
    data_dir: DataOption = None,
    heads: Annotated[int, typer.Option(metavar="N", help="Attention heads, which a checkpoint does not tell.")] = 8,
    drop: Annotated[
        str | None,
        typer.Option(
            "--drop", metavar="A,B", help="Modalities whose vectors are zeros in the test split, all at once."
        ),
    ] = None,
    shuffle: Annotated[
        str | None,
        typer.Option("--shuffle", metavar="A,B", help="Modalities whose vectors change places in the test split."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the permutations of --shuffle.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with scores as shares of 1.")] = False,
) -> None:
    """Score an author's checkpoint of CSS on a data set's test split (docs/released.md).

    With --drop and --shuffle: where modalities are missing. cssbench robustness does so with the runs of a store.
    """
    import json

    from rich.table import Table

    from benchmark.data import datasets as known

    if heads < 1:
        raise UserError(f"--heads must be at least 1, got {heads}")
    chosen = known.dataset(dataset, data_dir)
    from benchmark.evaluation.checkpoints import NonFiniteError, evaluate_checkpoint
    from benchmark.evaluation.missing import conditions

    missing = conditions(drop, shuffle, chosen.inputs.modalities)

    try:
        scores = evaluate_checkpoint(checkpoint, chosen, heads, missing=missing, seed=seed)
    except NonFiniteError as error:  # no wrong usage: the checkpoint is right, and has failed
        say(f"error: {error}")
        raise typer.Exit(FAILED) from None
    if as_json:
        tell(json.dumps(scores, indent=1, allow_nan=False))
        return
    percent = {"accuracy": "accuracy", "weighted_f1": "weighted F1", "macro_f1": "macro F1"}
    changed = "".join(f", {modality} {how}" for modality, how in missing)
    table = Table("score", "%", title=f"{checkpoint.name} on the test split{changed}: {chosen.description}")
    for name, shown in percent.items():
        table.add_row(shown, f"{100 * scores[name]:.2f}")
    for emotion, f1 in zip(chosen.load().class_names, scores["per_class_f1"], strict=True):
        table.add_row(f"F1 of {emotion}", "no test utterance" if f1 is None else f"{100 * f1:.2f}")
    table.add_row("ECE", "—" if scores["ece"] is None else f"{100 * scores['ece']:.2f}")
    table.add_row("NLL (nats)", "—" if scores["nll"] is None else f"{scores['nll']:.4f}")
    show(table)
