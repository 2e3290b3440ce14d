"""The options of the training settings."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

import typer

from benchmark.cli.options import BUDGET
from benchmark.experiment.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


def with_settings(command: Command) -> Command:
    """The command with an option for every training setting, in the place of its ``**settings``."""
    signature = inspect.signature(command)
    *others, last = signature.parameters.values()
    assert last.kind is inspect.Parameter.VAR_KEYWORD
    options = [_option(*setting) for setting in get_type_hints(Settings, include_extras=True).items()]
    command.__signature__ = signature.replace(parameters=[*others, *options])  # type: ignore[attr-defined]
    return command


def _option(name: str, hint: Any) -> inspect.Parameter:
    kind, metavar, explained = get_args(hint)
    flag = f"--{name.replace('_', '-')}"
    declared = f"{flag}/--no-{flag.removeprefix('--')}" if bool in get_args(kind) else flag
    option = typer.Option(declared, metavar=metavar or None, rich_help_panel=BUDGET, help=explained)
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option])
