"""Named grids and crossed lists."""

import pytest

from benchmark.base.errors import UserError
from benchmark.experiment.method_lists import ABLATION, GRIDS, choose_methods
from benchmark.methods.parsing import parse_method
from benchmark.methods.registry import METHODS


@pytest.mark.parametrize("grid", GRIDS)
def test_every_grid_names_different_methods(grid: str) -> None:
    methods = [parse_method(text, {"rank": 12, "order": 7}) for text in GRIDS[grid]]
    assert len({method.canonical for method in methods}) == len(GRIDS[grid])


def test_the_ablation_takes_one_thing_away_at_a_time() -> None:
    assert choose_methods(grid="ablation") == list(ABLATION)
    css = parse_method("css", {})
    found = {text: parse_method(text, {}) for text in ABLATION}
    for name, option in {"shared": "shared", "nogate": "gates", "noanchor": "anchor", "nosqrt": "signed_sqrt"}.items():
        method = found[f"css-{name}"]
        assert method.aggregator == css.aggregator
        changed = {o for o, v in method.fusion.options.items() if v != css.fusion.options[o]}
        assert changed == {option}
    assert [(found[t].fusion.name, found[t].aggregator.name) for t in ABLATION[:4]] == [
        ("spf", "pgm"),
        ("spf", "equal"),
        ("concat", "pgm"),
        ("concat", "equal"),
    ]


def test_sensitivity_varies_order_then_rank() -> None:
    methods = [parse_method(text, {}).fusion.options for text in choose_methods(grid="sensitivity")]
    assert [m["order"] for m in methods[:6]] == [1, 2, 3, 4, 5, 6]
    assert [m["rank"] for m in methods[6:]] == [2, 4, 8, 16, 32, 64, 128]
    crossed = {
        (m["rank"], m["order"]) for t in choose_methods(grid="rank-order") for m in [parse_method(t, {}).fusion.options]
    }
    assert crossed == {(r, p) for r in (2, 8, 16, 64) for p in (1, 2, 3, 4)}


def test_the_factorial_grid_crosses_lists() -> None:
    found = choose_methods(grid="factorial", fusions="spf(rank=2,order=1), concat", aggregators="equal,cagrad(c=0.2)")
    assert found == [
        "spf(rank=2,order=1)+equal",
        "spf(rank=2,order=1)+cagrad(c=0.2)",
        "concat+equal",
        "concat+cagrad(c=0.2)",
    ]
    assert all(parse_method(text, {}) for text in found)


def test_without_a_grid_methods_are_those_given_or_the_benchmarks() -> None:
    assert choose_methods() == list(METHODS)
    assert choose_methods("css, adam(rank=2,order=1)") == ["css", "adam(rank=2,order=1)"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"grid": "ablations"}, "unknown grid 'ablations', did you mean 'ablation'"),
        ({"grid": "ablation", "methods": "css"}, "--methods and --grid ablation both say what is compared"),
        ({"grid": "ablation", "fusions": "spf"}, "--fusions belongs to --grid factorial"),
        ({"methods": "css", "aggregators": "pgm"}, "--aggregators belongs to --grid factorial"),
        ({"grid": "factorial", "fusions": "spf"}, "--aggregators belongs to --grid factorial"),
        ({"grid": "factorial", "fusions": "spf", "aggregators": " ,"}, "--aggregators names nothing: ' ,'"),
        ({"methods": ","}, "--methods names nothing: ','; leave it out for the default"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        choose_methods(**options)
