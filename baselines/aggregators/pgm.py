"""Variants of the Pareto Gradient Modulator that take one of its parts away."""

import torch
from jaxtyping import Float
from torch import Tensor

from baselines.aggregators.scale import unit_sum
from css.interfaces import OBJECTIVES
from css.modulator import ParetoGradientModulator


class ThetaOnlyPGM(ParetoGradientModulator):
    """PGM's γ (Lyu et al., AAAI 2026) on the shared parameters θ alone; all others get the mean, as in baselines.

    The update over θ is PGM's, with no guarantee of common descent.
    """

    weights_everything = False


class NormedPGM(ParetoGradientModulator):
    """Σ γ_i g_i/‖g_i‖ with PGM's γ: the update that the min-norm point is the min-norm point *of*.

    It has the guarantee that PGM lacks: with d the update, ⟨d, g_i⟩ ≥ ‖d‖² ‖g_i‖ up to the scale, so no objective rises
    to first order (Désidéri 2012). As weights of g_i these are γ_i/‖g_i‖. Masking is PGM's; parameters outside θ get
    the mean.

    Args:
        raw_scale: keep γ_i/‖g_i‖ instead of rescaling it to sum 1.
    """

    weights_everything = False
    non_conflicting = True
    norm_invariant = False

    def __init__(self, raw_scale: bool = False) -> None:
        super().__init__()
        self.raw_scale = raw_scale
        self.scale_invariant = not raw_scale

    @torch.no_grad()
    def forward(
        self, gramian: Float[Tensor, "K K"] | None, losses: Float[Tensor, "K"] | None = None
    ) -> Float[Tensor, "K"]:
        """γ_i/‖g_i‖ [K] ≥ 0 from the raw Gramian [K, K], or all zero; the losses are not looked at."""
        assert gramian is not None, "PGM needs the Gramian (needs_gramian is True)"
        weights = super().forward(gramian.double(), losses)
        norm = gramian.diagonal().double().clamp_min(0).sqrt()
        weights = torch.where(weights > 0, weights / norm, 0)
        return (weights if self.raw_scale else unit_sum(weights)).to(gramian.dtype)


class PeriodicPGM(ParetoGradientModulator):
    """PGM solved at every k-th step, its γ held in between: those steps cost one backward pass.

    Held weights answer to gradients of up to k − 1 steps ago; where none was usable, so that γ is all zero, the steps
    until the next solution are skipped too. With k = 1 it is PGM.

    Args:
        every: k, at least 1.

    Attributes:
        held: γ [K] of the last solved step, in ``state_dict``; so is the number of steps made.
    """

    held: Tensor

    def __init__(self, every: int = 10) -> None:
        super().__init__()
        if every < 1:
            raise ValueError(f"PeriodicPGM: every is {every}; it has to be at least 1")
        self.every = every
        self.steps = 0
        self.register_buffer("held", torch.full((len(OBJECTIVES),), 1 / len(OBJECTIVES), dtype=torch.float64))

    @property
    def needs_gramian(self) -> bool:  # type: ignore[override]  # here it depends on the step
        """Whether this step solves."""
        return self.steps % self.every == 0

    @torch.no_grad()
    def forward(
        self, gramian: Float[Tensor, "K K"] | None, losses: Float[Tensor, "K"] | None = None
    ) -> Float[Tensor, "K"]:
        """γ [K]: solved from the Gramian where this step needs it, otherwise the last one solved."""
        solves = self.needs_gramian
        self.steps += 1
        if solves:
            assert gramian is not None, "PGM needs the Gramian (needs_gramian is True)"
            self.held = super().forward(gramian.double(), losses)
        given = losses if gramian is None else gramian
        assert given is not None
        return self.held.to(given.dtype)

    def get_extra_state(self) -> Tensor:
        """The number of steps made, int64 []."""
        return torch.tensor(self.steps)

    def set_extra_state(self, state: Tensor) -> None:
        """Restore what :meth:`get_extra_state` returned."""
        self.steps = int(state)
