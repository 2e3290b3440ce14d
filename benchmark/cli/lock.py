"""``cssbench lock``: a grid as one file, for ``cssbench run --locked``."""

from pathlib import Path
from typing import Annotated, Unpack

import typer

from benchmark.base.words import counted
from benchmark.cli.display.lines import tell
from benchmark.cli.options import (
    STORE,
    AggregatorsOption,
    ContrastsOption,
    DataOption,
    DatasetsOption,
    DeviceOption,
    DropDefectsOption,
    EncoderOption,
    FusionsOption,
    GridOption,
    LooksOption,
    MarginOption,
    MethodsOption,
    ModalitiesOption,
    OrderOption,
    PluginOption,
    PresetOption,
    ProtocolOption,
    RankOption,
    RawScaleOption,
    SeedsOption,
    SpendingOption,
    StoreOption,
    TextViewOption,
    TunedOption,
    UntilDecidedOption,
)
from benchmark.cli.run import choices
from benchmark.cli.settings import with_settings
from benchmark.experiment.settings import Settings

app = typer.Typer()


@app.command()
@with_settings
def lock(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Gets the lock; must not be there yet.")],
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
    until_decided: UntilDecidedOption = False,
    looks: LooksOption = None,
    spending: SpendingOption = None,
    protocol: ProtocolOption = "validated",
    margin: MarginOption = None,
    contrasts: ContrastsOption = None,
    modalities: ModalitiesOption = None,
    text_view: TextViewOption = None,
    drop_defects: DropDefectsOption = None,
    encoder: EncoderOption = "paper",
    rank: RankOption = None,
    order: OrderOption = None,
    store: StoreOption = STORE,
    data_dir: DataOption = None,
    device: DeviceOption = "auto",
    **settings: Unpack[Settings],
) -> None:
    """Write a grid's specifications, data fingerprints and versions to a file, for cssbench run --locked."""
    from benchmark import lock as write

    count = write(out, store=store, **choices(ctx))
    tell(f"{counted(count, 'run')} locked in {out}")
