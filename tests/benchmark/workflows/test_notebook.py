"""Notebooks, run by a real kernel: progress is one line that updates, and nothing is drawn by hundreds of lines."""

import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.docs.notebooks import execute

RUN = """
import benchmark
outcome = benchmark.run(
    datasets="meld", methods="concat,linear", seeds=2, preset="smoke", epochs=2, device="cpu", data_dir={features!r},
    store={store!r}, report=False, workers=1,
)
(outcome.made, outcome.failed)
"""
COMMAND = """
!{python} -c "from benchmark.cli import main; main()" run --datasets meld --methods concat --seeds 2 --preset smoke \\
    --epochs 2 --device cpu --workers 1 --data-dir {features} --store {store}
"""


def outputs(code: str, folder: Path) -> list[Any]:
    """What the cell of a notebook in this folder shows."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    return list(execute(notebook, folder).cells[0].outputs)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the kernel's client
def test_progress_is_one_line_that_updates(features: Path, tmp_path: Path) -> None:
    shown = outputs(RUN.format(features=str(features), store=str(tmp_path / "store")), tmp_path)
    lines = [output["data"]["text/plain"] for output in shown if output["output_type"] == "display_data"]
    assert [line for line in lines if line.startswith("4/4 runs")] == [line for line in lines if " runs · " in line], (
        lines
    )  # nbclient keeps of each line what it was last
    assert sum("validation F1" in line for line in lines) == 1
    assert shown[-1]["data"]["text/plain"] == "(4, 0)"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_command_in_a_notebook_draws_one_line_and_its_report(features: Path, tmp_path: Path) -> None:
    code = COMMAND.format(python=sys.executable, features=features, store=tmp_path / "store")
    shown = outputs(code, tmp_path)
    text = "".join(output.get("text", "") for output in shown)
    assert "\x1b[1A" not in text
    assert "2/2 runs" in text
    assert (tmp_path / "store" / "report" / "index.html").is_file(), text  # though the kernel set MPLBACKEND
