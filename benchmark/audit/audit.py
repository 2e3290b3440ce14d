"""All checks of one corpus, in one value."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.audit.counts import KNOWN, count_splits
from benchmark.audit.findings import judge
from benchmark.audit.result import (
    Audit,
)
from benchmark.base.words import counted
from benchmark.data.conversations import Conversations
from benchmark.data.corpora import CORPORA, SETTINGS_OF_OTHERS, corpus_of
from benchmark.data.defects.duplicates import find_copies, find_repeats
from benchmark.data.defects.numbering import number_utterances, number_vectors
from benchmark.data.defects.overlap import (
    compare_sentences,
    people,
    same_conversations,
)
from benchmark.data.defects.remedies import remedied
from benchmark.data.defects.vectors import count_vectors, measure_scale
from benchmark.data.feature_files.reading import PUBLISHED_SHA256, fingerprint, load_unchecked
from benchmark.data.inputs import DEFAULT_INPUTS, Inputs

FORMAT = 1
ALL = "all modalities"


@np.errstate(invalid="ignore")  # a signalling NaN is counted like any other
def audit(conversations: Conversations, dataset: str | None = None, sentences: Sequence[str] | None = None) -> Audit:
    """Check labelled conversations.

    Args:
        conversations: to be checked; NaN and Inf may be in the features.
        dataset: ``iemocap`` or ``meld`` where the counts must be that corpus's.
        sentences: of the N utterances, where they are known.
    """
    texts = [""] * conversations.utterances if sentences is None else sentences
    counts = count_splits(conversations)
    parts = {split: conversations.where(split) for split in counts}
    features = conversations.features
    keys = {m: number_vectors(rows) for m, rows in features.items()}
    whole = number_utterances(keys)
    copies = {m: find_copies(conversations, keys[m], rows) for m, rows in features.items()}
    unjudged = Audit(
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
        conversations=same_conversations(conversations, whole, texts),
        speakers=people(conversations),
        sentences=compare_sentences(conversations, texts),
        findings=(),
    )
    return replace(unjudged, findings=judge(unjudged))


def audit_file(path: str | Path, inputs: Inputs = DEFAULT_INPUTS, roberta: Path | None = None) -> Audit:
    """Check a feature file, or what a run of these inputs has of it: modalities, view of the text, after remedies.

    Modalities that the file has not got are left out.

    ``roberta`` is as of :func:`benchmark.data.load_features`.

    Raises:
        DataError: the file cannot be read as conversations at all. (NaN and Inf alone do not hinder that.)
    """
    read = load_unchecked(path, inputs.modalities, inputs.text_view, roberta, present=True)
    known = read.dataset in CORPORA
    corpus = corpus_of(read.conversations) if known else None
    count = counted(len(read.conversations.class_names), "class", "classes")
    settings = read.dataset if known else SETTINGS_OF_OTHERS
    classes = corpus or f"{'' if known else f'{read.dataset}, '}{count} of its own, settings of {settings}"
    sha256 = fingerprint(Path(path), roberta)
    mended = remedied(read.conversations, inputs.remedies)
    outcome = replace(
        audit(mended.conversations, corpus, [read.sentences[row] for row in mended.rows]),
        remedies=mended.changes,
        # names need not be text
        file=" + ".join(os.fsencode(Path(f).name).decode(errors="replace") for f in (path, roberta) if f is not None),
        layout=f"{read.layout} ({classes})",
        sha256=sha256,
        published=sha256 == PUBLISHED_SHA256.get(corpus or ""),
    )
    return replace(outcome, findings=judge(outcome))


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
