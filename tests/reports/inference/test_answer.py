"""The sentence that answers, from the verdicts of a store."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from reports.figures.forest import forest_plot
from reports.inference.answer import answers, parts_of_methods
from tests.reports.inference.preregistrations import BASE, SMALL, WIDE, declare, evidence_of, inferred, set_f1

CSS = list(BASE)
RIVALS = {
    "adam": list(BASE - 0.05 + SMALL),  # css is better
    "concat": list(BASE + 0.05 + SMALL),  # worse
    "tensor": list(BASE + SMALL),  # equal
    "pcgrad": list(BASE + 0.02 + WIDE),  # open
}


@pytest.fixture
def store(tmp_path: Path, add_run, edit_json) -> Path:
    """meld: css and four rivals × 10 seeds."""
    for label, seed in product(("css", *RIVALS), range(10)):
        add_run(tmp_path / "store", "meld", label, seed, epochs=2)
    set_f1(tmp_path / "store", edit_json, {("meld", "css"): CSS} | {("meld", k): v for k, v in RIVALS.items()})
    return tmp_path / "store"


def test_it_says_better_worse_equal_and_open(store: Path) -> None:
    declare(store, *(("meld", "css", rival) for rival in RIVALS))
    (answer,) = answers(*inferred(store))
    assert answer.sentence.startswith("css is better than adam (+5.0")
    assert "; worse than concat (−5.0" in answer.sentence
    assert "; shown equal, within ±0.5 points, to tensor" in answer.sentence
    assert answer.undecided == "Not decided: pcgrad (underpowered)."
    assert "exploratory" not in answer.sentence
    assert answer.budget.startswith("10 seeds a method")


def test_what_was_not_declared_is_called_exploratory(store: Path) -> None:
    (answer,) = answers(*inferred(store))
    assert "(exploratory: not declared before the runs)" in answer.sentence


def test_with_few_seeds_it_says_what_the_estimates_point_to(tmp_path: Path, add_run, edit_json) -> None:
    store = tmp_path / "store"
    for label, seed in product(("css", "adam"), range(3)):
        add_run(store, "meld", label, seed, epochs=2)
    set_f1(store, edit_json, {("meld", "css"): CSS[:3], ("meld", "adam"): RIVALS["adam"][:3]})
    declare(store, ("meld", "css", "adam"))
    (answer,) = answers(*inferred(store))
    assert answer.sentence == "Nothing is decided about css."
    assert answer.undecided.startswith("Not decided: adam (points to a positive difference). A test needs 8 seeds: ")
    assert answer.undecided.endswith(" of work for one worker.")


def test_methods_are_said_by_their_parts(store: Path) -> None:
    words = parts_of_methods(evidence_of(store))
    assert "css = spf fusion with pgm weights" in words
    assert "adam = spf fusion with equal weights" in words


def test_the_forest_plot_has_a_row_a_comparison_with_its_verdict(store: Path) -> None:
    declare(store, *(("meld", "css", rival) for rival in RIVALS))
    evidence, inference = inferred(store)
    drawing = forest_plot(evidence, inference)
    assert drawing is not None
    (axes,) = (a for a in drawing.figure.axes)
    assert [label.get_text() for label in axes.get_yticklabels()] == [f"css − {rival}" for rival in RIVALS]
    (right,) = axes.child_axes
    verdicts = [label.get_text() for label in right.get_yticklabels()]
    assert "▲ supported" in verdicts[0]
    assert "▼ contradicted" in verdicts[1]
    assert "= shown equal" in verdicts[2]
    assert "? underpowered" in verdicts[3]
    dots = [float(np.asarray(line.get_xdata())[0]) for line in axes.lines if line.get_marker() == "o"]
    assert dots == pytest.approx([c.comparison.mean for c in inference.contrasts if c.comparison is not None])
    low, high = axes.get_xlim()
    assert low == pytest.approx(-high)
