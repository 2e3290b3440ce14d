"""What every aggregator keeps to. A check takes ``build() -> Aggregator`` and raises AssertionError."""

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy

import torch
from torch import Tensor

from css.interfaces import OBJECTIVES, Aggregator

Build = Callable[[], Aggregator]
K = len(OBJECTIVES)
NUMBERS = range(1, K + 1)
"""How many objectives a method may have: it can leave all but one out."""
CONFLICT = 2e-4
"""An inner product with the update above −2e-4 · trace · max |γ| is a solver's zero: TorchJD adds 1e-4 of the trace."""
DRAWS = 200
"""Seeds over which an aggregator that draws is averaged."""


def gives_a_weight_an_objective(build: Build) -> None:
    """γ is [K], finite, without gradient and of the Gramian's type, for one objective or two as for three."""
    for dtype in (torch.float32, torch.float64):
        for objectives in NUMBERS:
            J = jacobian(0, objectives).to(dtype).requires_grad_()
            weights = step(made(build), J @ J.T)
            assert weights.shape == (objectives,), f"{tuple(weights.shape)} for {objectives} objectives"
            assert weights.dtype == dtype, f"{weights.dtype} from a Gramian in {dtype}"
            assert weights.isfinite().all(), f"{weights}"
            assert not weights.requires_grad, "the weights carry a gradient"


def sums_to_one(build: Build) -> None:
    """Σγ = 1, or γ = 0, which skips the step; unless it was asked to keep its published scale (``raw_scale``)."""
    for seed in range(51):
        aggregator = made(build)
        weights = step(aggregator, gramian(jacobian(seed, 1 + seed % K)))
        if getattr(aggregator, "raw_scale", False):
            assert weights.sum() > 0 or not weights.any(), f"seed {seed}: Σγ = {weights.sum()}"
        else:
            assert abs(weights.sum() - 1) < 1e-6 or not weights.any(), f"seed {seed}: Σγ = {weights.sum()}"


def is_deterministic(build: Build) -> None:
    """Draws come from its own ``generator``: equal seeds, equal weights; torch's global generator is left alone."""
    before = torch.get_rng_state()
    a, b = (drive(made(build, seed=5), range(6)) for _ in range(2))
    assert torch.equal(a, b), "two runs under one seed differ"
    assert torch.equal(torch.get_rng_state(), before), "it draws from torch's global generator"


def treats_objectives_alike(build: Build) -> None:
    """Permuting the objectives permutes the weights; on average over its draws where it draws."""
    order = torch.tensor([2, 0, 1])
    if getattr(made(build), "generator", None) is None:
        close(drive(made(build), range(4), order), drive(made(build), range(4))[:, order], "permuted objectives")
        return
    plain = torch.stack([drive(made(build, seed=s), range(4)) for s in range(DRAWS)])[..., order]
    permuted = torch.stack([drive(made(build, seed=DRAWS + s), range(4), order) for s in range(DRAWS)])
    error = ((plain.var(0) + permuted.var(0)) / DRAWS).sqrt()
    off = (plain.mean(0) - permuted.mean(0)).abs()
    assert (off <= 5 * error + 1e-6).all(), f"permuted objectives: means differ by {off.max():.1e}"


def scales_as_declared(build: Build) -> None:
    """``scale_invariant``: longer gradients, same weights. ``norm_invariant``: one longer gradient, same weights."""
    plain = drive(made(build), range(6))
    if made(build).scale_invariant:
        for scale in (1e-4, 1e3):
            close(drive(made(build), range(6), scale=torch.full((K,), scale)), plain, f"all gradients × {scale}")
    if made(build).norm_invariant:
        scaled = drive(made(build), range(6), scale=torch.tensor([1.0, 7.0, 0.2]))
        close(scaled, plain, "two gradients made longer and shorter")


def has_no_conflict_if_it_says_so(build: Build) -> None:
    """``non_conflicting``: the update has no negative inner product with any gradient."""
    if not made(build).non_conflicting:
        return
    aggregator = made(build)
    for seed in range(100):
        worst = conflict(aggregator, jacobian(seed, width=2 + seed % 3))
        assert worst >= -CONFLICT, f"seed {seed}: an objective rises, {worst:.1e} of the trace"


def meets_every_kind_of_gradients(build: Build) -> None:
    """Zero, parallel, opposite, tiny and huge gradients give finite weights; NaN and infinity raise no exception."""
    J = jacobian(0)
    zero, opposite = J.clone(), J.clone()
    zero[1], opposite[1] = 0, -2 * J[0]
    kinds = {
        "no gradient": torch.zeros_like(J),
        "one gradient zero": zero,
        "two zero": zero * torch.tensor([[1.0], [0.0], [0.0]]),
        "parallel": J[:1] * torch.tensor([[1.0], [2.0], [0.5]]),
        "all equal": J[:1].expand(K, -1),
        "opposite": opposite,
        "opposite and zero": opposite * torch.tensor([[1.0], [0.5], [0.0]]),
        "orthogonal": torch.eye(K, dtype=J.dtype),
        "tiny": 1e-12 * J,
        "huge": 1e12 * J,
    }
    for kind, rows in kinds.items():
        for dtype in (torch.float32, torch.float64):
            weights = step(made(build), gramian(rows.to(dtype)))
            assert weights.isfinite().all(), f"{kind}, {dtype}: {weights}"
    for bad in (torch.nan, torch.inf):
        broken = gramian(J)
        broken[1], broken[:, 1] = bad, bad
        for given in (broken, torch.full_like(broken, bad)):
            weights = step(made(build), given)
            assert weights.isfinite().all() or weights.isnan().all(), f"some weights are {bad}: {weights}"


def survives_its_state_dict(build: Build) -> None:
    """Another instance with this one's ``state_dict``, tensors all, goes on as this one does; this one can go back."""
    for objectives in NUMBERS:
        aggregator, order = made(build, seed=1), range(objectives)
        new = deepcopy(aggregator.state_dict())
        drive(aggregator, range(5), order)
        state = deepcopy(aggregator.state_dict())
        assert all(isinstance(t, Tensor) for t in state.values()), "state_dict holds what no checkpoint can: no tensor"
        restored = made(build, seed=2)
        restored.load_state_dict(state)
        before, after = drive(aggregator, range(5, 12), order), drive(restored, range(5, 12), order)
        assert torch.equal(after, before), f"it goes on differently, with {objectives} objectives"
        aggregator.load_state_dict(new)
        again = drive(aggregator, range(5), order)
        assert torch.equal(again, drive(made(build, seed=1), range(5), order)), "it cannot go back to its beginning"


def runs_on_cuda_where_it_is(build: Build) -> None:
    """CUDA, where present, agrees with the CPU."""
    if torch.cuda.is_available():
        on_cuda = drive(made(build).to("cuda"), range(6), device="cuda").cpu()
        assert torch.allclose(on_cuda, drive(made(build), range(6)), rtol=1e-4, atol=1e-6), "CUDA differs from the CPU"


AGGREGATOR_CHECKS: tuple[Callable[[Build], None], ...] = (
    gives_a_weight_an_objective,
    sums_to_one,
    is_deterministic,
    treats_objectives_alike,
    scales_as_declared,
    has_no_conflict_if_it_says_so,
    meets_every_kind_of_gradients,
    survives_its_state_dict,
    runs_on_cuda_where_it_is,
)


def made(build: Build, seed: int = 0) -> Aggregator:
    """An aggregator whose own generator, if it has one, starts from a seed, as in a run."""
    aggregator = build()
    if (generator := getattr(aggregator, "generator", None)) is not None:
        generator.manual_seed(seed)
    return aggregator


def jacobian(seed: int, objectives: int = K, width: int = 6) -> Tensor:
    """J [K, width] float64, Gaussian, of log-normal lengths."""
    generator = torch.Generator().manual_seed(seed)
    J = torch.randn(objectives, width, generator=generator, dtype=torch.float64)
    return J * torch.exp(torch.randn(objectives, 1, generator=generator, dtype=torch.float64))


def gramian(J: Tensor) -> Tensor:
    """M = J Jᵀ."""
    return J @ J.T


def step(aggregator: Aggregator, M: Tensor, order: Tensor | None = None, seed: int = 0) -> Tensor:
    """One step's weights: as in training, the Gramian is there only where it is asked for."""
    losses = torch.linspace(0.5, 2, len(M)).to(M) ** (1 + seed / 10)
    return aggregator(M if aggregator.needs_gramian else None, losses if order is None else losses[order])


def drive(
    aggregator: Aggregator,
    seeds: Iterable[int],
    order: Sequence[int] | Tensor = range(K),
    scale: Tensor | None = None,
    device: str = "cpu",
) -> Tensor:
    """Weights [T, K] of T steps of one aggregator, each on the gradients of one seed, in order and lengths as asked.

    The losses, too, are of the seed; every second step is an epoch's last.
    """
    index = torch.as_tensor(list(order))
    weights = []
    for t, seed in enumerate(seeds):
        J = (jacobian(seed) * (1 if scale is None else scale.double()[:, None]))[index]
        weights.append(step(aggregator, gramian(J).to(device), index, seed))
        if t % 2:
            aggregator.end_epoch()
    return torch.stack(weights)


def conflict(aggregator: Aggregator, J: Tensor) -> float:
    """The least ⟨d, g_i⟩ of the update d, as a share of trace · max |γ|: negative where an objective rises."""
    M = gramian(J)
    weights = step(aggregator, M)
    return float((M @ weights).min() / (M.trace() * weights.abs().max().clamp_min(1e-300)))


def close(actual: Tensor, expected: Tensor, what: str) -> None:
    """Assert that weights are equal but for what a solver leaves."""
    worst = (actual - expected).abs().max()
    assert worst < 1e-5, f"{what}: weights differ by {worst:.1e}"
