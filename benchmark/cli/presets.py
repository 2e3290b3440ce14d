"""``cssbench presets``: the budgets, and what is in them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.cli.display.lines import tell
from benchmark.cli.display.tables import show
from benchmark.cli.options import JsonOption

if TYPE_CHECKING:
    from benchmark.experiment.presets import Preset

app = typer.Typer()


@app.command()
def presets(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME|FILE.toml", help="Print the settings of this one by data set.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the presets; of a named one, or of a file of your own (docs/settings.md), print every setting."""
    from rich.table import Table

    from benchmark.base.words import counted
    from benchmark.experiment.preset_files import read_preset
    from benchmark.experiment.presets import DEFAULT, NAMES

    if as_json:
        import json

        chosen = list(map(read_preset, NAMES)) if name is None else [read_preset(name)]
        tell(json.dumps([_listed(preset) for preset in chosen], indent=1))
        return
    if name is None:
        table = Table("preset", "seeds", "what for")
        for each in map(read_preset, NAMES):
            table.add_row(each.name, str(each.seeds), each.description + " (default)" * (each.name == DEFAULT))
        show(table)
        return
    preset = read_preset(name)
    columns = {data: _settings(preset, data) for data in preset.settings}
    table = Table("setting", *columns)
    for setting in next(iter(columns.values())):
        table.add_row(setting, *(values[setting] for values in columns.values()))
    tell(f"{preset.name}: {preset.description}; {counted(preset.seeds, 'seed')}")
    show(table)


def _listed(preset: "Preset") -> dict[str, Any]:
    """A preset for programs."""
    settings = {data: _values(preset, data) for data in preset.settings}
    return {"name": preset.name, "description": preset.description, "seeds": preset.seeds, "settings": settings}


def _values(preset: "Preset", data: str) -> dict[str, Any]:
    return preset.training(data, {}).model_dump() | preset.options(data) | {"margin": preset.margin([data])}


def _settings(preset: "Preset", data: str) -> dict[str, str]:
    return {name: _written(value) for name, value in _values(preset, data).items()}


def _written(value: Any) -> str:
    """The value as TOML has it."""
    if isinstance(value, str):
        return f'"{value}"'
    return f"{value:.15g}" if isinstance(value, float) else str(value).lower()
