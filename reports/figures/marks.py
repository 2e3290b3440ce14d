"""What a part of a figure says on hover, and the method it belongs to: marked in matplotlib, written in the SVG.

A mark is the part's group id until the SVG is written: matplotlib passes on nothing else.
"""

import json
import re
from collections.abc import Sequence
from html import escape
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

_OPENED = re.compile(r'<g id="[^":]*mark:([^"]*)">')


def mark(artist: Artist, title: str | Sequence[str] = "", method: str | None = None) -> None:
    """Give an artist the title that browsers show on hover, or one for each of its markers, and the method it is of."""
    artist.set_gid(f"mark:{quote(json.dumps([title, method]), safe='')}")


def plot_dots(
    axes: Axes, x: Sequence[float], y: Sequence[float], titles: Sequence[str], method: str | None = None, **style: Any
) -> Line2D:
    """Draw the dots that are finite, each with its title; `style` has a marker."""
    kept = [i for i, place in enumerate(zip(x, y, strict=True)) if np.isfinite(place).all()]
    (line,) = axes.plot([x[i] for i in kept], [y[i] for i in kept], **{"linestyle": "none"} | style)
    mark(line, [titles[i] for i in kept], method)
    return line


def write_marks(svg: str) -> str:
    """The SVG with `<title>` and `data-method` in place of every mark."""
    before, *marked = _OPENED.split(svg)
    return before + "".join(map(_group, marked[::2], marked[1::2]))


def _group(written: str, body: str) -> str:
    title, method = json.loads(unquote(written))
    opened = "<g>" if method is None else f'<g data-method="{escape(method)}">'
    return opened + (_title(title) + body if isinstance(title, str) else _titled_markers(title, body))


def _titled_markers(titles: Sequence[str], body: str) -> str:
    """The body with a title for every marker; with none where markers are missing, off the canvas."""
    inside, end, after = body.partition("</g>")  # markers are the only groups of a line
    if inside.count("<use ") == len(titles):
        each = iter(titles)
        inside = re.sub(r"<use ([^>]*)/>", lambda use: f"<use {use[1]}>{_title(next(each))}</use>", inside)
    return inside + end + after


def _title(words: str) -> str:
    return f"<title>{escape(words)}</title>" if words else ""
