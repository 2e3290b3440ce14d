"""How figures look: colours, type, and how a figure becomes a file or a part of the page."""

import io
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from reports.evidence.method import label_order

INK, MUTED, GRID, PAPER = "#1f2429", "#5c6670", "#dde2e7", "#ffffff"
# Light and dark variants of eight hues that stay apart in the common colour vision deficiencies (after Okabe and Ito,
# 2008, without its yellow and black, which vanish on white and on dark paper).
HUES = (
    ("#0072b2", "#56b1ec"),
    ("#d55e00", "#ff9450"),
    ("#009e73", "#35cf9f"),
    ("#b2478a", "#ea95c6"),
    ("#a67c00", "#e3b94a"),
    ("#6a6f75", "#b3b9c0"),
    ("#39a5d6", "#93d8f7"),
    ("#7a4fbf", "#b89bf2"),
)
# Light to dark, for cells with a text of their own on them.
BLUES = LinearSegmentedColormap.from_list("blues", ["#f2f6fa", "#9cc3e0", "#2f7ab5", "#0b3a67"])
# Low to high, for lines that stand on either paper.
HEAT = LinearSegmentedColormap.from_list("heat", ["#d08a4a", "#9a9fa5", "#3d94d1"])
DASHES: tuple[tuple[float, tuple[float, ...]] | str, ...] = ("-", (0.0, (4.0, 1.5)), (0.0, (1.0, 1.2)))
# Colours that the page sets by its own light or dark scheme.
VARIABLES = {INK: "--ink", MUTED: "--muted", GRID: "--grid", PAPER: "--paper"} | {
    light: f"--hue-{i}" for i, (light, _) in enumerate(HUES)
}

RC: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same bytes on every machine
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 9.0,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.linewidth": 0.8,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "text.color": INK,
    "text.parse_math": False,  # a name with dollar signs is no formula
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "lines.linewidth": 1.7,
    "figure.facecolor": PAPER,
    "axes.facecolor": "none",
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text: searchable, and read aloud
    "svg.hashsalt": "css-bench",  # ids do not change from one drawing to the next
}


class Palette:
    """One colour and dash per method, the same in every figure of a report."""

    def __init__(self, labels: Iterable[str]) -> None:
        ordered = sorted(set(labels), key=label_order)
        self._index = {label: i for i, label in enumerate(ordered)}

    def colour(self, label: str) -> str:
        """Colour of a method."""
        return HUES[self._index[label] % len(HUES)][0]

    def dash(self, label: str) -> tuple[float, tuple[float, ...]] | str:
        """Line style of a method: solid until the colours repeat."""
        return DASHES[self._index[label] // len(HUES) % len(DASHES)]


def new_figure(width: float, height: float, title: str) -> Figure:
    """A figure in inches whose title says what data it shows; to be used within `drawing`."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.5, fontweight="bold")
    return figure


@contextmanager
def drawing() -> Iterator[None]:
    """Context in which figures are made and saved.

    A letter that the font lacks is a box in the PNG file; in the SVG file it stays text, for a font of the reader's.
    """
    with matplotlib.rc_context(RC), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph .* missing from", UserWarning)
        yield


def name_lines(figure: Figure, axes: Axes, ends: Sequence[tuple[str, float, str]]) -> None:
    """Write (name, y, colour) at the right edge of the axes, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    height = figure.get_figheight() * 0.68  # about what titles and labels leave, in inches
    gap = 0.16 / height  # a line of text, as a fraction of the axes
    wanted = sorted(((y - low) / (high - low), name, colour) for name, y, colour in ends)
    for (position, _), (_, name, colour) in zip(_spread([w[0] for w in wanted], gap), wanted, strict=True):
        axes.annotate(
            name, (1.0, position), xycoords="axes fraction", xytext=(5, 0), textcoords="offset points",
            va="center", color=colour, fontsize=8.5, annotation_clip=False,
        )  # fmt: skip


def _spread(positions: Sequence[float], gap: float) -> list[tuple[float, float]]:
    """Ascending positions, at least `gap` apart and near where they were; pairs (new, old)."""
    placed: list[list[float]] = []  # clusters of neighbours that share their mean
    for position in positions:
        placed.append([position])
        while len(placed) > 1 and _bottom(placed[-1], gap) - _top(placed[-2], gap) < gap:
            placed[-2:] = [placed[-2] + placed[-1]]
    moved = [_bottom(cluster, gap) + i * gap for cluster in placed for i in range(len(cluster))]
    return list(zip(moved, positions, strict=True))


def _bottom(cluster: Sequence[float], gap: float) -> float:
    return sum(cluster) / len(cluster) - gap * (len(cluster) - 1) / 2


def _top(cluster: Sequence[float], gap: float) -> float:
    return _bottom(cluster, gap) + gap * (len(cluster) - 1)


def save(figure: Figure, path: Path) -> str:
    """Write `<path>.svg` and `<path>.png`; return the SVG. Equal figures give equal bytes."""
    figure.savefig(path.with_name(path.name + ".png"), format="png", dpi=160)
    figure.set_layout_engine("none")  # laid out by the first drawing; a second time would double the cost
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    path.with_name(path.name + ".svg").write_text(buffer.getvalue(), encoding="utf-8")
    return buffer.getvalue()


def inline(svg: str, name: str) -> str:
    """The SVG as a part of an HTML page: ids made unique by `name`, colours left to the page, no header or metadata."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r"url\(#", f"url(#{name}-", svg)
    svg = re.sub(r'href="#', f'href="#{name}-', svg)
    svg = re.sub(r'^(<svg .*?)height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'^(<svg .*?)width="([^"]*)"', r'\1style="max-width: \2"', svg, count=1)
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
