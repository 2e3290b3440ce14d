"""``cssbench methods``: what can be compared."""

from typing import TYPE_CHECKING, Any

import typer

from benchmark.base.errors import UserError
from benchmark.cli.display.lines import tell
from benchmark.cli.display.tables import show
from benchmark.cli.options import JsonOption, PluginOption

if TYPE_CHECKING:
    from benchmark.methods.entries import Entry


app = typer.Typer()


@app.command()
def methods(plugin: PluginOption = None, as_json: JsonOption = False) -> None:
    """List the methods by name, the grids, and the parts that ENCODER/FUSION+AGGREGATOR/OBJECTIVES can name.

    Left out, the encoder is --encoder and the objectives are the paper's.
    css-released is what the released implementation computes, with all its parts (docs/released.md).
    """
    from rich.table import Table

    from benchmark.experiment.method_lists import GRIDS
    from benchmark.methods.parsing import KINDS, parse_method
    from benchmark.methods.plugins import register
    from benchmark.methods.registry import ALIASES, METHODS

    register(plugin or ())
    if as_json:
        import json

        tell(json.dumps(_listed(), indent=1))
        return
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
        for group in sorted({entry.group for entry in known.values()}, key=_rank):
            table = Table(f"{kind}: {group}" if group else kind, "options (default)", "what it is", "published")
            for name, entry in known.items():
                if entry.group == group:
                    table.add_row(name, *_described(entry), entry.link)
            tables.append(table)
    show(*tables)


def _listed() -> dict[str, Any]:
    """What the tables show, for programs."""
    from benchmark.experiment.method_lists import GRIDS
    from benchmark.methods.parsing import KINDS, parse_method
    from benchmark.methods.registry import ALIASES, METHODS

    return {
        "methods": {
            name: {"canonical": parse_method(name, {}).canonical, "by_default": name in METHODS}
            for name in dict.fromkeys((*METHODS, *ALIASES))
        },
        "grids": {name: list(members) for name, members in GRIDS.items()},
        "parts": {
            kind: {
                name: {"group": entry.group, **dict(zip(("options", "summary"), _described(entry), strict=True))}
                | {"link": entry.link}
                for name, entry in known.items()
            }
            for kind, known in KINDS.items()
        },
    }


def _rank(group: str) -> int:
    """The place of a group of parts: those without a name first, plug-ins last."""
    from benchmark.methods.registry import GROUPS

    order = ("", *GROUPS)
    return order.index(group) if group in order else len(order)


def _described(entry: "Entry") -> tuple[str, str]:
    """Options and summary; of a plug-in that is installed and broken, why."""
    try:
        options = (f"{o}={str(v.default).lower()}" for o, v in entry.options.items())
        return ", ".join(options), entry.summary
    except UserError as error:
        return "", f"cannot be used: {error}"
