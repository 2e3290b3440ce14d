"""Simulated corpora by name: what is accepted, what it is called, what it simulates."""

from dataclasses import fields, replace

import pytest

from benchmark.base.errors import UserError
from benchmark.data.datasets import dataset
from benchmark.data.simulation.knobs import KNOBS, parse_corpus
from benchmark.data.simulation.simulator import MELD_SIM_HARD, simulate
from benchmark.data.simulation.spec import SPECS, SimulatorSpec


@pytest.mark.parametrize(
    ("text", "canonical", "changed"),
    [
        ("meld-sim-hard", "meld-sim-hard", {}),
        ("meld-sim-hard()", "meld-sim-hard", {}),
        ("meld-sim-hard(conflict_rate=0.50)", "meld-sim-hard(conflict_rate=0.5)", {"conflict_rate": 0.5}),
        ("meld-sim-hard(conflict_rate=.2, pair_gap=1)", "meld-sim-hard(pair_gap=1)", {"pair_gap": 1.0}),
        ("meld-sim-hard( synergy = audio+text )", "meld-sim-hard", {}),
        ("meld-sim-hard(synergy=visual+text)", "meld-sim-hard(synergy=text+visual)", {"synergy": ("text", "visual")}),
        ("meld-sim-hard(synergy=none)", "meld-sim-hard(synergy=none)", {"synergy": ()}),
        ("meld-sim-hard(leakage=-0+0+0,stay=-0.0)", "meld-sim-hard(stay=0)", {"stay": 0.0}),
        ("meld-sim-hard(leakage=0+0+1e-5)", "meld-sim-hard(leakage=0+0+1e-05)", {"leakage": (0.0, 0.0, 1e-5)}),
        ("meld-sim-hard(signal=1e17+0+2)", "meld-sim-hard(signal=1e17+0+2)", {"signal": (1e17, 0.0, 2.0)}),
        ("meld-sim-hard(cast=70+550+380+220+130+75+40+20+10)", "meld-sim-hard", {}),
        ("meld-sim-hard(widths=8+8+8,max_length=40)", "meld-sim-hard(max_length=40,widths=8+8+8)",
         {"widths": (8, 8, 8), "max_length": 40}),
    ],
)  # fmt: skip
def test_a_name_has_one_canonical_form_which_says_what_differs(text, canonical, changed):
    expected = replace(MELD_SIM_HARD, **changed)
    assert parse_corpus(text) == (canonical, expected)
    assert repr(parse_corpus(text)[1]) == repr(expected)  # what the fingerprint hashes
    assert parse_corpus(canonical) == parse_corpus(text)


def test_every_field_is_a_knob_but_names_and_structure():
    hidden = {"name", "splits", "class_names", "pairs"}
    assert set(KNOBS) == {f.name for f in fields(SimulatorSpec)} - hidden | {"scale"}


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("scale", [0.1, 2.5, 10])
def test_scale_multiplies_every_split(name, scale):
    canonical, spec = parse_corpus(f"{name}(scale={scale})")
    assert canonical == f"{name}(scale={scale})"
    for size, original in zip(spec.splits, SPECS[name].splits, strict=True):
        assert (size.split, size.sessions) == (original.split, original.sessions)
        assert size.conversations == round(scale * original.conversations)
        assert size.utterances == round(scale * original.utterances)
    assert replace(spec, splits=SPECS[name].splits) == SPECS[name]
    assert parse_corpus(f"{name}(scale=1.0)") == (name, SPECS[name])


def test_scale_stands_among_the_other_knobs_by_name():
    canonical, _ = parse_corpus("meld-sim-hard(stay=0.5,scale=2,inertia=0)")
    assert canonical == "meld-sim-hard(inertia=0,scale=2,stay=0.5)"


def test_the_smallest_scale_leaves_every_session_a_conversation():
    for name, least in (("iemocap-sim-hard", "0.034"), ("meld-sim-hard", "0.009")):
        with pytest.raises(UserError, match=f"scale of {name} is 0.001, but must be from {least} to 100"):
            parse_corpus(f"{name}(scale=0.001)")
        assert min(size.conversations for size in parse_corpus(f"{name}(scale={least})")[1].splits) >= 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("meld-simm", "unknown data set 'meld-simm', did you mean 'meld-sim'"),
        ("meld-sim-hard(conflict=1)", "unknown knob of 'meld-sim-hard' 'conflict', did you mean 'conflict_rate'"),
        ("meld-sim-hard(conflict_rate=2)", "conflict_rate is 2.0, but must be in [0, 1]"),
        ("meld-sim-hard(conflict_rate=nan)", "conflict_rate is nan, but must be in [0, 1]"),
        ("meld-sim-hard(conflict_rate=much)", "conflict_rate of meld-sim-hard is 'much', but must be a number"),
        ("meld-sim-hard(conflict_rate=0+1)", "conflict_rate of meld-sim-hard is '0+1', but must be a number"),
        (
            "meld-sim-hard(widths=8+8+8.5)",
            "widths of meld-sim-hard is '8+8+8.5', but must be a whole number or several",
        ),
        ("meld-sim-hard(widths=8+8)", "widths is (8, 8), but must be three whole numbers"),
        (
            "meld-sim-hard(synergy=text+vedio)",
            "synergy is ('vedio', 'text'), but must be different ones of text, audio",
        ),
        ("meld-sim-hard(scale=nan)", "scale of meld-sim-hard is nan, but must be from 0.009 to 100"),
        ("meld-sim-hard(scale=101)", "scale of meld-sim-hard is 101, but must be from 0.009 to 100"),
        ("meld-sim-hard(scale)", "cannot read option 'scale' of 'meld-sim-hard'"),
        ("meld-sim-hard(scale=2", "cannot read data set 'meld-sim-hard(scale=2'"),
        ("meld(scale=2)", "data set 'meld(scale=2)': only simulated corpora have knobs"),
    ],
)
def test_what_cannot_be_simulated_is_refused_in_one_line(text, said):
    with pytest.raises(UserError) as error:
        dataset(text, None)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_data_set_is_the_corpus_that_its_name_says():
    data = dataset("meld-sim-hard(scale=0.1, conflict_rate=1)", None)
    assert data.name == "meld-sim-hard(conflict_rate=1,scale=0.1)"
    assert (data.corpus, data.kind) == ("meld", "simulated")
    assert data.name in data.description
    expected = simulate("meld-sim-hard", conflict_rate=1.0, splits=parse_corpus(data.name)[1].splits)
    assert (data.load().features["audio"] == expected.features["audio"]).all()
    assert data.load().utterances == 999 + 111 + 261


def test_the_default_spelled_out_is_the_same_corpus_and_every_knob_makes_another():
    known = dataset("meld-sim-hard", None)
    assert dataset("meld-sim-hard(conflict_rate=0.20)", None) == known
    others = [dataset(f"meld-sim-hard({k})", None) for k in ("scale=2", "scale=3", "stay=0.5", "synergy=none")]
    assert len({d.fingerprint for d in (*others, known)}) == 5
