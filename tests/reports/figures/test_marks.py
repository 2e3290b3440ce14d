"""Figures say their values on hover, and every part of one method can be hidden, without an id that stands twice."""

import re
from itertools import product
from pathlib import Path
from xml.etree import ElementTree

import pytest
from matplotlib.lines import Line2D

from reports.figures import style
from reports.figures.figures import confusions, cosines, losses, weights
from reports.figures.marks import mark, plot_dots, write_marks
from reports.figures.scores import scores
from tests.reports.inference.preregistrations import evidence_of
from tests.reports.synthetic_runs import write_run

METHODS = ("css", "adam", "concat")
HOSTILE = "a-mark:b\"c' <d> & #ffffff \\ $x$ %41 é"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ElementTree.Element]:
    """The parts of a page that figures of three methods × 2 seeds become."""
    folder = tmp_path_factory.mktemp("figures")
    for method, seed in product(METHODS, range(2)):
        write_run(folder / "store", "meld", method, seed, epochs=2)
    (evidence,) = evidence_of(folder / "store")
    parts = {}
    with style.drawing():
        for draw in (scores, losses, cosines, weights, confusions):
            drawing = draw(evidence, style.Palette(METHODS))
            if drawing is not None:
                svg = style.inline(style.save(drawing.figure, folder / drawing.name), drawing.name)
                parts[drawing.name] = ElementTree.fromstring(svg.replace("xlink:", ""))
    return parts


def titles(part: ElementTree.Element) -> list[str]:
    return [title.text or "" for title in part.iter("title")]


def of_method(part: ElementTree.Element, method: str) -> list[ElementTree.Element]:
    return [group for group in part.iter("g") if group.get("data-method") == method]


def test_every_dot_says_its_method_seed_and_score(drawn: dict[str, ElementTree.Element]) -> None:
    for method, seed in product(METHODS, range(2)):
        dots = [use for use in drawn["scores_meld"].iter("use") if f"{method}, seed {seed}: " in "".join(titles(use))]
        assert len(dots) == 2
        assert re.fullmatch(rf"{method}, seed {seed}: \d\d\.\d %", titles(dots[0])[0])
        assert titles(dots[1])[0].endswith("% at the best test epoch")


@pytest.mark.parametrize("name", ["scores_meld", "losses_meld", "cosines_meld"])
def test_what_is_of_one_method_says_so_and_nothing_coloured_is_left(
    drawn: dict[str, ElementTree.Element], name: str
) -> None:
    for index, method in enumerate(METHODS):
        groups = of_method(drawn[name], method)
        coloured = f"var(--hue-{index})"
        marked = [part for group in groups for part in group.iter() if coloured in part.get("style", "")]
        drawings = [p for p in drawn[name].iter() if coloured in p.get("style", "") and p.tag in ("path", "use")]
        shapes = [p for d in drawn[name].iter("defs") for p in d.iter()]  # drawn where they are used
        assert marked
        assert all(any(part is other for other in (*marked, *shapes)) for part in drawings)
        assert [t.text for group in groups for t in group.iter("text")] == [method]
        assert any(title.startswith(method) for group in groups for title in titles(group))


def test_a_panel_of_one_method_says_so(drawn: dict[str, ElementTree.Element]) -> None:
    (panel,) = of_method(drawn["confusion_meld"], "css")
    assert "anger, predicted fear: " in "".join(titles(panel))
    lines = [title for group in of_method(drawn["weights_meld"], "css") for title in titles(group)]
    assert any(re.fullmatch(r"css, fused: 0\.\d+ at epoch 1, 0\.\d+ at epoch 2; mean over seeds", t) for t in lines)


def test_a_line_says_its_value_at_every_epoch_and_probe(drawn: dict[str, ElementTree.Element]) -> None:
    for name, time, panels in (("losses_meld", "epoch", 2), ("cosines_meld", "step", 3)):
        points = [t for group in of_method(drawn[name], "adam") for use in group.iter("use") for t in titles(use)]
        times = [re.fullmatch(rf"adam at {time} (\d+): -?\d[\d.e-]*", title) for title in points]
        assert all(times)
        assert len(times) == panels * len({at[1] for at in times if at})
        assert len(times) >= 2 * panels


def test_any_name_can_be_marked_and_comes_out_as_it_is(tmp_path: Path) -> None:
    with style.drawing():
        figure = style.new_figure(8, 3, "title")
        axes = figure.subplots()
        plot_dots(axes, [1, float("nan"), 3], [1, 2, 3], ["first", "missing", HOSTILE], method=HOSTILE, marker="o")
        style.name_lines(figure, axes, [(HOSTILE, 1.0, style.look(0))], methods=True)
        page = style.inline(style.save(figure, tmp_path / "figure"), "figure")
    for svg in (page, (tmp_path / "figure.svg").read_text(encoding="utf-8")):
        plain = re.sub(r' xmlns(:\w+)?="[^"]*"|xlink:|<!DOCTYPE.*?>|<metadata>.*</metadata>', "", svg, flags=re.DOTALL)
        part = ElementTree.fromstring(plain)
        groups = [group for group in part.iter("g") if group.get("data-method")]
        assert {group.get("data-method") for group in groups} == {HOSTILE}
        assert len(groups) == 3
        assert [title for group in groups for title in titles(group)] == ["first", HOSTILE]
        ids = [each.get("id") for each in part.iter() if each.get("id")]
        assert len(ids) == len(set(ids))


def test_markers_that_are_not_all_drawn_have_no_title_rather_than_a_wrong_one() -> None:
    line = Line2D([], [])
    mark(line, ["first", "second"])
    svg = f'<g id="{line.get_gid()}"><g><use x="1"/></g></g><g id="next"><use x="2"/></g>'
    assert write_marks(svg) == '<g><g><use x="1"/></g></g><g id="next"><use x="2"/></g>'
