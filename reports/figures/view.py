"""A drawing on its way to a page."""

from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from reports.figures import style
from reports.figures.drawing import Drawing


@dataclass(frozen=True)
class FigureView:
    """One figure of one data set as the templates show it."""

    drawing: Drawing
    data: str
    svg: Markup


def viewed(drawing: Drawing, data: str, folder: Path) -> FigureView:
    """Save the figure's files in the folder, and have it for the page."""
    return FigureView(
        drawing, data, Markup(style.inline(style.save(drawing.figure, folder / drawing.name), drawing.name))
    )
