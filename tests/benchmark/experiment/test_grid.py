from typing import Any

import pytest

from benchmark.base.errors import UserError
from benchmark.data.datasets import DataSet, dataset
from benchmark.data.defects.remedies import REMEDIES
from benchmark.data.inputs import Inputs, parse_inputs
from benchmark.experiment.grid import PUBLISHED_SEEDS, cost, expand, in_order, parse_seeds
from benchmark.experiment.preregistration import MARGIN
from benchmark.experiment.presets import DEFAULT, NAMES, Preset, load_preset
from benchmark.experiment.spec import RunSpec
from benchmark.methods.parsing import parse_method
from benchmark.methods.registry import METHODS


@pytest.fixture(scope="module")
def quick() -> Preset:
    return load_preset("quick")


@pytest.fixture(scope="module")
def simulated() -> list[DataSet]:
    return [dataset("iemocap-sim", None), dataset("meld-sim", None)]


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("1", [0]),
        ("3", [0, 1, 2]),
        (" 2 ", [0, 1]),
        ("3,7,11", [3, 7, 11]),
        ("7,3", [7, 3]),
        ("0,", [0]),
        ("61078,", [61078]),
        ("3,3, 5,3", [3, 5]),
    ],
)
def test_seeds_are_a_count_or_a_list(text: str, seeds: list[int], quick: Preset) -> None:
    assert parse_seeds(text, quick) == seeds


def test_a_seed_without_its_comma_is_not_taken_for_a_count(quick: Preset) -> None:
    with pytest.raises(
        UserError, match=r"61078 seeds are more than 10000; if it is the one seed 61078 .* write 61078,"
    ):
        parse_seeds("61078", quick)
    assert parse_seeds("61078,", quick) == [61078]
    assert len(parse_seeds("10000", quick)) == 10_000


def test_without_seeds_the_preset_says_how_many(quick: Preset) -> None:
    assert parse_seeds(None, quick) == list(range(quick.seeds))


@pytest.mark.parametrize("text", ["", " ", ",", "-1,2", "3,-7", "five", "1.5", "1,x", "1;2", "9" * 5000])
def test_other_seeds_are_refused_in_one_line(text: str, quick: Preset) -> None:
    with pytest.raises(UserError, match=r"^cannot read seeds '.*'; give a count \(5\) or a list of seeds \(3,7,11\)$"):
        parse_seeds(text, quick)


@pytest.mark.parametrize("count", ["0", "-1", "-10000"])
def test_a_count_below_one_is_named(count: str, quick: Preset) -> None:
    with pytest.raises(UserError, match=rf"^--seeds must be at least 1, got {count}; give a count"):
        parse_seeds(count, quick)


def test_a_grid_has_a_run_for_every_data_set_method_and_seed(quick: Preset, simulated: list[DataSet]) -> None:
    specs = expand(quick, simulated, METHODS, [0, 4, 9])

    found = {(s.dataset, s.method.label, s.seed) for s in specs}
    assert found == {(d.name, m, s) for d in simulated for m in METHODS for s in (0, 4, 9)}
    assert len(specs) == len(found) == len({s.key for s in specs}) == 2 * 7 * 3
    assert {s.preset for s in specs} == {"quick"}
    assert {s.method.encoder.name for s in specs} == {"paper"}


def test_a_grid_names_no_run_twice(quick: Preset, simulated: list[DataSet]) -> None:
    twice = expand(quick, [*simulated, *simulated], ["css", "spf+pgm", "pgm", "css(gates=true)"], [1, 1])

    found = sorted((s.dataset, s.method.label, s.seed) for s in twice)
    assert found == [("iemocap-sim", "css", 1), ("meld-sim", "css", 1)]


def test_each_data_family_gets_its_own_settings(quick: Preset, simulated: list[DataSet]) -> None:
    by_name = {s.dataset: s for s in expand(quick, simulated, ["css"], [0])}

    for name, spec in by_name.items():
        assert spec.training == quick.training(name, {})
        assert spec.method == parse_method("css", quick.options(name))
    assert by_name["iemocap-sim"].training.lr != by_name["meld-sim"].training.lr
    assert len({s.provenance.data for s in by_name.values()}) == 2


def test_the_published_protocol_has_the_published_seed_of_each_family(quick: Preset, simulated: list[DataSet]) -> None:
    specs = expand(quick, simulated, ["css"], None, protocol="published")
    assert PUBLISHED_SEEDS == {"iemocap": 61078, "meld": 10068}
    assert {s.dataset: s.seed for s in specs} == {"iemocap-sim": 61078, "meld-sim": 10068}
    assert {s.protocol for s in specs} == {"published"}
    chosen = expand(quick, simulated, ["css"], [0, 1], protocol="published")
    assert {s.seed for s in chosen} == {0, 1}
    assert not {s.budget for s in chosen} & {s.budget for s in expand(quick, simulated, ["css"], [0, 1])}


def test_whatever_stops_a_grid_leaves_whole_seeds_behind_each_of_them_longest_runs_first(
    quick: Preset, simulated: list[DataSet]
) -> None:
    methods = ["adam", "css", "concat", "concat+pgm"]
    specs = expand(quick, simulated, methods, [7, 1, 3], training={"epochs": 3, "hidden": 48})

    assert [s.seed for s in specs] == [7] * 8 + [1] * 8 + [3] * 8
    for first in (0, 8, 16):
        of_seed = specs[first : first + 8]
        assert [s.dataset for s in of_seed[:2]] == ["iemocap-sim"] * 2  # has more training utterances
        costs = [cost(s) for s in of_seed]
        assert costs == sorted(costs, reverse=True)
        within = [s.method.label for s in of_seed if s.dataset == "meld-sim"]
        assert within == ["css", "concat+pgm", "adam", "concat"]


def test_the_order_of_runs_is_that_of_their_seeds_whatever_joins_them(quick: Preset, simulated: list[DataSet]) -> None:
    specs = expand(quick, simulated, ["css"], [0, 1]) + expand(quick, simulated, ["linear"], [1, 0])
    assert [s.seed for s in in_order(specs)] == [0] * 4 + [1] * 4


def test_work_grows_with_epochs_width_and_objectives_that_are_differentiated(
    quick: Preset, simulated: list[DataSet]
) -> None:
    def work(method: str, **training: int) -> float:
        return cost(expand(quick, simulated[:1], [method], [0], training=training)[0])

    assert work("css") > work("adam")
    assert work("pcgrad") > work("tensor")
    assert work("css", epochs=1000) > work("css")
    assert work("css", hidden=9600) > work("css")


def test_a_scaled_corpus_costs_as_much_more(quick: Preset) -> None:
    once, thrice = (expand(quick, [dataset(n, None)], ["css"], [0])[0] for n in ("meld-sim", "meld-sim(scale=3)"))
    assert cost(thrice) == 3 * cost(once)


def test_overrides_replace_the_presets_settings_and_nothing_else(quick: Preset, simulated: list[DataSet]) -> None:
    (spec,) = expand(quick, simulated[:1], ["css"], [0], training={"epochs": 3, "hidden": 6400}, options={"rank": 777})
    standard = quick.training("iemocap-sim", {})

    assert spec.training.model_dump() == standard.model_dump() | {"epochs": 3, "hidden": 6400}
    assert spec.method.fusion.options["rank"] == 777
    assert spec.method.fusion.options["order"] == quick.options("iemocap-sim")["order"]
    assert quick == load_preset("quick")


def test_component_options_of_the_command_line_enter_the_methods_that_have_them(
    quick: Preset, simulated: list[DataSet]
) -> None:
    def keys(options: dict[str, Any]) -> dict[str, str]:
        return {
            s.method.fusion.name: s.key for s in expand(quick, simulated[:1], ["css", "concat"], [0], options=options)
        }

    assert keys({"rank": 777})["concat"] == keys({})["concat"]
    assert keys({"rank": 777})["spf"] != keys({})["spf"]


def test_methods_take_the_grids_encoder_unless_they_bring_their_own(quick: Preset, simulated: list[DataSet]) -> None:
    def encoders(**options: Any) -> dict[str, str]:
        specs = expand(quick, simulated[:1], ["css", "concat", "paper/adam", "css-released"], [0], **options)
        assert len({s.budget for s in specs}) == 1  # they may stand in one table, each under its own name
        return {s.method.label: s.method.encoder.name for s in specs}

    assert encoders() == {"css": "paper", "concat": "paper", "adam": "paper", "css-released": "released"}
    assert encoders(encoder="released") == {
        "released/css": "released",
        "released/concat": "released",
        "adam": "paper",
        "css-released": "released",
    }


def test_no_run_depends_on_how_its_encoder_was_named(quick: Preset, simulated: list[DataSet]) -> None:
    def keys(methods: list[str], **options: Any) -> set[str]:
        return {s.key for s in expand(quick, simulated, methods, [0], **options)}

    assert keys(["css-released"]) == keys(["css-released"], encoder="released")
    assert keys(["css"], encoder="released") == keys(["released/css"])
    assert keys(["spf-released+pgm(solver=slsqp)/paper(detach_teacher=false)"], encoder="released") == keys(
        ["css-released"]
    )
    assert len(keys(["css", "released/css", "css-released"])) == 6


def test_the_released_encoder_takes_its_step_for_meld_on_meld_only(quick: Preset, simulated: list[DataSet]) -> None:
    def steps(methods: list[str], **options: Any) -> dict[str, Any]:
        return {s.dataset: s.method.encoder.options for s in expand(quick, simulated, methods, [0], **options)}

    by_data = {"iemocap-sim": {"meld_step": False}, "meld-sim": {"meld_step": True}}
    assert steps(["css-released"]) == steps(["css"], encoder="released") == by_data
    off = {"iemocap-sim": {"meld_step": False}, "meld-sim": {"meld_step": False}}
    assert steps(["css-released(meld_step=false)"]) == steps(["css"], encoder="released(meld_step=false)") == off
    assert {s.method.label for s in expand(quick, simulated, ["css-released"], [0])} == {"css-released"}


@pytest.mark.parametrize(("method", "encoder"), [("css-released", "paper"), ("concat", "released")])
def test_a_method_without_a_modality_it_needs_is_refused(method: str, encoder: str, quick: Preset) -> None:
    two = dataset("meld-sim", None, Inputs(modalities=("text", "audio")))
    with pytest.raises(UserError, match=r"^encoder 'released' of .* needs visual too; leave out --modalities or it$"):
        expand(quick, [two], [method], [0], encoder=encoder)
    assert expand(quick, [two], ["spf-released"], [0])


def test_device_and_encoder_enter_the_specification(quick: Preset, simulated: list[DataSet]) -> None:
    (cpu,), (cuda,) = (expand(quick, simulated[:1], ["css"], [0], device=device) for device in ("cpu", "cuda"))

    assert (cpu.provenance.device, cuda.provenance.device) == ("cpu", "cuda")
    assert cpu.key != cuda.key


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"encoder": "papr"}, "unknown encoder 'papr', did you mean 'paper'?"),
        ({"encoder": "papr", "methods": ["css-released"]}, "unknown encoder 'papr', did you mean 'paper'?"),
        ({"encoder": "released(step=true)"}, "unknown option of 'released' 'step', did you mean 'meld_step'?"),
        ({"methods": ["css", "spff"]}, "unknown method 'spff', did you mean 'spf'?"),
        ({"training": {"hidden": 50, "heads": 4}}, "hidden must be a multiple of heads (4), got 50"),
        ({"training": {"epochs": 0}}, "epochs must be at least 1, got 0"),
        ({"training": {"lr": "fast"}}, "lr must be a number, got 'fast'"),
        ({"training": {"epoch": 3}}, "epoch: there is no such setting, got 3"),
        ({"options": {"rank": 0}}, "rank must be at least 1, got 0"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_one_short_line(
    arguments: dict[str, Any], said: str, quick: Preset, simulated: list[DataSet]
) -> None:
    with pytest.raises(UserError) as error:
        expand(quick, simulated, **{"methods": ["css"], "seeds": [0]} | arguments)

    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400  # all known names are listed


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("corpus", ["iemocap", "meld"])
def test_every_preset_is_complete_for_every_corpus(name: str, corpus: str, simulated: list[DataSet]) -> None:
    preset = load_preset(name)

    assert preset.name == name
    assert preset.description
    assert preset.seeds >= 1
    assert set(preset.settings) - {"iemocap-sim", "meld-sim"} == {"iemocap", "meld"}
    assert preset.training(corpus, {}).epochs >= 1
    assert set(preset.options(corpus)) == {"rank", "order"}
    specs: list[RunSpec] = expand(preset, simulated, METHODS, [0])
    assert len(specs) == 2 * len(METHODS)


def test_settings_of_a_data_set_go_before_those_of_its_shape(quick: Preset) -> None:
    own = quick.training("iemocap-sim", {})
    assert own != quick.training("iemocap", {}) == quick.training("iemocap-sim-hard", {})
    (spec,) = expand(quick, [dataset("iemocap-sim(conflict_rate=0.4)", None)], ["css"], [0])
    assert spec.training == own


def test_the_margin_of_a_grid_is_the_smallest_of_its_data_sets(quick: Preset) -> None:
    assert quick.margin(["iemocap-sim", "meld-sim"]) == 2.0
    assert quick.margin(["iemocap-sim", "meld"]) == quick.margin(["meld-sim-hard"]) == MARGIN
    assert load_preset("full").margin(["iemocap-sim"]) == MARGIN


@pytest.mark.parametrize("corpus", ["iemocap", "meld"])
def test_the_paper_preset_has_the_published_settings(corpus: str) -> None:
    preset = load_preset("paper")
    published = {
        "iemocap": {"lr": 1e-4, "epochs": 200, "temperature": 1, "class_weights": True, "order": 3},
        "meld": {"lr": 5e-6, "epochs": 100, "temperature": 4, "class_weights": False, "order": 4},
    }[corpus] | {"weight_decay": 1e-5, "dropout": 0.5, "batch_size": 32, "hidden": 1024, "heads": 8, "rank": 16}

    found = preset.training(corpus, {}).model_dump() | preset.options(corpus)
    assert published.items() <= found.items()


def test_the_default_preset_exists_and_a_typing_error_is_named() -> None:
    assert DEFAULT in NAMES
    with pytest.raises(UserError, match=r"^unknown preset 'quik', did you mean 'quick'\? known: smoke, quick, full"):
        load_preset("quik")


@pytest.mark.parametrize(
    ("modalities", "view", "inputs"),
    [
        (None, None, Inputs()),
        ("text,audio,visual", "1", Inputs()),
        (" audio, text,text", None, Inputs(modalities=("text", "audio"))),
        ("text", "concat", Inputs(modalities=("text",), text_view="concat")),
    ],
)
def test_inputs_are_named_in_any_order(modalities: str | None, view: str | None, inputs: Inputs) -> None:
    assert parse_inputs(modalities, view) == inputs


@pytest.mark.parametrize(
    ("modalities", "view", "said"),
    [
        ("txt", None, "unknown modality 'txt', did you mean 'text'?"),
        (",", None, "modalities: "),
        (None, "5", "unknown text view '5'; known: 1, 2, 3, 4, mean, concat"),
        ("audio", "mean", "text view mean of a run without text"),
    ],
)
def test_inputs_that_cannot_be_are_refused(modalities: str | None, view: str | None, said: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_inputs(modalities, view)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("text", "remedies"),
    [(None, ()), ("zero-leaked, zero-non-finite", ("zero-non-finite", "zero-leaked")), ("all", tuple(REMEDIES))],
)
def test_remedies_are_named_in_any_order_and_kept_in_one(text: str | None, remedies: tuple[str, ...]) -> None:
    assert parse_inputs(None, None, text).remedies == remedies


def test_remedies_that_are_none_are_refused() -> None:
    with pytest.raises(UserError, match=r"unknown remedy 'zero-leak', did you mean 'zero-leaked'\?"):
        parse_inputs(None, None, "zero-leak")
    with pytest.raises(UserError, match="--drop-defects names nothing"):
        parse_inputs(None, None, ",")


def test_runs_without_remedies_keep_their_keys_and_those_with_them_have_others(quick: Preset) -> None:
    def spec(**inputs: Any) -> RunSpec:
        return expand(quick, [dataset("meld-sim", None, Inputs(**inputs))], ["css"], [0])[0]

    text = spec(modalities=("text",))
    assert "remedies" not in text._canonical()["inputs"]
    mended = [spec(remedies=r) for r in (("zero-leaked",), ("zero-non-finite",), ("zero-non-finite", "zero-leaked"))]
    assert len({s.budget for s in (text, spec(), *mended)}) == 5
    assert len({s.provenance.data for s in (text, spec(), *mended)}) == 4


def test_other_inputs_are_other_runs_of_another_budget(quick: Preset) -> None:
    def spec(inputs: Inputs) -> RunSpec:
        return expand(quick, [dataset("meld-sim", None, inputs)], ["css"], [0])[0]

    all_three, two = spec(Inputs()), spec(Inputs(modalities=("text", "audio")))
    assert all_three.key != two.key
    assert all_three.budget != two.budget


def test_simulated_data_have_one_view_of_the_text() -> None:
    with pytest.raises(UserError, match="meld-sim has one view of the text"):
        dataset("meld-sim", None, Inputs(text_view="2"))
