"""Random orders in which each objective's gradient meets the others, from a generator that travels in checkpoints."""

import torch
from jaxtyping import Int
from torch import Tensor

from css.interfaces import Aggregator


class RandomOrders(Aggregator):
    """An aggregator that draws K orders a step.

    Args:
        seed: of the module's own generator, whose state travels in ``state_dict`` (as uint8 under ``_extra_state``).
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(seed)

    def orders(self, objectives: int, device: torch.device) -> Int[Tensor, "K K"]:
        """In row i the order in which objective i meets all objectives, itself among them.

        Drawn on the CPU, so that every device sees the same orders.
        """
        draws = torch.rand(objectives, objectives, generator=self.generator)
        return draws.argsort(-1).to(device, non_blocking=True)

    def get_extra_state(self) -> Tensor:
        """The generator's state, uint8."""
        return self.generator.get_state()

    def set_extra_state(self, state: Tensor) -> None:
        """Restore what :meth:`get_extra_state` returned."""
        self.generator.set_state(state.cpu())
