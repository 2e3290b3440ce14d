"""``cssbench sync`` and ``cssbench ui``: the store's runs in MLflow, and MLflow's pages."""

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from benchmark.base.errors import UserError
from benchmark.base.words import counted
from benchmark.cli.display.lines import say, tell
from benchmark.cli.options import DONE, FAILED, STORE, StoreOption, TrackingOption
from benchmark.tracking import view
from benchmark.workflows.preparation import existing

app = typer.Typer()


@app.command()
def sync(store: StoreOption = STORE, tracking_uri: TrackingOption = None) -> None:
    """Log to MLflow the finished runs that are not there yet, each once."""
    from benchmark.cli.display.terminal import Terminal
    from benchmark.workflows.sync import sync as log

    result = log(store=store, tracking_uri=tracking_uri, listener=Terminal())
    if result.damaged:
        say(f"left out: {counted(result.damaged, 'damaged run')}; cssbench run makes what is damaged again")
    tell(
        f"{counted(result.complete, 'complete run')}, {result.already} of them already in MLflow at {result.uri}, "
        f"{result.logged} logged now"
    )
    raise typer.Exit(FAILED if result.failed or result.damaged else DONE)


_OPENER = """
import os, socket, sys, time, webbrowser
server = os.getppid()
while os.getppid() == server:
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()
    except OSError:
        time.sleep(0.2)
    else:
        webbrowser.open(sys.argv[2])
        break
"""


@app.command()
def ui(
    store: StoreOption = STORE,
    tracking_uri: TrackingOption = None,
    port: Annotated[int, typer.Option(metavar="N", help="Port on this machine's loopback address.")] = 5000,
) -> None:
    """Open MLflow's pages of the store's runs, on the loopback address alone; Ctrl-C ends them."""
    from benchmark.tracking.database import StoreDatabase
    from benchmark.tracking.uris import database_file, default_uri, resolve_uri, without_password

    root = existing(store)
    uri = resolve_uri(tracking_uri, root)
    if uri.startswith(("http://", "https://")):
        raise UserError(f"MLflow at {without_password(uri)} is a server already: open that address in a browser")
    file = database_file(uri)
    if file and not file.exists():
        raise UserError(f"nothing is logged at {uri} yet; cssbench run or cssbench sync does that")
    if uri == default_uri(root):
        database = StoreDatabase(root)
        if not database.is_readable:
            raise UserError(f"MLflow's database {database.file} is broken; cssbench sync makes it again from the store")
        database.follow()
    _refuse_taken(port)
    server = f"http://127.0.0.1:{port}"
    pages = _pages(server, file) if file else {}
    tell(f"MLflow at {server}; Ctrl-C ends it")
    for name, page in pages.items():
        tell(f"{name}: {page}")
    sys.stdout.flush()
    if any(os.environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")) or sys.platform == "darwin":
        subprocess.Popen([sys.executable, "-P", "-c", _OPENER, str(port), next(iter(pages.values()), server)])
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    words = ("--backend-store-uri", uri, "--host", "127.0.0.1", "--port", str(port), "--workers", "1")
    os.execv(sys.executable, [sys.executable, "-P", "-m", "mlflow", "server", *words])


def _refuse_taken(port: int) -> None:
    """Raise UserError for what is no port, and for one that cannot be had."""
    if not 1 <= port <= 65535:
        raise UserError(f"--port must be from 1 to 65535, got {port}")
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        cause = os.strerror(error.errno or 0)
        raise UserError(f"port {port} cannot be used ({cause}); name another one with --port") from None


def _pages(server: str, file: Path) -> dict[str, str]:
    """The run table of each experiment, by its name: MLflow's first page is for language models and shows no runs."""
    with closing(sqlite3.connect(file)) as connection:
        query = """
            SELECT name, experiment_id, EXISTS(
                SELECT 1 FROM experiment_tags AS t WHERE t.experiment_id = e.experiment_id AND t.key = ?
            ) FROM experiments AS e WHERE name LIKE ? ORDER BY experiment_id
        """
        try:
            experiments = connection.execute(query, (view.TAG, f"{view.PREFIX}%")).fetchall()
        except sqlite3.Error:  # a database that MLflow has not begun
            experiments = []
    return {name: view.address(server, number, has_view=bool(has_view)) for name, number, has_view in experiments}
