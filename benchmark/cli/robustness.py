"""``cssbench robustness``: the runs of a store where a modality is missing at test time."""

from typing import Annotated

import typer

from benchmark.cli.options import DONE, FAILED, DataOption, PluginOption, StoreOption
from benchmark.workflows.defaults import STORE

app = typer.Typer()


@app.command()
def robustness(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN]...", help="Keys, or how they begin; default: every complete run."),
    ] = None,
    store: StoreOption = STORE,
    data_dir: DataOption = None,
    plugin: PluginOption = None,
) -> None:
    """Evaluate finished runs with each modality zeroed, and shuffled over the test set; the report shows the table.

    Nothing is trained: the model is that of the selected epoch, whose weights the run has kept. Scores are written into
    the run's folder, and a run that has them is not evaluated again.
    """
    from rich.console import Console

    from benchmark import robustness as evaluate
    from benchmark.cli.display.lines import tell
    from benchmark.cli.display.terminal import Terminal

    outcome = evaluate(
        runs, store=store, data_dir=data_dir, plugins=plugin or (), listener=Terminal(Console(stderr=True))
    )
    tell(
        f"{len(outcome.evaluated)} evaluated, {len(outcome.already)} before, {len(outcome.left_out)} left out; "
        f"cssbench report --store {store} shows the table"
    )
    raise typer.Exit(FAILED if outcome.left_out else DONE)
