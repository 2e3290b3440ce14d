"""The community's feature tuples: how they are told apart, and where what is in them.

The usual ones have 12 items for IEMOCAP and 13 for MELD. Items 0 to 9 are dicts from a conversation's id to its
utterances: ids, speakers, labels, four views of text, audio, visual, sentences. Item 10 lists the conversations for
training, item 11 those for the test. MMGCN's (Hu et al., ACL 2021) have 9 and 10 items: the same with one view of text.
DialogueRNN's of MELD (Majumder et al., AAAI 2019) has 9 too: text and audio alone, and sentiments last.
RoBERTa's (COSMIC, Ghosal et al., EMNLP 2020) have 10 and 11 and the text alone: speakers, labels (MELD: emotions, then
sentiments), four views of it, sentences, and the conversations for training, test and validation.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.base.errors import DataError
from benchmark.base.words import counted
from benchmark.data.corpora import CORPORA, Corpus
from benchmark.data.feature_files.items import (
    Item,
    as_vector,
    defect,
    entries_of,
    form,
    locate,
    located,
    matrix,
    shown,
)
from benchmark.data.feature_files.stored import StoredArray
from benchmark.data.views import ARRAYS, TEXT_ARRAYS

_READ = ("ids", "speakers", "labels")
_USUAL = dict(zip((*_READ, *ARRAYS), range(9), strict=True)) | {"sentences": 9, "train": 10, "test": 11}
_SHORT = dict(zip((*_READ, "text", "audio", "visual"), range(6), strict=True)) | {"sentences": 6, "train": 7, "test": 8}
_TEXT_AUDIO = dict(zip((*_READ, "text", "audio", "sentences", "train", "test"), range(8), strict=True))
_TEXTS = dict(zip(TEXT_ARRAYS.values(), range(2, 6), strict=True)) | {"speakers": 0, "labels": 1}


@dataclass(frozen=True, eq=False)
class Layout:
    """What differs between the tuples.

    Attributes:
        corpus: whose utterances they are.
        length: number of items, by which a tuple is recognised.
        items: where each item is.
        id_type: type of the conversations' ids.
        speaker_ids: (item 1, conversations) -> speakers laid end to end, int64 [N].
        split_of: (conversation, the list it is in: train or test) -> its official split.
    """

    corpus: Corpus
    length: int
    items: Mapping[str, int]
    id_type: type
    speaker_ids: Callable[[Item, Sequence[Any]], npt.NDArray[np.int64]]
    split_of: Callable[[Any, str], str]

    def __str__(self) -> str:
        """What it is called in messages."""
        return f"{self.corpus.name}'s of {self.length} items"

    def kind_of(self, name: str) -> str | None:
        """What an item's utterances are; None where they may be anything."""
        kinds = {"labels": "integers", "speakers": "strings" if self.id_type is str else "vectors"}
        return kinds.get(name, "vectors" if name in ("text", "audio", "visual") else None)


def recognised(raw: object) -> Layout | None:
    """The layout that a tuple fits best, of those with its number of items; None where there is none of them."""
    if not isinstance(raw, tuple):
        return None
    fits = {layout: len(misfits(layout, raw)) for layout in (*_ALL, *ROBERTA) if layout.length == len(raw)}
    # what is hardly like RoBERTa's file is not taken for it
    known = [layout for layout, wrong in fits.items() if layout not in ROBERTA or 2 * wrong < len(layout.items)]
    return min(known, key=fits.__getitem__, default=None)  # the first of equals


def misfits(layout: Layout, raw: tuple[Any, ...]) -> list[str]:
    """Where a tuple differs from a layout, as far as the first conversation shows, a clause each."""
    wrong = [] if len(raw) == layout.length else [f"it has {counted(len(raw), 'item')}, not {layout.length}"]
    for name, index in layout.items.items():
        if index >= len(raw):
            continue
        item, where = raw[index], f"item {index} ({name})"
        if name in _LISTS:
            if not isinstance(item, list | tuple | np.ndarray | StoredArray):
                wrong.append(f"{where} is {form(item)}, not a list of conversations")
            continue
        if not isinstance(item, dict):
            wrong.append(f"{where} is {form(item)}, not a dict from conversation to utterances")
            continue
        conversation, utterances = next(iter(item.items()), (None, None))
        if type(conversation) is not layout.id_type:
            wrong.append(f"{where} has conversations like {shown(conversation)}, not of type {layout.id_type.__name__}")
        kind, expected = _kind(utterances), layout.kind_of(name)
        if expected is not None and kind != expected:
            wrong.append(f"{where} holds {kind}, not {expected}")
    return wrong


def _kind(utterances: object) -> str:
    """What the first utterance of a conversation is: vectors, integers, strings or anything else."""
    if isinstance(utterances, StoredArray | np.ndarray) and utterances.ndim:
        kinds = {"U": "strings", "S": "strings", "i": "integers", "u": "integers"}
        return "vectors" if utterances.ndim > 1 else kinds.get(utterances.dtype.kind, "numbers")
    if not isinstance(utterances, list | tuple) or not utterances:
        return "no utterances"
    first = utterances[0]
    if as_vector(first) is not None:
        return "vectors"
    return {int: "integers", str: "strings"}.get(type(first), "other values")


def layout_of(raw: object, dataset: str | None) -> Layout:
    """The layout of a tuple, which must be of ``dataset`` where one is given; raises DataError for any other value."""
    layout = recognised(raw)
    if layout in ROBERTA:
        whole, text = PAIRS[layout.corpus.name]
        raise DataError(
            f"RoBERTa's features of {layout.corpus.name}'s text alone (a tuple of {layout.length} items), which go "
            f"with MMGCN's audio, visual and labels: name that file ({whole}) as FILE, and this one ({text}) with "
            "--roberta"
        )
    if layout is None:
        accepted = " or ".join(f"a tuple of {known.length} items ({known.corpus.name})" for known in _ALL)
        raise DataError(
            f"unknown layout: found {form(raw)}, accepted is {accepted}{_closest(raw)}; use a file of that layout, or "
            "write the open format (docs/feature-format.md)"
        )
    if dataset not in (None, layout.corpus.name):
        raise DataError(f"this is the layout of {layout.corpus.name}, not of {dataset}; name the file of {dataset}")
    return layout


def _closest(raw: object) -> str:
    if not isinstance(raw, tuple) or not any(isinstance(item, dict) for item in raw):
        return ""
    best = min((*_ALL, *ROBERTA), key=lambda layout: len(misfits(layout, raw)))
    return f"; it fits {best} best, but {misfits(best, raw)[0]}"


def _iemocap_speakers(item: Item, order: Sequence[str]) -> npt.NDArray[np.int64]:
    speakers = []
    for conversation in order:
        for utterance, speaker in enumerate(entries_of(item[conversation])):
            if not isinstance(speaker, str) or speaker not in ("M", "F"):
                raise defect(f"{located(conversation, utterance)}: speaker {shown(speaker)} is neither 'M' nor 'F'")
            speakers.append(int(speaker == "F"))
    return np.array(speakers, np.int64)


def _meld_speakers(item: Item, order: Sequence[int]) -> npt.NDArray[np.int64]:
    rows = matrix("speakers", item, order, CORPORA["meld"].speakers)
    wrong = ((rows != 0) & (rows != 1)).any(axis=1) | ((rows == 1).sum(axis=1) != 1)
    if wrong.any():
        first = int(wrong.argmax())
        raise defect(f"{located(*locate(item, order, first))}: speaker {rows[first].tolist()} is not one-hot")
    return rows.argmax(axis=1)


def _meld_split(conversation: int, listed: str) -> str:
    """MELD's ids say it: 0 to 1038 train, 1039 to 1152 dev (listed with train), 1153 and up test."""
    official = "train" if conversation < 1039 else "dev" if conversation < 1153 else "test"
    if (official == "test") != (listed == "test"):
        raise DataError(
            f"conversation {conversation} is in the {listed} ids, but belongs to MELD's {official} split; use the "
            "published file, or write a split of your own in the open format (docs/feature-format.md)"
        )
    return official


LAYOUTS = {
    layout.corpus.name: layout
    for layout in (
        Layout(
            corpus=CORPORA["iemocap"],
            length=12,
            items=_USUAL,
            id_type=str,
            speaker_ids=_iemocap_speakers,
            split_of=lambda conversation, listed: listed,  # no official dev split
        ),
        Layout(
            corpus=CORPORA["meld"],
            length=13,
            items=_USUAL,
            id_type=int,
            speaker_ids=_meld_speakers,
            split_of=_meld_split,
        ),
    )
}
"""The usual layout of each corpus."""

MMGCN = (replace(LAYOUTS["iemocap"], length=9, items=_SHORT), replace(LAYOUTS["meld"], length=10, items=_SHORT))
ROBERTA = (
    replace(LAYOUTS["iemocap"], length=10, items=_TEXTS),
    replace(LAYOUTS["meld"], length=11, items={name: i + (i > 1) for name, i in _TEXTS.items()}),  # 2: sentiments
)
PAIRS = {
    "iemocap": ("IEMOCAP_features.pkl", "iemocap_features_roberta.pkl"),
    "meld": ("MELD_features_raw1.pkl", "meld_features_roberta.pkl"),
}
"""Names of MMGCN's file and of the RoBERTa file that goes with it, as M3NET has them."""

TEXT_AUDIO = replace(LAYOUTS["meld"], length=9, items=_TEXT_AUDIO)
"""DialogueRNN's tuple of MELD."""

_ALL = (*LAYOUTS.values(), *MMGCN, TEXT_AUDIO)
_LISTS = ("train", "test")
