"""The templates of the pages, and how text gets into them: as text, whatever a name in a store holds."""

from pathlib import Path

import jinja2
from markupsafe import Markup

from reports.text import markdown_line


class Markdown(str):
    """Text that is Markdown already."""


def html_environment() -> jinja2.Environment:
    """The templates of HTML pages; what is no Markup is escaped."""
    return _environment(autoescape=True)


def markdown_environment() -> jinja2.Environment:
    """The templates of Markdown pages; what is no `Markdown` is escaped."""
    return _environment(autoescape=False, finalize=_verbatim)


def _verbatim(value: object) -> str:
    return value if isinstance(value, Markdown | Markup) else markdown_line(str(value))


def _environment(**options: object) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **options,  # type: ignore[arg-type]
    )
