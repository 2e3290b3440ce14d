"""Which inputs of a feature file are used: its modalities, and which of its views of the text.

A community file has four views of every utterance's text. Beside ``text``, the first, they are the arrays ``text2``,
``text3`` and ``text4``; ``mean`` and ``concat`` (side by side) are made of all four.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from benchmark.base.errors import DataError
from benchmark.data.conversations import Conversations

Modality = Literal["text", "audio", "visual"]
TextView = Literal["1", "2", "3", "4", "mean", "concat"]

MODALITIES: tuple[Modality, ...] = get_args(Modality)
TEXT_VIEWS: tuple[TextView, ...] = get_args(TextView)
TEXT_ARRAYS = {"1": "text", "2": "text2", "3": "text3", "4": "text4"}
ARRAYS = (*TEXT_ARRAYS.values(), "audio", "visual")
"""Every array of features that a file can have, in order."""


def arrays_for(modalities: Sequence[str], text_view: str) -> list[str]:
    """The arrays that the modalities are made of, in the order of :data:`ARRAYS`."""
    text = [TEXT_ARRAYS[text_view]] if text_view in TEXT_ARRAYS else list(TEXT_ARRAYS.values())
    wanted = [*text, *modalities] if "text" in modalities else modalities
    return [name for name in ARRAYS if name in wanted and (name != "text" or name in text)]


def choose(conversations: Conversations, modalities: Sequence[str], text_view: str) -> Conversations:
    """The same conversations with these modalities only, the text in this view.

    Raises:
        DataError: the mean of views of different widths.
    """
    arrays = conversations.features
    chosen = [str(m) for m in MODALITIES if m in modalities]
    made = {m: _text(arrays, text_view) if m == "text" else arrays[m] for m in chosen}
    return replace(conversations, features=made)


def _text(arrays: Mapping[str, npt.NDArray[np.float32]], view: str) -> npt.NDArray[np.float32]:
    if view in TEXT_ARRAYS:
        return arrays[TEXT_ARRAYS[view]]
    parts = [arrays[name] for name in TEXT_ARRAYS.values()]
    if view == "concat":
        return np.concatenate(parts, axis=1)
    if len(widths := {part.shape[1] for part in parts}) > 1:
        raise DataError(f"no mean of text views of widths {sorted(widths)}; use concat or a single view")
    total = parts[0].copy()
    for part in parts[1:]:
        total += part
    total /= len(parts)
    return total
