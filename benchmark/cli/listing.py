"""``cssbench runs`` and ``cssbench methods``: what there is."""

from typing import TYPE_CHECKING

import typer

from benchmark.cli.common import STORE, PluginOption, StoreOption, existing, show
from benchmark.errors import UserError

if TYPE_CHECKING:
    from benchmark.registry import Entry


app = typer.Typer()

COUNTS = {"validated": "selected", "refit": "last"}
"""The part of result.json that is a run's result, by protocol."""


@app.command()
def runs(store: StoreOption = STORE) -> None:
    """List the runs of a store: data set, method, seed, protocol, state and weighted F1.

    The score is the one that counts: at the epoch selected on validation data, or of a refit at its last. The published
    protocol has none.
    """
    import json

    from rich.table import Table

    from benchmark.execution.store import Store

    held = Store(existing(store))
    table = Table("run", "data set", "method", "seed", "preset", "protocol", "state", "weighted F1")
    for record in sorted(held.specs(), key=lambda r: (r["dataset"], r["label"], r["preset"], r["seed"])):
        protocol = record.get("protocol", "validated")  # runs made before there were others do not say
        key, state = record["key"], held.state(record["key"])
        score = ""
        if state == "complete":
            counts = COUNTS.get(protocol)
            result = json.loads((held.folder(key) / "result.json").read_text())
            score = f"{100 * result[counts]['weighted_f1']:.2f}" if counts else "not available"
        seed = str(record["seed"])
        table.add_row(key, record["dataset"], record["label"], seed, record["preset"], protocol, state, score)
    show(table)


@app.command()
def methods(plugin: PluginOption = None) -> None:
    """List the methods by name, the grids, and the parts that ENCODER/FUSION+AGGREGATOR/OBJECTIVES can name.

    Left out, the encoder is --encoder and the objectives are the paper's.
    css-released is what the released implementation computes, with all its parts (docs/released.md).
    """
    from rich.table import Table

    from benchmark.grids import GRIDS
    from benchmark.methods import KINDS, parse_method
    from benchmark.plugins import register
    from benchmark.registry import ALIASES, METHODS

    register(plugin or ())
    table = Table("method", "by default", "encoder", "fusion", "aggregator", "in full")
    for name in dict.fromkeys((*METHODS, *ALIASES)):
        method = parse_method(name, {})
        parts = (method.encoder.name, method.fusion.name, method.aggregator.name)
        table.add_row(name, "yes" if name in METHODS else "no", *parts, method.canonical)
    grids = Table("--grid", "methods")
    for name, members in GRIDS.items():
        grids.add_row(name, ", ".join(members) or "every one of --fusions with every one of --aggregators")
    tables = [table, grids]
    for kind, known in KINDS.items():
        table = Table(kind, "options (default)", "what it is")
        for name, entry in known.items():
            table.add_row(name, *_described(entry))
        tables.append(table)
    show(*tables)


def _described(entry: "Entry") -> tuple[str, str]:
    """Options and summary; of a plug-in that is installed and broken, why."""
    try:
        options = (f"{o}={str(v.default).lower()}" for o, v in entry.options.items())
        return ", ".join(options), entry.summary
    except UserError as error:
        return "", f"cannot be used: {error}"
