"""The figure of losses by modality: css and adam, a panel a modality and objective, where they are recorded."""

from pathlib import Path

import numpy as np
import pandas as pd

from reports.evidence.evidence import Evidence
from reports.figures import style
from reports.figures.drawing import Drawing
from reports.figures.modalities import losses_by_modality
from tests.reports.inference.preregistrations import evidence_of
from tests.reports.synthetic_runs import write_run

EPOCHS = 4


def recorded(folder: Path, level: float, modalities: tuple[str, ...] = ("text", "audio", "visual")) -> None:
    """Put losses by modality into a run: level + 1, 2, 3 in the last epoch."""
    history = pd.read_parquet(folder / "history.parquet")
    for objective in ("unimodal", "distillation"):
        for i, modality in enumerate(("text", "audio", "visual"), 1):
            values = level + i + np.arange(EPOCHS)[::-1] / 10
            history[f"train_loss_{objective}_{modality}"] = values if modality in modalities else np.nan
    history.to_parquet(folder / "history.parquet")


def drawn(evidence: Evidence) -> Drawing | None:
    with style.drawing():
        drawing = losses_by_modality(evidence, style.Palette([m.label for m in evidence.comparison.methods]))
        if drawing is not None:
            drawing.figure.draw_without_rendering()
    return drawing


def test_each_modality_has_a_panel_with_the_mean_over_seeds_of_both_methods(tmp_path: Path) -> None:
    for label, level in (("css", 0.0), ("adam", 10.0), ("pcgrad", 20.0)):
        for seed in range(2):
            recorded(write_run(tmp_path, label=label, seed=seed, epochs=EPOCHS), level + seed)
    drawing = drawn(evidence_of(tmp_path)[0])
    assert drawing is not None
    panels = {axes.get_title(loc="left"): axes for axes in drawing.figure.axes}
    assert list(panels) == [f"{o}, {m}" for o in ("unimodal", "distillation") for m in ("text", "audio", "visual")]
    for i, axes in enumerate(panels.values()):
        lines = [line for line in axes.lines if line.get_alpha() != 0 and len(line.get_xdata()) == EPOCHS]
        assert [line.get_ydata()[-1] for line in lines] == [0.5 + 1 + i % 3, 10.5 + 1 + i % 3]
    assert "pcgrad" not in drawing.alt
    assert "adam distillation visual 13.50" in drawing.alt


def test_a_modality_that_neither_sees_has_no_panel(tmp_path: Path) -> None:
    for label in ("css", "adam"):
        recorded(write_run(tmp_path, label=label, epochs=EPOCHS), 0.0, ("text", "visual"))
    drawing = drawn(evidence_of(tmp_path)[0])
    assert drawing is not None
    assert len(drawing.figure.axes) == 4
    assert "audio" not in drawing.alt


def test_without_records_or_without_adam_there_is_no_figure(tmp_path: Path) -> None:
    recorded(write_run(tmp_path / "alone", label="css", epochs=EPOCHS), 0.0)
    for label in ("css", "adam"):
        write_run(tmp_path / "older", label=label, epochs=EPOCHS)
    assert all(drawn(evidence_of(tmp_path / name)[0]) is None for name in ("alone", "older"))
