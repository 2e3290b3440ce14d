"""A run's confusion matrix as a table and as a picture that MLflow's pages show, both with the names of the classes."""

from collections.abc import Iterator, Sequence
from html import escape

_WIDTH, _HEIGHT, _LEFT, _TOP = 76, 40, 110, 62  # pixels: of a cell, and of the margins for names
_DARK = 0.55  # share of a row above which a cell's number is white


def table(counts: Sequence[Sequence[int]], names: Sequence[str]) -> str:
    """CSV: a row a label, a column a predicted class; ``counts`` [C, C] are utterances, ``names`` [C] the classes."""
    rows = [[name, *map(str, numbers)] for name, numbers in zip(names, counts, strict=True)]
    return "".join(",".join(line) + "\n" for line in [["label", *names], *rows])


def picture(counts: Sequence[Sequence[int]], names: Sequence[str]) -> str:
    """SVG of the same: the darker a cell, the larger its share of the row's utterances.

    Written by hand, since to import a library that draws would take longer than to log the run.
    """
    width, height = _LEFT + _WIDTH * len(names) + 10, _TOP + _HEIGHT * len(names) + 10
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" text-anchor="middle">',
            f'<rect width="{width}" height="{height}" fill="#fff"/>',
            _text(10, 20, "Test utterances: a row a label, a column a predicted class", anchor="start"),
            *_cells(counts, names),
            "</svg>\n",
        ]
    )


def _cells(counts: Sequence[Sequence[int]], names: Sequence[str]) -> Iterator[str]:
    for row, (label, numbers) in enumerate(zip(names, counts, strict=True)):
        y = _TOP + row * _HEIGHT
        yield _text(_LEFT + (row + 0.5) * _WIDTH, _TOP - 10, label)
        yield _text(_LEFT - 10, y + _HEIGHT / 2 + 4, label, anchor="end")
        for column, number in enumerate(numbers):
            x, share = _LEFT + column * _WIDTH, number / max(sum(numbers), 1)
            yield (
                f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" fill="#08519c" '
                f'fill-opacity="{share:.3f}" stroke="#ccc"/>'
            )
            yield _text(x + _WIDTH / 2, y + _HEIGHT / 2 + 4, str(number), fill="#fff" if share > _DARK else "#111")


def _text(x: float, y: float, content: str, *, anchor: str = "middle", fill: str = "#111") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{fill}">{escape(content)}</text>'
