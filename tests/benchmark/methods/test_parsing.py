import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.base.errors import UserError
from benchmark.base.names import parse_part, split_list
from benchmark.experiment.provenance import Provenance
from benchmark.experiment.spec import RunSpec, Training
from benchmark.methods.entries import Entry, Option
from benchmark.methods.parsing import KINDS, identifying, parse_method
from benchmark.methods.parts import Component, Method
from benchmark.methods.registry import AGGREGATORS, ALIASES, ENCODERS, FUSIONS, METHODS, OBJECTIVES

SPF = {name: option.default for name, option in FUSIONS["spf"].options.items()}
SPF_RELEASED = {name: option.default for name, option in FUSIONS["spf-released"].options.items()}
PAPER = Component(
    name="paper",
    options={"detach_teacher": True, "t_squared": False, "unimodal": True, "distillation": True},
)
AGGREGATOR_OPTIONS = {"pgm": {"solver": "exact"}}


def key(method: Method) -> str:
    training = Training(
        hidden=8,
        heads=2,
        dropout=0.1,
        epochs=1,
        batch_size=2,
        lr=1e-3,
        weight_decay=0,
        temperature=1,
        class_weights=False,
        standardize=True,
        probe_every=1,
        probe_conversations=1,
    )
    origin = Provenance(data="d", source="s", torch="t", numpy="n", device="cpu")
    return RunSpec(dataset="meld", method=method, seed=0, preset="p", training=training, provenance=origin).key


@pytest.mark.parametrize(
    ("text", "canonical", "label", "fusion", "aggregator", "options"),
    [
        ("css", "spf+pgm", "css", "spf", "pgm", SPF),
        ("adam", "spf+equal", "adam", "spf", "equal", SPF),
        ("concat", "concat+equal", "concat", "concat", "equal", {}),
        ("concat+pgm", "concat+pgm", "concat+pgm", "concat", "pgm", {}),
        ("pcgrad", "spf+pcgrad", "pcgrad", "spf", "pcgrad", SPF),
        ("tensor", "tensor+equal", "tensor", "tensor", "equal", {"width": 16}),
        ("pgm", "spf+pgm", "css", "spf", "pgm", SPF),
        ("equal", "spf+equal", "adam", "spf", "equal", SPF),
        ("spf", "spf+equal", "adam", "spf", "equal", SPF),
        ("spf+pgm", "spf+pgm", "css", "spf", "pgm", SPF),
        ("tensor+pcgrad", "tensor+pcgrad", "tensor+pcgrad", "tensor", "pcgrad", {"width": 16}),
        (
            "spf(order=2,rank=8)+pgm",
            "spf(order=2,rank=8)+pgm",
            "css(order=2,rank=8)",
            "spf",
            "pgm",
            SPF | {"order": 2, "rank": 8},
        ),
        ("css(order=2)", "spf(order=2)+pgm", "css(order=2)", "spf", "pgm", SPF | {"order": 2}),
        ("adam(shared=true)", "spf(shared=true)+equal", "adam(shared=true)", "spf", "equal", SPF | {"shared": True}),
        ("spf(gates=false)", "spf(gates=false)+equal", "adam(gates=false)", "spf", "equal", SPF | {"gates": False}),
        ("spf(rank=2)+pcgrad", "spf(rank=2)+pcgrad", "spf(rank=2)+pcgrad", "spf", "pcgrad", SPF | {"rank": 2}),
        ("tensor(width=8)", "tensor(width=8)+equal", "tensor(width=8)", "tensor", "equal", {"width": 8}),
        ("css-shared", "spf(shared=true)+pgm", "css-shared", "spf", "pgm", SPF | {"shared": True}),
        ("css-nogate", "spf(gates=false)+pgm", "css-nogate", "spf", "pgm", SPF | {"gates": False}),
        ("css-noanchor", "spf(anchor=false)+pgm", "css-noanchor", "spf", "pgm", SPF | {"anchor": False}),
        ("css-nosqrt", "spf(signed_sqrt=false)+pgm", "css-nosqrt", "spf", "pgm", SPF | {"signed_sqrt": False}),
        (
            "css-shared(rank=2)",
            "spf(rank=2,shared=true)+pgm",
            "css-shared(rank=2)",
            "spf",
            "pgm",
            SPF | {"shared": True, "rank": 2},
        ),
        ("mgda", "spf+mgda", "mgda", "spf", "mgda", SPF),
        ("pgm-normed", "spf+pgm-normed", "pgm-normed", "spf", "pgm-normed", SPF),
        ("pgm-theta-only", "spf+pgm-theta-only", "pgm-theta-only", "spf", "pgm-theta-only", SPF),
        ("text", "text+equal", "text", "text", "equal", {}),
    ],
)
def test_every_way_to_write_a_method(
    text: str, canonical: str, label: str, fusion: str, aggregator: str, options: dict[str, int | bool]
) -> None:
    assert parse_method(text, {}) == Method(
        canonical=canonical,
        label=label,
        encoder=Component(
            name="paper", options={"theta_speakers": False, "modality_aware": True, "interaction_aware": True}
        ),
        fusion=Component(name=fusion, options=options),
        aggregator=Component(
            name=aggregator, options={o: v.default for o, v in AGGREGATORS[aggregator].options.items()}
        ),
        objectives=PAPER,
    )


RELEASED = Method(
    canonical="released/spf-released+pgm(solver=slsqp)/paper(detach_teacher=false)",
    label="css-released",
    encoder=Component(name="released", options={"meld_step": False}),
    fusion=Component(name="spf-released", options=SPF_RELEASED),
    aggregator=Component(name="pgm", options={"solver": "slsqp"}),
    objectives=Component(name="paper", options=PAPER.options | {"detach_teacher": False}),
)


@pytest.mark.parametrize("encoder", ["paper", "released"])
def test_the_released_implementation_brings_all_four_parts_whatever_the_grids_encoder(encoder: str) -> None:
    for text in ("css-released", RELEASED.canonical, "released/css-released", "css-released()/paper"):
        expected = RELEASED if text[-5:] != "paper" else parse_method("css-released(detach_teacher=true)", {})
        assert parse_method(text, {}, encoder=encoder) == expected


@pytest.mark.parametrize(
    ("text", "encoder", "canonical", "label"),
    [
        ("css", "released", "released/spf+pgm", "released/css"),
        ("adam", "released", "released/spf+equal", "released/adam"),
        ("paper/css", "released", "spf+pgm", "css"),
        ("released/css", "paper", "released/spf+pgm", "released/css"),
        (
            "paper(theta_speakers=true)/css",
            "released",
            *["paper(theta_speakers=true)/" + m for m in ("spf+pgm", "css")],
        ),
        (
            "paper(interaction_aware=false)/css",
            "paper",
            *["paper(interaction_aware=false)/" + m for m in ("spf+pgm", "css")],
        ),
        ("paper(theta_speakers=false)/css", "released", "spf+pgm", "css"),
        ("adam", "paper(theta_speakers=true)", *["paper(theta_speakers=true)/" + m for m in ("spf+equal", "adam")]),
        ("css", "released(meld_step=true)", "released(meld_step=true)/spf+pgm", "released(meld_step=true)/css"),
        ("released / spf + pgm / paper", "paper", "released/spf+pgm", "released/css"),
        ("css(detach_teacher=false)", "paper", "spf+pgm/paper(detach_teacher=false)", "css(detach_teacher=false)"),
        ("css/paper(t_squared=true)", "paper", "spf+pgm/paper(t_squared=true)", "css(t_squared=true)"),
        (
            "css(rank=2)/paper(t_squared=true)",
            "paper",
            "spf(rank=2)+pgm/paper(t_squared=true)",
            "css(rank=2,t_squared=true)",
        ),
        ("pcgrad/paper(t_squared=true)", "paper", "spf+pcgrad/paper(t_squared=true)", "pcgrad/paper(t_squared=true)"),
        ("css(solver=slsqp)", "paper", "spf+pgm(solver=slsqp)", "css(solver=slsqp)"),
        (
            "css-released(solver=exact)",
            "paper",
            "released/spf-released+pgm/paper(detach_teacher=false)",
            "css-released(solver=exact)",
        ),
        (
            "css-released(detach_teacher=true,solver=exact)",
            "paper",
            "released/spf-released+pgm",
            "released/spf-released+pgm",
        ),
        (
            "paper/css-released",
            "released",
            "spf-released+pgm(solver=slsqp)/paper(detach_teacher=false)",
            "spf-released+pgm(solver=slsqp)/paper(detach_teacher=false)",
        ),
    ],
)
def test_encoder_and_objectives_are_named_where_they_are_not_the_papers(
    text: str, encoder: str, canonical: str, label: str
) -> None:
    method = parse_method(text, {}, encoder=encoder)

    assert (method.canonical, method.label) == (canonical, label)
    assert parse_method(label, {}) == parse_method(canonical, {}) == method


def test_an_option_that_the_data_set_decides_does_not_show() -> None:
    meld = {"meld_step": True}

    assert parse_method("css-released", meld).encoder.options == meld
    assert parse_method("css-released", meld).label == "css-released"
    assert parse_method("css-released(meld_step=false)", meld).label == "css-released(meld_step=false)"
    assert parse_method("css", meld, encoder="released").label == "released/css"


@pytest.mark.parametrize(
    "texts",
    [
        ("css", "pgm", "spf+pgm", " spf + pgm ", "spf()+pgm()", "css(order=3)", "spf( rank = 16 )+pgm"),
        ("adam", "spf", "equal", "spf+equal", "adam(gates=TRUE)"),
        ("pcgrad", "spf+pcgrad"),
        ("tensor", "tensor+equal", "tensor(width=16)"),
        ("css(order=2,rank=8)", "spf(rank=8,order=2)+pgm"),
        ("css(detach_teacher=false)", "pgm/paper(detach_teacher=false)"),
        ("css-released", "released/spf-released+pgm(solver=slsqp)/paper(detach_teacher=false)"),
        ("css-shared", "css(shared=true)", "spf(shared=true)+pgm", "css-shared(gates=true)"),
        ("css-nogate(shared=true)", "css-shared(gates=false)"),
        ("css", "css-shared(shared=false)"),
    ],
)
def test_ways_to_write_the_same_method_share_name_and_run(texts: tuple[str, ...]) -> None:
    methods = [parse_method(text, {}) for text in texts]

    assert len({key(method) for method in methods}) == 1
    assert len({(method.canonical, method.label) for method in methods}) == 1


def test_the_methods_of_the_benchmark_are_all_different_and_show_under_their_own_names() -> None:
    assert len({key(parse_method(name, {})) for name in METHODS}) == len(METHODS)
    assert [parse_method(name, {}).label for name in METHODS] == list(METHODS)


def values(option: Option) -> st.SearchStrategy[int | float | bool | str]:
    if option.choices:
        return st.sampled_from(option.choices)
    if isinstance(option.default, bool):
        return st.booleans()
    if isinstance(option.default, float):
        return st.floats(option.minimum, 99 if option.maximum is None else option.maximum)
    return st.integers(int(option.minimum or 0), 99)


@st.composite
def written_methods(draw: st.DrawFn) -> str:
    def part(known: dict[str, Entry]) -> str:
        name = draw(st.sampled_from(sorted(known)))
        chosen = {o: draw(values(option)) for o, option in known[name].options.items() if draw(st.booleans())}
        return name + (f"({','.join(f'{o}={v}' for o, v in chosen.items())})" if chosen else "")

    encoder, objectives = (draw(st.booleans()) for _ in range(2))
    return "/".join(
        ([part(ENCODERS)] if encoder else [])
        + [f"{part(FUSIONS)}+{part(AGGREGATORS)}"]
        + ([part(OBJECTIVES)] if objectives else [])
    )


@given(written_methods(), st.fixed_dictionaries({}, optional={"rank": st.integers(1, 99), "order": st.integers(1, 9)}))
def test_label_and_canonical_string_read_back_as_the_same_method(text: str, defaults: dict[str, int]) -> None:
    method = parse_method(text, defaults)

    assert parse_method(method.label, defaults) == method
    assert parse_method(method.canonical, defaults) == method
    assert len(method.label) <= len(method.canonical)


def test_an_aggregators_options_survive_the_label(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(AGGREGATORS, "tuned", Entry("x:y", "has an option", {"power": Option(0.5, 0.0)}))

    for text, label in (
        ("tuned(power=2)", "tuned(power=2.0)"),
        ("concat+tuned(power=1)", "concat+tuned(power=1.0)"),
        ("spf(rank=2)+tuned(power=1)", "spf(rank=2)+tuned(power=1.0)"),
    ):
        method = parse_method(text, {})
        assert method.label == label
        assert parse_method(method.label, {}) == method


def test_every_alias_names_registered_parts() -> None:
    for name, target in ALIASES.items():
        method = parse_method(name, {})
        assert method == parse_method(target, {})
        assert (method.canonical, method.label) == (target, name)
        assert name not in FUSIONS.keys() | AGGREGATORS.keys()


def test_no_option_of_an_alias_could_mean_two_of_its_parts() -> None:
    for name in ALIASES:
        method = parse_method(name, {})
        options = [o for kind in KINDS for o in getattr(method, kind).options]
        assert len(options) == len(set(options))


def test_encoders_and_objectives_have_names_that_no_fusion_aggregator_or_alias_has() -> None:
    assert not (ENCODERS.keys() | OBJECTIVES.keys()) & (FUSIONS.keys() | AGGREGATORS.keys() | ALIASES.keys())


def test_every_registered_option_is_one_of_its_factory() -> None:
    for entry in (entry for known in KINDS.values() for entry in known.values()):
        parameters = inspect.signature(entry.load()).parameters
        assert set(entry.options) <= set(parameters)
        for name, option in entry.options.items():
            if parameters[name].default is not inspect.Parameter.empty:
                assert option.default == parameters[name].default


def test_options_equal_to_the_presets_default_do_not_show() -> None:
    preset = {"rank": 8, "order": 4}

    assert parse_method("css", preset).fusion.options == SPF | preset
    assert parse_method("css(rank=8)", preset) == parse_method("css", preset)
    assert parse_method("css(rank=16)", preset).label == "css(rank=16)"
    assert parse_method("css(rank=16)", preset).fusion.options["rank"] == 16


def test_a_presets_defaults_enter_only_methods_that_have_them() -> None:
    assert parse_method("tensor", {"rank": 8}).fusion.options == {"width": 16}
    assert parse_method("concat+pgm", {"rank": 8, "order": 1}) == parse_method("concat+pgm", {})


def test_options_of_the_command_line_enter_only_methods_that_have_them_and_show_there() -> None:
    forced = {"rank": 2, "order": 5}

    assert parse_method("css", {"rank": 8}, forced).label == "css(order=5,rank=2)"
    assert parse_method("concat", {}, forced) == parse_method("concat", {})
    assert parse_method("tensor", {}, forced) == parse_method("tensor", {})
    assert parse_method("css", {"rank": 2, "order": 5}, forced).label == "css"


def test_raw_scale_enters_the_aggregators_that_have_another_scale() -> None:
    forced = {"raw_scale": True}

    assert parse_method("concat+pcgrad", {}, forced).label == "concat+pcgrad(raw_scale=true)"
    for name in ("css", "mgda", "adam"):
        assert parse_method(name, {}, forced) == parse_method(name, {})


def test_the_unit_variant_shows_in_the_name_and_leaves_the_keys_of_older_runs_alone() -> None:
    variant = parse_method("pcgrad(unit=true)", {})
    assert (variant.label, variant.aggregator.options) == ("pcgrad(unit=true)", {"raw_scale": False, "unit": True})
    assert identifying(variant)["aggregator"]["options"] == {"raw_scale": False, "unit": True}
    assert identifying(parse_method("pcgrad", {}))["aggregator"]["options"] == {"raw_scale": False}
    assert key(variant) != key(parse_method("pcgrad", {}))


def test_a_missing_extra_is_refused_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(AGGREGATORS, "tuned", Entry("x:y", "", extra="solvers", packages=("os", "no_such_package")))

    with pytest.raises(UserError, match=r"^'tuned' needs no_such_package, .* pip install 'css-bench\[solvers\]'"):
        parse_method("tuned", {})


def test_an_option_written_in_the_method_beats_the_command_lines() -> None:
    assert parse_method("css(rank=4)", {}, {"rank": 2}).fusion.options["rank"] == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("spff", "unknown method 'spff', did you mean 'spf'?"),
        ("spff+pgm", "unknown fusion 'spff', did you mean 'spf'? known: spf, spf-released, concat"),
        ("spf+pgn", "unknown aggregator 'pgn', did you mean 'pgm'?"),
        ("qqqq", "unknown method 'qqqq'; known: css"),
        ("pgm+spf", "unknown fusion 'pgm'"),
        ("css+pgm", "unknown fusion 'css'"),
        ("css(ordr=2)", "unknown option of 'css' 'ordr', did you mean 'order'?"),
        ("concat(rank=2)", "unknown option of 'concat' 'rank'"),
        ("css(rank=0)", "rank must be at least 1, got 0"),
        ("css(order=-1)", "order must be at least 1, got -1"),
        ("css(rank=two)", "rank must be of type int, got 'two'"),
        ("css(rank=2.5)", "rank must be of type int, got '2.5'"),
        ("css(rank=)", "rank must be of type int, got ''"),
        ("concat+gradvac(beta=1.5)", "beta must be at most 1, got 1.5"),
        ("gradvac(beta=-1)", "beta must be at least 0, got -1.0"),
        ("css(gates=1)", "gates must be of type bool, got '1'"),
        ("css(rank)", "cannot read option 'rank' of 'css'; write option=value"),
        ("css(rank=2,rank=4)", "option 'rank' of 'css' is given twice"),
        ("", "cannot read method part ''"),
        ("  ", "cannot read method part '  '"),
        ("+", "cannot read method part ''"),
        ("spf+", "cannot read method part ''"),
        ("spf+pgm+equal", "cannot read method 'spf+pgm+equal'; write FUSION+AGGREGATOR"),
        ("relesed/css", "cannot read method 'relesed/css'; write FUSION+AGGREGATOR"),
        ("css/papr", "cannot read method 'css/papr'; write FUSION+AGGREGATOR"),
        ("css/", "cannot read method 'css/'; write FUSION+AGGREGATOR"),
        ("paper/css/paper/paper", "cannot read method 'paper/css/paper/paper'; write FUSION+AGGREGATOR"),
        ("relesed/css/paper", "unknown encoder 'relesed', did you mean 'released'?"),
        ("paper/css/papr", "unknown objectives 'papr', did you mean 'paper'?"),
        ("released(meld=true)/css", "unknown option of 'released' 'meld', did you mean 'meld_step'?"),
        ("css(meld_step=true)", "unknown option of 'css' 'meld_step'"),
        ("css(solver=slsq)", "unknown solver 'slsq', did you mean 'slsqp'? known: exact, slsqp"),
        ("css(detach_teacher=0)", "detach_teacher must be of type bool, got '0'"),
        ("spf(rank=2", "cannot read method part 'spf(rank=2'"),
        ("spf(rank=2))", "cannot read method part"),
        ("spf((rank=2))", "cannot read method part"),
        ("spf)rank=2(", "cannot read method part"),
        ("spf rank", "cannot read method part"),
        ("spf\nx", "cannot read method part"),
    ],
)
def test_an_unusable_method_is_refused_in_one_line_that_names_it(text: str, said: str) -> None:
    with pytest.raises(UserError) as error:
        parse_method(text, {})

    assert said in str(error.value)
    assert "\n" not in str(error.value)


@given(st.text(max_size=30))
def test_no_text_does_worse_than_a_user_error(text: str) -> None:
    try:
        method = parse_method(text, {})
    except UserError as error:
        message = str(error)
    else:
        message = method.label
        assert parse_method(message, {}) == method
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("value", [0, -3, 2.5, float("inf"), float("nan"), "1e3"])
def test_a_whole_number_is_not_anything_else(value: float | str) -> None:
    with pytest.raises(UserError, match=r"^rank must be"):
        Option(16, 1).parse("rank", value)


def test_a_value_takes_the_type_of_the_options_default() -> None:
    assert [Option(0.5).parse("x", v) for v in ("2", 2, 2.5)] == [2.0, 2.0, 2.5]
    parsed = Option(16, 1).parse("rank", 8.0)
    assert (parsed, type(parsed)) == (8, int)
    assert Option(True).parse("gates", "False") is False
    assert Option(False).parse("gates", "tRuE") is True


def test_a_word_has_to_be_one_of_the_choices() -> None:
    option = Option("exact", choices=("exact", "slsqp"))

    assert option.parse("solver", "slsqp") == "slsqp"
    for value in ("slsq", True, 1):
        with pytest.raises(UserError, match=r"^unknown solver"):
            option.parse("solver", value)


def test_a_part_keeps_its_options_as_written() -> None:
    assert parse_part(" spf ( rank = 8 , order=2, ) ") == ("spf", {"rank": "8", "order": "2"})


def test_commas_inside_parentheses_do_not_end_a_method() -> None:
    assert split_list("css, spf(order=2,rank=8)+pgm ,,tensor(width=8)") == [
        "css",
        "spf(order=2,rank=8)+pgm",
        "tensor(width=8)",
    ]
    assert split_list(" , ") == []
