"""Random orders in which each objective's gradient meets the others."""

import torch
from jaxtyping import Int

from baselines.aggregators.draws import DrawingAggregator


class RandomOrders(DrawingAggregator):
    """An aggregator that draws K orders a step."""

    def orders(self, objectives: int, device: torch.device) -> Int[torch.Tensor, "K K"]:
        """In row i the order in which objective i meets all objectives, itself among them.

        Drawn on the CPU, so that every device sees the same orders.
        """
        draws = torch.rand(objectives, objectives, generator=self.generator)
        return draws.argsort(-1).to(device, non_blocking=True)
