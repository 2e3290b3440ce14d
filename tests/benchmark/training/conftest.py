"""A corpus of 16 short conversations, and runs on it that take milliseconds."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from benchmark.data.conversations import Conversations
from benchmark.data.splits import split
from benchmark.experiment.provenance import Provenance
from benchmark.experiment.spec import RunSpec, Training
from benchmark.methods.parsing import parse_method
from benchmark.training.trainer import Trainer

SETTINGS: dict[str, Any] = {
    "hidden": 8,
    "heads": 2,
    "dropout": 0.3,
    "epochs": 2,
    "batch_size": 4,
    "lr": 1e-2,
    "weight_decay": 1e-3,
    "temperature": 2.0,
    "class_weights": True,
    "standardize": True,
    "probe_every": 2,
    "probe_conversations": 3,
}


@pytest.fixture(scope="session")
def corpus() -> Conversations:
    """12 training conversations in two sessions of different sizes, 4 for the test; 3 classes, 2 speakers."""
    rng = np.random.default_rng(7)
    ids = tuple(f"Ses0{1 + (i >= 5)}_{i:02d}" for i in range(12)) + tuple(f"Ses05_{i}" for i in range(4))
    lengths = rng.integers(1, 8, len(ids))
    n = int(lengths.sum())
    label = rng.choice(3, n, p=(0.5, 0.3, 0.2))
    label[:3], label[-3:] = (0, 1, 2), (0, 1, 2)
    shift = {m: rng.normal(0, 2, (3, width)) for m, width in (("text", 5), ("audio", 4), ("visual", 3))}
    return Conversations(
        features={m: (x[label] + rng.normal(3, 1, (n, x.shape[1]))).astype(np.float32) for m, x in shift.items()},
        label=label.astype(np.int64),
        speaker=rng.integers(0, 2, n),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        ids=ids,
        split=("train",) * 12 + ("test",) * 4,
        class_names=("calm", "glad", "sad"),
        speakers=2,
    )


@pytest.fixture(scope="session")
def make_spec() -> Callable[..., RunSpec]:
    """The specification of a run: ``make_spec(method, seed, **training)``."""

    def make(method: str = "css", seed: int = 0, **training: Any) -> RunSpec:
        return RunSpec(
            dataset="iemocap-sim",
            method=parse_method(method, {"rank": 4, "order": 2}),
            seed=seed,
            preset="tiny",
            training=Training(**SETTINGS | training),
            provenance=Provenance(data="d", source="s", torch="t", numpy="n", device="cpu"),
        )

    return make


@pytest.fixture(scope="session")
def make_trainer(corpus: Conversations, make_spec: Callable[..., RunSpec]) -> Callable[..., Trainer]:
    """A run that has not begun: ``make_trainer(method, seed, **training)``."""
    return lambda method="css", seed=0, data=corpus, **training: Trainer(
        make_spec(method, seed, **training), split(data, seed)
    )
