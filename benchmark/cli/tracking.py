"""``cssbench sync`` and ``cssbench ui``: the store's runs in MLflow, and MLflow's pages."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from benchmark.base.errors import UserError
from benchmark.cli.display.lines import say, tell
from benchmark.cli.options import DONE, FAILED, STORE, StoreOption, TrackingOption
from benchmark.workflows.preparation import existing

app = typer.Typer()


@app.command()
def sync(store: StoreOption = STORE, tracking_uri: TrackingOption = None) -> None:
    """Log to MLflow the finished runs that are not there yet, each once."""
    from benchmark.cli.display.terminal import Terminal
    from benchmark.workflows.sync import sync as log

    result = log(store=store, tracking_uri=tracking_uri, listener=Terminal())
    if result.damaged:
        say(f"{result.damaged} runs are damaged and left out; cssbench run makes them again")
    tell(
        f"{result.complete} complete runs, {result.already} of them already in MLflow at {result.uri}, "
        f"{result.logged} logged now"
    )
    raise typer.Exit(FAILED if result.failed or result.damaged else DONE)


@app.command()
def ui(
    store: StoreOption = STORE,
    tracking_uri: TrackingOption = None,
    port: Annotated[int, typer.Option(metavar="N", help="Port on this machine's loopback address.")] = 5000,
) -> None:
    """Open MLflow's pages of the store's runs, on the loopback address alone; Ctrl-C ends them."""
    from benchmark.tracking.uris import resolve_uri, without_password

    uri = resolve_uri(tracking_uri, existing(store))
    if uri.startswith(("http://", "https://")):
        raise UserError(f"MLflow at {without_password(uri)} is a server already: open that address in a browser")
    if uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).exists():
        raise UserError(f"nothing is logged at {uri} yet; cssbench run or cssbench sync does that")
    tell(f"MLflow at http://127.0.0.1:{port}; Ctrl-C ends it")
    sys.stdout.flush()
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    server = ("--backend-store-uri", uri, "--host", "127.0.0.1", "--port", str(port), "--workers", "1")
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "server", *server])
