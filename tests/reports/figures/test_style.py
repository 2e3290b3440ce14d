"""Figures are drawn whatever backend the environment names, and whatever letters a name has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import reports
from reports.figures import style

DRAW = """
import os
from pathlib import Path
from reports.figures import style
with style.drawing():
    figure = style.new_figure(3, 2, "title")
    figure.subplots().plot([1, 2])
    style.save(figure, Path("drawn"))
import matplotlib
print(os.environ["MPLBACKEND"], matplotlib.rcParams._get("backend"))
"""


def drawn(folder: Path, backend: str) -> str:
    environment = {**os.environ, "MPLBACKEND": backend, "PYTHONPATH": str(Path(reports.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", DRAW], capture_output=True, text=True, cwd=folder, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "drawn.png").read_bytes().startswith(b"\x89PNG")
    return done.stdout


@pytest.mark.parametrize(
    "backend", ["module://no_such_backend", "module://matplotlib_inline.backend_inline", "no_such_backend"]
)
def test_figures_are_drawn_whatever_the_backend(tmp_path: Path, backend: str):
    assert drawn(tmp_path, backend).split()[0] == backend
    assert "title" in (tmp_path / "drawn.svg").read_text()


def test_a_backend_that_is_there_stays_the_one_of_the_process(tmp_path: Path):
    assert drawn(tmp_path, "svg").split() == ["svg", "svg"]


@pytest.mark.parametrize("name", [r"$\frac$", "$x$", "情感", "a & <b>", "50 % $"])
def test_any_name_can_stand_in_a_figure(tmp_path: Path, name: str):
    with style.drawing():
        figure = style.new_figure(4, 3, name)
        axes = figure.subplots()
        axes.plot([1, 2], [1, 2])
        axes.set(title=name, xlabel=name)
        axes.set_yticks([1, 2], [name, "other"])
        style.name_lines(figure, axes, [(name, 1.0, style.look(0))])
        svg = style.save(figure, tmp_path / "figure")
    written = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert svg.count(f">{written}</text>") == 5  # as text, not as a formula


def test_a_figure_grows_with_the_names_beside_it_and_stays_as_it_is_for_few(tmp_path: Path):
    """Fifty names once left no room for the lines: matplotlib gave up the layout, with a warning."""
    heights, axes_heights = [], []
    for many in (8, 50):
        with style.drawing():
            figure = style.new_figure(9.6, 3.9, "many")
            axes = figure.subplots()
            axes.plot([0, 1], [0, 1])
            style.name_lines(figure, axes, [(f"method {i}", i / many, style.look(i)) for i in range(many)])
            style.save(figure, tmp_path / f"many{many}")  # warnings are errors in tests
        heights.append(figure.get_figheight())
        axes_heights.append(axes.get_position().height * figure.get_figheight())
    assert heights[0] == 3.9
    assert axes_heights[1] > 50 * 0.15  # inches: a line of text for each of fifty names
