"""The paper's encoder for one modality alone: the unimodal baselines of a multimodal comparison.

Its interaction-aware stage has nothing to attend to, so that only the modality's own context reaches its features. With
the fusion of its name (methods ``text-only``, ``audio-only``, ``visual-only``) this is the modality's encoder and
classifier alone. The fusions ``text``, ``audio`` and ``visual`` behind the whole encoder are not: there, each modality
has attended to the others.
"""

from baselines.encoders.subset import SubsetEncoder


class TextEncoder(SubsetEncoder):
    """Text alone."""

    sees = ("text",)


class AudioEncoder(SubsetEncoder):
    """Audio alone."""

    sees = ("audio",)


class VisualEncoder(SubsetEncoder):
    """Visual features alone."""

    sees = ("visual",)
