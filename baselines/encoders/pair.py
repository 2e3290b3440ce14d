"""The paper's encoder for two modalities: what the third adds, on the same data and in the same comparison.

Each of the two attends to the other; L2 and L3 sum over these two.
"""

from baselines.encoders.subset import SubsetEncoder


class TextAudioEncoder(SubsetEncoder):
    """Text and audio."""

    sees = ("text", "audio")


class TextVisualEncoder(SubsetEncoder):
    """Text and visual features."""

    sees = ("text", "visual")


class AudioVisualEncoder(SubsetEncoder):
    """Audio and visual features."""

    sees = ("audio", "visual")
