"""The table of training settings: what a run has, and no more."""

import subprocess
import sys
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin, get_type_hints

from benchmark.experiment.settings import Settings, as_words, given
from benchmark.experiment.spec import Training
from tests.paths import ROOT


def bare(kind: object) -> object:
    """The type without its bounds, and without None; a choice of words is text."""
    if get_origin(kind) is Annotated:
        return bare(get_args(kind)[0])
    if get_origin(kind) is Literal:
        return str
    if get_origin(kind) in (Union, UnionType):
        (kind,) = (each for each in get_args(kind) if each is not NoneType)
    return kind


def test_every_setting_of_a_run_can_be_given_and_has_the_same_type() -> None:
    assert {name: bare(kind) for name, kind in get_type_hints(Settings).items()} == {
        name: bare(field.annotation) for name, field in Training.model_fields.items()
    }


def test_every_setting_has_a_sentence_of_help() -> None:
    for name, hint in get_type_hints(Settings, include_extras=True).items():
        _, metavar, explained = get_args(hint)
        assert explained.endswith("."), name
        assert bool(metavar) == (bare(hint) is not bool), name


def test_the_page_of_settings_names_every_option() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    table = "".join(line for line in page.splitlines() if line.startswith("| `--"))
    for name in Settings.__annotations__:
        assert f"`{name}`" in table, name
        assert f"`--{name.replace('_', '-')}`" in table, name


def test_settings_are_written_as_the_command_line_reads_them() -> None:
    settings = given({"batch_size": 4, "lr": 5e-4, "class_weights": False, "standardize": True, "hidden": None})
    assert as_words(settings) == ["--batch-size", "4", "--lr", "0.0005", "--no-class-weights", "--standardize"]


def test_the_table_is_cheap_to_import() -> None:
    script = "import benchmark.experiment.settings, sys; assert not {'pydantic', 'numpy', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
