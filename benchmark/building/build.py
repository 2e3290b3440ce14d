"""A folder of arrays and a table of utterances to a corpus in the open format (docs/your-corpus.md)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.base.errors import DataError
from benchmark.base.words import counted
from benchmark.building.arrays import find_arrays, read_array
from benchmark.building.mistakes import MistakesError
from benchmark.building.table import NAME, Row, class_names, read_table
from benchmark.data.conversations import Conversations
from benchmark.data.corpora import own_name
from benchmark.data.feature_files.open_format import MOST_CLASSES, MOST_SPEAKERS, SUFFIX, save
from benchmark.data.feature_files.reading import MAX_BYTES

_MOST_BYTES = MAX_BYTES - 2**28  # of features: the rest of a file that can be read is for names, labels and speakers


@dataclass(frozen=True)
class Built:
    """A corpus that was written.

    Attributes:
        file: in the open format.
        conversations: what it holds.
        ignored: arrays in the folder that are no modality.
        strangers: speakers of dev and test who are never in train, sorted.
    """

    file: Path
    conversations: Conversations
    ignored: Sequence[str]
    strangers: Sequence[str]


def build(
    folder: Path,
    name: str,
    out: Path | None = None,
    classes: Sequence[str] | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Built:
    """Write ``NAME.safetensors`` of the arrays in a folder, whole or not at all. Nothing in them is executed.

    Args:
        folder: holds ``utterances.csv``, and one of ``text``, ``audio`` and ``visual`` at least, each as ``.npy``,
            ``.npz`` or ``.parquet``, a row an utterance in the order of the table.
        name: of the data set.
        out: folder that gets the file; default: ``folder``.
        classes: names of the classes in label order; default: the training utterances' labels, sorted.
        tell: takes a line before anything that may take long.

    Raises:
        DataError: what is there cannot be used; MistakesError, one of them, lists all that is wrong with the rows.
    """
    own_name(name)
    out = folder if out is None else out
    file = out / f"{name}{SUFFIX}"
    if file.exists():
        raise DataError(f"{file} is there already: remove it, or choose another --name or --out")
    files, ignored = find_arrays(folder)
    if not out.is_dir():
        raise DataError(f"no folder {out} to write {file.name} in: make it, or name another one with --out")
    rows = read_table(folder / NAME, classes)
    names = tuple(classes or class_names(rows))
    if not 2 <= len(names) <= MOST_CLASSES or len(set(names)) < len(names):
        raise DataError(f"{counted(len(names), 'class', 'classes')}: give 2 to {MOST_CLASSES}, all different")
    speakers = sorted({row.speaker for row in rows})
    if len(speakers) > MOST_SPEAKERS:
        raise DataError(
            f"{counted(len(speakers), 'speaker')}, where {MOST_SPEAKERS} at most are known; name them by their part in "
            "the conversation: A, B, …"
        )
    arrays, mistakes = {}, []
    for modality, path in files.items():
        tell(f"reading {path.name} ({path.stat().st_size:,} bytes)")
        try:
            arrays[modality] = read_array(path, [row.line for row in rows])
        except MistakesError as error:
            mistakes += error.lines
    if mistakes:
        raise MistakesError(mistakes)
    if (size := sum(x.nbytes for x in arrays.values())) > _MOST_BYTES:
        raise DataError(f"{size} bytes of float32, where {_MOST_BYTES} at most are written; give narrower features")
    order = _order(rows)
    sorted_rows = [rows[i] for i in order]
    conversations = _conversations(sorted_rows, names, speakers)
    conversations.features.update({m: x if _is_sorted(order) else x[order] for m, x in arrays.items()})
    tell(f"writing {file}")
    try:
        texts = [row.text for row in sorted_rows]
        save(file, conversations, name, sentences=texts if any(texts) else None)
    except OSError as error:
        raise DataError(f"cannot write {file} ({error.strerror}); name another folder with --out") from None
    trained = {row.speaker for row in rows if row.split == "train"}
    return Built(file, conversations, ignored, [who for who in speakers if who not in trained])


def _order(rows: Sequence[Row]) -> list[int]:
    """Rows of a conversation side by side, by their numbers; conversations in the order in which they come first."""
    places = {name: place for place, name in enumerate(dict.fromkeys(row.conversation for row in rows))}
    return sorted(range(len(rows)), key=lambda i: (places[rows[i].conversation], rows[i].utterance))


def _is_sorted(order: Sequence[int]) -> bool:
    return order == list(range(len(order)))


def _conversations(rows: Sequence[Row], classes: Sequence[str], speakers: Sequence[str]) -> Conversations:
    """Conversations without features of rows that are in their order."""
    lengths: dict[str, int] = {}
    splits: dict[str, str] = {}
    for row in rows:
        lengths[row.conversation] = lengths.get(row.conversation, 0) + 1
        splits[row.conversation] = row.split
    label = {name: i for i, name in enumerate(classes)}
    speaker = {name: i for i, name in enumerate(speakers)}
    return Conversations(
        features={},
        label=np.array([label[row.label] for row in rows], np.int64),
        speaker=np.array([speaker[row.speaker] for row in rows], np.int64),
        offsets=np.concatenate([[0], np.cumsum([*lengths.values()])]).astype(np.int64),
        ids=tuple(lengths),
        split=tuple(splits.values()),
        class_names=tuple(classes),
        speakers=len(speakers),
    )
