"""``cssbench presets``, and a preset of one's own in commands."""

import json
from pathlib import Path

import pytest

from benchmark.experiment.presets import NAMES, load_preset
from tests.benchmark.harness import Say


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("│ \n").split("│")]


def test_presets_are_listed_with_what_they_are_for(say: Say) -> None:
    code, out, _ = say("presets")
    assert code == 0
    for name in NAMES:
        preset = load_preset(name)
        assert any(
            cells(line)[:2] == [name, str(preset.seeds)] and preset.description in line for line in out.splitlines()
        )


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_of_a_preset_is_printed_by_data_set(say: Say, name: str) -> None:
    code, out, _ = say("presets", name)
    rows = [cells(line) for line in out.splitlines() if line.startswith("│")]
    assert code == 0
    preset = load_preset(name)
    for column, data in enumerate(preset.settings, start=1):
        printed = {row[0]: row[column] for row in rows}
        values = preset.training(data, {}).model_dump() | preset.options(data) | {"margin": preset.margin([data])}
        assert printed.keys() == values.keys()
        for setting, value in values.items():
            assert json.loads(printed[setting]) == value


def test_a_preset_of_ones_own_is_checked_printed_and_used(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text('base = "smoke"\n[common]\nlr = 0.25\n', encoding="utf-8")
    code, out, _ = say("presets", "mine.toml")
    assert code == 0
    assert "as smoke, with mine.toml; 2 seeds" in out
    assert ["lr", "0.25", "0.25"] in [cells(line) for line in out.splitlines()]

    words = ("--preset", "mine.toml", "--datasets", "meld-sim", "--methods", "css", "--device", "cpu")
    assert say("lock", "--out", "runs.json", *words, "--epochs", "1")[0] == 0
    runs = json.loads(Path("runs.json").read_text())["runs"]
    settings = [(run["preset"], run["training"]["lr"], run["training"]["epochs"]) for run in runs]
    assert settings == [("mine", 0.25, 1)] * 2

    Path("mine.toml").write_text('base = "smoke"\n[common]\nlr = 0\n', encoding="utf-8")
    for command in (("presets", "mine.toml"), ("run", *words), ("lock", "--out", "other.json", *words)):
        assert say(*command) == (2, "", "error: mine.toml, line 3: lr must be more than 0, got 0\n")
