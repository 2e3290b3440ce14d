"""A plug-in, a module of its own so that no other file is in its runs' keys: one fusion under several draws."""

import torch

from baselines.fusions.linear import LinearFusion


class DrawnFusion(LinearFusion):
    """`linear`; `draw` moves the start of its initialisation on, so that methods differ in chance alone.

    Encoder, classifiers, dropout masks and data order of a seed are the same for every draw.
    """

    def __init__(self, features, modalities, draw=0):
        torch.rand(draw)
        super().__init__(features, modalities)
