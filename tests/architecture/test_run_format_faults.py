"""What the comparison of the run format calls a fault, on a small format: the comparison can fail on every side."""

from collections.abc import Collection, Mapping
from typing import Any

import pytest

from tests.architecture.recording import recording
from tests.architecture.run_format import documented, imported, never_written, objects, read_faults, written_faults

SMALL = """# A format

## a.json: a document

Some `words` of prose.

| field | meaning |
|---|---|
| `key` | its `own` |
| `data.kind`, `data.sizes.<split>`, `maybe` | null or an object |
| sometimes `late` | not always |
| `list[].name`, `options.<option>` | |

## t.parquet: a table

| column | meaning |
|---|---|
| `step`, `loss_<objective>`, `<block>.cos_<pair>`, `epoch_<e>` | |

## Imported runs

| file | without | besides |
|---|---|---|
| `a.json` | `data.sizes.{train,validation}`, `options` | `imported.paired` |
| `t.parquet` | sometimes `epoch_<e>` | |
"""
SOUND: Mapping[str, Any] = {
    "key": "k",
    "data": {"kind": "real", "sizes": {"train": 1, "validation": 2, "test": 3}},
    "maybe": None,
    "list": [{"name": "x"}, {"name": "y"}],
    "options": {"any": 1},
}
COLUMNS = (
    *("step", "loss_fused", "loss_unimodal", "loss_distillation", "epoch_1", "epoch_2"),
    *("b.cos_fused_unimodal", "b.cos_fused_distillation", "b.cos_unimodal_distillation"),
)
SMALL_VALUES = {"block": ("b",), "e": (1, 2)}


def small_faults(document: Mapping[str, Any], text: str = SMALL) -> list[str]:
    """Where a document of the small format differs from it."""
    return written_faults("a.json", list(objects(document)), documented(text)["a.json"], {})


def column_faults(columns: Collection[str], text: str = SMALL) -> list[str]:
    """Where the columns of the small format's table differ from it."""
    return written_faults("t.parquet", [("", columns)], documented(text)["t.parquet"], SMALL_VALUES)


def without(document: Any, place: str) -> Any:
    """A copy of the document without one field; a number in the place is an element of a list."""
    first, _, rest = place.partition(".")
    if isinstance(document, list):
        return [without(inner, rest) if str(i) == first else inner for i, inner in enumerate(document)]
    if not rest:
        return {name: value for name, value in document.items() if name != first}
    return {name: without(value, rest) if name == first else value for name, value in document.items()}


def test_what_agrees_has_no_fault() -> None:
    assert small_faults(SOUND) == []
    assert small_faults(dict(SOUND) | {"late": 1, "maybe": 3, "list": [], "options": {}}) == []
    assert small_faults(dict(SOUND) | {"data": None}) == []
    assert column_faults(COLUMNS) == []


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("key", "key"),
        ("data", "data"),
        ("data.kind", "data.kind"),
        ("data.sizes.test", "data.sizes.test"),
        ("maybe", "maybe"),
        ("list.1.name", "list[].name"),
        ("options", "options"),
    ],
)
def test_a_field_that_is_no_longer_written_is_a_fault(place: str, name: str) -> None:
    assert small_faults(without(SOUND, place)) == [f"a.json: {name} is in docs/run-format.md and not written"]


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_that_is_no_longer_written_is_a_fault(column: str) -> None:
    found = column_faults([name for name in COLUMNS if name != column])
    assert found == [f"t.parquet: {column} is in docs/run-format.md and not written"]


@pytest.mark.parametrize(
    ("documented_name", "fault"),
    [
        ("`key`", "key"),
        (", `maybe`", "maybe"),
        ("`data.kind`, ", "data.kind"),
        ("`list[].name`, ", "list list[].name"),
        (", `options.<option>`", "options options.any"),
    ],
)
def test_a_field_that_is_no_longer_documented_is_a_fault(documented_name: str, fault: str) -> None:
    found = small_faults(SOUND, SMALL.replace(documented_name, ""))
    assert found == [f"a.json: {name} is written and not in docs/run-format.md" for name in fault.split()]


@pytest.mark.parametrize(
    ("documented_name", "column"),
    [("`step`, ", "step"), ("`<block>.cos_<pair>`, ", "b.cos_fused_unimodal"), (", `epoch_<e>`", "epoch_2")],
)
def test_a_column_that_is_no_longer_documented_is_a_fault(documented_name: str, column: str) -> None:
    found = column_faults(COLUMNS, SMALL.replace(documented_name, ""))
    assert f"t.parquet: {column} is written and not in docs/run-format.md" in found


def test_what_no_run_has_is_a_fault_though_every_file_may_be_without_it() -> None:
    table = documented(SMALL)["a.json"]
    bare = dict(SOUND) | {"data": None, "options": {}}
    assert never_written("a.json", list(objects(bare)), table, {}) == [
        f"a.json: {name} is in docs/run-format.md and no run has it"
        for name in ("data.kind", "data.sizes.train", "data.sizes.validation", "data.sizes.test", "late")
    ] + [
        "a.json: options.<option> is in docs/run-format.md and no run has it",
        "a.json: data.sizes is in docs/run-format.md and no run has it",
    ]
    assert never_written("a.json", [*objects(dict(SOUND) | {"late": 1})], table, {}) == []


def test_what_reports_read_and_the_document_does_not_name_is_a_fault() -> None:
    table = documented(SMALL)["a.json"]
    asked: set[str] = set()
    heard = recording(dict(SOUND), asked.add)
    assert "key" in heard
    assert heard["list"][1]["name"] == "y"
    assert {**heard["data"]}["sizes"].get("test") == 3
    assert heard["options"].get("other", 5) == 5
    assert asked == {"key", "list", "list[].name", "data", "data.kind", "data.sizes", "data.sizes.test", "options"} | {
        "options.other"
    }
    assert read_faults("a.json", asked, table, {}) == []
    assert heard["data"].get("gone") is None
    assert read_faults("a.json", asked, table, {}) == [
        "a.json: data.gone is read by reports and not in docs/run-format.md"
    ]
    fewer = documented(SMALL.replace("`list[].name`, ", ""))["a.json"]
    assert [fault.split()[1] for fault in read_faults("a.json", asked, fewer, {})] == [
        "data.gone",
        "list",
        "list[].name",
    ]


def test_imported_runs_are_without_some_fields_and_have_others_besides() -> None:
    table = imported(SMALL)["a.json"]
    there = {"key": "k", "data": {"kind": "real", "sizes": {"test": 3}}, "maybe": None, "list": []}
    there |= {"imported": {"paired": False}}
    assert written_faults("a.json", list(objects(there)), table, {}) == []
    for place, name in (("imported.paired", "imported.paired"), ("data.sizes.test", "data.sizes.test")):
        faults = written_faults("a.json", list(objects(without(there, place))), table, {})
        assert faults == [f"a.json: {name} is in docs/run-format.md and not written"]
    assert written_faults("a.json", list(objects(there | {"options": {}})), table, {}) == [
        "a.json: options is written and not in docs/run-format.md"
    ]
    few = [name for name in COLUMNS if not name.startswith("epoch")]
    assert written_faults("t.parquet", [("", few)], imported(SMALL)["t.parquet"], SMALL_VALUES) == []
    assert len(column_faults(few)) == 2


def test_a_part_in_angle_brackets_that_stands_for_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="<epok>: no values for epok"):
        written_faults("a.json", [], {"at.<epok>": True}, {})
