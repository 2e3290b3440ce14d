"""The names of fields and columns in docs/run-format.md, and what differs from them: a line a fault."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from css.interfaces import OBJECTIVES

Fields = Mapping[str, bool]
"""The dotted names of a file (``trials[].runs[].seed``), and whether a name is in every object that could have it."""
Values = Mapping[str, Sequence[object]]
"""What a part of a name in angle brackets stands for."""
Objects = Collection[tuple[str, Collection[str]]]
"""Where each JSON object of a document is (``trials[].runs[]``), and its keys; a table is one object."""

FIXED: Values = {
    "objective": OBJECTIVES,
    "pair": ("fused_unimodal", "fused_distillation", "unimodal_distillation"),
    "split": ("train", "validation", "test"),
}
ANY = {"file": ".+", "what": ".+", "key": r"[^.\[]+", "option": r"[^.\[]+", "parameter": r"[^.\[]+"}
"""The parts that stand for any name, as regular expressions."""
DOCUMENT = "docs/run-format.md"


def documented(text: str) -> dict[str, dict[str, bool]]:
    """The names in the tables of the document's sections, by file (``spec.json``, ``studies/*.json``)."""
    tables = {}
    for section in text.split("\n## ")[1:]:
        file = re.sub("<.*>", "*", section.partition("\n")[0].partition(":")[0])
        fields = {name: not row[0].startswith("sometimes") for row in _rows(section) for name in names(row[0])}
        if "." in file:
            tables[file] = _with_parents(file, fields)
    return tables


def imported(text: str) -> dict[str, dict[str, bool]]:
    """The names by file in a folder of imported predictions: those of other runs without some, and others besides.

    A file may have several rows; what is besides *sometimes* is not in every folder.
    """
    section = text.partition("\n## Imported runs\n")[2].partition("\n## ")[0]
    tables, changed = documented(text), {}
    for cell, without, besides in _rows(section):
        (file,) = names(cell)
        absent = tuple(end for name in names(without) for end in (f"{name} ", f"{name}.", f"{name}["))
        former = changed.get(file, tables[file])
        fields = {name: always and not f"{name} ".startswith(absent) for name, always in former.items()}
        if not without.startswith("sometimes"):
            fields = {name: former[name] for name in fields if not f"{name} ".startswith(absent)}
        more = _with_parents(file, dict.fromkeys(names(besides), not besides.startswith("sometimes")))
        changed[file] = more | fields | {name: always for name, always in more.items() if always}
    return changed


def names(cell: str) -> list[str]:
    """The names between backticks in a table's cell, their braces and fixed parts spelled out."""
    found = []
    for written in re.findall("`([^`]+)`", cell):
        spelled = re.sub("<(.*?)>", lambda part: "{" + ",".join(FIXED.get(part[1], [part[0]])) + "}", written)
        found += ["".join(choice) for choice in product(*(part.split(",") for part in re.split("[{}]", spelled)))]
    return found


def _rows(section: str) -> list[list[str]]:
    """The cells of the rows of a section's table."""
    rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("|"))
    return [row for row in rows if "`" in row[0]]


def _parent(file: str, name: str) -> str:
    """The object that a field is in; a column is in no other one, whatever its name."""
    return "" if file.endswith(".parquet") else name.rpartition(".")[0]


def _with_parents(file: str, fields: Fields) -> dict[str, bool]:
    """The fields, and the objects and lists that they are in, which a table need not name."""
    whole = dict(fields)
    for name in sorted(fields, key=lambda name: not fields[name]):  # a parent is always there if one of its fields is
        parent = name
        while parent := _parent(file, parent):
            whole.setdefault(parent.removesuffix("[]"), fields[name])
    return whole


def spelled_out(fields: Fields, values: Values) -> dict[str, bool]:
    """The fields with every part in angle brackets that has ``values`` spelled out; the others stand for any name."""
    found = {}
    for field, always in fields.items():
        parts = list(dict.fromkeys(re.findall("<(.*?)>", field)))
        if unknown := set(parts) - set(values) - set(ANY):
            raise ValueError(f"{field}: no values for {', '.join(sorted(unknown))}")
        closed = [part for part in parts if part in values]
        for choice in product(*(values[part] for part in closed)):
            name = field
            for part, value in zip(closed, choice, strict=True):
                name = name.replace(f"<{part}>", str(value))
            found[name] = always
    return found


def _matches(pattern: str, name: str) -> bool:
    parts = re.split("<(.*?)>", pattern)  # every second one was in brackets
    return re.fullmatch("".join(ANY[p] if i % 2 else re.escape(p) for i, p in enumerate(parts)), name) is not None


def _known(name: str, patterns: Collection[str]) -> bool:
    return name in patterns or any("<" in pattern and _matches(pattern, name) for pattern in patterns)


def objects(value: Any, place: str = "") -> Iterator[tuple[str, Collection[str]]]:
    """Every object in a JSON document: where it is, and its keys."""
    if isinstance(value, dict):
        yield place, value.keys()
        for name, inner in value.items():
            yield from objects(inner, joined(place, name))
    elif isinstance(value, list):
        for inner in value:
            yield from objects(inner, f"{place}[]")


def joined(place: str, name: str) -> str:
    """The dotted name of an object's field."""
    return f"{place}.{name}" if place else name


def written_faults(file: str, written: Objects, fields: Fields, values: Values) -> list[str]:
    """What one file has and the document does not name, and the other way round."""
    faults = set()
    known = spelled_out(fields, values)
    for place, keys in written:
        here = {joined(place, key) for key in keys}
        faults |= {f"{file}: {n} is written and not in {DOCUMENT}" for n in here if not _known(n, known)}
        expected = {
            joined(place, name[len(parent) :].removeprefix("."))
            for name, always in known.items()
            if always and not name.endswith(">") and _matches(parent := _parent(file, name), place)
        }
        faults |= {f"{file}: {name} is in {DOCUMENT} and not written" for name in expected - here}
    return sorted(faults)


def never_written(file: str, written: Objects, fields: Fields, values: Values) -> list[str]:
    """What the document names and none of the files has."""
    there = {joined(place, key) for place, keys in written for key in keys}
    return [
        f"{file}: {name} is in {DOCUMENT} and no run has it"
        for name in spelled_out(fields, values)
        if name not in there and not ("<" in name and any(_matches(name, one) for one in there))
    ]


def read_faults(file: str, read: Collection[str], fields: Fields, values: Values) -> list[str]:
    """What reports read of a file and the document does not name."""
    known = spelled_out(fields, values)
    return [f"{file}: {n} is read by reports and not in {DOCUMENT}" for n in sorted(read) if not _known(n, known)]
