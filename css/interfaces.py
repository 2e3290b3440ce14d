"""What an encoder, a fusion and an aggregator are: the interfaces that carry the whole comparison."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

OBJECTIVES = ("fused", "unimodal", "distillation")
"""Names of the three objectives L1, L2, L3, in the order of every Gramian's rows, of which a method may lack some."""


class BranchLogits(NamedTuple):
    """Logits of the fused branch [N, C] and of every modality's own classifier [N, C]."""

    fused: Float[Tensor, "N C"]
    unimodal: dict[str, Float[Tensor, "N C"]]


EncoderPullback = Callable[[Mapping[str, Tensor]], dict[Tensor, Tensor]]
"""From K cotangents of an encoder's output, ``{m: [N, K, hidden]}``, to K gradients [K, *shape] of each parameter."""


class Encoder(nn.Module):
    """Maps packed utterances to features of one width for every modality.

    Factories are called as ``(inputs, hidden, heads, dropout, speakers, generator)``, with ``inputs`` the width of each
    modality and ``generator`` what dropout draws from.
    """

    modalities: tuple[str, ...]
    hidden: int

    @abstractmethod
    def shared_parameters(self) -> dict[str, nn.Parameter]:
        """θ, the parameters whose gradients are compared, by name; a name's first part is the block that it is of."""

    @abstractmethod
    def forward(
        self, features: Mapping[str, Float[Tensor, "N _"]], speakers: Int[Tensor, "N"], lengths: Int[Tensor, "B"]
    ) -> dict[str, Float[Tensor, "N h"]]:
        """Encode B conversations laid end to end, of the given lengths (on the CPU), to ``{m: [N, hidden]}``."""

    def vjp(
        self, features: Mapping[str, Float[Tensor, "N _"]], speakers: Int[Tensor, "N"], lengths: Int[Tensor, "B"]
    ) -> tuple[dict[str, Float[Tensor, "N hidden"]], EncoderPullback]:
        """What :meth:`forward` computes, and its pullback. This one is autograd's, with a backward pass a cotangent."""
        parameters = list(self.parameters())
        with torch.enable_grad():
            encoded = self(features, speakers, lengths)

        def pull(cotangents: Mapping[str, Tensor]) -> dict[Tensor, Tensor]:
            stacks = zip(*(cotangents[m].unbind(1) for m in encoded), strict=True)
            rows = [
                torch.autograd.grad(list(encoded.values()), parameters, g, retain_graph=True, materialize_grads=True)
                for g in stacks
            ]
            return dict(zip(parameters, map(torch.stack, zip(*rows, strict=True)), strict=True))

        return {m: x.detach() for m, x in encoded.items()}, pull


class Fusion(nn.Module):
    """Maps the features of every modality to one fused representation.

    Factories are called as ``(features, modalities, **options)``, where ``features`` is the width of each input.
    """

    out_features: int

    @abstractmethod
    def forward(self, features: Mapping[str, Float[Tensor, "N features"]]) -> Float[Tensor, "N out_features"]:
        """Fuse ``{modality: [N, features]}`` to [N, out_features], utterance by utterance."""


class Aggregator(nn.Module):
    """Turns the objectives' gradients into the weights γ of one update Σ γ_i g_i.

    Only the Gramian of the raw gradients is seen, never the gradients themselves. Factories are called as
    ``(**options)``. An aggregator that draws random numbers owns a ``torch.Generator`` named ``generator``; one that
    remembers keeps its memory in buffers, so that ``state_dict`` carries it through a checkpoint.
    """

    needs_gramian: bool = True
    """False: the weights need no gradients, a training step costs one backward pass, and ``gramian`` is None."""
    non_conflicting: bool = False
    """True: Σ γ_i g_i never has a negative inner product with any g_i."""
    scale_invariant: bool = False
    """True: multiplying all gradients by one positive number changes no weight."""
    norm_invariant: bool = False
    """True: multiplying one gradient by a positive number changes no weight: only cosines count."""
    weights_everything: bool = False
    """True: γ also weights the gradients of parameters outside θ (PGM); False: those get their mean."""
    every: int = 1
    """Steps from one that needs the Gramian to the next."""

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *arguments: Any) -> None:
        """Buffers take the shapes of what is loaded: they may be of another number of objectives than they began as."""
        for name, buffer in self._buffers.items():
            loaded = state_dict.get(prefix + name)
            if buffer is not None and loaded is not None and loaded.shape != buffer.shape:
                self._buffers[name] = buffer.new_empty(loaded.shape)
        super()._load_from_state_dict(state_dict, prefix, *arguments)

    @abstractmethod
    def forward(self, gramian: Float[Tensor, "K K"] | None, losses: Float[Tensor, "K"]) -> Float[Tensor, "K"]:
        """Weights [K] from the Gramian M = J Jᵀ [K, K] of the raw gradients and the losses [K]."""

    def end_epoch(self) -> None:
        """Called after the last step of every epoch, for an aggregator that remembers by epoch; most do nothing."""
