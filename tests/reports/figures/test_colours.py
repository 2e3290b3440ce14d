"""Eight methods are told apart by everybody, and every text of every figure can be read, on light and on dark paper."""

import re
from collections.abc import Iterator
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

import reports
from reports import build
from reports.figures import style
from reports.figures.looks import looks_plot
from tests.reports.figures.colour_vision import SIGHT, contrast, difference, seen
from tests.reports.inference.preregistrations import declare, follow, inferred
from tests.reports.synthetic_runs import write_run
from tests.reports.tuning.synthetic_studies import write_studies

METHODS = ("css", "adam", "concat", "concat+pgm", "pcgrad", "tensor", "linear", "css-shared")
SCHEMES = ("light", "dark")
APART = 15.0
READABLE = 4.5


def variables(scheme: str) -> dict[str, str]:
    """What the page puts in place of a figure's colours."""
    css = (Path(reports.__file__).parent / "templates/style.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    values = dict(re.findall(r"(--[\w-]+): (#\w{6})", blocks[SCHEMES.index(scheme)]))
    values |= {f"--hue-{i}": pair[SCHEMES.index(scheme)] for i, pair in enumerate(style.HUES)}
    return {colour: values[name] for colour, name in style.VARIABLES.items()}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1, 2), (50, 0, 0), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, 2.5, 0), (58, 24, 15), 19.4535),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_difference_of_colours_is_the_published_one(one, other, expected) -> None:
    """The pairs are from the test data of Sharma, Wu and Dalal (2005)."""
    assert difference(np.array(one, dtype=float), np.array(other, dtype=float)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("sight", [sight for sight in SIGHT if sight != "grey"])
def test_the_colours_of_eight_methods_are_told_apart_by_everybody(scheme: str, sight: str) -> None:
    page = variables(scheme)
    for one, other in combinations([style.look(i).colour for i in range(8)], 2):
        assert difference(*(seen(page[colour], sight) for colour in (one, other))) >= APART, (one, other)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_in_grey_eight_methods_are_told_apart_by_colour_and_dash_and_by_marker(scheme: str) -> None:
    page = variables(scheme)
    looks = [style.look(i) for i in range(8)]
    assert len({look.marker for look in looks}) == len(looks)
    for one, other in combinations(looks, 2):
        grey = difference(*(seen(page[look.colour], "grey") for look in (one, other)))
        assert one.dash != other.dash or grey >= APART, (one, other)


def test_no_two_of_many_methods_look_the_same() -> None:
    assert len({style.look(i) for i in range(32)}) == 32


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_colours_of_methods_stand_out_from_the_paper(scheme: str) -> None:
    page = variables(scheme)
    assert all(contrast(page[light], page[style.PAPER]) >= 3 for light, _ in style.HUES)


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Figure]:
    """Every figure of a report with eight methods, factors and studies, and the one of looks; laid out, not saved."""
    root = tmp_path_factory.mktemp("figures")
    references = [{"name": "majority", "modalities": [], "strength": None, "class_weights": None}]
    references[0] |= {"weighted_f1": 0.1, "accuracy": 0.2}
    for method, seed in product(METHODS, range(2)):
        write_run(root / "store", "iemocap-sim", method, seed, epochs=4, references=references)
    write_studies(root / "store")
    for method, seed in product(("css", "adam"), range(10)):
        write_run(root / "followed", "meld", method, seed, epochs=2)
    follow(root / "followed", declare(root / "followed", ("meld", "css", "adam"), looks=(8, 10)))
    drawn: dict[str, Figure] = {}

    def laid_out(figure: Figure, path: Path) -> str:
        figure.draw_without_rendering()
        drawn[path.name] = figure
        return "<svg></svg>"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "save", laid_out)
        build(root / "store", root / "report")
    (evidence,), inference = inferred(root / "followed")
    with style.drawing():
        looks = looks_plot(evidence, inference, style.Palette(("css", "adam")))
        assert looks is not None
        looks.figure.draw_without_rendering()
    return drawn | {"looks": looks.figure}


def texts(artist: Artist) -> Iterator[Text]:
    """All that is written in a visible part of a figure."""
    if artist.get_visible():
        if isinstance(artist, Text) and artist.get_text().strip():
            yield artist
        for child in artist.get_children():
            yield from texts(child)


def behind(text: Text) -> object:
    """The colour of the cell that a text of the axes stands on; the paper's where there is none."""
    assert text.figure is not None
    extent = text.get_window_extent()
    middle = ((extent.x0 + extent.x1) / 2, (extent.y0 + extent.y1) / 2)
    axes = text.axes
    if axes is None or text not in axes.texts:
        return style.PAPER
    assert not any(isinstance(child, QuadMesh) for child in axes.get_children()), "draw cells as rectangles"
    cells = [p for p in axes.patches if isinstance(p, Rectangle) and p.get_fill() and p.get_facecolor()[3] > 0.5]
    under = [cell for cell in cells if cell.get_window_extent().contains(*middle)]
    return to_hex(under[-1].get_facecolor()) if under else style.PAPER


def test_every_kind_of_figure_is_among_the_measured(figures: dict[str, Figure]) -> None:
    kinds = {"forest", "scores", "losses", "cosines", "weights", "confusion", "effects", "looks"}
    studies = {"rank-order", "front", "importance", "slices", "contours", "parallel", "budget", "fair"}
    assert kinds <= {name.partition("_")[0] for name in figures}
    assert studies <= {kind for kind in studies if any(name.startswith(f"tuning_{kind}") for name in figures)}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_text_of_every_figure_can_be_read(figures: dict[str, Figure], scheme: str) -> None:
    page = variables(scheme)
    measured = 0
    for name, figure in figures.items():
        for text in texts(figure):
            colour, ground = (to_hex(shade) for shade in (text.get_color(), behind(text)))  # type: ignore[arg-type]
            ratio = contrast(page.get(colour, colour), page.get(ground, ground))
            assert ratio >= READABLE, f"{text.get_text()!r} in {name}: {colour} on {ground} has {ratio:.2f}"
            measured += 1
    assert measured > 500
    assert any(behind(text) != style.PAPER for text in texts(figures["confusion_iemocap-sim"]))
