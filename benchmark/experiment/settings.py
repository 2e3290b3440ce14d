"""The training settings as users give them: the table from which options and the Python call follow."""

from collections.abc import Mapping
from typing import Annotated, Any, TypedDict


class Settings(TypedDict, total=False):
    """Training settings that replace the preset's, each with its metavar and help; None is the preset's.

    :class:`.spec.Training` has what they may be.
    """

    epochs: Annotated[int | None, "N", "Epochs of every run."]
    hidden: Annotated[int | None, "N", "Width of the encoder; a multiple of its heads."]
    heads: Annotated[int | None, "N", "Attention heads of the encoder."]
    dropout: Annotated[float | None, "P", "Dropout, from 0 to below 1."]
    batch_size: Annotated[int | None, "N", "Conversations in a batch."]
    lr: Annotated[float | None, "RATE", "Learning rate of Adam."]
    weight_decay: Annotated[float | None, "X", "Weight decay of Adam, coupled (L2)."]
    schedule: Annotated[str | None, "NAME", "Learning rate: constant, or warmup-cosine, with --warmup."]
    warmup: Annotated[float | None, "SHARE", "Share of the steps over which the learning rate rises."]
    clip_norm: Annotated[float | None, "NORM", "Longest update before the optimiser, over all parameters; 0: any."]
    temperature: Annotated[float | None, "T", "Temperature of the distillation objective."]
    class_weights: Annotated[bool | None, "", "Weight the classes by their inverse frequency in the training data."]
    standardize: Annotated[bool | None, "", "Shift and scale every input feature to mean 0, sd 1."]
    selection: Annotated[
        str | None,
        "RULE",
        "Which epoch counts, by validation scores: best, smoothed (best median of five) or last. To be chosen before "
        "runs are looked at.",
    ]
    probe_every: Annotated[int | None, "N", "Steps between two probes of gradient conflict."]
    probe_conversations: Annotated[int | None, "N", "Training conversations in the probe."]


def given(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that were given: those that are not None."""
    return {name: value for name, value in settings.items() if value is not None}


def as_words(settings: Mapping[str, Any]) -> list[str]:
    """The settings as words of the command line."""
    words = []
    for name, value in settings.items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        else:
            words += [f"--{option}", str(value)]
    return words
