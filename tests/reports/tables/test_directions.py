from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reports.tables.directions import directions
from reports.tables.latex import latex
from reports.tables.rendering import markdown
from tests.reports.tables.stores import evidence_of, folders


def test_every_aggregator_has_a_row_on_the_common_trajectory(store: Path):
    table = directions(evidence_of(store, "meld"))
    frame = table.frame
    assert list(zip(frame["method"], frame["aggregator"], frame["n"], strict=True)) == [
        ("adam", "pgm", 3),
        ("adam", "equal", 3),
    ]
    found = frame.set_index("aggregator").loc["pgm"]
    taken = [pd.read_parquet(f / "directions.parquet") for f in folders(store, "meld", "adam")]
    taken = [t[t["aggregator"] == "pgm"] for t in taken]
    worst = [t.filter(like="update_cos_").min(axis=1) for t in taken]
    distance = [np.linalg.norm(t.filter(like="weight_") - 1 / 3, axis=1).mean() for t in taken]
    assert found["worst_cos_mean"] == pytest.approx(np.mean([w.mean() for w in worst]))
    assert found["negative_mean"] == pytest.approx(np.mean([(w < 0).mean() for w in worst]))
    assert found["mean_cos_mean"] == pytest.approx(np.mean([t["mean_cos"].mean() for t in taken]))
    assert found["distance_mean"] == pytest.approx(np.mean(distance))
    page = markdown(table)
    assert "| method | aggregator | n |" in page
    assert "| adam | pgm | 3 |" in page
    assert "method & aggregator & $n$ &" in latex(table.listings[0], "", "", "")
