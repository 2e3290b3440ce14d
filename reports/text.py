"""Numbers, missing values and names as text, safe in Markdown, LaTeX and CSV whatever a name holds."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from html import escape
from math import isfinite

MISSING = "—"
UNAVAILABLE = "not available"  # shown for what was not imported

_LATEX = {
    **{c: f"\\{c}" for c in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    "<": "$<$",
    ">": "$>$",
    "±": r"$\pm$",
    "−": "$-$",
    "×": r"$\times$",
    "γ": r"$\gamma$",
    "λ": r"$\lambda$",
    "φ": r"$\varphi$",
    "θ": r"$\theta$",
    "Δ": r"$\Delta$",
    "Σ": r"$\sum$",
    "‖": r"$\|$",
    "⅓": r"$\frac{1}{3}$",
    "⁰": "$^0$",
    "¹": "$^1$",
    "²": "$^2$",
    "ₖ": "$_k$",
    "α": r"$\alpha$",
    "“": "``",
    "”": "''",
    "\u200b": "{}",
    "≤": r"$\le$",
    "≈": r"$\approx$",
    "▲": r"$\bigtriangleup$",
    "▼": r"$\bigtriangledown$",
    "≥": r"$\ge$",
    "δ": r"$\delta$",
    "σ": r"$\sigma$",
    "′": "$'$",
    "–": "--",
    "—": "---",
    "…": r"\ldots{}",
    "\u00a0": "~",
    "\n": " ",
}
_MARKDOWN = re.compile(r"[\\`*~$]|<(?=[A-Za-z/!?])|&(?=#?\w+;)|(?<=\])\(|(?<!\w)_|_(?!\w)")
_MARKDOWN_START = re.compile(r"^(\s*)(?=[#>\-+=\[|])|^(\s*\d+)(?=[.)]\s)")


def latex(text: str) -> str:
    """Text as LaTeX typesets it with its standard fonts; a character that they lack is named, as in `U+611F`."""
    apart = re.sub("-(?=-)", "-\u200b", text)  # two hyphens would make a dash
    return "".join(_LATEX.get(c) or (c if _in_latin_fonts(c) else f"U+{ord(c):04X}") for c in apart)


def _in_latin_fonts(character: str) -> bool:
    """Whether it is printable ASCII or an ASCII letter with an accent."""
    plain = unicodedata.normalize("NFD", character)
    return plain[0].isascii() and plain[0].isprintable() and ord(character) < 0x180


def markdown(text: str) -> str:
    """Text within a line of Markdown that is shown as it is: no link, emphasis, HTML or formula."""
    return _MARKDOWN.sub(r"\\\g<0>", re.sub(r"\s*[\r\n]+\s*", " ", text))


def markdown_line(text: str) -> str:
    """The same where the text begins a line: it makes no heading, list or definition of a link either."""
    return _MARKDOWN_START.sub(r"\1\2\\", markdown(text))


def markdown_cell(text: str) -> str:
    """The same in a table, whose cells a bar would end."""
    return markdown(text).replace("|", "\\|")


def spreadsheet(value: object) -> object:
    """A value of a CSV file: text that a spreadsheet would run as a formula begins with an apostrophe instead."""
    if not isinstance(value, str):
        return value
    text = value.replace("\r", " ")  # a line's end to some readers, and quoted by no writer
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text


def slug(text: str) -> str:
    """A name as a part of a file's name or of an anchor."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-")


def html_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A small table for a notebook; every cell is text."""
    lines = [("th", header), *(("td", row) for row in rows)]
    body = "".join(f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>" for tag, cells in lines)
    return f"<table>{body}</table>"


def listing_of(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 seed`, `2 seeds`; `plural` where it is not the noun with an s."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def number(value: float, digits: int, tiny: bool = False) -> str:
    """A number with a fixed count of decimals and a true minus sign; `tiny`: scientific where those would show 0."""
    if not isfinite(value):
        return MISSING
    small = tiny and value != 0 and abs(value) < 0.5 * 10**-digits
    text = f"{value:.1e}" if small else f"{value:,.{digits}f}"
    if not small and float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")
