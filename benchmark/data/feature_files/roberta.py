"""M3NET's pair of files joined: MMGCN's tuple, with RoBERTa's four views of the text in place of its own.

M3NET (Chen et al., CVPR 2023) and the code that follows it read audio, visual, labels, speakers and splits from MMGCN's
file, and the text, by conversation, from COSMIC's RoBERTa file. What differs between the two is an error here: silently
joined, one conversation's words would stand beside another's voice.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.base.errors import DataError
from benchmark.base.words import counted
from benchmark.data.feature_files.conversion import labels_of, lengths_of, order_of
from benchmark.data.feature_files.items import Item, item_of, located, shown
from benchmark.data.feature_files.layouts import MMGCN, PAIRS, ROBERTA, Layout, recognised
from benchmark.data.views import TEXT_ARRAYS

_REMEDY = "use two files of one corpus, as they were published"


@dataclass(frozen=True)
class Texts:
    """A RoBERTa file's content, consistent in itself.

    Attributes:
        layout: of which data set it is.
        views: the four views of the text.
        lengths: {conversation: number of its utterances}, in the order of their ids.
        labels: of all utterances, laid end to end.
    """

    layout: Layout
    views: tuple[Item, ...]
    lengths: dict[Any, int]
    labels: npt.NDArray[np.int64]


def texts_of(raw: object) -> Texts:
    """What an unpickled RoBERTa file holds.

    Raises:
        DataError: it is no such file, or inconsistent.
    """
    layout = recognised(raw)
    if layout not in ROBERTA:
        names = " or ".join(roberta for _, roberta in PAIRS.values())
        raise DataError(f"not RoBERTa's features of the text; name {names}")
    assert isinstance(raw, tuple)  # said by its layout
    items = {name: item_of(raw, name, layout.items[name]) for name in ("labels", *TEXT_ARRAYS.values())}
    views = tuple(items[name] for name in TEXT_ARRAYS.values())
    lengths, labels = _told(layout, items)
    return Texts(layout, views, lengths, labels)


def join(raw: object, texts: Texts) -> tuple[Any, ...]:
    """MMGCN's tuple with the four views in place of its own text: a tuple of the usual layout.

    Raises:
        DataError: the tuple is not MMGCN's of the same data set, is inconsistent, or has other conversations, other
            numbers of utterances or other labels than the texts.
    """
    layout = recognised(raw)
    if layout not in MMGCN:
        raise DataError("RoBERTa's file goes with a tuple of MMGCN's (9 items for IEMOCAP, 10 for MELD); give it alone")
    if layout.corpus.name != texts.layout.corpus.name:
        raise DataError(f"features of {layout.corpus.name}, and RoBERTa's are of {texts.layout.corpus.name}; {_REMEDY}")
    assert isinstance(raw, tuple)  # said by its layout
    items = {name: item_of(raw, name, layout.items[name]) for name in ("ids", "labels")}
    lengths, labels = _told(layout, items)
    for conversation in sorted(lengths.keys() ^ texts.lengths.keys()):
        where = "RoBERTa's" if conversation in lengths else "MMGCN's"
        raise DataError(f"conversation {shown(conversation)} is missing from {where} file; {_REMEDY}")
    row = 0
    for conversation, length in lengths.items():
        at, counts = f"conversation {shown(conversation)}", (length, texts.lengths[conversation])
        if counts[0] != counts[1]:
            count = counted(counts[0], "utterance")
            raise DataError(f"{at} has {count} in MMGCN's file and {counts[1]} in RoBERTa's; {_REMEDY}")
        for utterance in range(length):
            ours, theirs = labels[row], texts.labels[row]
            if ours != theirs:
                at = located(conversation, utterance)
                raise DataError(f"{at}: label {ours} in MMGCN's file and {theirs} in RoBERTa's; {_REMEDY}")
            row += 1
    text = layout.items["text"]
    return (*raw[:text], *texts.views, *raw[text + 1 :])


def _told(layout: Layout, items: dict[str, Item]) -> tuple[dict[Any, int], npt.NDArray[np.int64]]:
    order = order_of(layout, items)
    lengths = dict(zip(order, lengths_of(items, order), strict=True))
    return lengths, labels_of(items["labels"], order, len(layout.corpus.class_names))
