"""Small corpora with classes and speakers of their own."""

from dataclasses import replace

import numpy as np

from benchmark.data import Conversations


def corpus(classes: int, speakers: int) -> Conversations:
    """Forty conversations of random features that lean on the label; 24 train, 8 dev, 8 test."""
    rng = np.random.default_rng(classes)
    lengths = rng.integers(2, 7, 40)
    n = int(lengths.sum())
    label = np.concatenate([np.arange(classes), rng.integers(0, classes, n - classes)])
    return Conversations(
        features={
            m: (rng.standard_normal((n, width)) + label[:, None]).astype(np.float32)
            for m, width in (("text", 6), ("audio", 4), ("visual", 3))
        },
        label=label,
        speaker=rng.integers(0, speakers, n),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        ids=tuple(f"d{b}" for b in range(40)),
        split=("train",) * 24 + ("dev",) * 8 + ("test",) * 8,
        class_names=tuple(f"mood {c}" for c in range(classes)),
        speakers=speakers,
    )


def in_sessions(conversations: Conversations, sessions: int, test: int = 1) -> Conversations:
    """The same conversations as of so many sessions, in turn, without a dev set; the last ``test`` are the test set."""
    turns = [b % sessions for b in range(len(conversations))]
    return replace(
        conversations,
        ids=tuple(f"Ses{turn + 1:02d}_{b}" for b, turn in enumerate(turns)),
        split=tuple("test" if turn >= sessions - test else "train" for turn in turns),
    )
