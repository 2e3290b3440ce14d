"""All checks of one corpus, in one value."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.data.audit.counts import KNOWN, SplitCounts, count_splits
from benchmark.data.audit.duplicates import Copies, Repeats, find_copies, find_repeats
from benchmark.data.audit.findings import Finding, judge
from benchmark.data.audit.numbering import number_utterances, number_vectors
from benchmark.data.audit.overlap import (
    SameConversations,
    Sentences,
    Speakers,
    compare_sentences,
    people,
    same_conversations,
)
from benchmark.data.audit.vectors import Scale, VectorCounts, count_vectors, measure_scale
from benchmark.data.conversations import Conversations
from benchmark.data.layouts import family
from benchmark.data.reading import PUBLISHED_SHA256, fingerprint, load_unchecked
from benchmark.data.remedies import Change, remedied
from benchmark.specs import DEFAULT_INPUTS, Inputs

FORMAT = 1
ALL = "all modalities"


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


@np.errstate(invalid="ignore")  # a signalling NaN is counted like any other
def audit(conversations: Conversations, dataset: str | None = None, sentences: Sequence[str] | None = None) -> Audit:
    """Check labelled conversations.

    Args:
        conversations: to be checked; NaN and Inf may be in the features.
        dataset: ``iemocap`` or ``meld`` where the counts must be that corpus's.
        sentences: of the N utterances, where they are known.
    """
    said = [""] * conversations.utterances if sentences is None else sentences
    counts = count_splits(conversations)
    parts = {split: conversations.where(split) for split in counts}
    features = conversations.features
    keys = {m: number_vectors(rows) for m, rows in features.items()}
    whole = number_utterances(keys)
    copies = {m: find_copies(conversations, keys[m], rows) for m, rows in features.items()}
    found = Audit(
        format=FORMAT,
        file=None,
        sha256=None,
        published=None,
        layout=None,
        dataset=dataset,
        classes=conversations.class_names,
        widths={m: rows.shape[1] for m, rows in features.items()},
        longest=int(conversations.lengths.max()),
        counts=counts,
        known=KNOWN.get(dataset or ""),
        vectors={m: {s: count_vectors(part.features[m]) for s, part in parts.items()} for m in features},
        scales={
            m: {s: measure_scale(part.features[m]) for s, part in (parts | {"all": conversations}).items()}
            for m in features
        },
        copies=copies | {ALL: find_copies(conversations, whole, None)},
        repeats={m: find_repeats(conversations, keys[m]) for m in features},
        conversations=same_conversations(conversations, whole, said),
        speakers=people(conversations),
        sentences=compare_sentences(conversations, said),
        findings=(),
    )
    return replace(found, findings=judge(found))


def audit_file(path: str | Path, inputs: Inputs = DEFAULT_INPUTS, roberta: Path | None = None) -> Audit:
    """Check a feature file, or what a run of these inputs has of it: modalities, view of the text, after remedies.

    ``roberta`` is as of :func:`benchmark.data.load_features`.

    Raises:
        DataError: the file cannot be read as conversations at all. (NaN and Inf alone do not hinder that.)
    """
    conversations, sentences, layout = load_unchecked(path, inputs.modalities, inputs.text_view, roberta)
    dataset = family(conversations)
    sha256 = fingerprint(Path(path), roberta)
    mended = remedied(conversations, inputs.remedies)
    found = replace(
        audit(mended.conversations, dataset, [sentences[row] for row in mended.rows]),
        remedies=mended.changes,
        # names need not be text
        file=" + ".join(os.fsencode(Path(f).name).decode(errors="replace") for f in (path, roberta) if f is not None),
        layout=f"{layout} ({dataset})",
        sha256=sha256,
        published=sha256 == PUBLISHED_SHA256[dataset],
    )
    return replace(found, findings=judge(found))


def summary(audit: Audit) -> dict[str, Any]:
    """What a run's manifest and a report should carry of an audit: a few lines, as JSON has them."""
    return {
        "format": audit.format,
        "clean": not audit.defects,
        "dataset": audit.dataset,
        "sha256": audit.sha256,
        "published": audit.published,
        "utterances": {split: counts.utterances for split, counts in audit.counts.items()},
        "defects": [finding.message for finding in audit.defects],
        "remedies": sorted({finding.remedy for finding in audit.defects if finding.remedy}),
        "notes": len(audit.findings) - len(audit.defects),
    }
