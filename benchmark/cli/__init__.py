"""``cssbench``: the command line. Heavy libraries are imported by the commands that need them, never by ``--help``."""

import re
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from benchmark.base.errors import NO_ROOM, TransferError, UserError
from benchmark.cli import (
    data,
    doctor,
    estimate,
    evaluate,
    listing,
    lock,
    predictions,
    presets,
    robustness,
    run,
    store,
    tracking,
    tune,
    verify,
)
from benchmark.cli.display.lines import say, steady, tell
from benchmark.cli.options import DONE, FAILED, INTERRUPTED, WRONG_INPUT

app = typer.Typer(
    help="Is the reported gain real? Trains CSS and its baselines on the same encoder, seeds and budget, selects every "
    "epoch on validation data, and reports what is left of the difference.",
    epilog="Exit codes: 0 done, 1 something failed (what was done is kept), 2 wrong usage or input, 130 "
    "after Ctrl-C. --debug, anywhere on the line, shows the traceback behind an error.",
)
app.add_typer(run.app)
app.add_typer(tune.app)
app.add_typer(store.app)
app.add_typer(verify.app)
app.add_typer(lock.app)
app.add_typer(tracking.app)
app.add_typer(listing.app)
app.add_typer(presets.app)
app.add_typer(evaluate.app)
app.add_typer(doctor.app)
app.add_typer(estimate.app)
app.add_typer(robustness.app)
app.add_typer(predictions.app)
app.add_typer(data.app, name="data")


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        tell(f"css-bench {version('css-bench')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


def _explain(error: Exception) -> tuple[int, str]:
    """Exit code and message for an error: what the user can mend is wrong input, the rest a failure."""
    match error:
        case UserError():
            return WRONG_INPUT, str(error)
        case TransferError():
            return FAILED, str(error)
        case typer.TyperException():
            context = getattr(error, "ctx", None)
            command = "cssbench" if context is None else context.command_path
            message = error.format_message().removesuffix(".")
            if isinstance(error, typer.BadParameter):
                from pydantic import ValidationError  # here: a page of help can do without it

                from benchmark.base.values import first_error

                if isinstance(error.__cause__, ValidationError):
                    option = max(error.param.opts, key=len) if error.param is not None else ""
                    message = first_error(error.__cause__, option)
            if context is not None and (extra := re.fullmatch(r"Got unexpected extra argument.* \((.*)\)", message)):
                options = [option for parameter in context.command.params for option in parameter.opts]
                near = [option for option in ("--datasets", "--dataset", "--store") if option in options]
                message += "".join(f"; did you mean {option} {extra[1]}?" for option in near[:1])
            return WRONG_INPUT, f"{message}; see {command} --help"
        case UnicodeEncodeError() if "surrogates" in error.reason:
            return WRONG_INPUT, f"{error.object[:300]!a} is not UTF-8: rename the file or folder, or name another one"
        case OSError(errno=number, strerror=cause) if number in NO_ROOM:
            remedy = f"{NO_ROOM[number]}, or have the command write to another disk; the same command goes on"
            return FAILED, f"{cause}{f': {error.filename}' if error.filename else ''}: {remedy}"
        case OSError(strerror=str(cause)):
            return FAILED, f"{cause}: {error.filename}" if error.filename else cause
        case _:
            return FAILED, f"{type(error).__name__}: {error} (a fault of css-bench; --debug shows where)"


def main() -> None:
    """Entry point: every error becomes one line on stderr and an exit code."""
    _leave_out_current_folder()
    with steady(), _terminable():
        code = _run([word for word in sys.argv[1:] if word != "--debug"], debug="--debug" in sys.argv[1:])
    sys.exit(code)


def _leave_out_current_folder() -> None:
    """Import nothing more from the folder where `python -m` and `-c` look first: a file torch.py there is not torch.

    A checkout that is used where it lies stays. ``--plugin`` puts the folder last.
    """
    first = Path(sys.path[0] or ".").absolute()
    if not sys.flags.safe_path and first == Path.cwd() and first != Path(__file__).parents[2]:
        del sys.path[0]


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM interrupts like Ctrl-C, also where no grid is being made: before it, and while its report is written."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _run(words: list[str], *, debug: bool) -> int:
    """Execute the command that these words are; returns its exit code."""
    try:
        code: int = app(words or ["--help"], prog_name="cssbench", standalone_mode=False) or DONE
        if code == INTERRUPTED:
            say("interrupted: what was done is kept, and the same command goes on from there")
    except Exception as error:
        if debug:
            traceback.print_exc()
        code, message = _explain(error)
        say(f"error: {message}")
    return code
