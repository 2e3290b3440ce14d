"""What reports read of a store: every field and column that they ask for, by file."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from reports import build
from reports.measures import runs as measures
from reports.reading import looks, preregistration, robustness, runs
from reports.reading.documents import document
from reports.tuning import studies
from tests.architecture.run_format import joined

Note = Callable[[str], None]
"""Hears the dotted name of a field that is asked for."""


class RecordingObject(dict[str, Any]):
    """A JSON object that says what is asked of it, and whose objects do."""

    def __init__(self, content: Mapping[str, Any], note: Note, place: str = "") -> None:
        super().__init__({name: recording(value, note, joined(place, name)) for name, value in content.items()})
        self.note = lambda name: note(joined(place, name))

    def __getitem__(self, name: str) -> Any:
        self.note(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.note(name)
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self.note(str(name))
        return super().__contains__(name)

    def __iter__(self) -> Iterator[str]:
        """Defined here so that ``{**object}`` asks for each of its fields."""
        return super().__iter__()


def recording(value: Any, note: Note, place: str = "") -> Any:
    """A JSON value whose objects say what is asked of them."""
    if isinstance(value, dict):
        return RecordingObject(value, note, place)
    return [recording(inner, note, f"{place}[]") for inner in value] if isinstance(value, list) else value


class RecordingColumns(dict[str, np.ndarray]):
    """The columns of a frame, which say which of those by block of θ are asked for."""

    def __init__(self, content: measures.Columns, note: Note) -> None:
        super().__init__(content)
        self.note = note

    def get(self, name: str, default: Any = None) -> Any:
        if name in self and "." in name:
            self.note(name)
        return super().get(name, default)


class RecordingFrame(pd.DataFrame):
    """A frame whose columns say what is asked of them; what else is made of it says nothing."""

    _metadata: ClassVar = ["note"]
    note: Note

    @property
    def _constructor(self) -> Any:
        return pd.DataFrame


def read_by_reports(store: Path, out: Path) -> Mapping[str, set[str]]:
    """Build the report of a store, and tell the names that were asked for, by file as docs/run-format.md calls it."""
    read: defaultdict[str, set[str]] = defaultdict(set)
    frame, columns_of = runs.Run.frame, measures.columns

    def recorded_document(path: Path, fields: Mapping[str, type], *refuse: Any) -> Any:
        folder, above = path.parent.name, path.parent.parent.name
        file = {"runs": path.name, "looks": "looks/*.json"}.get(above, f"{folder}/*.json")
        note = read[file].add
        for name in fields:
            note(name)
        return recording(document(path, fields, *refuse), note)

    def recorded_frame(run: runs.Run, name: str, columns: Any, newer: Any = ()) -> pd.DataFrame:
        read[f"{name}.parquet"].update(columns, newer)
        found = RecordingFrame(frame(run, name, columns, newer))
        found.note = read[f"{name}.parquet"].add
        return found

    def recorded_columns(asked: pd.DataFrame) -> measures.Columns:
        columns = columns_of(asked)
        return RecordingColumns(columns, asked.note) if isinstance(asked, RecordingFrame) else columns

    with pytest.MonkeyPatch.context() as patch:
        for module in (runs, robustness, preregistration, looks, studies):
            patch.setattr(module, "document", recorded_document)
        patch.setattr(runs.Run, "frame", recorded_frame)
        patch.setattr(measures, "columns", recorded_columns)
        build(store, out)
    return read
