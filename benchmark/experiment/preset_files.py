"""Presets of the user's own: a TOML file that says what differs from a built-in one (docs/settings.md)."""

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from benchmark.base.errors import UserError
from benchmark.base.names import look_up
from benchmark.base.values import Frozen, Positive, first_error
from benchmark.data.datasets import NAMES as DATASETS
from benchmark.experiment.presets import NAMES, Complete, Preset, load_preset


class _Head(Frozen):
    """What stands above the tables."""

    base: str
    description: str
    seeds: Positive


_SETTINGS = {name: None for name in Complete.model_fields if name != "margin"}


def read_preset(given: str | Path) -> Preset:
    """The built-in preset of that name, or the one in that file, whose name ends in ``.toml``.

    Raises:
        UserError: for an unknown name, or with the line of what is wrong in the file.
    """
    path = Path(given)
    if path.suffix != ".toml":
        return load_preset(str(given))
    if path.stem in NAMES:
        raise UserError(f"{path} has the name of a built-in preset: rename the file, as in my-{path.name}")
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except OSError as error:
        raise UserError(f"cannot read the preset {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"cannot read the preset {path}: {error}") from None
    try:
        return _inherited(path, str(given), content)
    except _MistakeError as mistake:
        line = mistake.line(text)
        raise UserError(f"{path}{f', line {line}' if line else ''}: {mistake}") from None


def _inherited(path: Path, given: str, content: dict[str, Any]) -> Preset:
    """The preset of the file's content and of its base."""
    tables = {name: value for name, value in content.items() if isinstance(value, dict)}
    head = {name: value for name, value in content.items() if name not in tables}
    for name in head.keys() & _SETTINGS.keys():
        raise _MistakeError(f"{name} stands in no table: put it under [common], or under a data set's name", "")
    for name in head:
        _known("key", name, dict.fromkeys(_Head.model_fields), "")
    for name, table in tables.items():
        _known("table", name, dict.fromkeys(("common", *DATASETS)), "")
        for key in table:
            _known("setting", key, _SETTINGS if name == "common" else {**_SETTINGS, "margin": None}, name)
    if "base" not in head:
        raise _MistakeError(f'no base: begin it with base = "quick", or another one of {", ".join(NAMES)}', "")
    _known("base", str(head["base"]), dict.fromkeys(NAMES), "")
    base = load_preset(head["base"])
    try:
        checked = _Head(**{"description": f"as {base.name}, with {path}", "seeds": base.seeds, **head})
    except ValidationError as error:
        raise _MistakeError(first_error(error), "") from None
    common = tables.pop("common", {})
    settings = {data: base.values(data) | common | tables.get(data, {}) for data in {**base.settings, **tables}}
    for data, values in settings.items():
        try:
            Complete(**values)
        except ValidationError as error:
            raise _MistakeError(first_error(error), data, "common") from None
    return Preset(
        name=path.stem,
        given=given,
        description=checked.description,
        seeds=checked.seeds,
        margins=base.margins | {data: values.pop("margin") for data, values in settings.items() if "margin" in values},
        settings=settings,
    )


class _MistakeError(Exception):
    """What is wrong in one of these tables ("" is what stands above them); it names the key."""

    def __init__(self, message: str, *tables: str) -> None:
        super().__init__(message)
        self._tables = tables

    def line(self, text: str) -> int | None:
        """Where the first key that the message names is in the file; None where no line begins with one."""
        lines: dict[tuple[str, str], int] = {}
        table = ""
        for number, line in enumerate(text.splitlines(), start=1):
            if header := re.match(r"\s*\[\s*[\"']?([\w-]+)", line):
                table = header[1]
                lines.setdefault(("", table), number)
            elif key := re.match(r"\s*[\"']?([\w-]+)[\"']?\s*=", line):
                lines.setdefault((table, key[1]), number)
        words = re.findall(r"[\w-]+", str(self))
        return next((lines[at, word] for word in words for at in self._tables if (at, word) in lines), None)


def _known(kind: str, name: str, known: dict[str, None], table: str) -> None:
    try:
        look_up(kind, name, known)
    except UserError as error:
        raise _MistakeError(str(error), table) from None
