"""Runs of methods that leave objectives out: two gradients or one, and NaN under the names of the others."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from benchmark.training.building import objective_names
from benchmark.training.checkpoint import load_checkpoint, save_checkpoint
from benchmark.training.directions import is_common
from benchmark.training.gradients import Parameters
from benchmark.training.trainer import Trainer, train
from css.interfaces import OBJECTIVES

Make = Callable[..., Trainer]
LEFT_OUT = [("unimodal",), ("distillation",), ("distillation", "unimodal")]
METHODS = [
    "css",
    "adam",
    "concat+pgm",
    "pcgrad",
    "gradvac",
    "pgm-periodic(every=3)",
    "uncertainty",
    "css(solver=slsqp)",
]


def without(method: str, names: tuple[str, ...]) -> str:
    return f"{method}/paper({','.join(f'{name}=false' for name in names)})"


def column(trainer: Trainer, name: str) -> list[float]:
    return np.concatenate(trainer.progress.steps)[:, trainer.step_columns.index(name)].tolist()


@pytest.mark.parametrize("left_out", LEFT_OUT, ids="+".join)
@pytest.mark.parametrize("method", METHODS)
def test_a_run_records_what_it_has_and_nothing_of_what_it_has_not(
    method: str, left_out: tuple[str, ...], make_trainer: Make
) -> None:
    trainer = make_trainer(without(method, left_out), epochs=3)
    assert train(trainer)
    names = trainer.objective.names
    assert names == tuple(name for name in OBJECTIVES if name not in left_out)

    steps, counts = np.concatenate(trainer.progress.steps), trainer.counts()
    probes = dict(zip(trainer.probe_columns, np.array(trainer.progress.conflict).T, strict=True))
    for recorded in (dict(zip(trainer.step_columns, steps.T, strict=True)), probes):
        for name, values in recorded.items():
            if any(absent in name for absent in left_out):
                assert np.isnan(values).all(), name
            elif trainer.aggregator.needs_gramian and trainer.aggregator.every == 1 and "displacement" not in name:
                assert np.isfinite(values).all(), name
    weights = [column(trainer, f"weight_{name}") for name in names]
    assert np.sum(weights, axis=0) == pytest.approx(np.ones(len(steps)))
    for name in names:
        assert trainer.progress.column(f"train_loss_{name}")[-1] == pytest.approx(
            np.mean(column(trainer, f"loss_{name}")[-len(trainer.progress.steps[-1]) :])
        )
    last = trainer.progress.latest()
    assert last["train_total"] == pytest.approx(sum(last[f"train_loss_{name}"] for name in names))
    assert last["finite"] == 1
    K, total, every = len(names), len(steps), trainer.aggregator.every
    solved = -(-total // every) if trainer.aggregator.needs_gramian or every > 1 else 0
    assert counts["backward_passes"] == total + solved * (K - 1)
    assert counts["probe_backward_passes"] == len(trainer.progress.conflict) * K
    masked = counts["masked_objectives"]
    assert masked == {name: None if name in left_out else 0 for name in OBJECTIVES}


@pytest.mark.parametrize("left_out", LEFT_OUT, ids="+".join)
@pytest.mark.parametrize("method", ["css", "adam"])
def test_the_update_is_that_of_the_objectives_that_are_left(
    method: str, left_out: tuple[str, ...], make_trainer: Make
) -> None:
    """Against losses written out here, in float64; PGM's weights of two unit gradients are one half each."""
    trainer = make_trainer(without(method, left_out), dropout=0.0, class_weights=False)
    trainer.parameters = Parameters(trainer.model.double())
    trainer.optimizer.step = lambda: None  # type: ignore[method-assign]  # the fused one is for float32
    batch = trainer.train_data.batch(range(4))
    for m, x in batch.features.items():
        batch.features[m] = x.double()
    logits = trainer.model(batch.features, batch.speakers, batch.lengths)
    T = trainer.objective.temperature
    teacher = (logits.fused.detach() / T).softmax(-1)
    losses = {
        "fused": F.cross_entropy(logits.fused, batch.label),
        "unimodal": sum(F.cross_entropy(x, batch.label) for x in logits.unimodal.values()),
        "distillation": sum(
            (teacher * (teacher.log() - (x / T).log_softmax(-1))).sum(-1).mean() for x in logits.unimodal.values()
        ),
    }
    kept = [losses[name] for name in trainer.objective.names]
    parameters = trainer.parameters.all
    expected = torch.autograd.grad(sum(kept) / len(kept), parameters, retain_graph=True, materialize_grads=True)
    theta = trainer.parameters.shared
    rows = [torch.autograd.grad(x, theta, retain_graph=True, materialize_grads=True) for x in kept]
    J = torch.stack([torch.cat([g.flatten() for g in row]) for row in rows])

    row = dict(zip(trainer.step_columns, trainer._step(batch).tolist(), strict=True))
    update = torch.cat([g.flatten() for g in expected])
    torch.testing.assert_close(trainer.parameters.flat.grad, update, rtol=1e-8, atol=1e-12)
    for name, loss in zip(trainer.objective.names, kept, strict=True):
        assert row[f"loss_{name}"] == pytest.approx(loss.item(), rel=1e-10)
        assert row[f"weight_{name}"] == pytest.approx(1 / len(kept))
    if method == "css":
        assert [row[f"norm_{name}"] for name in trainer.objective.names] == pytest.approx(J.norm(dim=1).tolist())
        if len(kept) == 2:
            pair = "_".join(trainer.objective.names)
            assert row[f"cos_{pair}"] == pytest.approx(float(torch.cosine_similarity(J[0], J[1], dim=0)))


@pytest.mark.parametrize("left_out", LEFT_OUT, ids="+".join)
@pytest.mark.parametrize("method", ["css", "adam", "gradvac", "pgm-periodic(every=3)", "uncertainty"])
def test_a_run_goes_on_from_a_checkpoint_as_if_it_had_not_stopped(
    method: str, left_out: tuple[str, ...], make_trainer: Make, tmp_path: Path
) -> None:
    whole, stopped, resumed = (make_trainer(without(method, left_out), epochs=3) for _ in range(3))
    train(whole)
    stopped.train_epoch()
    save_checkpoint(tmp_path, stopped)
    assert load_checkpoint(tmp_path, resumed)
    train(resumed)
    assert np.array(resumed.progress.history).tobytes() == np.array(whole.progress.history).tobytes()
    assert resumed.state().keys() == whole.state().keys()
    for name, t in whole.state().items():
        assert torch.equal(t, resumed.state()[name]), name


@pytest.mark.parametrize(
    ("method", "known"),
    [
        ("css", ("unimodal", "distillation", "text", "audio", "visual")),
        ("adam", ("unimodal", "distillation", "text", "audio", "visual")),
        ("css(unimodal=false)", ("distillation", "text", "audio", "visual")),
        ("text-only(distillation=false)", ("unimodal", "text")),
        ("pair-text-visual/css(t_squared=true)", ("unimodal", "distillation", "text", "visual")),
        ("adam(unimodal=false,distillation=false)", ()),
    ],
)
def test_losses_by_modality_are_recorded_by_epoch_and_sum_to_their_objective(
    method: str, known: tuple[str, ...], make_trainer: Make
) -> None:
    trainer = make_trainer(method)
    train(trainer)
    for epoch in range(2):
        for objective in ("unimodal", "distillation"):
            terms = [trainer.progress.column(f"train_loss_{objective}_{m}")[epoch] for m in ("text", "audio", "visual")]
            finite = [m for m, x in zip(("text", "audio", "visual"), terms, strict=True) if np.isfinite(x)]
            assert finite == [m for m in ("text", "audio", "visual") if {m, objective} <= set(known)]
            if finite:
                total = trainer.progress.column(f"train_loss_{objective}")[epoch]
                assert np.nansum(terms) == pytest.approx(total, rel=1e-5)


def test_one_objective_alone_is_trained_alike_by_every_aggregator(make_trainer: Make) -> None:
    """With one gradient every weight is 1: over θ, fusion and classifier all are plain Adam on L1."""
    runs = [make_trainer(without(m, LEFT_OUT[-1]), epochs=2) for m in ("adam", "css", "pcgrad", "spf+mgda")]
    for trainer in runs:
        train(trainer)
    plain = dict(runs[0].model.named_parameters())
    for other in runs[1:]:
        for name, p in other.model.named_parameters():
            if not name.startswith("unimodal."):  # no objective reaches them: Adam's weight decay may
                # the encoder is differentiated in another order of sums, and Adam divides rounding by small moments
                torch.testing.assert_close(p, plain[name], rtol=1e-3, atol=1e-5)


def test_the_common_trajectory_has_all_objectives(make_spec: Callable) -> None:
    assert is_common(make_spec("adam").method)
    for left_out in LEFT_OUT:
        method = make_spec(without("adam", left_out)).method
        assert not is_common(method)
        assert objective_names(method) == tuple(name for name in OBJECTIVES if name not in left_out)
