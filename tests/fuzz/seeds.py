"""What is mutated: valid pickles of every layout in every protocol, Python 2's, and the hostile corpus of the tests."""

import pickle
from typing import Any

import numpy as np

from tests.benchmark.data.feature_files.hostile import BROKEN, PYTHON2, REFUSED_NAMES, REFUSED_STEPS

LONGEST = 100_000  # bytes: the few longer ones of the corpus are slow and say nothing more when changed


def tuples() -> dict[str, tuple[Any, ...]]:
    """The six layouts, tiny: vectors of both kinds (in memory, stored), in lists and in matrices."""
    rng = np.random.default_rng(0)
    found: dict[str, tuple[Any, ...]] = {}
    for corpus, (train, test) in {"iemocap": (["Ses01", "Ses02"], ["Ses05"]), "meld": ([0, 1039], [1153])}.items():
        ids: list[Any] = [*train, *test]

        def each(value: Any, ids: list[Any] = ids) -> dict[Any, Any]:
            return {c: [value(u) for u in range(2)] for c in ids}

        def vectors(width: int, each: Any = each) -> dict[Any, Any]:
            return each(lambda _: rng.standard_normal(width).astype(np.float32))

        speakers = each("MF".__getitem__ if corpus == "iemocap" else np.eye(9).__getitem__)
        labels, said = each(lambda u: u), each(lambda u: f"said {u}")
        texts = [vectors(w) for w in (140, 3, 3)]
        texts.append({c: np.stack(rows) for c, rows in vectors(70).items()})
        audio, visual = {c: rows.astype(np.float64) for c, rows in texts[3].items()}, vectors(2)
        head, tail = (each(str), speakers, labels), (audio, visual, said, train, test)
        more = ({c: [1] for c in ids},) if corpus == "meld" else ()
        found[corpus] = (*head, *texts, *tail, *more)
        found[f"{corpus}, MMGCN"] = (*head, texts[0], *tail, *more)
        sentiments = (labels,) if corpus == "meld" else ()
        found[f"{corpus}, RoBERTa"] = (speakers, labels, *sentiments, *texts, said, set(train[:1]), test, train[1:])
    return found


def seeds() -> list[bytes]:
    """All of them, always in the same order."""
    values: list[Any] = [
        *tuples().values(),
        [{"é": "F", 1: np.float32(2)}, {3}, np.array(["F", "Mé"]), np.zeros((0, 9))],
    ]
    valid = [pickle.dumps(value, protocol) for value in values for protocol in range(6)]
    corpus = [content for group in (REFUSED_NAMES, REFUSED_STEPS, BROKEN) for content in group.values()]
    return [*valid, *PYTHON2.values(), *(content for content in corpus if 0 < len(content) <= LONGEST)]
