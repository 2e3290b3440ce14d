"""MGDA (Désidéri 2012): the min-norm point of the raw gradients' convex hull, exactly."""

import torch
from jaxtyping import Float
from torch import Tensor

from css.interfaces import Aggregator
from css.modulator import min_norm_weights


class MGDA(Aggregator):
    """Multiple-gradient descent (Désidéri 2012; Sener & Koltun 2018): γ = argmin ½ γᵀMγ over the simplex, M = J Jᵀ.

    The update d satisfies ⟨d, g_i⟩ ≥ ‖d‖² for every i, so no objective rises to first order. Since M is that of the
    *raw* gradients, the shortest of them gets the most weight, and one of length zero all of it (the point is then
    Pareto-stationary). Unlike iterative versions (Frank–Wolfe, up to .05 off) every face of the simplex is solved. A
    Gramian that is not finite gives NaN weights.
    """

    non_conflicting = True
    scale_invariant = True

    @torch.no_grad()
    def forward(
        self, gramian: Float[Tensor, "K K"] | None, losses: Float[Tensor, "K"] | None = None
    ) -> Float[Tensor, "K"]:
        """γ [K] ≥ 0 with Σγ = 1 from the raw Gramian [K, K]; the losses are not looked at."""
        assert gramian is not None, "MGDA needs the Gramian (needs_gramian is True)"
        finite = gramian.isfinite().all()
        return torch.where(finite, min_norm_weights(torch.where(finite, gramian, 0)), torch.nan)
