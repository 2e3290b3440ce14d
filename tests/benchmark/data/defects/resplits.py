"""How often the audit calls leak-free data leaking, and how often it finds leaks: ``python -m`` this, docs/audit.md.

Leak-free data are the conversations of a corpus, dealt out to its splits at random: whatever they share then is
coincidence.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmark.data import Conversations, load_features
from benchmark.data.defects.duplicates import find_copies
from benchmark.data.defects.numbering import number_utterances, number_vectors
from tests.benchmark.data.defects.corpora import corpus, leak_visual


def dealt(conversations: Conversations, times: int, seed: int = 0) -> Iterator[Conversations]:
    """The same conversations, each split's number of them drawn at random, again and again."""
    rng = np.random.default_rng(seed)
    for _ in range(times):
        yield replace(conversations, split=tuple(rng.permutation(conversations.split).tolist()))


def leaks(conversations: Conversations) -> list[str]:
    """What the audit calls a leak, as ``text: test in train``."""
    keys = {m: number_vectors(rows) for m, rows in conversations.features.items()}
    copies = {m: find_copies(conversations, keys[m], rows) for m, rows in conversations.features.items()}
    copies["all modalities"] = find_copies(conversations, number_utterances(keys), None)
    return [
        f"{m}: {pair}"
        for m, pairs in copies.items()
        for pair, found in pairs.items()
        if found.leaks or found.near_leaks
    ]


def copy_into_test(conversations: Conversations, modality: str, pairs: int, rng: np.random.Generator) -> None:
    """Put a vector of a training conversation into a test conversation, in place, for so many pairs of them."""
    own, other = (
        rng.permutation([b for b, s in enumerate(conversations.split) if s == split])[:pairs]
        for split in ("test", "train")
    )
    rows = conversations.features[modality]
    rows[conversations.offsets[own]] = rows[conversations.offsets[other]]


def main() -> None:
    """Print the shares of re-splits of leak-free data, of MELD's pattern, and of few copies that are called leaks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="feature files without leaks; only text and audio are used")
    parser.add_argument("--times", type=int, default=200)
    arguments = parser.parse_args()
    for file in arguments.files:
        conversations = load_features(file, modalities=("text", "audio"))
        wrong = [called for one in dealt(conversations, arguments.times) if (called := leaks(one))]
        print(f"{file.name}: {len(wrong)} of {arguments.times} re-splits are called leaking {wrong}", flush=True)
    times = max(1, arguments.times // 10)
    met = 0
    for seed in range(times):
        damaged = corpus("meld", seed)
        leak_visual(damaged, seed + 1)
        met += {"visual: dev in train", "visual: test in train"} <= set(leaks(damaged))
    print(f"MELD's published pattern: found in {met} of {times}", flush=True)
    for pairs in (1, 2, 4, 6, 8, 10):
        met = 0
        for seed in range(times):
            damaged = corpus("meld", seed)
            copy_into_test(damaged, "audio", pairs, np.random.default_rng(seed))
            met += "audio: test in train" in leaks(damaged)
        print(f"a vector of {pairs} training conversations in as many test conversations: found in {met} of {times}")


if __name__ == "__main__":
    main()
