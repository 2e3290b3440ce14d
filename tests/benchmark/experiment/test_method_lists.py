"""Named grids and crossed lists."""

from itertools import combinations

import pytest

from benchmark.base.errors import UserError
from benchmark.data.views import MODALITIES
from benchmark.experiment.method_lists import ABLATION, GRIDS, choose_methods
from benchmark.methods.parsing import KINDS, parse_method
from benchmark.methods.registry import ENCODERS, METHODS


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
    parts = {t: (found[t].fusion.name, found[t].aggregator.name) for t in ("concat+pgm", "adam", "concat")}
    assert parts == {"concat+pgm": ("concat", "pgm"), "adam": ("spf", "equal"), "concat": ("concat", "equal")}
    for text in ("adam", "concat", "concat+pgm"):
        assert (found[text].encoder, found[text].objectives) == (css.encoder, css.objectives)
    for kind, options in {
        "encoder": ("modality_aware", "interaction_aware"),
        "objectives": ("unimodal", "distillation"),
    }.items():
        for option in options:
            of_css = [m for m in found.values() if m.fusion == css.fusion]
            (method,) = (m for m in of_css if not getattr(m, kind).options.get(option, True))
            assert getattr(method, kind).options == getattr(css, kind).options | {option: False}
            assert [k for k in KINDS if getattr(method, k) != getattr(css, k)] == [kind]
    for pair in combinations(("text", "audio", "visual"), 2):
        method = found[f"pair-{'-'.join(pair)}/css"]
        assert ENCODERS[method.encoder.name].sees == pair
        assert [k for k in KINDS if getattr(method, k) != getattr(css, k)] == ["encoder"]
    for modality in ("text", "audio", "visual"):
        (method,) = (m for m in found.values() if m.encoder.name == f"single-{modality}")
        assert (method.fusion.name, method.aggregator.name) == (modality, "equal")
        assert not method.objectives.options["unimodal"]
        assert not method.objectives.options["distillation"]


def test_the_ablation_of_fewer_modalities_has_what_is_another_method_than_css_there() -> None:
    three, two, one = (
        choose_methods(grid="ablation", modalities=m) for m in (MODALITIES, ("text", "audio"), ("text",))
    )
    parts = [text for text in three if not text.startswith(("pair-", "visual-only"))]
    assert two == parts
    lonely = ("audio-only(unimodal=false,distillation=false)", "paper(interaction_aware=false)/css", "css-shared")
    assert one == [text for text in parts if text not in lonely]
    for texts, modalities in ((two, {"text", "audio"}), (one, {"text"})):
        for method in (parse_method(text, {}) for text in texts):
            needs = {m for kind, known in KINDS.items() for m in known[getattr(method, kind).name].needs}
            assert needs <= modalities
            assert needs != modalities or len(modalities) == 1


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
