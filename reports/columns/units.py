"""The one place where scores and shares, which the measures have as fractions, become per cent."""

import re

import pandas as pd

_PART = "_(?:mean|sd|low|high)"
_SHARES = rf"\w+_(?:negative|below_tenth)(?:_\w+)?{_PART}"
_FRACTIONS = {
    "accuracy": rf"\w+_(?:weighted_f1|accuracy|macro_f1)(?:_se|{_PART})?|gap{_PART}",
    "stability": rf"final_sd|final_range|late_validation_f1_sd{_PART}",
    "conflict": _SHARES,
    "conflict-blocks": _SHARES,
    "directions": rf"negative{_PART}",
    "calibration": rf"ece{_PART}",
    "comparisons": "improvement(?:_low|_high)?",
    "selection": rf"(?:\w+_weighted_f1|gap|optimism|regret){_PART}|claimed|excess|(?:order|winner)_changed_\w+",
    "selection-rules": rf"(?:weighted_f1|gap){_PART}",
    "robustness": rf"(?:intact|missing)_weighted_f1{_PART}",
    "tuning": rf"(?:validation|test){_PART}",
    "tuning_budget": "(?:validation|test)(?:_low|_high)?",
    "history": "validation_weighted_f1",
}
_SQUARES = {"stability": "final_variance"}


def in_percent(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame of this table with its fractions in per cent, and with the square of one in points²."""
    factors = {
        column: factor
        for factor, of_tables in ((100.0, _FRACTIONS), (100.0**2, _SQUARES))
        for column in frame.columns
        if re.fullmatch(of_tables.get(name, "$."), str(column))
    }
    return frame.assign(**{str(column): factor * frame[column] for column, factor in factors.items()})
