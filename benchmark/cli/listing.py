"""``cssbench runs`` and ``cssbench methods``: what there is."""

import typer

from benchmark.cli.common import STORE, StoreOption, existing, show

app = typer.Typer()


@app.command()
def runs(store: StoreOption = STORE) -> None:
    """List the runs of a store: data set, method, seed, state and selected weighted F1."""
    import json

    from rich.table import Table

    from benchmark.execution.store import Store

    held = Store(existing(store))
    table = Table("run", "data set", "method", "seed", "preset", "state", "weighted F1 (selected)")
    for record in sorted(held.specs(), key=lambda r: (r["dataset"], r["label"], r["preset"], r["seed"])):
        key, state = record["key"], held.state(record["key"])
        score = ""
        if state == "complete":
            score = f"{100 * json.loads((held.folder(key) / 'result.json').read_text())['selected']['weighted_f1']:.2f}"
        table.add_row(key, record["dataset"], record["label"], str(record["seed"]), record["preset"], state, score)
    show(table)


@app.command()
def methods() -> None:
    """List the methods of the benchmark, and the fusions and aggregators that FUSION+AGGREGATOR can name."""
    from rich.table import Table

    from benchmark.methods import parse_method
    from benchmark.registry import AGGREGATORS, FUSIONS, METHODS

    table = Table("method", "fusion", "aggregator", title="compared by default")
    for name in METHODS:
        method = parse_method(name, {})
        table.add_row(name, method.fusion.name, method.aggregator.name)
    tables = [table]
    for kind, known in (("fusion", FUSIONS), ("aggregator", AGGREGATORS)):
        table = Table(kind, "options (default)", "what it is")
        for name, entry in known.items():
            table.add_row(name, ", ".join(f"{o}={v.default}" for o, v in entry.options.items()), entry.summary)
        tables.append(table)
    show(*tables)
