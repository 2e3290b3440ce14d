"""Where MLflow is: the default database of a store, and addresses without their passwords."""

import os
import re
from pathlib import Path

ARTIFACTS = ("spec.json", "manifest.json", "result.json", "predictions.parquet", "history.parquet")


def default_uri(store: Path) -> str:
    """The local database beside the runs of `store`."""
    return f"sqlite:///{(store.absolute() / 'mlflow.db').as_posix()}"


def artifacts_beside(uri: str, store: Path) -> Path | None:
    """The store's folder for artifacts where `uri` is a local database; None where a server decides."""
    return store / "mlartifacts" if uri.startswith("sqlite:") else None


def without_password(uri: str) -> str:
    """The URI without user and password, for people and files."""
    return re.sub(r"(?<=//)[^/@]+@", "", uri)


def resolve_uri(option: str | None, store: Path) -> str:
    """Where to log: `option`, else `$MLFLOW_TRACKING_URI`, else the database in `store`."""
    return option or os.environ.get("MLFLOW_TRACKING_URI") or default_uri(store)
