"""The figure of weights has a panel a method, on as many lines as it takes."""

from pathlib import Path

from reports.figures import style
from reports.figures.figures import weights
from tests.reports.inference.preregistrations import evidence_of
from tests.reports.synthetic_runs import write_run


def test_panels_on_two_lines_all_have_epochs_and_the_objectives_are_named_once(tmp_path: Path) -> None:
    methods = ("css", "concat+pgm", "pcgrad", "css-shared")
    for method in methods:
        write_run(tmp_path, label=method, epochs=2)
    (evidence,) = evidence_of(tmp_path)
    with style.drawing():
        drawing = weights(evidence, style.Palette(methods))
        assert drawing is not None
        drawing.figure.draw_without_rendering()
    panels = [axes for axes in drawing.figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in panels] == list(methods)
    assert all(any(label.get_visible() for label in axes.get_xticklabels()) for axes in panels)
    named = [{text.get_text() for text in axes.texts} for axes in panels]
    assert named == [set(), set(), {"fused", "unimodal", "distillation"}, set()]
