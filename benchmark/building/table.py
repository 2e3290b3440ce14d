"""The table of utterances, ``utterances.csv``: a row an utterance, in the order of the arrays' rows."""

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from benchmark.base.errors import DataError
from benchmark.building.mistakes import MistakesError, quoted
from benchmark.data.conversations import SPLITS

NAME = "utterances.csv"
COLUMNS = ("conversation", "utterance", "speaker", "label", "split")
TEXT = "text"
_OTHER_NAMES = {"valid": "dev", "val": "dev", "validation": "dev", "development": "dev", "training": "train"}


@dataclass(frozen=True)
class Row:
    """An utterance.

    Attributes:
        line: where its row ends in the file, from 1.
        conversation, speaker, label, split: as written.
        utterance: its number in its conversation.
        text: what is said; empty where the table has no such column.
    """

    line: int
    conversation: str
    utterance: int
    speaker: str
    label: str
    split: str
    text: str


def read_table(path: Path, classes: Sequence[str] | None = None) -> list[Row]:
    """The rows of a table that has no mistake; other columns are ignored.

    Args:
        path: a CSV file in UTF-8 with a header.
        classes: names of the classes; default: the labels of the training utterances.

    Raises:
        DataError: no such table, or a header without the columns; MistakesError: with every row that is wrong.
    """
    rows: list[Row] = []
    mistakes: list[str] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            places = _places(next(reader, []), path)
            width = len(places)
            for fields in filter(None, reader):
                where = f"{path.name}, line {reader.line_num}"
                if len(fields) != width:
                    mistakes.append(
                        f"{where}: {len(fields)} fields where the header has {width}; put a field with commas in quotes"
                    )
                    continue
                row = {name: fields[i].strip() for i, name in enumerate(places) if name}
                wrong = [*_faults(row, where)]
                mistakes += wrong
                if not wrong:
                    text = row.pop(TEXT, "")
                    rows.append(Row(reader.line_num, utterance=int(row.pop("utterance")), text=text, **row))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); the table of utterances is needed") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 ({error.reason} at byte {error.start}); save it as CSV in UTF-8") from None
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: not CSV ({error}); save it as CSV with commas") from None
    if not mistakes:
        if not rows:
            raise DataError(f"{path}: no utterance under the header; give a row for each")
        mistakes = [*_numbering(rows), *_splits(rows), *_labels(rows, classes)]
    if mistakes:
        raise MistakesError(mistakes)
    return rows


def _places(header: Sequence[str], path: Path) -> list[str]:
    """Every column's name where it is used, else empty."""
    names = [name.strip().lower() for name in header]
    if len(names) == 1 and (separator := next((s for s in ";\t" if s in names[0]), None)):
        raise DataError(f"{path}, line 1: columns are separated by {separator!r}; save it as CSV with commas")
    if missing := [name for name in COLUMNS if name not in names]:
        raise DataError(
            f"{path}, line 1: no column {' or '.join(missing)} in {quoted(', '.join(names))}; the header names "
            f"{', '.join(COLUMNS)}, and {TEXT} if you like"
        )
    if twice := [name for name in (*COLUMNS, TEXT) if names.count(name) > 1]:
        raise DataError(f"{path}, line 1: column {twice[0]} is there twice; leave one")
    return [name if name in (*COLUMNS, TEXT) else "" for name in names]


def _faults(row: dict[str, str], where: str) -> Iterator[str]:
    for column in COLUMNS:
        if not row[column]:
            yield f"{where}: {column} is empty; fill it in"
    number = row["utterance"]
    if number and not (number.isascii() and number.isdigit() and len(number) < 10):
        yield f"{where}: utterance is {quoted(number)}; give its number in the conversation: 0, 1, 2, …"
    split = row["split"]
    if split and split not in SPLITS:
        near = _OTHER_NAMES.get(split.lower()) or next(iter(get_close_matches(split.lower(), SPLITS, n=1)), None)
        yield f"{where}: split is {quoted(split)}; write {near or ', '.join(SPLITS[:-1]) + ' or ' + SPLITS[-1]}"


def _numbering(rows: Sequence[Row]) -> Iterator[str]:
    """Utterances that are there twice, and numbers that are missing."""
    first = min(row.utterance for row in rows)
    if first > 1:
        yield f"{NAME}: the smallest utterance number is {first}; number each conversation from 0 (or from 1)"
        return
    lines: dict[str, dict[int, int]] = defaultdict(dict)
    for row in rows:
        before = lines[row.conversation].setdefault(row.utterance, row.line)
        if before != row.line:
            yield (
                f"{NAME}, line {row.line}: utterance {row.utterance} of conversation {quoted(row.conversation)} is in "
                f"line {before} already; give each its own number, or remove one"
            )
    for conversation, numbers in lines.items():
        expected = first
        for number, line in sorted(numbers.items()):
            if number != expected:
                yield (
                    f"{NAME}, line {line}: conversation {quoted(conversation)} has utterance {number} and no "
                    f"{expected}; number its utterances from {first} without gaps"
                )
                break
            expected += 1


def _splits(rows: Sequence[Row]) -> Iterator[str]:
    """Conversations in two splits, and splits without any."""
    splits: dict[str, Row] = {}
    for row in rows:
        before = splits.setdefault(row.conversation, row)
        if before.split != row.split:
            yield (
                f"{NAME}, line {row.line}: conversation {quoted(row.conversation)} is in {row.split} here and in "
                f"{before.split} in line {before.line}; put all of it in one split"
            )
    present = {row.split for row in rows}
    for split in SPLITS:
        if split not in present:
            yield f"{NAME}: no utterance in split {split}; a run trains on train, chooses on dev and is tested on test"


def _labels(rows: Sequence[Row], classes: Sequence[str] | None) -> Iterator[str]:
    known = classes or class_names(rows)
    remedy = "" if classes else ", or name all classes with --classes"
    for row in rows:
        if row.label not in known:
            near = next(iter(get_close_matches(row.label, known, n=1)), None)
            hint = f"did you mean {quoted(near)}?" if near else f"the classes are {', '.join(known[:10])}"
            whose = "no class" if classes else "no class of the training utterances"
            yield f"{NAME}, line {row.line}: label is {quoted(row.label)}, {whose}; {hint}: correct it{remedy}"


def class_names(rows: Sequence[Row]) -> list[str]:
    """The labels of the training utterances, sorted: numbers by value, names by letter."""
    labels = {row.label for row in rows if row.split == "train"}
    numeric = all(label.lstrip("-").isascii() and label.lstrip("-").isdigit() for label in labels)
    return sorted(labels, key=lambda label: (int(label), label) if numeric else (0, label))
