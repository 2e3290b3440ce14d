"""``cssbench verify``: are the runs of a store what they say?"""

from typing import Annotated

import typer

from benchmark.base.errors import UserError
from benchmark.cli.options import (
    DONE,
    FAILED,
    INTERRUPTED,
    STORE,
    WRONG_INPUT,
    DataOption,
    PluginOption,
    StoreOption,
    WorkersOption,
)

app = typer.Typer()


@app.command(
    epilog="Exit codes: 0 the same, 1 something differs or is damaged, 2 a run cannot be verified here.\n\n"
    "Examples:\n\ncssbench verify 3f2a\n\ncssbench verify --all --sample 3\n\ncssbench verify --all --files"
)
def verify(
    runs: Annotated[list[str] | None, typer.Argument(metavar="RUN", help="A key, or how it begins.")] = None,
    store: StoreOption = STORE,
    data_dir: DataOption = None,
    plugin: PluginOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Every complete run.")] = False,
    sample: Annotated[int | None, typer.Option(metavar="N", help="Of these, N at random.")] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the choice of --sample.")] = 0,
    tolerance: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Compare scores instead of bits where bits differ: pass if none differs by more than X (fractions: "
            "0.01 is a point of F1), as between machines or versions.",
        ),
    ] = None,
    files: Annotated[
        bool, typer.Option("--files", help="Compare the files with their checksums only; executes nothing.")
    ] = False,
    workers: WorkersOption = None,
) -> None:
    """Execute runs again, in a temporary folder, and compare weights, history and predictions bit by bit.

    On a difference it names the first epoch and quantity, and what differs in versions, hardware and source. Imported
    runs cannot be executed: of them the files are compared with their checksums.
    """
    from rich.console import Console

    from benchmark import verify as check
    from benchmark.cli.display.lines import say, tell
    from benchmark.cli.display.terminal import Terminal
    from benchmark.workflows.verify import Status

    if everything == bool(runs):
        raise UserError("name the runs to verify, or all of them with --all; cssbench runs lists them")
    try:
        verified = check(
            None if everything else runs,
            store=store,
            data_dir=data_dir,
            plugins=plugin or (),
            sample=sample,
            seed=seed,
            tolerance=tolerance,
            files=files,
            workers=workers,
            listener=Terminal(Console(stderr=True)),
        )
    except KeyboardInterrupt:
        say("interrupted: nothing was compared, and the store is as it was")
        raise SystemExit(INTERRUPTED) from None
    for run in verified:
        line = say if run.status is Status.UNVERIFIABLE else tell
        line(f"{run.key} {run.name}: {run.sentences[0]}")
        for sentence in run.sentences[1:]:
            line(f"    {sentence}")
    codes = {Status.SAME: DONE, Status.UNVERIFIABLE: WRONG_INPUT, Status.DIFFERENT: FAILED}
    raise typer.Exit(codes[max((run.status for run in verified), key=lambda status: status.value)])
