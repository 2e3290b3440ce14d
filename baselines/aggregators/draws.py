"""Random numbers of an aggregator, from a generator that travels in checkpoints."""

import torch
from torch import Tensor

from css.interfaces import Aggregator


class DrawingAggregator(Aggregator):
    """An aggregator that draws random numbers.

    Args:
        seed: of the module's own generator, whose state travels in ``state_dict`` (as uint8 under ``_extra_state``).
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(seed)

    def get_extra_state(self) -> Tensor:
        """The generator's state, uint8."""
        return self.generator.get_state()

    def set_extra_state(self, state: Tensor) -> None:
        """Restore what :meth:`get_extra_state` returned."""
        self.generator.set_state(state.cpu())
