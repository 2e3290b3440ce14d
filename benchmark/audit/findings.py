"""From counts to a verdict: what is a defect, and what a reader should merely know. docs/audit.md has the reasons."""

from collections.abc import Iterator

from benchmark.audit.counts import KNOWN, differences
from benchmark.audit.result import Audit, Finding
from benchmark.base.words import counted
from benchmark.data.defects.duplicates import Copies
from benchmark.data.defects.near import NEAR
from benchmark.data.defects.remedies import RemedyName
from benchmark.data.defects.vectors import VectorCounts

TOLERATED = 0.05  # share of a split's vectors that may be all-zero or constant: some extractions always fail


def judge(audit: Audit) -> tuple[Finding, ...]:
    """All findings, the defects first."""
    findings = [
        *_file(audit),
        *_counts(audit),
        *_vectors(audit),
        *_copies(audit),
        *_conversations(audit),
        *_speakers(audit),
        *_sentences(audit),
    ]
    return tuple(sorted(findings, key=lambda finding: finding.severity))


def _finding(defect: bool, check: str, message: str, remedy: RemedyName | None = None) -> Finding:
    return Finding("defect", check, message, remedy) if defect else Finding("note", check, message)


def _file(audit: Audit) -> Iterator[Finding]:
    if audit.published is not None:
        verb = "is" if audit.published else "is not"
        which = f"the file which the community uses for {audit.dataset}" if audit.dataset else "a file of the community"
        yield _finding(False, "file", f"SHA-256 {verb} that of {which}")


def _counts(audit: Audit) -> Iterator[Finding]:
    if audit.dataset not in KNOWN:
        yield _finding(False, "counts", "not of a known corpus: there are no counts to compare with")
    elif lines := differences(audit.counts, audit.longest, audit.dataset):
        yield _finding(True, "counts", f"counts are not {audit.dataset}'s: {'; '.join(lines)}")


def _vectors(audit: Audit) -> Iterator[Finding]:
    for modality, splits in audit.vectors.items():
        if wrong := {s: c for s, c in splits.items() if c.non_finite}:
            where = ", ".join(f"{s} {c.non_finite} ({c.nan} NaN, {c.inf} Inf)" for s, c in wrong.items())
            yield _finding(True, "vectors", f"{modality}: vectors with NaN or Inf: {where}", "zero-non-finite")
        for kind in ("zero", "constant"):
            if any(getattr(c, kind) for c in splits.values()):
                many = any(getattr(c, kind) > TOLERATED * c.vectors for c in splits.values())
                name = "all-zero" if kind == "zero" else kind
                yield _finding(many, "vectors", f"{modality}: {name} vectors: {_shares(splits, kind)}")
        if constant := audit.scales[modality]["all"].constant_features:
            yield _finding(False, "vectors", f"{modality}: features that do not vary: {constant}")


def _shares(splits: dict[str, VectorCounts], kind: str) -> str:
    counts = ((s, getattr(c, kind), c.vectors) for s, c in splits.items())
    return ", ".join(f"{s} {count} of {total} ({count / total:.1%})" for s, count, total in counts)


def _copies(audit: Audit) -> Iterator[Finding]:
    for modality, pairs in audit.copies.items():
        for pair, copies in pairs.items():
            here, _, other = pair.partition(" in ")
            if copies.identical:
                yield _finding(copies.leaks, "copies", f"{modality}: {_leak(here, other, copies)}", "zero-leaked")
            if copies.near:
                count = counted(copies.near, f"different {here} vector is", f"different {here} vectors are")
                text = (
                    f"{count} within {NEAR:g} sd of a {other} vector, not identical "
                    f"{_chance(copies.near_expected, copies.near_p)}"
                )
                yield _finding(copies.near_leaks, "copies", f"{modality}: {text}", "zero-leaked")


def _chance(expected: float, p: float | None) -> str:
    tested = "" if p is None else f", p = {p:.2g}"
    return f"({expected:.0f} expected by coincidence{tested})"


def _leak(here: str, other: str, copies: Copies) -> str:
    best = max(copies.pairing, key=lambda pairing: pairing.same_conversation)
    are = "is" if copies.identical == 1 else "are"
    count = (
        f"{copies.identical} of {copies.vectors} {here} vectors that are not zero {are} identical to a {other} vector"
    )
    source = f"{best.same_conversation} to one of the conversation with the same {best.numbered_by}"
    return f"{count} {_chance(copies.expected, copies.p)}, {source}"


def _conversations(audit: Audit) -> Iterator[Finding]:
    for same in audit.conversations:
        for groups, where in ((same.across, "in two splits"), (same.within, "twice in a split")):
            if groups:
                shown = "; ".join(" = ".join(group[:4]) for group in groups[:5]) + ("; …" if len(groups) > 5 else "")
                message = f"conversations {where}, the same by {same.by}: {len(groups)} ({shown})"
                remedy: RemedyName | None = "drop-copied-conversations" if same.by == "features" else None
                yield _finding(groups is same.across, "conversations", message, remedy)


def _speakers(audit: Audit) -> Iterator[Finding]:
    if audit.speakers is None:
        yield _finding(False, "speakers", "names do not say who speaks: speakers in two splits cannot be looked for")
    elif audit.speakers.shared:
        names = ", ".join(audit.speakers.shared)
        yield _finding(True, "speakers", f"speakers in two splits: {len(audit.speakers.shared)} ({names})")


def _sentences(audit: Audit) -> Iterator[Finding]:
    sentences = audit.sentences
    if not sentences.utterances:
        yield _finding(False, "sentences", "no sentences: nothing can be said about repeated ones")
    if sentences.conflicting:
        utterances = sentences.conflicting_utterances
        text = f"sentences with two labels or more: {sentences.conflicting}, in {counted(utterances, 'utterance')}"
        yield _finding(False, "sentences", text)
    if any(sentences.known_from_train.values()):
        counts = ", ".join(f"{count} of {s}" for s, count in sentences.known_from_train.items())
        yield _finding(False, "sentences", f"utterances whose sentence is in train too: {counts}")
