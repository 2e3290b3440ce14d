"""The references: what scikit-learn says, chosen on validation alone, the same every time."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info, threadpool_limits

from benchmark.audit import references as module
from benchmark.audit.references import STRENGTHS, references
from benchmark.data import simulate
from benchmark.data.conversations import Conversations
from benchmark.data.datasets import dataset
from benchmark.data.simulation.knobs import parse_corpus
from benchmark.data.simulation.simulator import simulate_spec
from benchmark.data.splits import split


@pytest.fixture(scope="module")
def corpus() -> Conversations:
    return simulate("meld-sim", widths=(3, 2, 2), signal=(1.0, 0.8, 0.6))


def features(part: Conversations, modalities: Sequence[str]) -> np.ndarray:
    return np.concatenate([part.features[m] for m in modalities], axis=1)


@pytest.mark.parametrize("modalities", [["text", "audio", "visual"], ["text"], ["audio"], ["visual"]])
def test_the_logistic_regression_is_scikit_learns_with_the_choice_that_validation_makes(
    corpus: Conversations, modalities: list[str]
) -> None:
    train, validation, test = (corpus.where(name) for name in ("train", "dev", "test"))
    found = next(row for row in references(corpus) or [] if row["modalities"] == modalities)
    best, expected = -1.0, np.array([])
    for weights in (None, "balanced"):
        for strength in STRENGTHS:
            model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, class_weight=weights, max_iter=2000))
            model.fit(features(train, modalities), train.label)
            f1 = f1_score(validation.label, model.predict(features(validation, modalities)), average="weighted")
            if f1 > best + 0.004:  # the optimiser's tolerance moves a handful of predictions
                best, expected = f1, model.predict(features(test, modalities))
    assert found["weighted_f1"] == pytest.approx(f1_score(test.label, expected, average="weighted"), abs=0.015)
    assert found["accuracy"] == pytest.approx(accuracy_score(test.label, expected), abs=0.015)
    assert found["strength"] in STRENGTHS


def test_with_one_strength_its_predictions_are_scikit_learns(
    corpus: Conversations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STRENGTHS", (0.1,))
    monkeypatch.setattr(module, "TOLERANCE", 1e-8)
    train, test = corpus.where("train"), corpus.where("test")
    every = ["text", "audio", "visual"]
    models = [
        make_pipeline(StandardScaler(), LogisticRegression(C=0.1, class_weight=weights, tol=1e-8, max_iter=2000)).fit(
            features(train, every), train.label
        )
        for weights in (None, "balanced")
    ]
    scores = {f1_score(test.label, m.predict(features(test, every)), average="weighted") for m in models}
    (found,) = [row for row in references(corpus) or [] if row["modalities"] == every]
    assert min(abs(found["weighted_f1"] - score) for score in scores) < 0.002


def test_the_majority_is_the_most_frequent_training_class(corpus: Conversations) -> None:
    train, test = corpus.where("train"), corpus.where("test")
    assert train.label is not None
    assert test.label is not None
    constant = np.full(len(test.label), np.bincount(train.label).argmax())
    (first, *_) = references(corpus) or []
    assert (first["name"], first["modalities"], first["strength"]) == ("majority", [], None)
    assert first["weighted_f1"] == f1_score(test.label, constant, average="weighted", zero_division=0)
    assert first["accuracy"] == accuracy_score(test.label, constant)


def test_the_test_set_chooses_nothing(corpus: Conversations) -> None:
    assert corpus.label is not None
    in_test = np.repeat(np.array(corpus.split) == "test", corpus.lengths)
    shuffled = corpus.label.copy()
    shuffled[in_test] = np.random.default_rng(0).permutation(shuffled[in_test])
    chosen = [
        [(row["name"], row["modalities"], row["strength"], row["class_weights"]) for row in references(data) or []]
        for data in (corpus, replace(corpus, label=shuffled))
    ]
    assert chosen[0] == chosen[1]


def test_it_is_the_same_every_time(corpus: Conversations) -> None:
    assert references(corpus) == references(corpus)


def test_iemocap_is_chosen_on_the_session_that_seed_0_holds_out() -> None:
    corpus = simulate("iemocap-sim", widths=(3, 2, 2))
    parts = split(corpus, 0)
    assert parts.validation is not None
    seen: list[int] = []
    original = module._choose

    def spy(x: np.ndarray, y: np.ndarray, validation: np.ndarray, truth: np.ndarray) -> LogisticRegression:
        seen.extend((len(y), len(truth)))
        return original(x, y, validation, truth)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_choose", spy)
        references(corpus)
    assert seen[:2] == [parts.train.utterances, parts.validation.utterances]


def test_one_thread_makes_them_whatever_there_is(corpus: Conversations) -> None:
    seen: list[int] = []
    original = module._choose

    def spy(*arrays: np.ndarray) -> LogisticRegression:
        seen.extend(pool["num_threads"] for pool in threadpool_info())
        return original(*arrays)

    with threadpool_limits(limits=2), pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_choose", spy)
        before = {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}
        references(corpus)
        after = {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}
    assert set(seen) == {1}
    assert 2 in before.values()
    assert before.items() <= after.items()


def test_without_validation_data_there_are_none(corpus: Conversations) -> None:
    without = corpus.select([b for b, part in enumerate(corpus.split) if part != "dev"])
    assert references(without) is None


def test_a_single_training_class_leaves_the_majority_alone(corpus: Conversations) -> None:
    assert corpus.label is not None
    found = references(replace(corpus, label=np.full_like(corpus.label, 2))) or []
    assert [row["name"] for row in found] == ["majority"]
    assert found[0]["accuracy"] == 1


def test_a_corpus_of_one_modality_has_one_regression(corpus: Conversations) -> None:
    found = references(replace(corpus, features={"text": corpus.features["text"]})) or []
    assert [row["modalities"] for row in found] == [[], ["text"]]


@pytest.fixture(scope="module")
def tiny() -> Conversations:
    return simulate_spec(parse_corpus("meld-sim(scale=0.02,widths=2+2+2)")[1])


@pytest.fixture(scope="module")
def of_tiny(tiny: Conversations) -> list[dict[str, Any]]:
    return references(tiny) or []


@settings(max_examples=5)
@given(st.integers(1, 6), st.floats(0.1, 10))
def test_the_unit_of_a_feature_does_not_matter(
    tiny: Conversations, of_tiny: list[dict[str, Any]], power: int, factor: float
) -> None:
    units = {m: (x * factor * 2.0**power).astype(np.float32) for m, x in tiny.features.items()}
    pairs = zip(of_tiny, references(replace(tiny, features=units)) or [], strict=True)
    assert all(a["weighted_f1"] == pytest.approx(b["weighted_f1"], abs=0.1) for a, b in pairs)


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "least"), [("iemocap", 0.48), ("meld", 0.55)])
def test_real_conversations_have_references_worth_exceeding(name: str, least: float, real_data: Path) -> None:
    found = references(dataset(name, real_data).load()) or []
    by_name = {(row["name"], len(row["modalities"])): row["weighted_f1"] for row in found}
    assert least < by_name["logistic", 3]
    assert by_name["majority", 0] < 0.35
