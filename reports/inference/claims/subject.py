"""The method that claims are about, what they are compared with, and what their verdicts speak of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.evidence.comparisons import Comparison
from reports.evidence.evidence import Evidence
from reports.evidence.method import Method
from reports.inference.claims.claim import Part
from reports.inference.scores import REFITTED, SELECTED
from reports.statistics import not_testable

CHANGES: Mapping[str, Mapping[str, Any]] = {
    "adam": {"aggregator": "equal"},
    "concat": {"fusion": "concat", "aggregator": "equal"},
    "concat+pgm": {"fusion": "concat"},
    "pcgrad": {"aggregator": "pcgrad"},
    "tensor": {"fusion": "tensor", "aggregator": "equal"},
}
"""What the methods of the published comparison change in the method under test."""

OTHER_SPLIT = "Published figures are of the published test set, and here every session is tested on in turn"


@dataclass(frozen=True, eq=False, kw_only=True)
class Setting:
    """A claim on one data set: the method under test and what it is compared with; `lack` says what there is not."""

    evidence: Evidence
    method: Method | None
    rivals: tuple[Method, ...]
    lack: str

    @property
    def dataset(self) -> str:
        """Name of the data set."""
        return self.evidence.comparison.dataset

    def missing(self, run: str) -> Part:
        """The part that cannot be tested; `run` would make what it lacks."""
        return missing_part(self.evidence, self.lack, run)


def settings(entry: Mapping[str, Any], evidence: Sequence[Evidence]) -> Iterator[Setting]:
    """The method under test and its rivals on each data set.

    An entry has one `rival`, a change of the method's parts, or `rivals`, names of the published comparison's methods.
    """
    for e in evidence:
        method = subject(e.comparison)
        if method is None:
            yield Setting(evidence=e, method=None, rivals=(), lack="no finished run of CSS")
        elif "rivals" in entry:
            by_name = {name: _plainest(changed(e.comparison, method, CHANGES[name])) for name in entry["rivals"]}
            absent = [name for name, rival in by_name.items() if rival is None]
            lack = f"{method.label} is to beat all of {', '.join(by_name)}; not run: {', '.join(absent)}"
            rivals = tuple(rival for rival in by_name.values() if rival is not None)
            yield Setting(evidence=e, method=method, rivals=rivals, lack=lack if absent else "")
        else:
            rivals = tuple(changed(e.comparison, method, entry["rival"]))
            lack = f"what {method.label} is to be compared with has not been run"
            yield Setting(evidence=e, method=method, rivals=rivals, lack="" if rivals else lack)


def scope(comparison: Comparison) -> str:
    """What the verdicts of a data set are about, and whether published figures stand beside them."""
    name, origin = comparison.dataset, comparison.data_origin
    method = subject(comparison)
    what = f"On {name} the claims are checked for {method.label}" if method else f"On {name} CSS was not run"
    if origin.simulated:
        return f"{what}, on simulated data: no verdict on the paper, and no published figure is compared."
    if origin.own:
        no = "no verdict on the paper, and no published figure is compared"
        return f"{what}, on a corpus that is not the paper's: {no}."
    if origin.folds:
        return f"{what}. {OTHER_SPLIT}: no verdict on the paper, and no published figure is compared."
    if not origin.published:
        return (
            f"{what}, on features that are not the published ones: no verdict on the paper, and no published figure is "
            "compared."
        )
    if method is None or not _is_papers(method):
        return (
            f"{what}. Verdicts on the paper are taken from css-released after a refit on all training data, which is "
            "not here, so no published figure is compared."
        )
    return (
        f"{what} after a refit, on the published features: these are verdicts on the paper. Every score in them is "
        "the refit's; what is measured in training (conflict, spikes, divergence, gradient norm) is of the validated "
        "runs."
    )


def speaks_of_the_paper(comparison: Comparison) -> bool:
    """Whether published figures may stand beside this data set's results."""
    method = subject(comparison)
    return comparison.data_origin.published and not comparison.folds and method is not None and _is_papers(method)


def score_of(comparison: Comparison) -> tuple[str, str]:
    """The measure of weighted F1 that verdicts go by, and what a label adds: the refit's for verdicts on the paper."""
    return (REFITTED, " after a refit") if speaks_of_the_paper(comparison) else (SELECTED, "")


def subject(comparison: Comparison) -> Method | None:
    """The method that the claims are about: css-released if refitted, else css, else css-released."""
    by_label = {method.label: method for method in comparison.methods}
    released = by_label.get("css-released")
    if released is not None and (_is_papers(released) or "css" not in by_label):
        return released
    return by_label.get("css")


def changed(comparison: Comparison, method: Method, change: Mapping[str, Any], itself: bool = False) -> list[Method]:
    """Methods that are `method` but for a change of its parts, found by their parts and not by their names.

    Tuned methods are none: a claim is about the preset's settings, and what one side was given beyond them the other
    lacks. itself: whether the method may be among them.
    """
    mine = {kind: method.runs[0].component(kind) for kind in ("encoder", "fusion", "aggregator", "objectives")}

    def fits(other: Method) -> bool:
        theirs = {kind: other.runs[0].component(kind) for kind in mine}
        for kind, component in mine.items():
            if kind in change:
                if theirs[kind]["name"] != change[kind]:
                    return False
            elif kind == "fusion" and "fusion_options" in change:
                if theirs[kind] != {**component, "options": component["options"] | change["fusion_options"]}:
                    return False
            elif theirs[kind] != component:
                return False
        return True

    return [
        other for other in comparison.methods if (itself or other is not method) and not other.tuned and fits(other)
    ]


def missing_part(evidence: Evidence, lack: str, run: str) -> Part:
    """A part that cannot be tested: what it lacks, and what makes it."""
    return Part(dataset=evidence.comparison.dataset, label=lack, judgement=not_testable(lack, run))


def _plainest(methods: Sequence[Method]) -> Method | None:
    """The one with the fewest options written out: the default settings of its parts."""
    return min(methods, key=lambda m: (len(str(m.runs[0].spec["method"])), m.label), default=None)


def _is_papers(method: Method) -> bool:
    return method.label == "css-released" and 0 < len(method.refits) == len(method.runs)
