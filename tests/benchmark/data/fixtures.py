"""Tiny feature tuples of both layouts, as lists so that a test can damage them."""

import numpy as np
import pytest


def _items(conversations, label, speaker, rng):
    """Items 0 to 9 for ``{conversation: number of utterances}``."""

    def dicts(value):
        return {c: [value(c, u) for u in range(n)] for c, n in conversations.items()}

    def vectors(width):
        return dicts(lambda c, u: rng.standard_normal(width).astype(np.float32))

    texts = [vectors(5) for _ in range(4)]
    names = dicts(lambda c, u: f"{c}_{u}")
    return [names, dicts(speaker), dicts(label), *texts, vectors(4), vectors(3), dicts(lambda c, u: f"said {u}")]


@pytest.fixture
def iemocap_items():
    """Three conversations, of which c2 and c1 are for training and c3 for the test; the dicts are not in order."""
    items = _items(
        {"c3": 2, "c1": 3, "c2": 1}, lambda c, u: (u + 4) % 6, lambda c, u: "FM"[u % 2], np.random.default_rng(1)
    )
    return [*items, ["c2", "c1"], ["c3"]]


@pytest.fixture
def meld_items():
    """Train 2 and 10 (whose order as text differs), dev 1100, test 1153; the dicts are not in order."""
    items = _items(
        {1153: 2, 10: 3, 2: 1, 1100: 2}, lambda c, u: (u + 5) % 7, lambda c, u: np.eye(9)[u], np.random.default_rng(2)
    )
    return [*items, [2, 10, 1100], [1153], {c: [1] for c in (2, 10, 1100, 1153)}]
