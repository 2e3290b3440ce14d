"""A community tuple of features turned into conversations; layouts.py says which tuples there are."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.base.errors import DataError
from benchmark.base.words import counted as in_words
from benchmark.data.conversations import Conversations
from benchmark.data.feature_files.items import (
    Item,
    as_vector,
    counted,
    defect,
    entries_of,
    form,
    item_of,
    locate,
    located,
    matrix,
    shown,
)
from benchmark.data.feature_files.layouts import Layout, layout_of
from benchmark.data.feature_files.stored import StoredArray, loaded
from benchmark.data.views import ARRAYS

_READ = ("ids", "speakers", "labels")
_LISTS = ("train", "test")
_BLOCK = 1024  # rows that are looked at together
_SENTENCE = 1000  # characters that are looked at: a pickle can repeat a long one at no cost


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
    layout = layout_of(raw, dataset)
    assert isinstance(raw, tuple)  # said by its layout
    known = [name for name in ARRAYS if name in layout.items]
    if arrays is None:
        arrays = [name for name in known if isinstance(item := raw[layout.items[name]], dict) and item]
    if missing := [name for name in arrays if name not in known]:
        remedy = "others with --modalities" if set(missing) & {"audio", "visual"} else "another --text-view"
        raise DataError(f"no {' or '.join(missing)} in a tuple of {layout.length} items; choose {remedy}")
    names = [name for name in known if name in arrays]
    items = {name: item_of(raw, name, layout.items[name]) for name in (*_READ, *names)}
    lists = {split: raw[layout.items[split]] for split in _LISTS}
    del raw  # what is not read may take most of the memory

    order = order_of(layout, items)
    split = _splits(layout, order, lists)
    lengths = lengths_of(items, order)
    widths = {name: _width(name, items[name], order[0]) for name in names}
    needed = sum(lengths) * (4 * sum(widths.values()) + 4 * layout.corpus.speakers + 32)
    if needed > most_bytes:
        raise defect(f"{sum(lengths)} utterances would take {needed} bytes, far more than the file: vectors repeat")

    return Conversations(
        speaker=layout.speaker_ids(items.pop("speakers"), order),
        label=labels_of(items.pop("labels"), order, len(layout.corpus.class_names)),
        features={name: _features(name, items.pop(name), order, widths[name], finite) for name in names},
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        ids=tuple(str(conversation) for conversation in order),
        split=split,
        class_names=layout.corpus.class_names,
        speakers=layout.corpus.speakers,
    )


def sentences(raw: object, conversations: Conversations) -> list[str]:
    """What is said in each of the N utterances of the tuple that became ``conversations``; empty where it is not told.

    Nothing in that item is an error, since no model reads it.
    """
    layout = layout_of(raw, None)
    assert isinstance(raw, tuple)  # said by its layout
    item = raw[layout.items["sentences"]]
    texts: list[str] = []
    for name, length in zip(conversations.ids, conversations.lengths.tolist(), strict=True):
        value = item.get(layout.id_type(name)) if isinstance(item, dict) else None
        entries = list(entries_of(value)) if counted(value) == length else []
        texts += [entry[:_SENTENCE] if isinstance(entry, str) else "" for entry in entries] or [""] * length
    return texts


def order_of(layout: Layout, items: dict[str, Item]) -> list[Any]:
    """The conversations in the order of their ids; every item must have them all."""
    conversations = dict.fromkeys(conversation for item in items.values() for conversation in item)  # in their order
    if not conversations:
        raise defect("zero conversations: every item is empty")
    for conversation in conversations:
        if type(conversation) is not layout.id_type or not str(conversation).isprintable():
            raise defect(f"conversation id {shown(conversation)} is not a printable {layout.id_type.__name__}")
    order = sorted(conversations)
    for conversation in order:
        for name, item in items.items():
            if conversation not in item:
                raise defect(f"conversation {shown(conversation)} is missing from item {layout.items[name]} ({name})")
    return order


def _splits(layout: Layout, order: list[Any], lists: dict[str, Any]) -> tuple[str, ...]:
    """The official split of each conversation, which must be listed exactly once."""
    listed = dict.fromkeys(order, "")
    for split, conversations in lists.items():
        if not isinstance(conversations, list | tuple | np.ndarray | StoredArray):
            where = f"item {layout.items[split]} ({split} ids)"
            raise defect(f"{where} is {form(conversations)}, not a list of conversations")
        for conversation in entries_of(conversations):
            if type(conversation) is not layout.id_type or conversation not in listed:
                raise defect(f"conversation {shown(conversation)} of the {split} ids is missing from the items")
            if listed[conversation]:
                how = f"listed twice in the {split} ids" if listed[conversation] == split else "in both splits"
                raise defect(f"conversation {shown(conversation)} is {how}")
            listed[conversation] = split
    for conversation, containing in listed.items():
        if not containing:
            raise defect(f"conversation {shown(conversation)} is in no split, neither in the train nor the test ids")
    return tuple(layout.split_of(conversation, containing) for conversation, containing in listed.items())


def lengths_of(items: dict[str, Item], order: Sequence[Any]) -> list[int]:
    """Utterances of each conversation, the same in every item."""
    first, lengths = next(iter(items)), []
    for conversation in order:
        for name, item in items.items():
            value = item[conversation]
            if not isinstance(value, list | tuple) and not (isinstance(value, np.ndarray | StoredArray) and value.ndim):
                raise defect(f"conversation {shown(conversation)}: {name} is {form(value)}, not a list or an array")
            expected, count = len(items[first][conversation]), len(value)
            if count != expected:
                counts = f"{in_words(expected, 'utterance')} in {first} and {count} in {name}"
                raise defect(f"conversation {shown(conversation)} has {counts}")
        if expected == 0:
            raise defect(f"conversation {shown(conversation)} has no utterances")
        lengths.append(expected)
    return lengths


def labels_of(item: Item, order: Sequence[Any], classes: int) -> npt.NDArray[np.int64]:
    """The labels of all utterances laid end to end."""
    labels = []
    for conversation in order:
        for utterance, label in enumerate(entries_of(item[conversation])):
            if type(label) is not int or not 0 <= label < classes:
                expected = f"not an integer from 0 to {classes - 1}"
                raise defect(f"{located(conversation, utterance)}: label {shown(label)} is {expected}")
            labels.append(label)
    return np.array(labels, np.int64)


def _width(modality: str, item: Item, first: Any) -> int:
    value = loaded(item[first])[0]
    vector = as_vector(value)
    if vector is None or not len(vector):
        raise defect(f"{located(first, 0)}: {modality} is {form(value)}, not a vector of numbers")
    return len(vector)


def _features(modality: str, item: Item, order: Sequence[Any], width: int, finite: bool) -> npt.NDArray[np.float32]:
    rows = matrix(modality, item, order, width)
    if finite and not all(np.isfinite(rows[i : i + _BLOCK]).all() for i in range(0, len(rows), _BLOCK)):
        wrong = ~np.isfinite(rows)
        utterances = wrong.any(axis=1)
        where, counts = located(*locate(item, order, int(utterances.argmax()))), (wrong.sum(), utterances.sum())
        damage = f"{modality} has NaN or Inf, {counts[0]} in all, in {in_words(counts[1], 'utterance')}"
        raise defect(f"{where}: {damage} (--drop-defects zero-non-finite makes them 0)")
    return rows
