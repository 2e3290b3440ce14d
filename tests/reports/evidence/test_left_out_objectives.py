"""Methods with two objectives or one stand in every table and figure with what they have."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reports.evidence.evidence import Evidence
from reports.figures import style
from reports.figures.figures import cosines, weights
from reports.figures.ternary import ternary
from tests.reports.inference.preregistrations import evidence_of
from tests.reports.synthetic_runs import write_run

WITHOUT = {"css(distillation=false)": ("distillation",), "one": ("unimodal", "distillation")}


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    whole = {label: write_run(tmp_path, label=label) for label in ("css", "adam")}
    return whole | {n: write_run(tmp_path, label="pcgrad", named=n, without=names) for n, names in WITHOUT.items()}


@pytest.fixture
def evidence(folders: dict[str, Path], tmp_path: Path) -> Evidence:
    (found,) = evidence_of(tmp_path)
    return found


def test_minima_distances_and_sums_are_over_the_objectives_that_there_are(
    evidence: Evidence, folders: dict[str, Path]
) -> None:
    for label, left_out in WITHOUT.items():
        names = [name for name in ("fused", "unimodal", "distillation") if name not in left_out]
        probes = pd.read_parquet(folders[label] / "conflict.parquet")
        steps = pd.read_parquet(folders[label] / "steps.parquet")
        measured = evidence.runs.set_index("method").loc[label]
        worst = probes[[f"update_cos_{name}" for name in names]].min(axis=1)
        assert measured["update_worst_cos"] == pytest.approx(worst.mean())
        assert measured["displacement_worst_cos"] == pytest.approx(
            probes[[f"displacement_cos_{name}" for name in names]].iloc[:-1].min(axis=1).mean()
        )
        gamma = steps[[f"weight_{name}" for name in names]].to_numpy()
        assert measured["applied_distance"] == pytest.approx(np.linalg.norm(gamma - 1 / len(names), axis=1).mean())
        assert measured["masked_objectives"] == 0
        assert np.isfinite(measured["volatility_total"])
        assert np.isnan(measured["probe_cos_fused_distillation"])
        assert np.isfinite(measured["probe_cos_fused_unimodal"]) == ("unimodal" in names)


def test_figures_show_the_objectives_that_there_are(evidence: Evidence) -> None:
    palette = style.Palette([m.label for m in evidence.comparison.methods])
    with style.drawing():
        drawn = weights(evidence, palette), cosines(evidence, palette), ternary(evidence, palette)
        for drawing in drawn:
            assert drawing is not None
            drawing.figure.draw_without_rendering()
            assert "nan" not in drawing.alt
    assert drawn[0] is not None
    assert "css(distillation=false) unimodal" in drawn[0].alt
    assert "css(distillation=false) distillation" not in drawn[0].alt
    (panel,) = (a for a in drawn[0].figure.axes if a.get_title(loc="left") == "css(distillation=false)")
    assert [line.get_ydata()[0] for line in panel.lines if len(set(line.get_ydata())) == 1] == [0.5]
    assert drawn[2] is not None
    assert "css from" in drawn[2].alt
    assert "css(distillation=false)" not in drawn[2].alt
