"""Rules for the epoch that counts: what each selects, what is kept for it, and that an interruption changes nothing."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmark.experiment.spec import Selection
from benchmark.training import trainer as module
from benchmark.training.checkpoint import load_checkpoint, save_checkpoint
from benchmark.training.prediction import SCORES, predict
from benchmark.training.selection import candidates, selected_epoch
from benchmark.training.trainer import Trainer, train
from reports.measures.rules import last_epoch, smoothed_epoch

RULES: tuple[Selection, ...] = get_args(Selection)
Make = Callable[..., Trainer]
curves = st.lists(st.sampled_from([math.nan, 0.1, 0.2, 0.3, 0.4]), min_size=1, max_size=12)


@given(curves)
def test_every_rule_selects_what_reports_and_pandas_say(scores: list[float]) -> None:
    values = np.array(scores)
    usable = ~np.isnan(values)
    assert (selected_epoch("smoothed", scores) or 0) == smoothed_epoch(values, usable)
    assert (selected_epoch("last", scores) or 0) == last_epoch(usable)
    medians = pd.Series(values).rolling(5, center=True, min_periods=1).median().where(usable)
    for rule, curve in (("best", pd.Series(values)), ("smoothed", medians)):
        assert selected_epoch(rule, scores) == (int(curve.idxmax()) + 1 if usable.any() else None)


@given(curves, st.sampled_from(RULES))
def test_what_is_selected_in_the_end_was_a_candidate_ever_since_it_was_trained(
    scores: list[float], rule: Selection
) -> None:
    end = selected_epoch(rule, scores) or len(scores)
    for trained in range(end, len(scores) + 1):
        kept = candidates(rule, scores[:trained])
        assert end in kept
        assert len(kept) <= (3 if rule == "smoothed" else 1)


def scripted(curve: list[float], monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Have validation score as this curve says; the function returned says how many epochs came before."""
    place = iter(curve)

    def resume(epochs: int) -> None:
        nonlocal place
        place = iter(curve[epochs:])

    monkeypatch.setattr(module, "validation_scores", lambda *_: dict.fromkeys(SCORES, next(place)))
    return resume


CURVE = [0.2, 0.9, 0.2, 0.5, 0.6, 0.55, 0.5, 0.1]
SELECTED = {"best": 2, "smoothed": 4, "last": 8}
"""The medians of five are .2 .35 .5 .55 .5 .5 .525 .5: the fourth epoch's is the highest."""


@pytest.mark.parametrize("rule", RULES)
def test_probabilities_and_weights_are_those_of_the_selected_epoch(
    rule: Selection, make_trainer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(CURVE, monkeypatch)
    weights, probabilities = [], []

    def remember(trainer: Trainer) -> None:
        weights.append({name: t.clone() for name, t in trainer.model.state_dict().items()})
        probabilities.append(predict(trainer.model, trainer.test_data))

    trainer = make_trainer("adam", epochs=len(CURVE), selection=rule)
    train(trainer, remember)
    progress, epoch = trainer.progress, SELECTED[rule]
    assert progress.selected == epoch
    assert progress.probabilities is not None
    assert torch.equal(progress.probabilities, probabilities[epoch - 1])
    assert not torch.equal(progress.probabilities, probabilities[epoch - 2])
    assert progress.weights.keys() == weights[0].keys()
    assert all(torch.equal(tensor, weights[epoch - 1][name]) for name, tensor in progress.weights.items())


@pytest.mark.parametrize("stopped_after", range(1, len(CURVE)))
def test_a_smoothed_run_that_was_stopped_ends_with_the_same_bits(
    stopped_after: int, make_trainer: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    resume = scripted(CURVE, monkeypatch)
    whole, stopped, resumed = (make_trainer("adam", epochs=len(CURVE), selection="smoothed") for _ in range(3))
    train(whole)
    resume(0)
    train(stopped, stop=lambda: stopped.progress.epoch == stopped_after)
    save_checkpoint(tmp_path, stopped)
    torch.rand(3)
    assert load_checkpoint(tmp_path, resumed)
    assert resumed.progress.kept.keys() == stopped.progress.kept.keys()
    resume(stopped_after)
    train(resumed)
    assert resumed.progress.selected == whole.progress.selected == SELECTED["smoothed"]
    assert whole.progress.probabilities is not None
    assert torch.equal(resumed.progress.probabilities, whole.progress.probabilities)
    for name, tensor in whole.progress.weights.items():
        assert torch.equal(resumed.progress.weights[name], tensor), name


def test_no_rule_selects_an_epoch_whose_logits_are_not_finite(
    make_trainer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "validation_scores", lambda *_: dict.fromkeys(SCORES, 0.5))
    for rule in RULES:
        trainer = make_trainer("adam", epochs=4, selection=rule)
        healthy, overflow = module.predict, iter([True, True, False, False, True, True, True, True])
        with pytest.MonkeyPatch.context() as patch:  # validation and test data of each epoch in turn
            patch.setattr(
                module, "predict", lambda *data, h=healthy, o=overflow: h(*data) if not next(o) else h(*data) * math.nan
            )
            train(trainer)
        assert trainer.progress.selected == 2, rule
        assert trainer.progress.probabilities is not None
        assert trainer.progress.probabilities.isfinite().all()
