"""What an audit holds: counts, and findings about them."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from benchmark.audit.counts import SplitCounts
from benchmark.data.defects.duplicates import Copies, Repeats
from benchmark.data.defects.overlap import (
    SameConversations,
    Sentences,
    Speakers,
)
from benchmark.data.defects.remedies import Change, RemedyName
from benchmark.data.defects.vectors import Scale, VectorCounts


@dataclass(frozen=True)
class Finding:
    """One finding.

    Attributes:
        severity: ``defect`` (the file should not be used as it is) or ``note``.
        check: what was looked at: ``file``, ``counts``, ``vectors``, ``copies``, ``conversations``, ``speakers``,
            ``sentences``.
        message: one sentence with its numbers.
        remedy: which ends this defect, where there is one.
    """

    severity: Literal["defect", "note"]
    check: str
    message: str
    remedy: RemedyName | None = None


@dataclass(frozen=True)
class Audit:
    """What was counted, and what it means. ``format`` is raised when a field changes its meaning.

    Attributes:
        file, sha256, published: the file, its hash, whether that is the community's; None for what is no file.
        layout, dataset: in words, and ``iemocap`` or ``meld``; None for what is no file, or no known corpus.
        classes: names of the labels, in label order.
        widths: numbers per vector, by modality.
        longest: utterances of the longest conversation.
        counts: by split. known: the same from the literature, or None.
        vectors: by modality and split. scales: by modality and split, and ``all``.
        copies: by modality and ``all modalities``, and by "test in train". repeats: by modality and split.
        conversations, speakers, sentences: what splits share besides vectors.
        findings: the defects, then the notes.
        remedies: what was changed before anything was counted.
    """

    format: int
    file: str | None
    sha256: str | None
    published: bool | None
    layout: str | None
    dataset: str | None
    classes: tuple[str, ...]
    widths: dict[str, int]
    longest: int
    counts: dict[str, SplitCounts]
    known: dict[str, SplitCounts] | None
    vectors: dict[str, dict[str, VectorCounts]]
    scales: dict[str, dict[str, Scale]]
    copies: dict[str, dict[str, Copies]]
    repeats: dict[str, dict[str, Repeats]]
    conversations: tuple[SameConversations, ...]
    speakers: Speakers | None
    sentences: Sentences
    findings: tuple[Finding, ...]
    remedies: tuple[Change, ...] = ()

    @property
    def defects(self) -> tuple[Finding, ...]:
        """The findings that are defects."""
        return tuple(finding for finding in self.findings if finding.severity == "defect")

    def as_dict(self) -> dict[str, Any]:
        """Every field as JSON has it; ``clean`` besides."""
        return {"clean": not self.defects} | asdict(self)
