"""``cssbench estimate``: what a grid costs on this machine, before it is made."""

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Unpack

import typer

from benchmark.base.errors import UserError
from benchmark.base.words import counted
from benchmark.cli.display.lines import say, tell
from benchmark.cli.display.tables import show
from benchmark.cli.options import (
    STORE,
    AggregatorsOption,
    DataOption,
    DatasetsOption,
    DeviceOption,
    DropDefectsOption,
    EncoderOption,
    FusionsOption,
    GridOption,
    MethodsOption,
    ModalitiesOption,
    OrderOption,
    PluginOption,
    PresetOption,
    ProtocolOption,
    RankOption,
    RawScaleOption,
    SeedsOption,
    StoreOption,
    TextViewOption,
    TunedOption,
    WorkersOption,
)
from benchmark.cli.run import choices
from benchmark.cli.settings import with_settings
from benchmark.experiment.settings import Settings

if TYPE_CHECKING:
    from benchmark.experiment.spec import RunSpec

app = typer.Typer()


@app.command(
    epilog="Examples:\n\n"
    "cssbench estimate --preset paper\n\n"
    "cssbench estimate --preset full --data-dir features --methods css,adam --seeds 20 --workers 8"
)
@with_settings
def estimate(
    ctx: typer.Context,
    preset: PresetOption = "quick",
    datasets: DatasetsOption = None,
    methods: MethodsOption = None,
    grid: GridOption = None,
    fusions: FusionsOption = None,
    aggregators: AggregatorsOption = None,
    tuned: TunedOption = None,
    raw_scale: RawScaleOption = False,
    plugin: PluginOption = None,
    seeds: SeedsOption = None,
    protocol: ProtocolOption = "validated",
    modalities: ModalitiesOption = None,
    text_view: TextViewOption = None,
    drop_defects: DropDefectsOption = None,
    encoder: EncoderOption = "paper",
    rank: RankOption = None,
    order: OrderOption = None,
    store: StoreOption = STORE,
    data_dir: DataOption = None,
    workers: WorkersOption = None,
    device: DeviceOption = "auto",
    **settings: Unpack[Settings],
) -> None:
    """Say what the runs of these options cost here: arithmetic, memory and time, from a few steps of each method.

    Nothing is written. Steps of each method on each data set are made and timed on the device: seconds at the sizes of
    quick, minutes at those of paper on a CPU. cssbench run --dry-run asks the store, which needs runs like these.
    """
    if workers is not None and workers < 1:
        raise UserError(f"--workers is {workers}; it has to be at least 1")
    from rich.table import Table

    from benchmark.execution.estimate import makespan
    from benchmark.workflows.calibrated import calibrated
    from benchmark.workflows.grid import plan_grid

    planned = plan_grid(store, with_imports=False, **choices(ctx))
    columns = ("data set", "method", "runs", "TFLOP a run", "GFLOP/s", "seconds an epoch", "time a run", "GiB")
    table = Table(*columns)
    times, most = [], 0
    for specs, cost in calibrated(planned, _say_start).values():
        times += [cost.seconds] * len(specs)
        most = max(most, cost.memory)
        row = [specs[0].dataset, specs[0].method.label, str(len(specs))]
        row += [f"{cost.flops / 1e12:.3g}", f"{cost.rate / 1e9:.3g}", f"{cost.epoch:.3g}"]
        table.add_row(*row, _duration(cost.seconds), f"{cost.memory / 2**30:.2g}")
    show(table)
    used = min(workers or os.cpu_count() or 1, len(times))
    tell(
        f"{counted(len(times), 'run')}: about {_duration(makespan(times, used))} on {counted(used, 'worker')} "
        f"({_duration(sum(times))} of runs), {used * most / 2**30:.1f} GiB; data are shared by workers, and report, "
        "MLflow and what other jobs take of this machine come on top"
    )


def _say_start(spec: "RunSpec") -> None:
    say(f"timing steps of {spec.method.label} on {spec.dataset}")


def _duration(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds < 10 else str(timedelta(seconds=round(seconds)))
