"""The gradients of a step, the update made from them, and the meter of their conflict."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from baselines.aggregators.equal import EqualWeights
from benchmark.training.batches import Batch
from benchmark.training.gradients import (
    ObjectiveGradients,
    Objectives,
    Parameters,
    combine,
    cosines,
    objective_gradients,
    update_cosines,
)
from benchmark.training.probe import columns, probe
from benchmark.training.trainer import Trainer
from css.interfaces import Encoder
from css.model import EmotionClassifier
from css.modulator import ParetoGradientModulator

METHODS = ("css", "concat+pgm", "tensor+pcgrad", "css-released")


def in_double(trainer: Trainer) -> tuple[EmotionClassifier, Parameters, Batch, Objectives]:
    """Model and one batch of a run, in float64."""
    model = trainer.model.double()
    batch = trainer.train_data.batch(range(5))
    batch = Batch({m: x.double() for m, x in batch.features.items()}, batch.speakers, batch.label, batch.lengths)
    weights = trainer.objective.class_weights
    objective = replace(trainer.objective, class_weights=None if weights is None else weights.double())
    return model, Parameters(model), batch, objective


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("class_weights", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_each_row_is_the_gradient_of_the_whole_loss(
    method: str, class_weights: bool, training: bool, make_trainer: Callable[..., Trainer]
) -> None:
    trainer = make_trainer(method, class_weights=class_weights)
    model, parameters, batch, objective = in_double(trainer)
    model.train(training)

    masks = trainer.dropout.get_state()
    found = objective_gradients(model, parameters, batch, objective)
    trainer.dropout.set_state(masks)
    losses = objective(model(batch.features, batch.speakers, batch.lengths), batch)

    torch.testing.assert_close(found.losses, torch.stack(losses).detach())
    assert not found.losses.requires_grad
    theta = list(model.encoder.shared_parameters().values())
    rest = [p for p in model.parameters() if not any(p is q for q in theta)]
    assert sum(p.numel() for p in theta) == found.shared.shape[1] == parameters.shared_size
    flat = torch.cat([found.shared, found.rest], dim=1)
    assert flat.shape[1] == sum(p.numel() for p in model.parameters())
    pieces = dict(zip(parameters.all, flat.split([p.numel() for p in parameters.all], dim=1), strict=True))
    assert set(pieces) == {*theta, *rest}
    for k, loss in enumerate(losses):
        expected = torch.autograd.grad(loss, [*theta, *rest], retain_graph=True, materialize_grads=True)
        for p, g in zip([*theta, *rest], expected, strict=True):
            torch.testing.assert_close(pieces[p][k].view_as(p), g, rtol=1e-9, atol=1e-12)
    theta_flat = torch.cat([pieces[p] for p in theta], dim=1)
    torch.testing.assert_close(found.shared, theta_flat)  # θ comes first, and is all of the first part


def test_gradients_of_parameters_themselves_are_left_alone(make_trainer: Callable[..., Trainer]) -> None:
    model, parameters, batch, objective = in_double(make_trainer())
    objective_gradients(model, parameters, batch, objective)

    assert all(p.grad is None for p in model.parameters())


def test_speaker_embeddings_are_trained_but_not_compared(make_trainer: Callable[..., Trainer]) -> None:
    parameters = make_trainer().parameters
    model = make_trainer().model
    named = {id(p): n for n, p in model.named_parameters()}
    parameters = Parameters(model)

    names = [named[id(p)] for p in parameters.all]
    sizes = np.cumsum([p.numel() for p in parameters.all]).tolist()
    theta = names[: sizes.index(parameters.shared_size) + 1]
    assert set(theta) == {n for n in names if n.startswith("encoder.") and not n.startswith("encoder.speaker")}
    assert sorted(names) == sorted(named.values())


def test_the_blocks_gramians_sum_to_that_of_the_shared_rows(make_trainer: Callable[..., Trainer]) -> None:
    parameters = make_trainer().parameters
    J = torch.randn(3, parameters.shared_size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    gramian = parameters.gramians(J).sum(0)

    for i in range(3):
        for j in range(3):
            assert gramian[i, j] == pytest.approx(float((J[i] * J[j]).sum()))


def test_the_models_parameters_are_parts_of_one_vector(make_trainer: Callable[..., Trainer]) -> None:
    """In the order of their gradients: what updates the vector updates the model."""
    trainer = make_trainer()
    parameters = trainer.parameters
    before = torch.cat([p.detach().flatten() for p in parameters.all])
    assert torch.equal(parameters.flat, before)
    assert torch.equal(parameters.theta(), before[: parameters.shared_size])
    trainer._step(trainer.train_data.batch(range(4)))

    after = torch.cat([p.detach().flatten() for p in parameters.all])
    assert torch.equal(parameters.flat, after)
    assert not torch.equal(after, before)
    assert {p.data_ptr() for p in trainer.model.parameters()} == {p.data_ptr() for p in parameters.all}


@pytest.fixture
def gradients() -> ObjectiveGradients:
    rng = torch.Generator().manual_seed(1)
    return ObjectiveGradients(
        torch.ones(3),
        torch.randn(3, 6, generator=rng, dtype=torch.float64),
        torch.randn(3, 4, generator=rng, dtype=torch.float64),
    )


@pytest.mark.parametrize("weights", [(1 / 3, 1 / 3, 1 / 3), (0.5, 0.2, 0.3), (0.0, 1.0, 0.0), (0.0, 0.4, 0.6)])
@pytest.mark.parametrize("everything", [True, False])
def test_the_update_is_the_weighted_sum(
    weights: tuple[float, ...], everything: bool, gradients: ObjectiveGradients
) -> None:
    combined = combine(gradients, torch.tensor(weights, dtype=torch.float64), everything)

    shared = sum(w * g for w, g in zip(weights, gradients.shared, strict=True))
    outside = weights if everything else (1 / 3, 1 / 3, 1 / 3)
    rest = sum(w * g for w, g in zip(outside, gradients.rest, strict=True))
    torch.testing.assert_close(combined, torch.cat([shared, rest]))


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
@pytest.mark.parametrize("everything", [True, False])
def test_what_is_not_finite_in_an_objective_of_weight_zero_does_not_enter(
    bad: float, everything: bool, gradients: ObjectiveGradients
) -> None:
    clean = ObjectiveGradients(gradients.losses, gradients.shared.clone(), gradients.rest.clone())
    clean.shared[1], clean.rest[1] = 0, 0
    gradients.shared[1], gradients.rest[1] = bad, bad
    weights = torch.tensor([0.25, 0, 0.75], dtype=torch.float64)

    torch.testing.assert_close(combine(gradients, weights, everything), combine(clean, weights, everything))


@pytest.mark.parametrize("everything", [True, False])
def test_what_is_not_finite_in_an_objective_that_counts_is_not_hidden(
    everything: bool, gradients: ObjectiveGradients
) -> None:
    gradients.shared[1, 2], gradients.rest[1, 3] = torch.nan, torch.inf
    combined = combine(gradients, torch.tensor([0.25, 0.5, 0.25], dtype=torch.float64), everything)

    assert combined.isfinite().logical_not().nonzero().flatten().tolist() == [2, 9]


@pytest.mark.parametrize("method", ["css", "concat+pgm", "pcgrad", "adam", "tensor"])
def test_a_step_walks_back_through_the_encoder_once_for_all_objectives_and_once_for_their_mean(
    method: str, make_trainer: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = make_trainer(method)
    encoder = trainer.model.encoder
    shared = {id(p) for p in encoder.shared_parameters().values()}
    counts = {"grad": 0, "backward": 0, "pulled": 0}
    grad, run_backward, vjp = torch.autograd.grad, Tensor.backward, encoder.vjp

    def counting_grad(outputs: Any, inputs: Any, *arguments: Any, **options: Any) -> Any:
        counts["grad"] += any(id(p) in shared for p in inputs)
        return grad(outputs, inputs, *arguments, **options)

    def counting_backward(self: Tensor, *arguments: Any, **options: Any) -> None:
        counts["backward"] += 1
        run_backward(self, *arguments, **options)

    def counting_vjp(*arguments: Any) -> Any:
        encoded, pull = vjp(*arguments)

        def counting_pull(cotangents: Any) -> Any:
            counts["pulled"] += 1
            assert {g.shape[1] for g in cotangents.values()} == {3}
            return pull(cotangents)

        return encoded, counting_pull

    monkeypatch.setattr(torch.autograd, "grad", counting_grad)
    monkeypatch.setattr(Tensor, "backward", counting_backward)
    monkeypatch.setattr(encoder, "vjp", counting_vjp)

    trainer._step(trainer.train_data.batch(range(4)))

    once = {"grad": 0, "backward": 0, "pulled": 1}
    assert counts == (once if trainer.aggregator.needs_gramian else {"grad": 1, "backward": 0, "pulled": 0})


# The conflict meter, on quadratics L_i(x) = ½ (x − c_i)ᵀ A_i (x − c_i) whose gradients at x are prescribed.

DIMENSION = 7
TRIPLES = {
    "orthogonal": (0.0, 0.0, 0.0),
    "parallel": (1.0, 1.0, 1.0),
    "one opposed": (1.0, -1.0, -1.0),
    "opposed and orthogonal": (-1.0, 0.0, 0.0),
    "acute": (0.5, 0.5, 0.5),
    "obtuse plane": (-0.5, -0.5, -0.5),
    "obtuse": (-0.4, -0.3, -0.2),
    "mixed": (0.5, -0.5, 0.0),
    "nearly parallel": (0.999999, 0.2, 0.2),
    "nearly opposed": (-0.999, 0.3, -0.3),
}
NORMS = [(1, 1, 1), (1e-6, 1, 1e6), (1e6, 1e-6, 1), (1e-6, 1e-6, 1e6), (1e-12, 1e-6, 1), (3, 0.5, 20)]
WEIGHTS = [(1 / 3, 1 / 3, 1 / 3), (0.6, 0.3, 0.1), (0, 0.5, 0.5), (1, 0, 0), (1e-6, 1 - 2e-6, 1e-6)]


@dataclass(frozen=True)
class Quadratics:
    """Three quadratics and the point where their gradients are prescribed."""

    A: Tensor
    c: Tensor
    x: Tensor
    gradient: Tensor

    def losses(self, x: Tensor) -> Tensor:
        d = x - self.c
        return torch.einsum("ki,kij,kj->k", d, self.A, d) / 2

    def by_autograd(self) -> ObjectiveGradients:
        x = self.x.clone().requires_grad_()
        losses = self.losses(x)
        rows = [torch.autograd.grad(loss, x, retain_graph=True)[0] for loss in losses]
        return ObjectiveGradients(losses.detach(), torch.stack(rows), torch.zeros(3, 0, dtype=x.dtype))

    @property
    def gramian(self) -> Tensor:
        J = self.by_autograd().shared
        return J @ J.T


def quadratics(cosine: tuple[float, float, float], norms: tuple[float, ...], seed: int = 0) -> Quadratics:
    """Quadratics whose gradients have these cosines (12, 13, 23) and norms."""
    rng = np.random.default_rng(seed)
    a, b, c = cosine
    values, vectors = np.linalg.eigh(np.array([[1, a, b], [a, 1, c], [b, c, 1]]))
    assert values.min() > -1e-9, "no three vectors have these angles"
    basis, _ = np.linalg.qr(rng.normal(size=(DIMENSION, 3)))
    g = np.array(norms)[:, None] * (vectors * np.sqrt(values.clip(0)) @ basis.T)
    roots = rng.normal(size=(3, DIMENSION, DIMENSION))
    A = roots @ roots.transpose(0, 2, 1) / DIMENSION + np.eye(DIMENSION)
    x = np.zeros(DIMENSION)
    c_ = x - np.linalg.solve(A, g[..., None])[..., 0]
    return Quadratics(*(torch.from_numpy(v) for v in (A, c_, x, g)))


CASES = [pytest.param(cosine, norms, id=f"{name}-{norms}") for name, cosine in TRIPLES.items() for norms in NORMS]


@pytest.mark.parametrize(("cosine", "norms"), CASES)
def test_the_meter_reads_the_prescribed_angles_and_norms(
    cosine: tuple[float, float, float], norms: tuple[float, ...]
) -> None:
    gramian = quadratics(cosine, norms).gramian

    torch.testing.assert_close(gramian.diagonal().sqrt(), torch.tensor(norms, dtype=torch.float64), rtol=1e-8, atol=0)
    torch.testing.assert_close(cosines(gramian), torch.tensor(cosine, dtype=torch.float64), rtol=0, atol=1e-7)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize(("cosine", "norms"), CASES)
def test_the_meter_tells_which_losses_the_update_raises(
    cosine: tuple[float, float, float], norms: tuple[float, ...], weights: tuple[float, ...]
) -> None:
    problem = quadratics(cosine, norms)
    gamma = torch.tensor(weights, dtype=torch.float64)
    found = update_cosines(problem.gramian, gamma)

    d = (gamma[:, None] * problem.gradient).sum(0)
    terms = gamma * problem.gradient.norm(dim=1)
    if d.norm() < 1e-4 * terms.max():  # they cancel: the Gramian's rounding grows by (terms / ‖d‖)²
        return
    assert found.isfinite().all()
    expected = problem.gradient @ d / (problem.gradient.norm(dim=1) * d.norm())
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-7)
    for i, cos in enumerate(found.tolist()):
        if abs(cos) < 1e-5:
            continue
        slope, curvature = float(problem.gradient[i] @ d), float(d @ problem.A[i] @ d)
        step = abs(slope) / curvature / 2  # the second-order term is a quarter of the first-order one
        before, after = (problem.losses(p)[i] for p in (problem.x, problem.x - step * d))
        assert (after > before) == (cos < 0)


def test_pgm_weights_of_opposed_gradients_of_unequal_norm_raise_the_weaker_objective() -> None:
    """The paper's weights are found for unit gradients but applied to raw ones, so they are no common descent."""
    gramian = quadratics((-0.9, 0.0, 0.0), (10, 1, 1e-3)).gramian
    gamma = ParetoGradientModulator()(gramian)
    d = update_cosines(gramian, gamma)

    assert d[0] > 0
    assert d[1] < 0


def test_without_a_direction_there_is_no_cosine() -> None:
    opposed = torch.tensor([[1.0, -1.0, 0.0], [-1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])

    assert update_cosines(opposed, torch.tensor([0.5, 0.5, 0.0])).isnan().all()
    torch.testing.assert_close(cosines(opposed), torch.tensor([-1.0, torch.nan, torch.nan]), equal_nan=True)


class PointEncoder(Encoder):
    """An encoder whose parameters and output are the point x."""

    def __init__(self, x: Tensor) -> None:
        super().__init__()
        self.x = nn.Parameter(x.clone())

    def shared_parameters(self) -> dict[str, nn.Parameter]:
        return {"x": self.x}

    def forward(self, *_: object) -> dict[str, Tensor]:
        return {"text": self.x[None]}


class PointModel(EmotionClassifier):
    """A model of nothing but its encoder."""

    def __init__(self, x: Tensor) -> None:
        nn.Module.__init__(self)
        self.encoder = PointEncoder(x)
        self.unused = nn.Parameter(torch.ones(2, dtype=x.dtype))

    def classify(self, encoded: Any) -> Any:
        return encoded["text"][0]


@dataclass(frozen=True)
class QuadraticObjectives(Objectives):
    problem: Quadratics | None = None

    def __call__(self, logits: Any, batch: Batch) -> tuple[Tensor, ...]:
        assert self.problem is not None
        return self.problem.losses(logits).unbind()


@pytest.mark.parametrize(("cosine", "norms"), CASES)
def test_a_probe_of_quadratics_reports_what_was_prescribed(
    cosine: tuple[float, float, float], norms: tuple[float, ...]
) -> None:
    problem = quadratics(cosine, norms)
    model = PointModel(problem.x)
    batch = Batch(
        {"text": torch.zeros(1, 1)}, torch.zeros(1, dtype=torch.int64), None, torch.ones(1, dtype=torch.int64)
    )
    parameters = Parameters(model)
    taken = probe(model, parameters, ParetoGradientModulator(), batch, QuadraticObjectives(1.0, None, problem))
    found = dict(zip(columns(parameters.blocks), taken.row.tolist(), strict=True))

    names = ("fused", "unimodal", "distillation")
    assert [found[f"norm_{o}"] for o in names] == pytest.approx(list(norms), rel=1e-8)
    pairs = ("fused_unimodal", "fused_distillation", "unimodal_distillation")
    assert [found[f"cos_{p}"] for p in pairs] == pytest.approx(list(cosine), abs=1e-7)
    gamma = torch.tensor([found[f"weight_{o}"] for o in names], dtype=torch.float64)
    assert gamma.sum() == pytest.approx(1)
    usable = [n > 1e-8 * max(norms) for n in norms]
    assert all(u or g == 0 for g, u in zip(gamma, usable, strict=True))
    d = (gamma[:, None] * problem.gradient).sum(0)
    if d.norm() > 1e-4 * (gamma * problem.gradient.norm(dim=1)).max():
        expected = problem.gradient @ d / (problem.gradient.norm(dim=1) * d.norm())
        assert [found[f"update_cos_{o}"] for o in names] == pytest.approx(expected.tolist(), abs=1e-6)
    whole = {name: value for name, value in found.items() if name.startswith(("norm_", "cos_"))}
    assert {name: found[f"x.{name}"] for name in whole} == whole  # the only block is all


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
@pytest.mark.parametrize("norms", [(1, 2, 4), (3, 0.5, 20)])
@pytest.mark.parametrize("cosine", TRIPLES.values(), ids=TRIPLES)
def test_displacement_of_quadratics_is_that_of_the_optimisers_first_step(
    cosine: tuple[float, float, float], norms: tuple[float, ...], weight_decay: float
) -> None:
    """Gradient descent moves against d + λx; Adam's first step against its sign, for its moments are corrected."""
    problem = quadratics(cosine, norms)
    moved = replace(problem, x=problem.x + 1, c=problem.c + 1)  # away from 0, where weight decay does nothing
    d = moved.gradient.mean(0) + weight_decay * moved.x
    expected = {torch.optim.SGD: d, torch.optim.Adam: d / (d.abs() + 1e-8)}
    for kind, down in expected.items():
        model = PointModel(moved.x)
        parameters, objective = Parameters(model), QuadraticObjectives(1.0, None, moved)
        batch = Batch({}, torch.zeros(1, dtype=torch.int64), None, torch.ones(1, dtype=torch.int64))
        taken = probe(model, parameters, EqualWeights(), batch, objective)
        optimizer = kind([model.encoder.x], lr=1e-3, weight_decay=weight_decay)
        (sum(moved.losses(model.encoder.x)) / 3).backward()
        optimizer.step()

        found = taken.displacement_cosines(parameters)
        cos = moved.gradient @ down / (moved.gradient.norm(dim=1) * down.norm())
        assert found.tolist() == pytest.approx(cos.tolist(), abs=1e-6)
