"""Corpora of IEMOCAP's and MELD's exact sizes with narrow random features, and the defects they can have."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.audit.counts import KNOWN, LONGEST
from benchmark.data import Conversations
from benchmark.data.feature_files.layouts import LAYOUTS

WIDTHS = {"iemocap": {"text": 12, "audio": 8, "visual": 40}, "meld": {"text": 12, "audio": 8, "visual": 342}}
MELD_STARTS = {"train": 0, "dev": 1039, "test": 1153}


def lengths_of(conversations: int, utterances: int, longest: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Random lengths of that total: the first conversation is the longest, the last three have one utterance."""
    lengths = np.ones(conversations, np.int64)
    lengths[0] = longest
    while gap := utterances - int(lengths.sum()):
        room = np.flatnonzero(lengths[:-3] < longest)
        lengths[rng.permutation(room)[: min(gap, 1 + len(room) // 2)]] += 1
    return lengths


def corpus(dataset: str, seed: int = 0) -> Conversations:
    """A corpus without any defect: known counts, distinct random vectors, no speaker in two splits."""
    rng, layout = np.random.default_rng(seed), LAYOUTS[dataset]
    ids: list[str] = []
    splits: list[str] = []
    lengths: list[int] = []
    labels: list[npt.NDArray[np.int64]] = []
    for split, known in KNOWN[dataset].items():
        for number in range(known.conversations):
            if dataset == "iemocap":
                ids.append(f"Ses0{5 if split == 'test' else 1 + number % 4}F_{number:03d}")
            else:  # id 60 is missing
                ids.append(str(MELD_STARTS[split] + number + (split == "train" and number >= 60)))
        splits += [split] * known.conversations
        lengths += lengths_of(known.conversations, known.utterances, LONGEST[dataset], rng).tolist()
        labels.append(rng.permutation(np.repeat(np.arange(len(known.labels)), known.labels)))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    speaker = np.concatenate([np.arange(n) % 2 for n in lengths])
    features = {m: rng.standard_normal((offsets[-1], width)).astype(np.float32) for m, width in WIDTHS[dataset].items()}
    return Conversations(
        features,
        np.concatenate(labels),
        speaker,
        offsets,
        tuple(ids),
        tuple(splits),
        layout.corpus.class_names,
        layout.corpus.speakers,
    )


def rows_of(c: Conversations, split: str) -> npt.NDArray[np.int64]:
    return c.rows([b for b, s in enumerate(c.split) if s == split])


def first_rows(c: Conversations, split: str, count: int) -> npt.NDArray[np.int64]:
    """The first utterance of each of the split's first conversations."""
    return c.offsets[[b for b, s in enumerate(c.split) if s == split][:count]]


def leak_visual(c: Conversations, seed: int = 1) -> dict[str, int]:
    """MELD's reported defect, in place: zeros, and copies of the training conversation with the same id.

    Returns:
        How many copies have the place of their source, by split.
    """
    rng, visual = np.random.default_rng(seed), c.features["visual"]
    at = {int(name): range(*c.offsets[b : b + 2]) for b, name in enumerate(c.ids)}
    same_place, sources = {}, set()
    for split, copied, zeros in (("dev", 609, 95), ("test", 1548, 258)):
        start = MELD_STARTS[split]
        members = [int(name) for name, s in zip(c.ids, c.split, strict=True) if s == split]
        usable = [(at[n - start], place, row) for n in members if n - start in at for place, row in enumerate(at[n])]
        chosen = rng.permutation(len(usable))[:copied]
        same_place[split] = 0
        for i in chosen:
            source, place, row = usable[i]
            from_place = place if place < len(source) else int(rng.integers(len(source)))
            same_place[split] += from_place == place
            visual[row] = visual[source[from_place]]
            sources.add(source[from_place])
        left = np.setdiff1d(rows_of(c, split), [usable[i][2] for i in chosen])
        visual[rng.permutation(left)[:zeros]] = 0
    visual[rng.permutation(np.setdiff1d(rows_of(c, "train"), sorted(sources)))[:3407]] = 0
    return same_place


def items_of(c: Conversations, sentences: Sequence[str] | None = None) -> list[Any]:
    """The community's tuple that holds a corpus, as a list."""
    meld = c.speakers == 9
    names: list[Any] = [int(name) if meld else name for name in c.ids]
    assert c.label is not None

    def each(values: Any) -> dict[Any, Any]:
        return {name: values[slice(*c.offsets[b : b + 2])] for b, name in enumerate(names)}

    speakers = np.eye(9, dtype=np.float32)[c.speaker] if meld else np.array(["M", "F"])[c.speaker]
    text = each(c.features["text"])
    said = [""] * c.utterances if sentences is None else list(sentences)
    trained = [name for name, split in zip(names, c.split, strict=True) if split != "test"]
    tested = [name for name, split in zip(names, c.split, strict=True) if split == "test"]
    items = [each(c.speaker), each(speakers), each(c.label), text, text, text, text, each(c.features["audio"])]
    return [*items, each(c.features["visual"]), each(said), trained, tested, *([{}] if meld else [])]
