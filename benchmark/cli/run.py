"""``cssbench run`` and ``cssbench report``."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from benchmark.base.errors import UserError
from benchmark.cli.lock import read_lock, refuse_choices_beside, write_lock
from benchmark.cli.making import Family, carry_out, write_report
from benchmark.cli.options import (
    BUDGET,
    COMPARED,
    PLACES,
    STORE,
    DataOption,
    DeviceOption,
    DropDefectsOption,
    EpochsOption,
    HiddenOption,
    PluginOption,
    StoreOption,
    TimeoutOption,
    TrackingOption,
    existing,
    given,
    listed,
)
from benchmark.execution.places import places

app = typer.Typer()


@app.command(
    epilog="Examples:\n\n"
    "cssbench run --preset smoke\n\n"
    "cssbench run --data-dir features --preset full --seeds 10\n\n"
    "cssbench run --datasets meld-sim --methods 'css,adam,spf(order=2)+pgm,concat+pcgrad' --seeds 3,7,11\n\n"
    "cssbench run --grid factorial --fusions spf,concat,lmf --aggregators equal,pgm,mgda\n\n"
    "cssbench run --datasets 'meld-sim,meld-sim(conflict_rate=0.6)'\n\n"
    "cssbench run --data-dir features --preset full --refit\n\n"
    "cssbench run --tuned meld-sim/css/quick\n\n"
    "cssbench run --data-dir features --preset paper --protocol published --methods css-released"
)
def run(
    ctx: typer.Context,
    preset: Annotated[
        str, typer.Option(metavar="NAME", rich_help_panel=COMPARED, help="Budget: smoke, quick, full or paper.")
    ] = "quick",
    datasets: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            rich_help_panel=COMPARED,
            help="Of iemocap, meld, iemocap-sim, meld-sim; the last two with knobs, as in meld-sim(conflict_rate=0.5).",
            show_default="the feature files in --data-dir; without one, the simulated pair",
        ),
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            rich_help_panel=COMPARED,
            help="A name (see cssbench methods) or FUSION+AGGREGATOR, with options as in spf(order=2)+pgm; if need be "
            "ENCODER/ before it and /OBJECTIVES after it.",
            show_default="css,adam,concat,concat+pgm,pcgrad,tensor",
        ),
    ] = None,
    grid: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            rich_help_panel=COMPARED,
            help="Instead of --methods: ablation, sensitivity, rank-order, or factorial (--fusions × --aggregators).",
        ),
    ] = None,
    fusions: Annotated[
        str | None, typer.Option(metavar="A,B", rich_help_panel=COMPARED, help="Of the factorial grid.")
    ] = None,
    aggregators: Annotated[
        str | None, typer.Option(metavar="A,B", rich_help_panel=COMPARED, help="Of the factorial grid.")
    ] = None,
    tuned: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            rich_help_panel=COMPARED,
            help="Also the best settings of these studies of cssbench tune (of NAME#7: of trial 7); without --datasets "
            "and --methods those of the studies.",
        ),
    ] = None,
    raw_scale: Annotated[
        bool,
        typer.Option(
            "--raw-scale", rich_help_panel=COMPARED, help="Aggregators keep their published scale instead of Σγ = 1."
        ),
    ] = False,
    plugin: PluginOption = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            metavar="N|A,B",
            rich_help_panel=COMPARED,
            help="A count (5: seeds 0 to 4) or a list (3,7,11).",
            show_default="the preset's",
        ),
    ] = None,
    protocol: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            rich_help_panel=COMPARED,
            help="validated, or published: no validation data, the published seed unless --seeds names others, the "
            "best test epoch shown; no result, and in no comparison.",
        ),
    ] = "validated",
    refit: Annotated[
        bool,
        typer.Option(
            "--refit",
            rich_help_panel=COMPARED,
            help="Afterwards train each method again on training and validation data, for the mean epoch that its "
            "seeds selected; only these scores may stand beside published ones.",
        ),
    ] = False,
    margin: Annotated[
        float,
        typer.Option(
            metavar="F1",
            rich_help_panel=COMPARED,
            help="Points of weighted F1 below which a difference does not matter; declared before the runs.",
        ),
    ] = 0.5,
    contrasts: Annotated[
        str | None,
        typer.Option(
            metavar="A:B,C:D",
            rich_help_panel=COMPARED,
            help="The comparisons that are tested, as one family; declared before the runs.",
            show_default="css against each other method",
        ),
    ] = None,
    modalities: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            rich_help_panel=COMPARED,
            help="Of text, audio, visual: what every method sees.",
            show_default="all three",
        ),
    ] = None,
    text_view: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            rich_help_panel=COMPARED,
            help="Of a feature file's views of the text: 1, 2, 3, 4, mean or concat.",
            show_default="1",
        ),
    ] = None,
    drop_defects: DropDefectsOption = None,
    encoder: Annotated[
        str,
        typer.Option(
            metavar="NAME", rich_help_panel=COMPARED, help="Encoder of all methods that name none: paper or released."
        ),
    ] = "paper",
    epochs: EpochsOption = None,
    hidden: HiddenOption = None,
    rank: Annotated[int | None, typer.Option(metavar="R", rich_help_panel=BUDGET, help="Rank of SPF.")] = None,
    order: Annotated[
        int | None, typer.Option(metavar="P", rich_help_panel=BUDGET, help="Polynomial order of SPF.")
    ] = None,
    store: StoreOption = STORE,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", rich_help_panel=PLACES, help="Gets the report.", show_default="STORE/report"),
    ] = None,
    data_dir: DataOption = None,
    tracking_uri: TrackingOption = None,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            rich_help_panel=PLACES,
            help="Worker processes, one thread each; on a cluster, runs at once.",
            show_default="all cores; on GPUs, one each; on a cluster, what it has room for",
        ),
    ] = None,
    device: DeviceOption = "auto",
    gpus: Annotated[
        str | None,
        typer.Option(
            metavar="N|all",
            rich_help_panel=PLACES,
            help="GPUs that workers are placed on; one each unless --workers-per-gpu.",
            show_default="all, where runs are on CUDA",
        ),
    ] = None,
    workers_per_gpu: Annotated[
        int | None,
        typer.Option(
            metavar="N", rich_help_panel=PLACES, help="Runs that share a GPU, on a cluster too.", show_default="1"
        ),
    ] = None,
    executor: Annotated[
        str,
        typer.Option(
            metavar="NAME", rich_help_panel=PLACES, help="local, or ray: the cluster at --address (docs/cluster.md)."
        ),
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", rich_help_panel=PLACES, help="Head of the Ray cluster."),
    ] = None,
    run_timeout: TimeoutOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many runs, how long and how much memory; run nothing.")
    ] = False,
    locked: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Make the runs of a file by cssbench lock, or say what differs from it."),
    ] = None,
    lock: Annotated[Path | None, typer.Option(hidden=True, help="What cssbench lock does.")] = None,
) -> None:
    """Train data sets × methods × seeds, log to MLflow, and write the report.

    Finished runs are not repeated; one that was cut off goes on from its last epoch; one that failed is tried again.

    Ctrl-C lets every run finish its epoch; a second one leaves at once.
    """
    from benchmark.base.devices import resolve_device
    from benchmark.base.names import look_up
    from benchmark.data import datasets as known
    from benchmark.data.inputs import parse_inputs
    from benchmark.evaluation.predictions.records import sides
    from benchmark.experiment.grid import expand, parse_seeds
    from benchmark.experiment.method_lists import choose_methods
    from benchmark.experiment.preregistration import MARGIN, check_margin, plan
    from benchmark.experiment.presets import load_preset
    from benchmark.methods.plugins import register
    from benchmark.store.store import Store
    from benchmark.tuning.records import settings_in
    from benchmark.tuning.tuned import tuned_runs

    look_up("protocol", protocol, dict.fromkeys(("validated", "published")))
    if refit and protocol == "published":
        raise UserError(
            "--refit needs the epochs that validation selected, and --protocol published has no validation data; "
            "leave one of them out"
        )
    if refit and lock is not None:
        raise UserError("a lock holds runs whose epochs are known: leave out --refit")
    look_up("device", device, dict.fromkeys(("auto", "cpu", "cuda")))
    register(plugin or ())
    # a cluster may have what this machine has not
    device = device if executor == "ray" and device == "cuda" else resolve_device(device)
    placed = partial(
        places,
        store,
        report,
        tracking_uri,
        run_timeout,
        workers=workers,
        gpus=gpus,
        workers_per_gpu=workers_per_gpu,
        executor=executor,
        address=address,
    )
    if locked is not None:
        refuse_choices_beside(ctx)
        specs, chosen, written = read_lock(locked, data_dir)
        declared = Family(**written) if written else None
        raise typer.Exit(carry_out(specs, chosen, placed(device=specs[0].provenance.device), declared, dry_run=dry_run))
    where = placed(device=device)
    budget = load_preset(preset)
    inputs = parse_inputs(modalities, text_view, drop_defects)
    wanted = [settings_in(store, name) for name in listed("--tuned", tuned)] if tuned is not None else []
    if wanted and datasets is None:
        datasets = ",".join(dict.fromkeys(study["dataset"] for study, _ in wanted))
    if wanted and methods is None and grid is None:
        methods = ",".join(dict.fromkeys(study["method"] for study, _ in wanted))
    chosen = (
        known.default(data_dir, inputs)
        if datasets is None
        else [known.dataset(name, data_dir, inputs) for name in listed("--datasets", datasets)]
    )
    members = choose_methods(methods, grid, fusions, aggregators)
    replicates = None if protocol == "published" and seeds is None else parse_seeds(seeds, budget)
    expanded = partial(
        expand,
        budget,
        chosen,
        protocol=protocol,  # type: ignore[arg-type]  # looked up
        device=device,
        encoder=encoder,
        training=given(epochs=epochs, hidden=hidden),
        options=given(rank=rank, order=order, raw_scale=raw_scale or None),
    )
    specs = expanded(members, replicates)
    tuned_by_label = tuned_runs(
        wanted, specs, chosen, budget, resolve_device(device), given(epochs=epochs, hidden=hidden)
    )
    specs += [spec for of in tuned_by_label.values() for spec in of]
    family = None
    if protocol == "validated":  # the published one is in no comparison
        assert replicates is not None
        known_imports = {}
        if contrasts is not None and lock is None:
            known_imports = sides(Store(store), {data.fingerprint for data in chosen})
        comparisons = plan(
            [*members, *tuned_by_label],
            contrasts,
            lambda text: (
                [spec for spec in tuned_by_label[text] if spec.seed == replicates[0]]
                if text in tuned_by_label
                else expanded([text], replicates[:1])
            ),
            known_imports,
        )
        insisted = contrasts is not None or margin != MARGIN
        family = Family(comparisons, replicates, check_margin(margin), insisted=insisted)
    if lock is not None:
        write_lock(lock, specs, chosen, asdict(family) if family else None)
    else:
        raise typer.Exit(carry_out(specs, chosen, where, family, refit=refit, dry_run=dry_run))


@app.command()
def report(
    store: StoreOption = STORE,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FOLDER", rich_help_panel=PLACES, help="Gets the report.", show_default="STORE/report"
        ),
    ] = None,
) -> None:
    """Write the report of all finished runs of a store."""
    existing(store)
    write_report(store, out or store / "report", None)
