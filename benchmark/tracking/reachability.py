"""Whether MLflow can be at an address at all, found out without MLflow: to be told before hours of training."""

import os
import socket
import ssl
import threading
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from benchmark.tracking.uris import database_file, without_password

SECONDS = 3.0
"""So long a server or a database may take to answer."""
_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}  # of databases, where the address names none
_KNOWN = "sqlite:///FILE, http://HOST:PORT, postgresql://HOST/NAME"


def hindrance(uri: str) -> str | None:
    """A sentence that says why nothing can be logged there now; None where nothing speaks against it."""
    cause = _within(SECONDS, lambda: _cause(uri))
    if cause is None:
        return None
    return (
        f"MLflow at {without_password(uri)} cannot be used ({without_password(cause)}): check --tracking-uri; runs are "
        "made all the same, and cssbench sync logs them later"
    )


def _cause(uri: str) -> str | None:
    scheme = urlsplit(uri).scheme
    kind = scheme.partition("+")[0]
    if uri == "databricks" or scheme == "databricks":
        return None
    if kind in ("http", "https"):
        return _server(uri)
    if kind == "sqlite" or kind in _PORTS:
        return _database(uri, kind)
    if kind in ("", "file") and os.environ.get("MLFLOW_ALLOW_FILE_STORE", "").lower() not in ("true", "1"):
        return f"it is a folder, and MLflow takes databases and servers: {_KNOWN}"
    if kind in ("", "file") or scheme in entry_points(group="mlflow.tracking_store").names:
        return None
    return f"MLflow knows no address that begins with {scheme}: but {_KNOWN}"


def _server(uri: str) -> str | None:
    try:
        with urlopen(f"{without_password(uri).rstrip('/')}/health", timeout=SECONDS):
            return None
    except HTTPError as error:  # something answers; whoever asks for a password may get one from MLflow
        return f"it answers with {error.code} {error.reason}" if error.code >= 500 else None
    except URLError as error:
        return None if isinstance(error.reason, ssl.SSLError) else str(error.reason)
    except (OSError, ValueError) as error:
        return str(error)


def _database(uri: str, kind: str) -> str | None:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError

    try:
        url = make_url(uri)
        url.get_dialect().import_dbapi()
    except (SQLAlchemyError, ImportError, ValueError) as error:  # no such address, or no driver of that database
        return str(error).splitlines()[0]
    if kind == "sqlite":
        if url.host:
            return "an address of SQLite has three slashes before a path, four before one from the root"
        file = database_file(uri)
        return None if file is None else _file(file)
    if url.host:
        try:
            socket.create_connection((url.host, url.port or _PORTS[kind]), SECONDS).close()
        except OSError as error:
            return str(error)
    return None


def _file(file: Path) -> str | None:
    """Why no database can be in that file."""
    if file.is_dir():
        return f"{file} is a folder"
    nearest = next(path for path in (file, *file.parents) if path.exists())
    if nearest != file and not nearest.is_dir():
        return f"{nearest} is a file"
    return None if os.access(nearest, os.W_OK) else f"{nearest} cannot be written"


def _within(seconds: float, probe: Callable[[], str | None]) -> str | None:
    """What the probe finds; a thread of its own, for names of hosts are looked up without a limit."""
    answers: list[str | None] = []
    thread = threading.Thread(target=lambda: answers.append(probe()), daemon=True)
    thread.start()
    thread.join(2 * seconds)  # a connection has its own, shorter limit
    return answers[0] if answers else f"no answer within {2 * seconds:g} s"
