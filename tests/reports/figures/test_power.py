"""The figure of power draws what its seeds can show, from spread and margin alone."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from reports.figures import style
from reports.figures.drawing import Drawing
from reports.figures.power import power_plot
from tests.reports.inference.preregistrations import BASE, SMALL, WIDE, declare, inferred, set_f1
from tests.reports.synthetic_runs import write_run


@pytest.fixture
def draw(tmp_path: Path, edit_json: Callable[..., None]) -> Callable[..., Drawing | None]:
    """The figure of css against concat with these scores by seed."""

    def draw(css: Sequence[float], concat: Sequence[float], margin: float = 2.0) -> Drawing | None:
        store = tmp_path / str(len(list(tmp_path.iterdir())))
        for method in ("css", "concat"):
            for seed in range(len(css)):
                write_run(store, "meld", method, seed, epochs=2)
        set_f1(store, edit_json, {("meld", "css"): css, ("meld", "concat"): concat})
        declare(store, ("meld", "css", "concat"), margin=margin)
        (evidence,), inference = inferred(store)
        with style.drawing():
            return power_plot(evidence, inference, style.Palette(["css", "concat"]))

    return draw


def lines(drawing: Drawing) -> list[dict[int, float]]:
    """The chance by seeds of each panel."""
    curves = [axes.lines[0] for axes in drawing.figure.axes]
    return [dict(zip(*(np.asarray(values).tolist() for values in curve.get_data()), strict=True)) for curve in curves]


def test_the_lines_are_the_chances_of_the_t_tests_at_the_margin(draw) -> None:
    sees, equal = lines(draw(BASE + WIDE, BASE, margin=4.0))
    sd = 100 * WIDE.std(ddof=1)
    generator = np.random.default_rng(5)
    for n in (12, 40):
        draws = generator.normal(0, sd, (40_000, n))
        error = draws.std(axis=1, ddof=1) / np.sqrt(n)
        t = np.abs(draws.mean(axis=1) + 4.0) / error
        assert sees[n] == pytest.approx(100 * (t > stats.t.isf(0.025, n - 1)).mean(), abs=3)
        reach = np.abs(draws.mean(axis=1)) + stats.t.isf(0.05, n - 1) * error
        assert equal[n] == pytest.approx(100 * (reach < 4.0).mean(), abs=1.5)


def test_few_seeds_see_nothing_whatever_the_difference(draw) -> None:
    sees, _ = lines(draw(BASE + SMALL, BASE, margin=4.0))
    assert {n: chance for n, chance in sees.items() if n <= 5} == {2: 0, 3: 0, 4: 0, 5: 0}
    assert sees[6] > 90


def test_the_figure_does_not_know_the_difference(draw) -> None:
    alike, apart = (lines(draw(BASE + WIDE + shift, BASE)) for shift in (0.0, 0.2))
    assert alike[1] == pytest.approx(apart[1])
    assert alike[0] == pytest.approx(apart[0], abs=2)  # flips, and so the level, differ a little


def test_without_a_spread_there_is_nothing_to_draw(draw) -> None:
    assert draw(BASE, BASE) is None
    assert draw(BASE[:1], BASE[1:2]) is None
