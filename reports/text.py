"""Numbers and missing values as text."""

from math import isfinite

MISSING = "—"


UNAVAILABLE = "not available"  # of what was imported


LATEX = str.maketrans(
    {
        **{c: f"\\{c}" for c in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": "$<$",
        ">": "$>$",
        "±": r"$\pm$",
        "−": "$-$",
        "×": r"$\times$",
        "γ": r"$\gamma$",
        "θ": r"$\theta$",
        "Δ": r"$\Delta$",
        "Σ": r"$\sum$",
        "‖": r"$\|$",
        "⅓": r"$\frac{1}{3}$",
        "²": "$^2$",
        "≤": r"$\le$",
        "≥": r"$\ge$",
        "δ": r"$\delta$",
        "σ": r"$\sigma$",
        "′": "$'$",
        "–": "--",
        "—": "---",
        "…": r"\ldots{}",
        "\u00a0": "~",
    }
)


def number(value: float, digits: int, tiny: bool = False) -> str:
    """A number with a fixed count of decimals and a true minus sign; `tiny`: scientific where those would show 0."""
    if not isfinite(value):
        return MISSING
    small = tiny and value != 0 and abs(value) < 0.5 * 10**-digits
    text = f"{value:.1e}" if small else f"{value:,.{digits}f}"
    if not small and float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")
