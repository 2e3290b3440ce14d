import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from benchmark.base.values import first_error
from benchmark.data.folds import Fold
from benchmark.data.inputs import Inputs
from benchmark.experiment.provenance import Provenance
from benchmark.experiment.spec import RefitOf, RunSpec, Training, Tuned, Untuned
from benchmark.methods.parsing import KINDS
from benchmark.methods.parts import Component, Method, Plugin

SPEC = RunSpec(
    dataset="meld",
    method=Method(
        canonical="spf+tuned",
        label="css",
        encoder=Component(name="paper", options={"layers": 2}),
        fusion=Component(name="spf", options={"rank": 8, "gates": True}),
        aggregator=Component(name="tuned", options={"power": 0.5, "solver": "exact"}),
        objectives=Component(name="three", options={"detached": True}),
    ),
    seed=3,
    preset="quick",
    training=Training(
        hidden=16,
        heads=4,
        dropout=0.3,
        epochs=12,
        batch_size=32,
        lr=1e-3,
        weight_decay=1e-5,
        temperature=2.0,
        class_weights=True,
        standardize=False,
        probe_every=20,
        probe_conversations=4,
    ),
    provenance=Provenance(data="d", source="s", torch="t", numpy="n", device="cpu"),
)
OTHERS: dict[tuple[str, ...], Any] = {
    ("protocol",): "published",
    ("training", "schedule"): "warmup-cosine",
    ("training", "clip_norm"): 0.5,
    ("training", "selection"): "smoothed",
    ("inputs", "modalities"): ("text", "audio"),
    ("inputs", "text_view"): "mean",
    ("inputs", "remedies"): ("zero-leaked",),
}
LABELS = {("preset",), ("method", "label"), ("method", "canonical")}


def leaves(form: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in form.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, name))
        elif value is not None:  # a plug-in, where there is one: tested below
            yield (*path, name)


LEAVES = list(leaves(SPEC.model_dump()))


def changed(path: tuple[str, ...]) -> RunSpec:
    """The specification with another value in one field."""
    form = SPEC.model_dump()
    place = form
    for name in path[:-1]:
        place = place[name]
    value = place[path[-1]]
    if path in OTHERS:
        place[path[-1]] = OTHERS[path]
    elif path == ("training", "warmup"):  # alone it is nothing
        place |= {"schedule": "warmup-cosine", "warmup": 0.25}
    elif isinstance(value, bool):
        place[path[-1]] = not value
    else:
        place[path[-1]] = value + "x" if isinstance(value, str) else value * 2
    return RunSpec(**form)


def test_the_specification_under_test_has_a_value_in_every_field() -> None:
    assert {path[0] for path in LEAVES} == set(RunSpec.model_fields) - {"refit_of", "tuned", "fold"}  # tested below
    assert {path[1] for path in LEAVES if path[0] == "training"} == set(Training.model_fields)
    assert {path[1] for path in LEAVES if path[0] == "provenance"} == set(Provenance.model_fields)


@pytest.mark.parametrize("path", LEAVES, ids=".".join)
def test_a_key_is_the_hash_of_every_field_but_the_labels(path: tuple[str, ...]) -> None:
    other = changed(path)

    assert other != SPEC
    assert (other.key == SPEC.key) == (path in LABELS)


@pytest.mark.parametrize("path", LEAVES, ids=".".join)
def test_a_group_is_everything_but_the_seed(path: tuple[str, ...]) -> None:
    assert (changed(path).group == SPEC.group) == (path in LABELS or path == ("seed",))


@pytest.mark.parametrize("path", LEAVES, ids=".".join)
def test_a_budget_is_everything_but_seed_and_method(path: tuple[str, ...]) -> None:
    assert (changed(path).budget == SPEC.budget) == (path in LABELS or path == ("seed",) or path[0] == "method")


@pytest.mark.parametrize("part", ["encoder", "fusion", "aggregator", "objectives"])
def test_one_more_option_is_another_run(part: str) -> None:
    form = SPEC.model_dump()
    form["method"][part]["options"]["new"] = False

    assert RunSpec(**form).key != SPEC.key


@pytest.mark.parametrize("part", ["fusion", "aggregator"])
def test_a_plug_ins_place_and_source_are_part_of_the_run_and_not_of_its_budget(part: str) -> None:
    def with_plugin(**plugin: str) -> RunSpec:
        form = SPEC.model_dump()
        form["method"][part]["plugin"] = plugin
        return RunSpec(**form)

    specs = [
        SPEC,
        with_plugin(factory="a:B", source="1"),
        with_plugin(factory="a:B", source="2"),
        with_plugin(factory="a:C", source="1"),
    ]
    assert len({spec.key for spec in specs}) == len({spec.group for spec in specs}) == 4
    assert len({spec.budget for spec in specs}) == 1
    assert specs[1].record()[part]["plugin"] == {"factory": "a:B", "source": "1"}
    assert "plugin" not in SPEC.record()[part]


def test_a_key_is_sixteen_hexadecimal_digits_and_differs_from_group_and_budget() -> None:
    assert re.fullmatch(r"[0-9a-f]{16}", SPEC.key)
    assert len({SPEC.key, SPEC.group, SPEC.budget}) == 3


def test_a_key_does_not_depend_on_the_order_of_options_or_on_how_a_number_is_written() -> None:
    form = SPEC.model_dump()
    form["method"]["fusion"]["options"] = dict(reversed(form["method"]["fusion"]["options"].items()))
    form["training"] |= {"temperature": 2, "epochs": 12.0}

    assert RunSpec(**form).key == SPEC.key


def test_a_key_stays_what_it_was() -> None:
    """A changed canonical form orphans every store: change this number only on purpose."""
    assert SPEC.key == "8aaca255eee42362"


def test_settings_that_came_later_leave_keys_alone_where_they_are_at_their_default() -> None:
    form = SPEC.model_dump()
    assert RunSpec(**form).key == SPEC.key
    record = SPEC.record()
    for name in ("schedule", "warmup", "clip_norm", "selection"):
        del form["training"][name], record["training"][name]
    assert RunSpec(**form).key == RunSpec.from_record(record).key == SPEC.key


def test_options_that_came_later_leave_keys_alone_where_they_are_at_their_default() -> None:
    form = SPEC.model_dump()
    form["method"]["encoder"] = {"name": "paper", "options": {"theta_speakers": False}}
    older = RunSpec(**form)
    newer = {"modality_aware": True, "interaction_aware": True}
    form["method"]["encoder"]["options"] |= newer
    spelled_out = RunSpec(**form)
    assert (older.key, older.group) == (spelled_out.key, spelled_out.group)
    assert spelled_out.record()["encoder"]["options"] == {"theta_speakers": False} | newer
    for record in (older.record(), spelled_out.record()):
        assert RunSpec.from_record(record).key == older.key
    keys = {older.key}
    for name in newer:
        form["method"]["encoder"]["options"] = {"theta_speakers": False} | newer | {name: False}
        keys.add(RunSpec(**form).key)
    assert len(keys) == 3


def test_every_share_of_warm_up_is_another_run() -> None:
    shares = [{"schedule": "warmup-cosine", "warmup": share} for share in (0, 0.1, 0.2)]
    specs = [RunSpec(**SPEC.model_dump() | {"training": SPEC.training.model_dump() | share}) for share in shares]
    assert len({spec.key for spec in (SPEC, *specs)}) == len({spec.budget for spec in (SPEC, *specs)}) == 4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"warmup": 0.1}, "warmup goes with schedule warmup-cosine: choose that, or warmup 0, got 0.1"),
        (
            {"schedule": "warmup-cosine"},
            "schedule warmup-cosine needs warmup, a share of the steps: 0.1, or 0 for none",
        ),
        ({"schedule": "linear"}, "schedule must be 'constant' or 'warmup-cosine', got 'linear'"),
        ({"schedule": "warmup-cosine", "warmup": 1}, "warmup must be less than 1, got 1"),
        ({"clip_norm": -1}, "clip_norm must be at least 0, got -1"),
        ({"selection": "smooth"}, "selection must be 'best', 'smoothed' or 'last', got 'smooth'"),
    ],
)
def test_schedule_and_warm_up_go_together(settings: dict[str, Any], message: str) -> None:
    plain = {
        n: value
        for n, value in SPEC.training.model_dump().items()
        if n not in ("schedule", "warmup", "clip_norm", "selection")
    }
    with pytest.raises(ValidationError) as refused:
        Training(**plain | settings)
    assert first_error(refused.value) == message


@pytest.mark.parametrize("refitted", [False, True])
def test_a_specification_survives_json(refitted: bool) -> None:
    spec = refit() if refitted else SPEC
    again = RunSpec.model_validate_json(spec.model_dump_json())

    assert again == spec
    assert again.key == spec.key


def refit(of: RunSpec = SPEC, epochs: int = 7, **keys: int) -> RunSpec:
    origin = RefitOf(group=of.group, budget=of.budget, epochs=keys or {of.key: epochs})
    form = of.model_dump() | {"protocol": "refit", "refit_of": origin}
    return RunSpec(**form | {"training": form["training"] | {"epochs": epochs}})


def test_a_refit_is_another_run_than_one_of_as_many_epochs_under_another_protocol() -> None:
    form = SPEC.model_dump()
    form["training"]["epochs"] = 7
    validated, published = RunSpec(**form), RunSpec(**form | {"protocol": "published"})

    for name in ("key", "group", "budget"):
        assert len({getattr(spec, name) for spec in (SPEC, validated, published, refit())}) == 4


def test_a_refit_is_named_by_the_group_it_comes_from_and_not_by_which_seeds_of_it() -> None:
    assert refit().key == refit(a=6, b=8).key
    assert refit(changed(("training", "epochs"))).key != refit().key  # trains the same, and is another's refit


def test_refits_of_different_methods_share_a_budget_whatever_their_epochs() -> None:
    other = changed(("method", "fusion", "options", "rank"))

    assert refit().budget == refit(epochs=8).budget == refit(other, epochs=9).budget
    assert len({refit().group, refit(epochs=8).group, refit(other).group}) == 3
    assert refit(changed(("training", "lr"))).budget != refit().budget
    assert refit().record()["refit_of"] == {
        "group": SPEC.group, "budget": SPEC.budget, "epochs": {SPEC.key: 7}, "mean": 7.0
    }  # fmt: skip


def tuned(**training: float) -> RunSpec:
    """SPEC with other training settings, of a study; under SPEC's budget."""
    base = Untuned(**{name: getattr(SPEC.training, name) for name in Untuned.model_fields})
    form = SPEC.model_dump() | {"training": SPEC.training.model_dump() | training}
    return RunSpec(**form | {"tuned": Tuned(study="meld/css/quick", base=base)})


def test_a_tuned_run_shares_the_defaults_budget_and_nothing_else() -> None:
    both = tuned(lr=0.004, dropout=0.1, temperature=3, weight_decay=0.01)
    assert both.budget == SPEC.budget
    assert len({spec.key for spec in (SPEC, both, tuned(lr=0.004))}) == 3
    assert len({spec.group for spec in (SPEC, both, tuned(lr=0.004))}) == 3
    assert tuned(epochs=13).budget != SPEC.budget


def test_which_study_settings_come_from_is_a_label() -> None:
    plain = RunSpec(**tuned(lr=0.004).model_dump() | {"tuned": None})
    assert plain.key == tuned(lr=0.004).key
    assert plain.budget != tuned(lr=0.004).budget
    record = tuned(lr=0.004).record()
    base = {name: getattr(SPEC.training, name) for name in ("lr", "dropout", "temperature", "weight_decay")}
    assert record["tuned"] == {"study": "meld/css/quick", "base": base}
    assert RunSpec.from_record(json.loads(json.dumps(record))) == tuned(lr=0.004)
    assert SPEC.record()["tuned"] is None


SESSIONS = ("Ses01", "Ses02", "Ses03")


def in_turn(test: int = 0, sessions: tuple[str, ...] = SESSIONS, **changes: Any) -> RunSpec:
    """SPEC with one of these sessions as the test set."""
    fold = Fold(test=sessions[test], validation=sessions[(test + 1) % len(sessions)], sessions=sessions)
    return RunSpec(**SPEC.model_dump() | {"protocol": "sessions", "fold": fold} | changes)


def test_folds_are_runs_of_their_own_of_one_group_and_budget_which_are_not_those_of_the_published_split() -> None:
    folds = [in_turn(test) for test in range(3)]
    assert len({spec.key for spec in (SPEC, *folds)}) == 4
    assert len({spec.group for spec in folds}) == len({spec.budget for spec in folds}) == 1
    assert folds[0].group != SPEC.group
    assert folds[0].budget != SPEC.budget
    assert in_turn(seed=9).group == folds[0].group
    assert folds[0].validates


def test_a_fold_is_in_the_record_and_comes_back_from_it() -> None:
    record = json.loads(json.dumps(in_turn(2).record()))
    assert record["fold"] == {"test": "Ses03", "validation": "Ses01", "sessions": list(SESSIONS)}
    assert RunSpec.from_record(record) == in_turn(2)
    with pytest.raises(ValueError, match="its key is"):
        RunSpec.from_record(record | {"fold": in_turn(1).record()["fold"]})
    assert SPEC.record()["fold"] is None


@pytest.mark.parametrize("change", [{"protocol": "sessions"}, {"fold": in_turn().fold}])
def test_a_fold_and_its_protocol_go_together(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="fold goes with protocol sessions"):
        RunSpec(**SPEC.model_dump() | change)


@pytest.mark.parametrize("change", [{"protocol": "refit"}, {"refit_of": refit().refit_of}, {"protocol": "best"}])
def test_a_refit_and_what_it_was_made_from_go_together(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"refit_of goes with protocol refit|Input should be 'validated'"):
        RunSpec(**SPEC.model_dump() | change)


def test_the_record_is_every_field_and_what_follows_from_them() -> None:
    record = SPEC.record()

    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record == {
        "format": 1,
        "key": SPEC.key,
        "group": SPEC.group,
        "budget": SPEC.budget,
        "dataset": "meld",
        "inputs": {"modalities": ["text", "audio", "visual"], "text_view": "1", "remedies": []},
        "method": "spf+tuned",
        "label": "css",
        "seed": 3,
        "preset": "quick",
        "protocol": "validated",
        "refit_of": None,
        "tuned": None,
        "fold": None,
        "encoder": {"name": "paper", "options": {"layers": 2}},
        "fusion": {"name": "spf", "options": {"rank": 8, "gates": True}},
        "aggregator": {"name": "tuned", "options": {"power": 0.5, "solver": "exact"}},
        "objectives": {"name": "three", "options": {"detached": True}},
        "training": SPEC.training.model_dump(),
        "provenance": SPEC.provenance.model_dump(),
    }


@pytest.mark.parametrize("value", [SPEC, SPEC.method, SPEC.method.encoder, SPEC.training, SPEC.provenance])
def test_specifications_are_frozen_and_refuse_unknown_fields(value: Any) -> None:
    for name in type(value).model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(value, name, getattr(value, name))
    with pytest.raises(ValidationError, match="Extra inputs"):
        type(value)(**value.model_dump(), unknown=1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hidden", 18),
        ("hidden", 0),
        ("heads", 0),
        ("heads", 3),
        ("dropout", -0.1),
        ("dropout", 1.0),
        ("epochs", 0),
        ("epochs", 1.5),
        ("batch_size", 0),
        ("lr", 0.0),
        ("lr", float("inf")),
        ("lr", float("nan")),
        ("weight_decay", -1e-9),
        ("weight_decay", float("inf")),
        ("temperature", 0.0),
        ("temperature", float("nan")),
        ("class_weights", "perhaps"),
        ("probe_every", 0),
        ("probe_conversations", 0),
    ],
)
def test_impossible_settings_are_refused(field: str, value: float) -> None:
    with pytest.raises(ValidationError):
        Training(**SPEC.training.model_dump() | {field: value})


def test_hidden_is_a_multiple_of_heads() -> None:
    with pytest.raises(ValidationError, match=r"hidden must be a multiple of heads \(4\), got 18"):
        Training(**SPEC.training.model_dump() | {"hidden": 18})


def test_a_seed_is_not_negative() -> None:
    assert RunSpec(**SPEC.model_dump() | {"seed": 0}).seed == 0
    with pytest.raises(ValidationError):
        RunSpec(**SPEC.model_dump() | {"seed": -1})


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"modalities": ("audio", "text")}, "modalities must be in the order"),
        ({"modalities": ("text", "text")}, "modalities must be in the order"),
        ({"modalities": ()}, "modalities"),
        ({"modalities": ("smell",)}, "modalities"),
        ({"modalities": ("audio",), "text_view": "2"}, "text view 2 of a run without text"),
        ({"text_view": "5"}, "text_view"),
        ({"remedies": ("zero-leaked", "zero-non-finite")}, "remedies must be in the order zero-non-finite, drop-"),
        ({"remedies": ("zero-leaked", "zero-leaked")}, "remedies must be in the order"),
        ({"remedies": ("wish",)}, "remedies"),
    ],
)
def test_inputs_have_one_name_for_one_choice(inputs: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Inputs(**inputs)


def options() -> st.SearchStrategy[dict[str, Any]]:
    finite = st.floats(allow_nan=False, allow_infinity=False)
    return st.dictionaries(st.text(max_size=4), st.booleans() | st.integers(-(2**53), 2**53) | finite, max_size=3)


FOLD = in_turn().fold


def specs() -> st.SearchStrategy[RunSpec]:
    """Any specification: names and numbers of all kinds."""
    plugin = st.none() | st.builds(Plugin, factory=st.text(max_size=5), source=st.text(max_size=5))
    component = st.builds(Component, name=st.text(max_size=5), options=options(), plugin=plugin)
    epochs = st.dictionaries(st.text(max_size=5), st.integers(1, 2**40), min_size=1, max_size=3)
    origin = st.builds(RefitOf, group=st.text(max_size=5), budget=st.text(max_size=5), epochs=epochs)
    positive, rate = st.integers(1, 2**40), st.floats(0, 1e9)
    return st.builds(
        lambda protocol, **rest: RunSpec(**dict(zip(("protocol", "refit_of", "fold"), protocol, strict=True)), **rest),
        protocol=st.sampled_from([("validated", None, None), ("published", None, None), ("sessions", None, FOLD)])
        | st.tuples(st.just("refit"), origin, st.none()),
        dataset=st.text(max_size=5),
        inputs=st.sampled_from([Inputs(), Inputs(modalities=("text", "audio"), text_view="mean")]),
        method=st.builds(Method, canonical=st.text(), label=st.text(), **dict.fromkeys(KINDS, component)),
        seed=st.integers(0, 2**62),
        preset=st.text(max_size=5),
        training=st.builds(
            lambda heads, rates, **rest: Training(heads=heads, hidden=3 * heads, **rates, **rest),
            heads=positive,
            dropout=st.floats(0, 1, exclude_max=True),
            epochs=positive,
            batch_size=positive,
            lr=st.floats(0, 1, exclude_min=True),
            weight_decay=rate,
            temperature=st.floats(0, 1e9, exclude_min=True),
            class_weights=st.booleans(),
            standardize=st.booleans(),
            probe_every=positive,
            probe_conversations=positive,
            rates=st.sampled_from([{}, {"schedule": "warmup-cosine", "warmup": 0.0}])
            | st.builds(dict, schedule=st.just("warmup-cosine"), warmup=st.floats(0, 1, exclude_max=True)),
            clip_norm=rate,
            selection=st.sampled_from(["best", "smoothed", "last"]),
        ),
        provenance=st.builds(Provenance, **dict.fromkeys(Provenance.model_fields, st.text(max_size=5))),
    )


@given(specs())
def test_a_specification_comes_back_from_its_record(spec: RunSpec) -> None:
    again = RunSpec.from_record(json.loads(json.dumps(spec.record())))
    assert again == spec
    assert again.key == spec.key
    assert again.record() == spec.record()


@pytest.mark.parametrize("path", [leaf for leaf in LEAVES if leaf not in LABELS], ids=".".join)
def test_a_record_that_was_changed_is_refused(path: tuple[str, ...]) -> None:
    record = changed(path).record() | {"key": SPEC.key}
    with pytest.raises(ValueError, match=f"its key is .*, not {SPEC.key}"):
        RunSpec.from_record(record)
