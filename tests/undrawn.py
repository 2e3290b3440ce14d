"""Reports without the drawing of their figures, most of a report's time: for tests that look at no figure's content."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from matplotlib.figure import Figure

from reports.figures import style

_SVG = '<svg width="1pt" height="1pt" viewBox="0 0 1 1"></svg>'


def _save(figure: Figure, path: Path) -> str:
    """Write the files that `save` writes, both without the figure, and return the SVG."""
    for ending in ("png", "svg"):
        path.with_name(f"{path.name}.{ending}").write_text(_SVG, encoding="utf-8")
    return _SVG


@contextmanager
def undrawn() -> Iterator[None]:
    """Figures are made, but not drawn into their files, while the block lasts."""
    with patch.object(style, "save", _save):
        yield
