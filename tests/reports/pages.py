"""Parts of the pages that reports have."""

import re

from reports.text import slug


def of_data_set(text: str, name: str) -> str:
    """The parts of a Markdown page that are about one data set: under its name, or in a figure's caption."""
    parts = re.split(r"^(?=#{1,4} )", text, flags=re.MULTILINE)
    titled = re.compile(rf"#+ .*{name}(?![-,])")
    named = re.compile(rf"figures/\w+_{slug(name)}\.svg")
    return "".join(part for part in parts if titled.match(part) or named.search(part))
