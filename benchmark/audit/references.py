"""References that cost nothing: what a line of scikit-learn reaches, so that nobody is impressed by less.

Both are deterministic functions of the data. They see one utterance at a time, without its conversation or speaker.
"""

import warnings
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from benchmark.base.errors import DataError
from benchmark.data.conversations import Conversations
from benchmark.data.splits import split

STRENGTHS = tuple(10.0**power for power in range(-4, 2))
"""The values of C that are tried, the strongest regularisation first."""
TOLERANCE = 1e-3
"""The gradient at which the optimiser (L-BFGS) stops; a smaller one takes twice the time."""

Labels = npt.NDArray[np.int64]
Features = npt.NDArray[np.float32]


def references(conversations: Conversations) -> list[dict[str, Any]] | None:
    """``majority``, then ``logistic`` with all modalities, then with each alone: docs/run-format.md names the fields.

    One thread fits them: more wait for each other longer than they work, many times so on a busy machine.

    They are fitted on the training conversations of seed 0 and scored on the test conversations. The strength and the
    class weights of ``logistic`` are those with the best weighted F1 on the validation conversations of seed 0 (the
    official dev set, or a held-out training session); of equals the strongest regularisation, without weights.

    Returns:
        Scores as fractions; None where there are no validation conversations to choose on. Only ``majority`` where
        training has a single class.
    """
    try:
        parts = split(conversations, seed=0)
    except DataError:
        return None
    test = conversations.where("test")
    if parts.validation is None or parts.train.label is None or parts.validation.label is None or test.label is None:
        return None
    train, validation = parts.train.label, parts.validation.label
    majority = np.full_like(test.label, np.bincount(train).argmax())
    rows: list[dict[str, Any]] = [{"name": "majority", "modalities": [], "strength": None, "class_weights": None}]
    scored = [_scores(test.label, majority)]
    if len(np.unique(train)) > 1:
        for modalities in _subsets(list(conversations.features)):
            scaler = StandardScaler().fit(_joined(parts.train, modalities))
            with threadpool_limits(limits=1):
                chosen = _choose(
                    scaler.transform(_joined(parts.train, modalities)),
                    train,
                    scaler.transform(_joined(parts.validation, modalities)),
                    validation,
                )
            predicted = chosen.predict(scaler.transform(_joined(test, modalities)))
            weights = chosen.class_weight is not None
            rows.append(
                {"name": "logistic", "modalities": modalities, "strength": float(chosen.C), "class_weights": weights}
            )
            scored.append(_scores(test.label, predicted))
    return [row | scores for row, scores in zip(rows, scored, strict=True)]


def _subsets(modalities: list[str]) -> list[list[str]]:
    return [modalities, *([m] for m in modalities if len(modalities) > 1)]


def _joined(conversations: Conversations, modalities: Sequence[str]) -> Features:
    return np.concatenate([conversations.features[m] for m in modalities], axis=1, dtype=np.float32)


def _choose(features: Features, labels: Labels, validation: Features, truth: Labels) -> LogisticRegression:
    """The model of the strength and weights with the best validation weighted F1, the first of equals."""

    def scored() -> Iterator[tuple[float, LogisticRegression]]:
        for class_weight in (None, "balanced"):
            # each strength starts where the stronger one ended, which halves the time
            path = LogisticRegression(class_weight=class_weight, tol=TOLERANCE, warm_start=True)
            for strength in STRENGTHS:
                path.set_params(C=strength).fit(features, labels)
                f1 = f1_score(truth, path.predict(validation), average="weighted", zero_division=0)
                yield f1, deepcopy(path)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return max(scored(), key=lambda pair: pair[0])[1]


def _scores(truth: Labels, predicted: Labels) -> dict[str, float]:
    return {
        "weighted_f1": float(f1_score(truth, predicted, average="weighted", zero_division=0)),
        "accuracy": float(accuracy_score(truth, predicted)),
    }
