"""``cssbench methods``: what can be compared."""

import typer

from benchmark.cli.common import show

app = typer.Typer()


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
