"""Presets of the user's own: what they inherit, and the line of every mistake."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from benchmark.base.errors import UserError
from benchmark.data.datasets import dataset
from benchmark.experiment import presets
from benchmark.experiment.grid import expand
from benchmark.experiment.preset_files import read_preset
from benchmark.experiment.presets import NAMES, Preset, load_preset

MINE = """
base = "quick"
description = "a higher rate"
seeds = 4

[common]
lr = 5e-3
rank = 8

[meld-sim]
margin = 1.0
lr = 6e-3
"class_weights" = true

[iemocap-sim-hard]
epochs = 3
"""


def preset(folder: Path, text: str = MINE, name: str = "mine.toml") -> Preset:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return read_preset(file)


def differing(mine: Preset, base: Preset, data: str) -> dict[str, Any]:
    """What the settings of a data set are that are not the base's."""
    values = base.training(data, {}).model_dump() | base.options(data)
    now = mine.training(data, {}).model_dump() | mine.options(data)
    return {name: now[name] for name in now if now[name] != values[name]}


def test_a_file_says_what_differs_from_its_base(tmp_path: Path) -> None:
    mine, quick = preset(tmp_path), load_preset("quick")
    assert (mine.name, mine.description, mine.seeds) == ("mine", "a higher rate", 4)
    assert differing(mine, quick, "iemocap") == {"lr": 5e-3, "rank": 8}
    assert differing(mine, quick, "iemocap-sim") == {"lr": 5e-3, "rank": 8}
    assert differing(mine, quick, "meld-sim") == {"lr": 6e-3, "rank": 8, "class_weights": True}
    assert differing(mine, quick, "iemocap-sim-hard") == {"lr": 5e-3, "rank": 8, "epochs": 3}
    assert mine.margin(["meld-sim"]) == 1.0
    assert mine.margin(["iemocap-sim"]) == quick.margin(["iemocap-sim"]) == 2.0


@pytest.mark.parametrize("base", NAMES)
def test_a_base_alone_is_its_runs_under_another_label(base: str, tmp_path: Path) -> None:
    mine, theirs = preset(tmp_path, f'base = "{base}"'), load_preset(base)
    assert mine.seeds == theirs.seeds
    data = [dataset(name, None) for name in ("iemocap-sim", "meld-sim-hard")]
    runs, others = (expand(each, data, ["css", "concat"], [0]) for each in (mine, theirs))
    assert [run.key for run in runs] == [run.key for run in others]
    assert {run.preset for run in runs} == {"mine"}
    assert mine.margins == theirs.margins


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_a_built_in_preset(name: str) -> None:
    assert read_preset(name) == load_preset(name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('base = "quick"\n\n[common]\nlr = -1\n', "line 4: lr must be more than 0, got -1"),
        ('base = "quick"\n[meld]\nlr = "fast"\n', "line 3: lr must be a number, got 'fast'"),
        ('base = "quick"\n[meld]\n"lr" = 0\n', "line 3: lr must be more than 0, got 0"),
        ('base = "quick"\n[common]\nlr = 1\n[meld]\nlr = 0\n', "line 5: lr must be more than 0, got 0"),
        ('base = "quick"\n[common]\n# heads\nheads = 5\n', "line 4: hidden must be a multiple of heads (5), got 48"),
        ('base = "quick"\n[common]\nlr = 1\nwarmup = 0.1\n', "line 4: warmup goes with schedule warmup-cosine"),
        ('base = "quick"\n[meld]\nschedule = "warmup-cosine"\n', "line 3: schedule warmup-cosine needs warmup"),
        ('base = "quick"\n[meld]\nschedule = "cos"\n', "line 3: schedule must be 'constant' or 'warmup-cosine', got"),
        ('base = "quick"\n[common]\nlrr = 1\n', "line 3: unknown setting 'lrr', did you mean 'lr'?"),
        ('base = "quick"\n[common]\nmargin = 1\n', "line 3: unknown setting 'margin'"),
        ('base = "quick"\n[meld]\nmargin = 0\n', "line 3: margin must be more than 0, got 0"),
        ('base = "quick"\n[meld]\nrank = 2.5\n', "line 3: rank must be a whole number, got 2.5"),
        ('base = "quick"\n\n[mled]\nlr = 1\n', "line 3: unknown table 'mled', did you mean 'meld'? known: common,"),
        ('base = "quick"\nsede = 1\n', "line 2: unknown key 'sede', did you mean 'seeds'? known: base, description"),
        ('base = "quick"\nlr = 1\n', "line 2: lr stands in no table: put it under [common], or under a data set's"),
        ('base = "quick"\nseeds = 0\n', "line 2: seeds must be at least 1, got 0"),
        ("# mine\nbase = 'quik'\n", "line 2: unknown base 'quik', did you mean 'quick'? known: smoke, quick, full"),
        ("seeds = 3\n", 'no base: begin it with base = "quick", or another one of smoke, quick, full, paper'),
        ('base = "quick"\nseeds 3\n', "Expected '=' after a key in a key/value pair (at line 2, column 7)"),
        ('base = "quick"\ncommon.lr = 0\n', "lr must be more than 0, got 0"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        preset(tmp_path, text)
    assert str(tmp_path / "mine.toml") in str(refused.value)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_cannot_be_read_or_has_a_built_in_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read the preset .*absent\.toml: No such file or directory"):
        read_preset(tmp_path / "absent.toml")
    with pytest.raises(UserError, match=r"name of a built-in preset: rename the file, as in my-full\.toml"):
        preset(tmp_path, name="full.toml")
    (tmp_path / "latin.toml").write_bytes('description = "\xe9"'.encode("latin-1"))
    with pytest.raises(UserError, match=r"cannot read the preset .*latin\.toml: 'utf-8' codec"):
        read_preset(tmp_path / "latin.toml")


@pytest.mark.parametrize("name", NAMES)
def test_a_torn_preset_is_refused_or_says_what_it_said(name: str, tmp_path: Path) -> None:
    text = f'base = "{name}"\n' + MINE.partition('"quick"\n')[2]
    refusals = []
    for end in range(0, len(text), 3):
        try:
            preset(tmp_path, text[:end])
        except UserError as refusal:
            refusals.append(str(refusal))
    assert len(refusals) > 5
    assert all(str(tmp_path / "mine.toml") in refusal and "\n" not in refusal for refusal in refusals)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.partition("[meld]")[0],
        lambda text: text.replace("[common]", "[commons]"),
        lambda text: text.replace("dropout =", "dropuot ="),
        lambda text: text.replace("seeds =", "sedes ="),
        lambda text: text.replace("lr = 1e-3", 'lr = "fast"'),
        lambda text: text[:-3] + "[[[[",
        lambda text: "",
    ],
)
def test_a_built_in_preset_that_is_damaged_is_refused(
    damage: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (files(presets.__package__) / "quick.toml").read_text()
    (tmp_path / "quick.toml").write_text(damage(whole))
    monkeypatch.setattr(presets, "files", lambda _: tmp_path)
    with pytest.raises(UserError, match=r"quick\.toml is damaged \(.*\): install css-bench again") as refused:
        load_preset("quick")
    assert "\n" not in str(refused.value)
