"""Where MLflow is: the default database of a store, and addresses without their passwords."""

import os
import re
from pathlib import Path

from benchmark.base.errors import UserError

ARTIFACTS = ("spec.json", "manifest.json", "result.json", "predictions.parquet", "history.parquet")


def sqlite_uri(file: Path) -> str:
    """The address of an SQLite database in that file, of whatever name its folders are.

    Raises:
        UserError: the path has a character that the installed SQLAlchemy cannot express.
    """
    path = file.absolute().as_posix()
    if not re.search("[%?#]", path):
        return f"sqlite:///{path}"
    from sqlalchemy.engine import URL, make_url

    # With its driver named, since MLflow takes what follows a plain sqlite:/// for a path and makes folders of it.
    uri = URL.create("sqlite+pysqlite", database=path).render_as_string()
    if make_url(uri).database != path:
        raise UserError(
            f"no database can be at {file}: the installed SQLAlchemy has no address for a path with '?'; rename the "
            "folder, or name another store with --store"
        )
    return uri


def default_uri(store: Path) -> str:
    """The local database beside the runs of `store`."""
    return sqlite_uri(store / "mlflow.db")


def database_file(uri: str) -> Path | None:
    """The file of an SQLite database; None for every other address, and for a database in memory."""
    if not uri.startswith("sqlite"):
        return None
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        path = make_url(uri).database
    except ArgumentError:
        return None
    return Path(path).absolute() if path and path != ":memory:" else None


def artifacts_beside(uri: str) -> Path | None:
    """The folder for artifacts beside a local database; None where a server decides."""
    file = database_file(uri)
    return None if file is None else file.parent / "mlartifacts"


def without_password(uri: str) -> str:
    """The URI without user and password, for people and files."""
    return re.sub(r"(?<=//)[^/@]+@", "", uri)


def resolve_uri(option: str | None, store: Path) -> str:
    """Where to log: `option`, else `$MLFLOW_TRACKING_URI`, else the database in `store`."""
    return option or os.environ.get("MLFLOW_TRACKING_URI") or default_uri(store)
