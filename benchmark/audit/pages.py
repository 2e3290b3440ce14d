"""An audit as tables, for a terminal and for a page."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from benchmark.audit.result import Audit
from benchmark.base.words import counted
from benchmark.data.defects.near import NEAR
from reports.tables import rendering
from reports.tables.model import Heading, Listing, Table
from reports.templates import html_environment

_TEMPLATE = Path(__file__).with_name("page.html")


def verdict(audit: Audit) -> str:
    """The outcome in one line."""
    defects, notes = len(audit.defects), len(audit.findings) - len(audit.defects)
    return f"{defects or 'no'} {'defect' if defects == 1 else 'defects'}, {notes} {'note' if notes == 1 else 'notes'}"


def tables(audit: Audit) -> list[Table]:
    """The tables, findings first; before them what remedies changed, where some were asked for."""
    first = [_remedies(audit)] if audit.remedies else []
    return [*first, _findings(audit), _counts(audit), _vectors(audit), _scales(audit), _copies(audit), _repeats(audit)]


def html(audit: Audit) -> str:
    """One self-contained page, in the style of the reports."""
    template = html_environment().from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(audit=audit, verdict=verdict(audit), tables=tables(audit), html=rendering.html, hues=())


def _table(
    title: str, note: str, header: Sequence[str], rows: Iterable[Sequence[str]], words: Sequence[str] = ()
) -> Table:
    """A table whose first column names the row and whose others are numbers, or `words`."""
    others = (Heading(name, "prose" if name in words else "number") for name in header[1:])
    headings = (Heading(header[0], "name"), *others)
    cells = tuple(map(tuple, rows))
    marked = frozenset(i for i, row in enumerate(cells) if row[0] == "defect")
    return Table(
        name=title.lower().replace(" ", "-"),
        title=title,
        note=note,
        data="",
        dataset="",
        sentences=(),
        listings=(Listing("", headings, cells, marked),),
        frame=pd.DataFrame(list(cells), columns=list(header)),
    )


def _remedies(audit: Audit) -> Table:
    rows = [(change.remedy, change.what, str(change)) for change in audit.remedies]
    note = "Applied before everything below was counted; the file itself is as it was."
    return _table("Remedies", note, ("remedy", "what it does", "changed"), rows, ("what it does", "changed"))


def _findings(audit: Audit) -> Table:
    rows = [(f.severity, f.check, f.message) for f in audit.findings]
    note = (
        "A file with a defect should not be used as it is; a note is what a reader should know. docs/audit.md says why."
    )
    return _table("Findings", note, ("severity", "check", "finding"), rows, ("check", "finding"))


def _counts(audit: Audit) -> Table:
    rows = []
    for split in dict.fromkeys([*audit.counts, *(audit.known or {})]):
        for row, source in ((split, audit.counts), (f"{split}, known", audit.known or {})):
            if counts := source.get(split):
                rows.append((row, *map(str, (counts.conversations, counts.utterances, *counts.labels))))
    note = f"Longest conversation: {counted(audit.longest, 'utterance')}. “Known” are the counts in the literature."
    return _table("Counts", note, ("split", "conversations", "utterances", *audit.classes), rows)


def _vectors(audit: Audit) -> Table:
    rows = [
        (f"{modality} [{audit.widths[modality]}], {split}", *map(str, (c.vectors, c.nan, c.inf, c.zero, c.constant)))
        for modality, splits in audit.vectors.items()
        for split, c in splits.items()
    ]
    note = "NaN and Inf count numbers, the others vectors; a constant vector has one value other than 0 throughout."
    return _table("Damaged vectors", note, ("modality, split", "vectors", "NaN", "Inf", "all-zero", "constant"), rows)


def _scales(audit: Audit) -> Table:
    rows = [
        (
            f"{modality}, {split}",
            *map(_number, (s.mean, s.sd, s.low, s.high, s.smallest_sd, s.largest_sd)),
            str(s.constant_features),
        )
        for modality, splits in audit.scales.items()
        for split, s in splits.items()
    ]
    header = ("modality, split", "mean", "sd", "min", "max", "smallest sd", "largest sd", "features that do not vary")
    return _table("Scales", "Smallest and largest sd are over single features, of those that vary.", header, rows)


def _copies(audit: Audit) -> Table:
    rows: list[Sequence[str]] = []
    pairings = list(
        dict.fromkeys(p.numbered_by for pairs in audit.copies.values() for c in pairs.values() for p in c.pairing)
    )
    for modality, pairs in audit.copies.items():
        for pair, c in pairs.items():
            figures = (c.vectors, c.identical, round(c.expected), c.with_zeros, c.near, round(c.near_expected))
            paired = (f"{p.same_conversation} / {p.same_utterance} / {p.with_zeros}" for p in c.pairing)
            rows.append((f"{modality}, {pair}", *map(str, figures), *paired))
    note = (
        "Vectors that are not all zeros, found in another split. Expected by coincidence: as many as if splits shared "
        "vectors as often as conversations of one split do among themselves. Near: different vectors, not identical "
        f"but within {NEAR:g} sd (root mean square over features). Paired by id (counted from the split's first) or by "
        "position: identical to any vector of the conversation with the same number / to the one at the same place in "
        "it / to any, all-zero vectors counted too."
    )
    header = ("modality, splits", "vectors", "identical", "expected", "with all-zero", "near", "expected")
    return _table("Copies across splits", note, (*header, *(f"paired by {by}" for by in pairings)), rows)


def _repeats(audit: Audit) -> Table:
    rows = [
        (f"{modality}, {split}", str(r.repeated), str(r.in_other_conversations))
        for modality, splits in audit.repeats.items()
        for split, r in splits.items()
    ]
    note = "Vectors, not all-zero, that equal an earlier one of their split, and those found in another conversation."
    return _table("Repeats within a split", note, ("modality, split", "repeated", "in other conversations"), rows)


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.4g}"
