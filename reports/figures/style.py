"""How figures look: colours, type, and how a figure becomes a file or a part of the page."""

import io
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import Affine2D, ScaledTranslation

from reports.evidence.method import label_order
from reports.figures.marks import mark, write_marks

INK, MUTED, GRID, PAPER = "#1f2429", "#5c6670", "#dde2e7", "#ffffff"
# Variants on light and on dark paper of eight hues. In normal sight and in simulated protanopia, deuteranopia and
# tritanopia any two are at least 15 apart (CIEDE2000), and so are in grey the two that share a dash.
HUES = (
    ("#0099f5", "#76abdf"),
    ("#7e0000", "#e65427"),
    ("#51895f", "#ceffba"),
    ("#e864a0", "#f09aaa"),
    ("#856600", "#ffe93c"),
    ("#616a6c", "#edecf8"),
    ("#044969", "#48818e"),
    ("#7547c3", "#7b67e1"),
)
Dash = tuple[float, tuple[float, ...]] | Literal["-"]
DASHES: tuple[Dash, ...] = ("-", (0.0, (4.0, 1.5)), (0.0, (1.0, 1.2)), (0.0, (5.0, 1.2, 1.0, 1.2)))
MARKERS = ("o", "s", "^", "X", "v", "P", "*", ">")
# Light to dark, for cells with a text of their own on them.
BLUES = LinearSegmentedColormap.from_list("blues", ["#f2f6fa", "#9cc3e0", "#2f7ab5", "#0b3a67"])
# Below and above 0, for cells with a text of their own on them.
GAINS = LinearSegmentedColormap.from_list("gains", ["#b3581c", "#e9b48c", "#f4f4f2", "#9cc3e0", "#1d5f96"])
# Low to high, for lines that stand on either paper.
HEAT = LinearSegmentedColormap.from_list("heat", ["#d08a4a", "#9a9fa5", "#3d94d1"])
# Colours that the page sets by its own light or dark scheme.
VARIABLES = {INK: "--ink", MUTED: "--muted", GRID: "--grid", PAPER: "--paper"} | {
    light: f"--hue-{i}" for i, (light, _) in enumerate(HUES)
}

PNG_DPI = 160

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


@dataclass(frozen=True)
class Look:
    """What tells a line or a dot from the others: its colour, its dash and its marker."""

    colour: str
    dash: Dash
    marker: str

    @property
    def size(self) -> float:
        """Points across the marker; of a star most is empty."""
        return 6.5 if self.marker == "*" else 4.5

    def markers(self, points: int) -> dict[str, Any]:
        """How matplotlib puts the marker on a line of so many points: on its last, and on a few before."""
        every = max(1, points // 4)
        return {"marker": self.marker, "markersize": self.size, "markevery": ((points - 1) % every, every)}


def look(index: int) -> Look:
    """The look of one of several things; colours repeat after eight of them, with another dash and marker."""
    turned = index + index // len(HUES)
    return Look(HUES[index % len(HUES)][0], DASHES[turned % len(DASHES)], MARKERS[turned % len(MARKERS)])


class Palette:
    """One look per method, the same in every figure of a report."""

    def __init__(self, labels: Iterable[str], imported: Iterable[str] = ()) -> None:
        ordered = sorted(set(labels), key=label_order)
        ordered += sorted(set(imported) - {*ordered})  # last: they change no look of ours
        self._index = {label: i for i, label in enumerate(ordered)}

    def look(self, label: str) -> Look:
        """Colour, dash and marker of a method."""
        return look(self._index[label])


def text_on(cell: Any) -> str:
    """The colour of a text on a cell of its own colour, the same in either scheme: almost black or almost white."""
    light = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(cell)]
    luminance = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]
    return "#fefefe" if luminance < 0.179 else "#010101"  # where both have a contrast of 4.55


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


def name_lines(figure: Figure, axes: Axes, ends: Sequence[tuple[str, float, Look]], *, methods: bool = False) -> None:
    """Write (name, y, look) at the right edge of the axes with a piece of its line, apart where they would overlap.

    A figure that is too low for so many names becomes higher.
    `methods`: the names are methods, and what is written belongs to them.
    """
    low, high = axes.get_ylim()
    cell = axes.get_subplotspec()
    rows = 1 if cell is None else cell.get_gridspec().nrows
    line = 0.16  # of text, in inches
    share = 0.68 / rows  # of the figure, about what titles and labels leave
    figure.set_figheight(max(figure.get_figheight(), len(ends) * line / share))
    gap = line / (figure.get_figheight() * share)  # as a fraction of the axes
    wanted = sorted((((y - low) / (high - low), name, look) for name, y, look in ends), key=lambda end: end[:2])
    for (position, _), (_, name, look) in zip(_spread([w[0] for w in wanted], gap), wanted, strict=True):
        edge = ScaledTranslation(1, position, axes.transAxes)  # type: ignore[arg-type]  # any transform will do
        points = Affine2D().scale(1 / 72) + figure.dpi_scale_trans + edge
        piece = Line2D(
            [5, 16, 27], [0] * 3, color=look.colour, linestyle=look.dash, marker=look.marker, markersize=look.size,
            markevery=[1], transform=points, clip_on=False,
        )  # fmt: skip
        text = axes.annotate(
            name, (1.0, position), xycoords="axes fraction", xytext=(32, 0), textcoords="offset points",
            va="center", color=INK, fontsize=8.5, annotation_clip=False,
        )  # fmt: skip
        for artist in (axes.add_artist(piece), text):
            mark(artist, method=name if methods else None)


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
    """Write `<path>.svg` and `<path>.png`; return the SVG for `inline`. Equal figures give equal bytes."""
    figure.set_dpi(PNG_DPI)
    layout = figure.get_layout_engine()
    assert layout is not None
    layout.execute(figure)  # once for both files; saving with an engine draws a whole figure to lay it out
    figure.set_layout_engine(None)
    figure.savefig(path.with_name(path.name + ".png"), format="png", dpi=PNG_DPI)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    path.with_name(path.name + ".svg").write_text(write_marks(buffer.getvalue()), encoding="utf-8")
    return buffer.getvalue()


def inline(svg: str, name: str) -> str:
    """What `save` returned as a part of an HTML page.

    Ids are made unique by `name`, colours are left to the page, marks are written; there is no header or metadata.
    """
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
    return write_marks(svg).replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
