"""A store with runs of every kind, each of a second or two, made through the front door."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import benchmark
from benchmark.data.datasets import dataset
from benchmark.data.feature_files.open_format import save
from benchmark.evaluation.predictions.files import read_predictions
from benchmark.evaluation.predictions.storing import store_predictions
from benchmark.methods.registry import AGGREGATORS, FUSIONS
from benchmark.store.store import Store
from benchmark.workflows.grid import plan_grid
from tests.benchmark.data.own_corpora import corpus, in_sessions
from tests.benchmark.harness import feature_items, write_features

PLUGIN = """
from baselines.aggregators.equal import EqualWeights
from baselines.fusions.concat import ConcatFusion

class Even(EqualWeights):
    pass

class Outside(ConcatFusion):
    def __init__(self, features: int, modalities: tuple[str, ...]) -> None:
        super().__init__(features, modalities)
"""


def make_store(folder: Path) -> Path:
    """The store's folder.

    On a tiny feature file of MELD: validated runs (one of plug-ins), their refits, a published one after remedies that
    have something to change, fair studies and a run with tuned settings, a look at two seeds, and imported predictions
    with and without probabilities and of a whole run. On a simulated corpus a run with a ceiling.
    """
    items = feature_items()
    visual = items[8]
    for test in range(1153, 1159):  # all that its utterances show is copied from training conversations
        visual[test] = [visual[test - 1153 + u][0] for u in range(len(visual[test]))]
    features, store = write_features(folder / "data", items), folder / "store"
    small: dict[str, Any] = {"preset": "smoke", "device": "cpu", "data_dir": features, "workers": 1, "store": store}
    grid = small | {"epochs": 2, "seeds": 1, "report": False}
    with _outside(folder):
        plugins = ["outside:Outside", "outside:Even"]
        benchmark.run(**grid, datasets="meld", methods="adam,css,Outside+Even", plugins=plugins, refit=True)
        benchmark.robustness(store=store, data_dir=features, plugins=plugins)
    simulated = "meld-sim(scale=0.02)"
    benchmark.run(**grid, datasets=["meld", simulated], methods="adam", protocol="published", drop_defects="all")
    whole = corpus(2, 2)
    save(features / "mine.safetensors", replace(in_sessions(whole, 3), split=whole.split), "mine")
    benchmark.run(**grid, datasets="mine", methods="linear", protocol="sessions")
    benchmark.tune(**small, epochs=2, datasets="meld", methods="css", trials=2, seeds=1, fair=True)
    benchmark.run(**grid, datasets="meld", methods="css", tuned="meld/css/smoke/fair-0#1")
    followed: dict[str, Any] = {"epochs": 2, "datasets": "meld", "methods": "adam,css", "until_decided": True}
    benchmark.run(**small, **followed, looks="2", report=False)
    del small["workers"], small["store"]
    later = plan_grid(store, **small, **followed, looks="3").preregistration
    assert later is not None
    changed = {"dataset": "meld", "selection": "best", "changed_from": ["smoothed"]}
    replace(later, continues=later.name, rules=[changed]).declare(store)
    _import(features, store, folder)
    return store


def _import(features: Path, store: Path, folder: Path) -> None:
    """Put in three runs of other code bases, the second one with probabilities, the third with all of its epochs."""
    meld = dataset("meld", features)
    conversations = meld.load()
    test = conversations.where("test")
    frame = pd.DataFrame(
        {
            "conversation": np.repeat(np.array(test.ids), test.lengths),
            "utterance": np.concatenate([np.arange(n) for n in test.lengths]),
            "predicted": test.label,
        }
    )
    shares = {f"probability_{c}": (frame["predicted"] == c).astype(float) for c in range(7)}
    for seed, (name, written) in enumerate({"bare": frame.assign(predicted=0), "full": frame.assign(**shares)}.items()):
        written.to_csv(file := folder / f"{name}.csv", index=False)
        found = read_predictions(file, conversations, "meld", seed)
        store_predictions(Store(store), meld, found, name, "validation", paired=False)
    whole = pd.concat([frame.assign(predicted=epoch, epoch=epoch) for epoch in (1, 2, 3)])
    whole.to_csv(file := folder / "whole.csv", index=False)
    scores = {"epoch": [1, 2, 3], "validation_weighted_f1": [0.2, 0.3, 0.1], "picked": [0, 0, 1]}
    pd.DataFrame(scores).to_csv(validation := folder / "validation.csv", index=False)
    found = read_predictions(file, conversations, "meld", 2, validation)
    store_predictions(Store(store), meld, found, "whole", "validation", paired=False)


@contextmanager
def _outside(folder: Path) -> Iterator[None]:
    """Have a plug-in in a module that this process and its workers can import."""
    (folder / "outside.py").write_text(PLUGIN)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        try:
            yield
        finally:
            FUSIONS.pop("Outside", None)
            AGGREGATORS.pop("Even", None)
            sys.modules.pop("outside", None)
