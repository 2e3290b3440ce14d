"""Checkpoints of the released implementation: its parameter names to ours, and a model from them."""

import re
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from css.model import EmotionClassifier
from css.released.encoder import MODALITIES, ReleasedEncoder
from css.released.fusion import ReleasedPolynomialFusion

DROPOUT = 0.5
"""As published; a checkpoint does not hold it."""

_OWN, _CROSS = "{}_{}.transformer_inter.0", "shared_transformer.cross_attn.0"
_LETTERS = {"text": "t", "audio": "a", "visual": "v"}
_INPUTS = {"text": "textf_input", "audio": "acouf_input", "visual": "visuf_input"}
_VISION = {"text": "text", "audio": "audio", "visual": "vision"}
_UNUSED = re.compile(
    r"shared_transformer\.transformer_inter\.0\..+"  # a self-attention layer that is built and never called
    r"|(t_t|a_a|v_v)\.transformer_inter\.0\.layer_norm\.(weight|bias)"  # which the first layer skips
    r"|(t_t|a_a|v_v|shared_transformer)\..*\bpe"  # a table of sinusoidal positions, which has no parameters
)


def released_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Views under the released names and shapes of tensors under ours: a model's parameters, say, or their gradients.

    Together the views cover every tensor once. (Released shapes are [out, in] for linear maps, [in, out] for the
    polynomial's.)
    """
    tensor = tensors.__getitem__
    released = {"speaker_embeddings.weight": tensor("encoder.speaker.weight")}

    def add(theirs: str, ours: str) -> None:
        released.update({f"{theirs}.{part}": tensor(f"{ours}.{part}") for part in ("weight", "bias")})

    def add_split(theirs: str, names: tuple[str, ...], ours: str) -> None:
        """Linear maps that we keep side by side."""
        for part in ("weight", "bias"):
            pieces = tensor(f"{ours}.{part}").chunk(len(names))
            released.update({f"{theirs}.{name}.{part}": piece for name, piece in zip(names, pieces, strict=True)})

    def add_stacked(theirs: str, ours: str, m: int) -> None:
        released[f"{theirs}.weight"] = tensor(f"{ours}.weight")[m].T
        if f"{ours}.bias" in tensors:
            released[f"{theirs}.bias"] = tensor(f"{ours}.bias")[m, 0]

    for name, theirs in (("audio", "audio"), ("visual", "vision")):
        if f"encoder.text_shift.{name}.shift.weight" in tensors:
            add(f"text_to_{theirs}", f"encoder.text_shift.{name}.shift")
            add(f"bias_gate_{theirs}.0", f"encoder.text_shift.{name}.gate")
    add_split(_CROSS, ("linear_k1", "linear_v1"), "encoder.interaction_aware.first")
    add_split(_CROSS, ("linear_k2", "linear_v2"), "encoder.interaction_aware.second")
    add_split(_CROSS, ("gate_k", "gate_v"), "encoder.interaction_aware.gates")
    for theirs, ours in (("linear_q", "query"), ("output_linear", "out"), ("layer_norm", "norm")):
        add(f"{_CROSS}.{theirs}", f"encoder.interaction_aware.{ours}")
    add("last_gate.residual_proj", "fusion.residual")
    add("all_output_layer", "classifier")
    released["last_gate.output_proj"] = tensor("fusion.output.weight").T
    released["last_gate.output_bias"] = tensor("fusion.output.bias")

    weight, gate, anchor = (tensor(f"fusion.polynomial.{name}") for name in ("weight", "gate", "anchor"))
    order, rank = anchor.shape
    for j in range(order):
        released[f"last_gate.modality_gates.{j}"] = gate[:, j]
        released[f"last_gate.weight_list_const.{j}"] = anchor[j : j + 1]
        for m, name in enumerate(_VISION.values()):
            released[f"last_gate.weight_list_{name}.{j}"] = weight[m, :, j * rank : (j + 1) * rank]

    for m, (modality, letter) in enumerate(_LETTERS.items()):
        within = _OWN.format(letter, letter)
        released[f"{_INPUTS[modality]}.weight"] = tensor(f"encoder.inputs.{modality}.weight").unsqueeze(-1)
        weights = tensor("encoder.modality_aware.qkv.weight")[m].T.chunk(3)
        biases = tensor("encoder.modality_aware.qkv.bias")[m, 0].chunk(3)
        for name, w, b in zip("qkv", weights, biases, strict=True):
            released |= {f"{within}.self_attn.linear_{name}.weight": w, f"{within}.self_attn.linear_{name}.bias": b}
        add_stacked(f"{within}.self_attn.linear", "encoder.modality_aware.out", m)
        add_stacked(f"{within}.feed_forward.w_1", "encoder.modality_aware.widen", m)
        add_stacked(f"{within}.feed_forward.w_2", "encoder.modality_aware.narrow", m)
        for part in ("weight", "bias"):
            released[f"{within}.feed_forward.layer_norm.{part}"] = tensor(f"encoder.modality_aware.norm_{part}")[m, 0]
        add_stacked(f"{letter}_{letter}_gate.fc", "encoder.own_gate", m)
        add_stacked(f"{letter}_gate.fc", "encoder.cross_gate", m)
        add_stacked(f"features_reduce_{letter}", "encoder.reduction", m)
        add_stacked(f"{letter}_output_layer.2", "unimodal.linear", m)
    return released


def load_state(params: Mapping[str, Tensor | npt.NDArray[Any]], dataset: str, heads: int = 8) -> EmotionClassifier:
    """The model of a checkpoint of the released implementation, in evaluation mode, float32 on the CPU.

    Widths, speakers, classes, rank and order are read off the shapes. What the released code builds and never uses is
    accepted and ignored, whether present or not.

    Args:
        params: tensors or arrays under the released names.
        dataset: ``iemocap`` or ``meld``, whose model it is; MELD's has one step more.
        heads: of both attentions, which no shape tells; 8 as published.

    Raises:
        ValueError: naming what is missing, unknown or of an impossible shape.
    """
    if dataset not in ("iemocap", "meld"):
        raise ValueError(f"dataset must be 'iemocap' or 'meld', got {dataset!r}")
    given = {name: torch.as_tensor(value).detach() for name, value in params.items() if not _UNUSED.match(name)}

    def size(name: str, axis: int, unknown: int = 1) -> int:
        """A size by which the model is built; where it cannot be read, the checkpoint is refused below."""
        return given[name].shape[axis] if name in given and given[name].ndim > axis else unknown

    order = sum(re.fullmatch(r"last_gate\.modality_gates\.\d+", name) is not None for name in given)
    hidden = size("speaker_embeddings.weight", 1, heads)
    if hidden % heads:
        raise ValueError(f"speaker_embeddings.weight is {hidden} wide, which {heads} heads do not divide")
    with torch.device("meta"):  # nothing is drawn
        inputs = {m: size(f"{name}.weight", 1) for m, name in _INPUTS.items()}
        speakers = size("speaker_embeddings.weight", 0) - 1
        encoder = ReleasedEncoder(inputs, hidden, heads, DROPOUT, speakers, meld_step=dataset == "meld")
        fusion = ReleasedPolynomialFusion(hidden, size("last_gate.output_proj", 0), max(order, 1), MODALITIES)
        model = EmotionClassifier(encoder, fusion, size("all_output_layer.weight", 0), DROPOUT)
    model = model.to_empty(device="cpu").eval()
    expected = released_names({name: p.detach() for name, p in model.named_parameters()})
    _check(given, expected, dataset)
    for name, view in expected.items():
        view.copy_(given[name])
    return model


def _check(given: Mapping[str, Tensor], expected: Mapping[str, Tensor], dataset: str) -> None:
    """Refuse wrong names; wrong shapes only where all names are right, since they may follow from the names."""
    missing = [name for name in expected if name not in given]
    unknown = [name for name in given if name not in expected]
    shapes = [
        f"{name} {tuple(given[name].shape)} instead of {tuple(view.shape)}"
        for name, view in expected.items()
        if not missing and given[name].shape != view.shape
    ]
    faults = {"missing": missing, "unknown": unknown} if missing or unknown else {"wrongly shaped": shapes}
    if any(faults.values()):
        text = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in faults.items() if names)
        raise ValueError(f"no checkpoint of the released implementation for {dataset}: {text}")
