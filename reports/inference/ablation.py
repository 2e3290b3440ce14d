"""What a method is without, beside the whole method that it was made from: its lacking parts in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from reports.evidence.method import Method

KINDS = ("encoder", "objectives", "fusion", "aggregator")
WORDS: Mapping[tuple[str, str, Any], str] = {
    ("encoder", "modality_aware", False): "modality-aware stage",
    ("encoder", "interaction_aware", False): "interaction-aware stage",
    ("objectives", "unimodal", False): "L2 (unimodal losses)",
    ("objectives", "distillation", False): "L3 (distillation)",
    ("fusion", "shared", True): "SPF's own projection of each modality (one is shared)",
    ("fusion", "gates", False): "SPF's gates",
    ("fusion", "anchor", False): "SPF's bias anchors",
    ("fusion", "signed_sqrt", False): "SPF's signed square root",
}
"""Options that leave something out, and what."""
INSTEAD = {"concat": "SPF (concatenation instead)", "equal": "PGM (equal weights instead)"}
"""What stands where a part is left out whole."""
MODALITIES = ("text", "audio", "visual")


def left_out(method: Method, whole: Method) -> tuple[tuple[str, str], ...] | None:
    """What `method` lacks that `whole` has, as (kind of part, words); None where it has anything else in its place."""
    if method.imported or method.tuned or whole.imported:
        return None
    lacking: list[tuple[str, str]] = []
    for kind in KINDS:
        mine, theirs = (m.runs[0].component(kind) for m in (method, whole))
        known = list(_of_part(kind, mine, theirs, whole))
        if None in known:
            return None
        lacking += [(kind, words) for words in known if words is not None]
    return tuple(lacking)


def _of_part(kind: str, mine: Mapping[str, Any], theirs: Mapping[str, Any], whole: Method) -> Iterator[str | None]:
    """What one part lacks; None for a difference that leaves nothing out."""
    name, other = str(mine["name"]), str(theirs["name"])
    if name == other:
        options, of_whole = (component.get("options") or {} for component in (mine, theirs))
        for option in dict.fromkeys((*of_whole, *options)):
            value, of_other = options.get(option), of_whole.get(option)
            if value != of_other and (words := WORDS.get((kind, option, value))):
                yield words
            elif value != of_other and (None not in (value, of_other) or (kind, option, of_other) in WORDS):
                yield None  # an option that only one has is newer than the other, and at its default
    elif kind == "encoder" and other == "paper" and name.startswith(("single-", "pair-")):
        inputs = whole.runs[0].spec.get("inputs") or {}
        yield " and ".join(m for m in inputs.get("modalities", MODALITIES) if m not in name.split("-"))
    elif kind == "fusion" and other == "spf" and name in MODALITIES:
        yield "SPF"
    elif (other, name) in (("spf", "concat"), ("pgm", "equal")):
        yield INSTEAD[name]
    else:
        yield None
