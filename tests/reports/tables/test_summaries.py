from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reports.tables.rendering import markdown
from reports.tables.stability import stability
from reports.tables.summaries import Column, cell
from tests.reports.tables.stores import SUMMARIES, evidence_of


def test_one_seed_shows_means_without_spread(tmp_path: Path, add_run):
    add_run(tmp_path, "meld", "css")
    evidence = evidence_of(tmp_path, "meld")
    for summarized in SUMMARIES:
        text = markdown(summarized(evidence))
        assert "±" not in text.replace("mean ±", "")
        assert "nan" not in text
        assert "inf" not in text
    assert np.isnan(stability(evidence).frame["final_range"]).all()


@pytest.mark.parametrize(
    ("form", "text"), [("mean ± sd", "71.2 ± 0.4"), ("mean", "71.2"), ("interval", "[70.9, 71.5]")]
)
def test_cells_are_written_as_people_read_them(form, text: str):
    values = pd.Series({"f1_mean": 0.712, "f1_sd": 0.004, "f1_low": 0.709, "f1_high": 0.715})
    assert cell(Column("f1", "F1", form, 100.0, 1), values) == text


def test_a_tiny_plain_value_is_not_shown_as_zero():
    assert cell(Column("v", "v", "value", digits=5), pd.Series({"v": 4e-7})) == "4.0e−07"
    assert cell(Column("v", "v", digits=2), pd.Series({"v_mean": 1.0, "v_sd": 1e-5})) == "1.00 ± 0.00"
