"""The unit-gradient variant of an aggregator: what it makes of g_i/‖g_i‖."""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from baselines.aggregators.scale import unit_sum
from css.interfaces import Aggregator
from css.modulator import VANISHED


class UnitGradients(Aggregator):
    """γ_i = w_i/‖g_i‖, w what another aggregator makes of the cosines, which are the Gramian of the unit gradients.

    The update Σ w_i g_i/‖g_i‖ depends on the gradients' directions alone. Where the other claims that its update
    conflicts with no gradient, so does this: a unit gradient conflicts with what the gradient conflicts with. One that
    is at most 1e-8 of the longest has no direction: it is 0 to the other, and γ_i = 0. A Gramian that is not finite
    gives NaN weights. γ is rescaled to Σγ = 1, unless the other keeps its published scale; where w has negative entries
    (Aligned-MTL) Σ w_i/‖g_i‖ may not be positive, γ is zero and the step is skipped.

    Three aggregators need no such variant: of Nash-MTL and IMTL-G the update is the same, MGDA's is ``pgm-normed``.

    Args:
        inner: the other, one that needs the Gramian and reads nothing else.
    """

    def __init__(self, inner: Aggregator) -> None:
        super().__init__()
        self.inner = inner
        self.raw_scale = getattr(inner, "raw_scale", False)
        self.scale_invariant = not self.raw_scale
        self.non_conflicting = inner.non_conflicting
        self.weights_everything = inner.weights_everything
        if hasattr(inner, "generator"):
            self.generator = inner.generator

    @torch.no_grad()
    def forward(
        self, gramian: Float[Tensor, "K K"] | None, losses: Float[Tensor, "K"] | None = None
    ) -> Float[Tensor, "K"]:
        """γ [K] from the raw Gramian [K, K]; the losses are not looked at."""
        assert gramian is not None, "unit gradients need the Gramian (needs_gramian is True)"
        M = gramian.double()
        norm = M.diagonal().clamp_min(0).sqrt()
        length = torch.where(norm > VANISHED * norm.amax(), norm, torch.inf)
        weights = self.inner(M / length / length.unsqueeze(-1), losses) / length
        weights = weights if self.raw_scale else unit_sum(weights)
        return torch.where(M.isfinite().all(), weights, torch.nan).to(gramian.dtype)


def with_unit_option(factory: Callable[..., Aggregator]) -> Callable[..., Aggregator]:
    """The factory with one more option, ``unit``: the variant on unit gradients of what it makes."""

    @wraps(factory)
    def build(*args: Any, unit: bool = False, **options: Any) -> Aggregator:
        aggregator = factory(*args, **options)
        return UnitGradients(aggregator) if unit else aggregator

    known = signature(factory)
    unit = Parameter("unit", Parameter.KEYWORD_ONLY, default=False)
    build.__signature__ = known.replace(parameters=[*known.parameters.values(), unit])  # type: ignore[attr-defined]
    return build
