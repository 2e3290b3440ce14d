import numpy as np
import pytest

from reports.statistics import factorial_effects, paired_comparison

ROWS, COLUMNS = ("spf", "concat"), ("pgm", "equal")


def grid(rows, columns, seeds=9):
    rng = np.random.default_rng(0)
    return {(r, c): dict(enumerate(rng.normal(size=seeds))) for r in rows for c in columns}


def test_effects_of_a_two_by_two_are_contrasts_within_seeds():
    cells = grid(ROWS, COLUMNS)
    y = {cell: np.array(list(values.values())) for cell, values in cells.items()}
    rows, columns, interaction = factorial_effects(cells, ROWS, COLUMNS)
    css, adam, concat_pgm, concat = (y[r, c] for r in ROWS for c in COLUMNS)
    oracle = paired_comparison((css + adam) / 2, (concat_pgm + concat) / 2)
    assert rows.name == "spf − concat"
    assert rows.comparison.interval == pytest.approx(tuple(oracle.interval))
    assert rows.comparison.p == oracle.p
    np.testing.assert_allclose(columns.comparison.differences, (css + concat_pgm - adam - concat) / 2)
    np.testing.assert_allclose(interaction.comparison.differences, (css - adam) - (concat_pgm - concat))
    assert interaction.name == "(spf − concat) × (pgm − equal)"
    assert not interaction.sentence


def test_effects_of_seeds_in_sessions_are_tested_by_session():
    cells = grid(ROWS, COLUMNS, seeds=12)
    y = {cell: np.array(list(values.values())) for cell, values in cells.items()}
    css, adam, concat_pgm, concat = (y[r, c] for r in ROWS for c in COLUMNS)
    rows, *_ = factorial_effects(cells, ROWS, COLUMNS, sessions=4)
    oracle = paired_comparison((css + adam) / 2, (concat_pgm + concat) / 2, sessions=4)
    assert rows.comparison.degrees == 3
    assert rows.comparison.interval == pytest.approx(tuple(oracle.interval))
    assert rows.comparison.p == oracle.p


def test_planted_effects_are_found():
    cells = {(r, c): {s: 2.0 * (r == "spf") + 3.0 * (c == "pgm") + s for s in range(8)} for r in ROWS for c in COLUMNS}
    assert [e.comparison.mean for e in factorial_effects(cells, ROWS, COLUMNS)] == pytest.approx([2, 3, 0])


def test_a_missing_cell_makes_its_grid_not_estimable_and_a_smaller_one_is():
    cells = grid(("spf", "concat", "tensor"), COLUMNS)
    del cells["tensor", "pgm"]
    cells["tensor", "equal"] = {}
    effects = factorial_effects(cells, ("spf", "concat", "tensor"), COLUMNS)
    assert all(e.comparison is None for e in effects)
    assert effects[0].sentence == "spf − concat: not estimable: missing cells tensor+pgm, tensor+equal"
    assert factorial_effects(cells, ROWS, COLUMNS)[0].comparison is not None


def test_a_larger_grid_has_all_pairs_and_averages_over_the_other_factor():
    rows = ("spf", "concat", "tensor")
    columns = ("pgm", "equal", "pcgrad", "mgda")
    cells = grid(rows, columns)
    effects = {e.name: e for e in factorial_effects(cells, rows, columns)}
    assert len(effects) == 3 + 6 + 3 * 6
    y = {cell: np.array(list(values.values())) for cell, values in cells.items()}
    expected = np.mean([y["spf", c] - y["tensor", c] for c in columns], axis=0)
    np.testing.assert_allclose(effects["spf − tensor"].comparison.differences, expected)


def test_only_seeds_that_every_cell_has_are_used():
    cells = grid(ROWS, COLUMNS)
    del cells["concat", "pgm"][4]
    for effect in factorial_effects(cells, ROWS, COLUMNS):
        assert (effect.comparison.n, effect.comparison.dropped) == (8, (4,))
    apart = {cell: {i: 1.0} for i, cell in enumerate(cells)}
    assert factorial_effects(apart, ROWS, COLUMNS)[0].sentence == "spf − concat: no seed in all cells"
