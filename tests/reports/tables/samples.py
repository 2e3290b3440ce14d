"""A listing, a table, and names that would be markup somewhere."""

import pandas as pd

from reports.tables.model import Heading, Listing, Table

HOSTILE = [
    "[link](javascript:x)",
    "![picture](javascript:x)",
    "a|b",
    "`code`",
    "*bold* and _this_ and ~that~",
    "<script>x</script>",
    "<javascript:x>",
    "&lt;b&gt;",
    "$\\frac$",
    "back\\slash",
    "two\nlines",
    "# heading",
    "- item",
    "1. item",
    "> quote",
    "[label]: javascript:x",
    "=cmd()",
    "情感",
    "a_b|c&d%e#f{g}~h^i",
]

GROUPED = Listing(
    "Some",
    (
        Heading("method", "name"), Heading("n", "number"), Heading("F1", "number", "selected"),
        Heading("95 % CI", "number", "selected"), Heading("in words", "prose"),
    ),
    (("css", "3", "71.2", "[70.9, 71.5]", "better"), ("adam", "3", "70.1", "[69.9, 70.3]", "worse")),
    frozenset({1}),
)  # fmt: skip


def table_of(*listings: Listing, sentences: tuple[str, ...] = (), **changes: object) -> Table:
    fields = {"name": "some", "title": "Some table", "note": "How to read it.", "data": "SIMULATED DATA (meld-sim)",
              "dataset": "meld-sim", "frame": pd.DataFrame({"method": ["css"], "x": [0.5]})}  # fmt: skip
    return Table(**{**fields, "sentences": sentences, "listings": listings, **changes})
