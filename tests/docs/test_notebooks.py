"""The example notebook: what it shows was made by its cells, and its cells still work."""

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from tests.docs.notebooks import EXAMPLE, execute


def shown(notebook: NotebookNode) -> list[set[tuple[str, str]]]:
    """Of every cell of code, the kinds of what it shows."""
    return [set(_kinds(cell)) for cell in notebook.cells if cell.cell_type == "code"]


def _kinds(cell: NotebookNode) -> Iterator[tuple[str, str]]:
    for output in cell.outputs:
        yield from ((output.output_type, kind) for kind in output.get("data", {"text": ""}))


@pytest.mark.usefixtures("examined")  # its kernel finds the corpora in the cache
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the kernel's client
def test_the_example_works_and_shows_what_it_shows_in_the_docs(tmp_path: Path) -> None:
    kept = nbformat.read(EXAMPLE, as_version=4)
    fresh = nbformat.read(EXAMPLE, as_version=4)
    (run,) = [cell for cell in fresh.cells if 'PRESET = "quick"' in cell.source]
    run.source = run.source.replace('"quick"', '"smoke"').replace("seeds=8", "seeds=2")
    execute(fresh, tmp_path)
    assert shown(fresh) == shown(kept)
    assert (tmp_path / "example-store" / "report" / "index.html").is_file()
    texts = [output.get("text", "") for cell in fresh.cells for output in cell.get("outputs", [])]
    assert not [text for text in texts if "Warning" in text]


def test_the_example_was_run_from_its_first_cell_to_its_last_and_ends_with_a_verdict() -> None:
    notebook = nbformat.read(EXAMPLE, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [*range(1, len(code) + 1)]
    text = EXAMPLE.read_text(encoding="utf-8")
    assert "supported" in text
    assert "file://" not in text
    assert "Warning" not in text
