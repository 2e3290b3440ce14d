"""The figure of scores shows the differences between methods, and names what lies beyond its axis."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from matplotlib.axes import Axes

from reports.figures import style
from reports.figures.drawing import Drawing
from reports.figures.scores import LEAST_SPAN, scores
from reports.reading.runs import read_store
from tests.reports.inference.preregistrations import evidence_of
from tests.reports.synthetic_runs import write_run

REFERENCES = [
    {"name": name, "modalities": [], "strength": None, "class_weights": None, "weighted_f1": f1, "accuracy": 0.5}
    for name, f1 in (("majority", 0.21), ("logistic", 0.815), ("logistic", 0.3))  # the second has one modality
]
CEILING = {
    **{"modalities": ["text"], "context": True, "accuracy": 0.97, "accuracy_se": 0.001, "weighted_f1": 0.97},
    **{"weighted_f1_se": 0.002, "test_accuracy": 0.97, "test_weighted_f1": 0.97},
}


@pytest.fixture
def drawing_of(tmp_path: Path, edit_json: Callable[..., None]) -> Callable[[Mapping[str, Sequence[float]]], Drawing]:
    """The figure of scores given by method, in the order of seeds; the best test epoch has the same."""

    def draw(f1: Mapping[str, Sequence[float]]) -> Drawing:
        for method, values in f1.items():
            for seed in range(len(values)):
                write_run(tmp_path, label=method, seed=seed, epochs=2, references=REFERENCES, ceiling=CEILING)
        for run in read_store(tmp_path).runs:
            given = {
                name: {**run.result[name], "weighted_f1": f1[run.label][run.seed]} for name in ("selected", "peak_test")
            }
            edit_json(run.folder / "result.json", **given)
        (evidence,) = evidence_of(tmp_path)
        with style.drawing():
            drawing = scores(evidence, style.Palette(f1))
        assert drawing is not None
        return drawing

    return draw


def lines_across(axes: Axes) -> list[float]:
    return [float(line.get_xdata()[0]) for line in axes.lines if tuple(line.get_ydata()) == (0, 1)]  # type: ignore[index,arg-type]


def test_the_axis_spans_the_seeds_and_not_the_scale_nor_the_references(drawing_of) -> None:
    drawing = drawing_of({"css": [0.80, 0.82], "adam": [0.81, 0.84]})
    (axes,) = drawing.figure.axes
    left, right = axes.get_xlim()
    assert 77 < left < 80
    assert 84 < right < 87
    assert lines_across(axes) == pytest.approx([81.5])
    assert {text.get_text() for text in axes.texts} == {"← majority 21.0", "logistic 81.5", "ceiling 97.0 →"}
    assert drawing.alt.endswith("For reference: majority 21.0, logistic 81.5, ceiling 97.0.")


def test_equal_scores_are_not_drawn_far_apart(drawing_of) -> None:
    (axes,) = drawing_of({"css": [0.80], "adam": [0.801]}).figure.axes
    left, right = axes.get_xlim()
    assert right - left >= LEAST_SPAN
    assert left < 80 < right


def test_an_axis_does_not_leave_the_scale(drawing_of) -> None:
    (axes,) = drawing_of({"css": [0.0, 0.01], "adam": [0.99, 1.0]}).figure.axes
    assert axes.get_xlim() == (0, 100)
    assert lines_across(axes) == pytest.approx([21.0, 81.5, 97.0])
