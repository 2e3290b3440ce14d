"""How Sphinx builds the site of docs/: `nox -s docs`. Nothing in it asks anything of the network."""

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / ".nox" / "docs-sources"
"""What `python -m tests.docs.site` writes: these pages, and those that are made from the code."""

project = "css-bench"
extensions = ["myst_parser", "autoapi.extension", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = "css-bench"
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_extra_path = [str(SOURCES / "_extra")]
exclude_patterns = ["_extra"]

myst_heading_anchors = 4
highlight_language = "text"
smartquotes = False  # --option is no dash

# Docstrings are read, never imported: the site needs neither torch nor MLflow.
autoapi_dirs = [str(ROOT / package) for package in ("css", "baselines", "benchmark", "reports")]
autoapi_generate_api_docs = False
_api = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
autoapi_ignore = [  # of benchmark and reports, what no page shows: reading it takes longer than all else
    str(file)
    for package in ("benchmark", "reports")
    for file in sorted((ROOT / package).rglob("*.py"))
    if f":: {'.'.join(file.relative_to(ROOT).with_suffix('').parts).removesuffix('.__init__')}." not in _api
]
napoleon_use_ivar = True
default_role = "code"
suppress_warnings = ["autoapi.python_import_resolution"]  # what is ignored above is imported by what is not


def setup(app: Any) -> None:
    """Read the bars of |x| in docstrings as bars, where reStructuredText would substitute what is between them."""
    app.connect("autodoc-process-docstring", _keep_bars)


def _keep_bars(*arguments: Any) -> None:
    lines: list[str] = arguments[-1]
    for i, line in enumerate(lines):
        if not line.startswith("    "):
            lines[i] = re.sub(r"`[^`]*`|\|", lambda part: r"\|" if part[0] == "|" else part[0], line)
