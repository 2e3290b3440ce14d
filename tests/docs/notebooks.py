"""Notebooks, run by a real kernel: `python -m tests.docs.notebooks` runs docs/example.ipynb and keeps its output."""

import os
import tempfile
from pathlib import Path
from unittest.mock import patch

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from tests.paths import ROOT

EXAMPLE = ROOT / "docs" / "example.ipynb"


def execute(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Run a notebook's cells in a folder, with this repository's packages or raise CellExecutionError."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = {"PYTHONPATH": path, "IPYTHONDIR": str(folder / ".ipython"), "JUPYTER_PLATFORM_DIRS": "1"}
    with patch.dict(os.environ, environment):
        os.environ.pop("MLFLOW_TRACKING_URI", None)
        resources = {"metadata": {"path": str(folder)}}
        NotebookClient(notebook, timeout=None, kernel_name="python3", resources=resources).execute()
    return notebook


def write() -> None:
    """Run the example in a folder of its own, whose place is not kept."""
    with tempfile.TemporaryDirectory() as folder:
        notebook = execute(nbformat.read(EXAMPLE, as_version=4), Path(folder))
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # the times at which it was run
    text = nbformat.writes(notebook).replace(Path(folder).as_uri(), ".").replace(folder, ".")
    EXAMPLE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
