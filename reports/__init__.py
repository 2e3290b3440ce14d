"""Finished runs -> statistics, tables, figures, one self-contained page.

Reads run folders by their documented format (docs/run-format.md) and imports nothing else of the project. Importing
this package is cheap: pandas, matplotlib and Jinja2 are loaded only when a report is built.
"""

from reports.build import build, is_current, refuse_foreign
from reports.errors import ReportError

__all__ = ["ReportError", "build", "is_current", "refuse_foreign"]
