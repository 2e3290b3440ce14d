"""What the commands share: exit codes, options, and how they speak."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.base.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table

DONE, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130

COMPARED, BUDGET, PLACES = "What is compared", "Instead of the preset's settings", "Where, and on what"

STORE = Path("cssbench-store")
StoreOption = Annotated[
    Path,
    typer.Option(
        "--store",
        metavar="FOLDER",
        envvar="CSSBENCH_STORE",
        rich_help_panel=PLACES,
        help="Holds the runs; finished ones are never run again.",
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="FOLDER",
        envvar="CSSBENCH_DATA",
        rich_help_panel=PLACES,
        help="Holds the community's feature files.",
    ),
]
DropDefectsOption = Annotated[
    str | None,
    typer.Option(
        "--drop-defects",
        metavar="A,B|all",
        rich_help_panel=COMPARED,
        help="Remedies for defects that the audit finds: zero-non-finite, drop-copied-conversations, zero-leaked.",
        show_default="none: data are used as they are",
    ),
]

PluginOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="MODULE:CLASS",
        rich_help_panel=COMPARED,
        help="A fusion or aggregator of your own, named as its class (docs/plugins.md); may be given again.",
    ),
]
EpochsOption = Annotated[
    int | None, typer.Option("--epochs", metavar="N", rich_help_panel=BUDGET, help="Epochs of every run.")
]
HiddenOption = Annotated[
    int | None,
    typer.Option("--hidden", metavar="N", rich_help_panel=BUDGET, help="Width; a multiple of the preset's heads."),
]
TrackingOption = Annotated[
    str | None,
    typer.Option(
        "--tracking-uri",
        metavar="URI",
        rich_help_panel=PLACES,
        help="MLflow server.",
        show_default="$MLFLOW_TRACKING_URI, else a database in the store",
    ),
]
DeviceOption = Annotated[
    str, typer.Option("--device", metavar="NAME", rich_help_panel=PLACES, help="auto, cpu or cuda.")
]
TimeoutOption = Annotated[
    float | None,
    typer.Option(
        "--run-timeout",
        metavar="SECONDS",
        rich_help_panel=PLACES,
        help="A run that finishes no epoch for so long is taken for hung.",
        show_default="none",
    ),
]


def listed(option: str, text: str) -> list[str]:
    """The items of a comma-separated list; raises UserError for an empty one."""
    from benchmark.base.names import split_list

    if not (names := split_list(text)):
        raise UserError(f"{option} names nothing: {text!r}; leave it out for the default")
    return names


def given(**settings: Any) -> dict[str, Any]:
    """The settings that were given: those that are not None."""
    return {name: value for name, value in settings.items() if value is not None}


def existing(store: Path) -> Path:
    """The store itself; raises UserError where there is none."""
    if not (store / "runs").is_dir():
        raise UserError(f"no runs in {store}: name a store with --store, or make one with cssbench run")
    return store


def show(*tables: "Table") -> None:
    """Print tables as wide as the terminal; elsewhere as wide as they are, so that a row is a line."""
    from rich.console import Console

    console = Console() if sys.stdout.isatty() else Console(width=240)
    for table in tables:
        console.print(table)


def say(message: str) -> None:
    """One line on stderr."""
    print(" ".join(message.split()), file=sys.stderr)
