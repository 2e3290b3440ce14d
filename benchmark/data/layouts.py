"""The community's feature tuples, turned into conversations.

The usual ones have 12 items for IEMOCAP and 13 for MELD. Items 0 to 9 are dicts from a conversation's id to its
utterances: ids, speakers, labels, four views of text, audio, visual, sentences. Item 10 lists the conversations for
training, item 11 those for the test. MMGCN's (Hu et al., ACL 2021) have 9 and 10 items: the same with one view of text.
"""

import reprlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.data.conversations import Conversations
from benchmark.data.views import ARRAYS
from benchmark.errors import DataError

_READ = ("ids", "speakers", "labels")
_LISTS = ("train", "test")
_USUAL = dict(zip((*_READ, *ARRAYS), range(9), strict=True)) | {"sentences": 9, "train": 10, "test": 11}
_MMGCN = dict(zip((*_READ, "text", "audio", "visual"), range(6), strict=True)) | {"sentences": 6, "train": 7, "test": 8}
_SENTENCE = 1000  # characters that are looked at: a pickle can repeat a long one at no cost

Item = dict[Any, Any]


@dataclass(frozen=True)
class Layout:
    """What differs between the tuples.

    Attributes:
        dataset: ``iemocap`` or ``meld``.
        length: number of items, by which a tuple is recognised.
        items: where each item is.
        id_type: type of the conversations' ids.
        class_names: names of the C labels, in label order.
        speakers: size of the speaker table.
        speaker_ids: (item 1, conversations) -> speakers laid end to end, int64 [N].
        split_of: (conversation, the list it is in: train or test) -> its official split.
    """

    dataset: str
    length: int
    items: Mapping[str, int]
    id_type: type
    class_names: tuple[str, ...]
    speakers: int
    speaker_ids: Callable[[Item, Sequence[Any]], npt.NDArray[np.int64]]
    split_of: Callable[[Any, str], str]


def convert(
    raw: object,
    dataset: str | None,
    most_bytes: int,
    arrays: Collection[str] | None = ("text", "audio", "visual"),
    *,
    finite: bool = True,
) -> Conversations:
    """Turn an unpickled tuple into conversations, in the order of their ids; features become float32.

    Args:
        raw: what the pickle held.
        dataset: the layout it must have, or None where either will do.
        most_bytes: what the result may take. (A pickle can name one vector millions of times.)
        arrays: names of the features to read, of :data:`benchmark.data.views.ARRAYS`; None reads all that are there.
        finite: whether NaN and Inf are an error; an audit counts them instead.

    Raises:
        DataError: the tuple is of no known layout or another one, incomplete, inconsistent, or has impossible values.
    """
    layout = _layout_of(raw, dataset)
    assert isinstance(raw, tuple)  # said by its layout
    known = [name for name in ARRAYS if name in layout.items]
    if arrays is None:
        arrays = [name for name in known if isinstance(item := raw[layout.items[name]], dict) and item]
    if missing := [name for name in arrays if name not in known]:
        raise DataError(f"no {' or '.join(missing)} in a tuple of {layout.length} items; choose another --text-view")
    names = [name for name in known if name in arrays]
    items = {name: _item(raw, name, layout.items[name]) for name in (*_READ, *names)}
    lists = {split: raw[layout.items[split]] for split in _LISTS}
    del raw  # what is not read may take most of the memory

    order = _order(layout, items)
    split = _splits(layout, order, lists)
    lengths = _lengths(items, order)
    widths = {name: _width(name, items[name], order[0]) for name in names}
    needed = sum(lengths) * (4 * sum(widths.values()) + 4 * layout.speakers + 32)
    if needed > most_bytes:
        raise _defect(f"{sum(lengths)} utterances would take {needed} bytes, far more than the file: vectors repeat")

    return Conversations(
        speaker=layout.speaker_ids(items.pop("speakers"), order),
        label=_labels(items.pop("labels"), order, len(layout.class_names)),
        features={name: _features(name, items.pop(name), order, widths[name], finite) for name in names},
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        ids=tuple(str(conversation) for conversation in order),
        split=split,
        class_names=layout.class_names,
        speakers=layout.speakers,
    )


def family(conversations: Conversations) -> str:
    """``iemocap`` or ``meld``: whose classes these are."""
    return next(name for name, layout in LAYOUTS.items() if layout.class_names == conversations.class_names)


def sentences(raw: object, conversations: Conversations) -> list[str]:
    """What is said in each of the N utterances of the tuple that became ``conversations``; empty where it is not told.

    Nothing in that item is an error, since no model reads it.
    """
    layout = _layout_of(raw, None)
    assert isinstance(raw, tuple)  # said by its layout
    item = raw[layout.items["sentences"]]
    said: list[str] = []
    for name, length in zip(conversations.ids, conversations.lengths.tolist(), strict=True):
        value = item.get(layout.id_type(name)) if isinstance(item, dict) else None
        entries = list(_entries(value)) if _counted(value) == length else []
        said += [entry[:_SENTENCE] if isinstance(entry, str) else "" for entry in entries] or [""] * length
    return said


def _counted(value: object) -> int | None:
    """Number of entries of a list or an array, None for anything else."""
    listed = isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim)
    return len(value) if listed else None  # type: ignore[arg-type]


def _layout_of(raw: object, dataset: str | None) -> Layout:
    length = len(raw) if isinstance(raw, tuple) else None
    layout = next((known for known in _ALL if known.length == length), None)
    if layout is None:
        accepted = " or ".join(f"a tuple of {known.length} items ({known.dataset})" for known in _ALL)
        raise DataError(f"unknown layout: found {_form(raw)}, accepted is {accepted}; use a file of that layout")
    if dataset not in (None, layout.dataset):
        raise DataError(f"this is the layout of {layout.dataset}, not of {dataset}; name the file of {dataset}")
    return layout


def _item(raw: tuple[Any, ...], name: str, index: int) -> Item:
    item = raw[index]
    if not isinstance(item, dict):
        raise _defect(f"item {index} ({name}) is {_form(item)}, not a dict from conversation to utterances")
    return item


def _order(layout: Layout, items: dict[str, Item]) -> list[Any]:
    """The conversations in the order of their ids; every item must have them all."""
    conversations = set().union(*items.values())
    if not conversations:
        raise _defect("zero conversations: every item is empty")
    for conversation in conversations:
        if type(conversation) is not layout.id_type or not str(conversation).isprintable():
            raise _defect(f"conversation id {_shown(conversation)} is not a printable {layout.id_type.__name__}")
    order = sorted(conversations)
    for conversation in order:
        for name, item in items.items():
            if conversation not in item:
                raise _defect(f"conversation {_shown(conversation)} is missing from item {layout.items[name]} ({name})")
    return order


def _splits(layout: Layout, order: list[Any], lists: dict[str, Any]) -> tuple[str, ...]:
    """The official split of each conversation, which must be listed exactly once."""
    listed = dict.fromkeys(order, "")
    for split, conversations in lists.items():
        if not isinstance(conversations, list | tuple | np.ndarray):
            where = f"item {layout.items[split]} ({split} ids)"
            raise _defect(f"{where} is {_form(conversations)}, not a list of conversations")
        for conversation in _entries(conversations):
            if type(conversation) is not layout.id_type or conversation not in listed:
                raise _defect(f"conversation {_shown(conversation)} of the {split} ids is missing from the items")
            if listed[conversation]:
                how = f"listed twice in the {split} ids" if listed[conversation] == split else "in both splits"
                raise _defect(f"conversation {_shown(conversation)} is {how}")
            listed[conversation] = split
    for conversation, found in listed.items():
        if not found:
            raise _defect(f"conversation {_shown(conversation)} is in no split, neither in the train nor the test ids")
    return tuple(layout.split_of(conversation, found) for conversation, found in listed.items())


def _lengths(items: dict[str, Item], order: list[Any]) -> list[int]:
    """Utterances of each conversation, the same in every item."""
    lengths = []
    for conversation in order:
        for name, item in items.items():
            value = item[conversation]
            if not isinstance(value, list | tuple) and not (isinstance(value, np.ndarray) and value.ndim):
                raise _defect(f"conversation {_shown(conversation)}: {name} is {_form(value)}, not a list or an array")
            expected, count = len(items["ids"][conversation]), len(value)
            if count != expected:
                counts = f"{expected} utterances in ids and {count} in {name}"
                raise _defect(f"conversation {_shown(conversation)} has {counts}")
        if expected == 0:
            raise _defect(f"conversation {_shown(conversation)} has no utterances")
        lengths.append(expected)
    return lengths


def _labels(item: Item, order: Sequence[Any], classes: int) -> npt.NDArray[np.int64]:
    labels = []
    for conversation in order:
        for utterance, label in enumerate(_entries(item[conversation])):
            if type(label) is not int or not 0 <= label < classes:
                expected = f"not an integer from 0 to {classes - 1}"
                raise _defect(f"{_where(conversation, utterance)}: label {_shown(label)} is {expected}")
            labels.append(label)
    return np.array(labels, np.int64)


def _width(modality: str, item: Item, first: Any) -> int:
    vector = _vector(item[first][0])
    if vector is None or not vector.size:
        raise _defect(f"{_where(first, 0)}: {modality} is {_form(item[first][0])}, not a vector of numbers")
    return vector.size


def _features(modality: str, item: Item, order: Sequence[Any], width: int, finite: bool) -> npt.NDArray[np.float32]:
    rows = _matrix(modality, item, order, width)
    if not finite:
        return rows
    wrong = ~np.isfinite(rows)
    if wrong.any():
        utterances = wrong.any(axis=1)
        where, counts = _where(*_locate(item, order, int(utterances.argmax()))), (wrong.sum(), utterances.sum())
        found = f"{modality} has NaN or Inf, {counts[0]} in all, in {counts[1]} utterances"
        raise _defect(f"{where}: {found} (--drop-defects zero-non-finite makes them 0)")
    return rows


def _matrix(name: str, item: Item, order: Sequence[Any], width: int) -> npt.NDArray[np.float32]:
    """The vectors of all utterances laid end to end, float32 [N, width]."""
    rows = np.empty((sum(len(item[conversation]) for conversation in order), width), np.float32)
    row = 0
    with np.errstate(all="ignore"):  # what overflows float32 becomes Inf, which is looked for
        for conversation in order:
            for utterance, value in enumerate(item[conversation]):
                vector = _vector(value)
                if vector is None or vector.size != width:
                    expected = f"not a vector of {width} numbers"
                    raise _defect(f"{_where(conversation, utterance)}: {name} is {_form(value)}, {expected}")
                rows[row] = vector
                row += 1
    return rows


def _vector(value: object) -> npt.NDArray[Any] | None:
    """A vector of numbers as an array; None for anything else, which numpy would try to make an array of."""
    if isinstance(value, list | tuple) and all(type(number) in (int, float) for number in value):
        value = np.array(value, np.float64)
    return value if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "fiu" else None


def _entries(values: Any) -> Iterator[Any]:
    """The values of a list or an array, numpy's scalars as Python's."""
    return (value.item() if isinstance(value, np.generic) else value for value in values)


def _iemocap_speakers(item: Item, order: Sequence[str]) -> npt.NDArray[np.int64]:
    speakers = []
    for conversation in order:
        for utterance, speaker in enumerate(_entries(item[conversation])):
            if not isinstance(speaker, str) or speaker not in ("M", "F"):
                raise _defect(f"{_where(conversation, utterance)}: speaker {_shown(speaker)} is neither 'M' nor 'F'")
            speakers.append(int(speaker == "F"))
    return np.array(speakers, np.int64)


def _meld_speakers(item: Item, order: Sequence[int]) -> npt.NDArray[np.int64]:
    rows = _matrix("speakers", item, order, LAYOUTS["meld"].speakers)
    wrong = ((rows != 0) & (rows != 1)).any(axis=1) | ((rows == 1).sum(axis=1) != 1)
    if wrong.any():
        first = int(wrong.argmax())
        raise _defect(f"{_where(*_locate(item, order, first))}: speaker {rows[first].tolist()} is not one-hot")
    return rows.argmax(axis=1)


def _meld_split(conversation: int, listed: str) -> str:
    """MELD's ids say it: 0 to 1038 train, 1039 to 1152 dev (listed with train), 1153 and up test."""
    official = "train" if conversation < 1039 else "dev" if conversation < 1153 else "test"
    if (official == "test") != (listed == "test"):
        raise _defect(f"conversation {conversation} is in the {listed} ids, but belongs to MELD's {official} split")
    return official


def _locate(item: Item, order: Sequence[Any], row: int) -> tuple[Any, int]:
    """The conversation of a row of the whole, and the utterance in it."""
    for conversation in order:
        if row < len(item[conversation]):
            break
        row -= len(item[conversation])
    return conversation, row


def _defect(message: str) -> DataError:
    return DataError(f"{message}; correct the file or use the published one")


def _where(conversation: Any, utterance: int) -> str:
    return f"conversation {_shown(conversation)}, utterance {utterance} (from 0)"


def _shown(value: object) -> str:
    """A value on one short line, whatever it is."""
    return reprlib.repr(value) if isinstance(value, str | int | float) else _form(value)


def _form(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and type {value.dtype}"
    return f"a {type(value).__name__}" + (f" of {len(value)} items" if isinstance(value, list | tuple | dict) else "")


LAYOUTS = {
    layout.dataset: layout
    for layout in (
        Layout(
            dataset="iemocap",
            length=12,
            items=_USUAL,
            id_type=str,
            class_names=("happy", "sad", "neutral", "angry", "excited", "frustrated"),
            speakers=2,
            speaker_ids=_iemocap_speakers,
            split_of=lambda conversation, listed: listed,  # no official dev split
        ),
        Layout(
            dataset="meld",
            length=13,
            items=_USUAL,
            id_type=int,
            class_names=("neutral", "surprise", "fear", "sadness", "joy", "disgust", "anger"),
            speakers=9,
            speaker_ids=_meld_speakers,
            split_of=_meld_split,
        ),
    )
}
"""The usual layout of each data set."""

_ALL = (
    *LAYOUTS.values(),
    replace(LAYOUTS["iemocap"], length=9, items=_MMGCN),
    replace(LAYOUTS["meld"], length=10, items=_MMGCN),
)
