"""``cssbench sync`` and ``cssbench ui``: the store's runs in MLflow, and MLflow's pages."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from benchmark.base.errors import UserError
from benchmark.cli.display.lines import say
from benchmark.cli.options import DONE, FAILED, STORE, StoreOption, TrackingOption
from benchmark.workflows.preparation import existing

app = typer.Typer()


@app.command()
def sync(store: StoreOption = STORE, tracking_uri: TrackingOption = None) -> None:
    """Log to MLflow the finished runs that are not there yet, each once."""
    from benchmark.store.query import Filter
    from benchmark.store.store import Store
    from benchmark.tracking.logged import Logged
    from benchmark.tracking.tracker import Tracker
    from benchmark.tracking.uris import artifacts_beside, resolve_uri, without_password

    held = Store(existing(store))
    uri = resolve_uri(tracking_uri, held.root)
    shown = without_password(uri)
    logged = Logged(held.root, shown)
    with logged.held(alone=True) as alone:
        if not alone:
            raise UserError(f"another process is logging runs of {store} to {shown}: sync when it has ended")
        complete, there = [run.key for run in Filter(state="complete").select(held)], logged.keys()
        missing = [key for key in complete if key not in there]
        whole = [key for key in missing if held.is_whole(key)]
        if len(whole) < len(missing):
            say(f"{len(missing) - len(whole)} runs are damaged and left out; cssbench run makes them again")
        failed = 0
        if whole:
            tracker = Tracker(uri, artifacts_beside(uri, held.root), say, logged)
            tracker.begin(f"sync: {len(whole)} runs", {})
            for key in whole:
                tracker.run_kept(held.folder(key))
            failed = tracker.close(timeout=None)
    typer.echo(
        f"{len(complete)} complete runs, {len(complete) - len(missing)} of them already in MLflow at {shown}, "
        f"{len(whole) - failed} logged now"
    )
    raise typer.Exit(FAILED if failed or len(whole) < len(missing) else DONE)


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
    typer.echo(f"MLflow at http://127.0.0.1:{port}; Ctrl-C ends it")
    sys.stdout.flush()
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    server = ("--backend-store-uri", uri, "--host", "127.0.0.1", "--port", str(port), "--workers", "1")
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "server", *server])
