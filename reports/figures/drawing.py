"""A figure with its words."""

from dataclasses import dataclass

from matplotlib.figure import Figure

from reports.evidence.evidence import Evidence
from reports.text import slug


@dataclass(frozen=True)
class Drawing:
    """A figure with its file name, title, caption and a text for those who cannot see it."""

    name: str
    title: str
    caption: str
    alt: str
    figure: Figure


def file_name(evidence: Evidence, kind: str) -> str:
    """`<kind>_<data set>`."""
    return f"{kind}_{slug(evidence.comparison.name)}"


def heading(evidence: Evidence, title: str, separator: str = " — ") -> str:
    """A figure's title with the data it shows."""
    return f"{title}{separator}{evidence.comparison.data_origin.short}"


def in_numbers(what: str, numbers: dict[str, float], digits: int = 2) -> str:
    """A text for those who cannot see a figure: what it shows, and its numbers by name."""
    return f"{what}: {', '.join(f'{name} {value:.{digits}f}' for name, value in numbers.items())}."
