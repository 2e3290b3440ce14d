"""Predictions of the tiny feature file's test utterances, as another code base would write them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.data.conversations import Conversations
from benchmark.data.datasets import dataset

Predict = Callable[..., pd.DataFrame]


@pytest.fixture(scope="session")
def meld(features: Path) -> Conversations:
    return dataset("meld", features).load()


@pytest.fixture(scope="session")
def predict(meld: Conversations) -> Predict:
    """``predict(seed)``: a row a test utterance, about half of them right."""
    test = meld.where("test")
    assert test.label is not None
    label = test.label

    def frame(seed: int = 0) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        return pd.DataFrame(
            {
                "conversation": np.repeat(np.array(test.ids), test.lengths),
                "utterance": np.concatenate([np.arange(n) for n in test.lengths]),
                "predicted": np.where(rng.random(len(label)) < 0.5, label, rng.integers(0, 7, len(label))),
            }
        )

    return frame
