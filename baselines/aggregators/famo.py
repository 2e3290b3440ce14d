"""FAMO (Liu et al., NeurIPS 2023): weights under which all losses fall at one relative rate."""

import torch
from jaxtyping import Float
from torch import Tensor

from css.interfaces import OBJECTIVES, Aggregator

BETAS, EPSILON = (0.9, 0.999), 1e-8
"""Adam's; ε is also added to the losses before their logarithm, as published."""


class FAMO(Aggregator):
    """γ_i ∝ z_i/L_i, z = softmax(ξ): the gradient of Σ z_i log L_i, up to Σγ = 1 (Liu et al. 2023, algorithm 1).

    ξ goes down the gradient of Σ z_i (log L_i before the update − log L_i after), by Adam with weight decay as in the
    published code: what has fallen more weighs less. The paper takes both losses from one batch, at the price of a
    second forward pass. An aggregator sees a batch once; here the loss after an update is that of the next step, *on
    its own batch*. Its expectation over batches is the fall of the expected log loss, which is what FAMO is to balance,
    while the published difference is that on the very batch that was trained on; but single differences hold the noise
    between two batches, so that ξ wanders more. The first step has z = 1/K. Losses that are not finite are passed over.

    Args:
        rate: Adam's; 0.025 in the paper.
        decay: of ξ towards 0, as Adam's coupled weight decay; 0.001 in the paper.

    Attributes:
        logits: ξ [K] float64.
        moments: Adam's two [2, K] float64, and ``updates``, float64 [], how many they are of.
        previous: log L [K] of the last step float64, NaN before it. All in ``state_dict``.
    """

    needs_gramian = False
    scale_invariant = True
    norm_invariant = True
    weights_everything = True
    logits: Tensor
    moments: Tensor
    updates: Tensor
    previous: Tensor

    def __init__(self, rate: float = 0.025, decay: float = 0.001) -> None:
        super().__init__()
        for name, value in (("rate", rate), ("decay", decay)):
            if not 0 <= value <= 1:
                raise ValueError(f"FAMO: {name} is {value}; it has to be between 0 and 1")
        self.rate = rate
        self.decay = decay
        for name, buffer in _afresh(len(OBJECTIVES)).items():
            self.register_buffer(name, buffer)

    @torch.no_grad()
    def forward(self, gramian: Float[Tensor, "K K"] | None, losses: Float[Tensor, "K"]) -> Float[Tensor, "K"]:
        """γ [K] > 0 with Σγ = 1 from these losses and the last step's; the Gramian is not looked at."""
        if len(self.logits) != len(losses):  # another number of objectives than the paper's three: begin afresh
            for name, buffer in _afresh(len(losses)).items():
                setattr(self, name, buffer.to(self.logits.device))
        shifted = losses.double() + EPSILON
        current = shifted.log()
        self._learn(self.previous - current)
        self.previous = torch.where(current.isfinite().all(), current, self.previous)
        weights = self.logits.softmax(0) / shifted
        return (weights / weights.sum()).to(losses.dtype)

    def _learn(self, fall: Float[Tensor, "K"]) -> None:
        """One step of Adam on ξ from how far each log loss fell; none where that is not finite."""
        z = self.logits.softmax(0)
        slope = z * (fall - z @ fall) + self.decay * self.logits
        first = BETAS[0] * self.moments[0] + (1 - BETAS[0]) * slope
        second = BETAS[1] * self.moments[1] + (1 - BETAS[1]) * slope.square()
        updates = self.updates + 1
        mean, square = first / (1 - BETAS[0] ** updates), second / (1 - BETAS[1] ** updates)
        usable = fall.isfinite().all()
        self.logits = torch.where(usable, self.logits - self.rate * mean / (square.sqrt() + EPSILON), self.logits)
        self.moments = torch.where(usable, torch.stack((first, second)), self.moments)
        self.updates = torch.where(usable, updates, self.updates)


def _afresh(objectives: int) -> dict[str, Tensor]:
    """The memory before the first step."""
    return {
        "logits": torch.zeros(objectives, dtype=torch.float64),
        "moments": torch.zeros(2, objectives, dtype=torch.float64),
        "updates": torch.zeros((), dtype=torch.float64),
        "previous": torch.full((objectives,), torch.nan, dtype=torch.float64),
    }
