"""What another code base's predictions can and cannot show."""

from collections.abc import Sequence

import numpy as np

from reports.evidence.comparisons import Comparison
from reports.evidence.evidence import Evidence
from reports.evidence.method import Method
from reports.statistics import Judgement, Verdict
from reports.text import counted, listing_of, number

SETTLED = (Verdict.SUPPORTED, Verdict.CONTRADICTED, Verdict.SHOWN_EQUAL, Verdict.WITHIN_MARGIN)


def sentences(comparison: Comparison) -> list[str]:
    """Where imported runs come from, and how their epoch was chosen, a sentence a method."""
    lines = []
    for method in comparison.imported:
        files = dict.fromkeys(
            (run.manifest["imported_from"]["file"], run.manifest["imported_from"]["sha256"]) for run in method.runs
        )
        named = ", ".join(f"{name} (SHA-256 {sha256[:12]})" for name, sha256 in files)
        seeds = "seeds matched with this suite's" if method.paired else "seeds not matched with this suite's"
        runs = counted(len(method.runs), "whole run" if method.by_epoch else "run")
        lacking = "training" if method.by_epoch else "training, validation curve"
        lines.append(
            f"Imported: {method.label}, {runs} from {named}, "
            f"{seeds}. Its {lacking}, gradients and cost are not available."
        )
    return lines


def picked(comparison: Comparison) -> list[str]:
    """Which epoch the authors of a method that came whole took, beside the one that validation selects."""
    lines = []
    for method in comparison.imported:
        known = [run for run in method.runs if method.by_epoch and run.result.get("picked") is not None]
        if not known:
            continue
        theirs, ours = (
            100 * float(np.mean([run.number(where, "weighted_f1") for run in known]))
            for where in ("picked", "selected")
        )
        other = sum(run.number("picked", "epoch") != run.number("selected", "epoch") for run in known)
        lines.append(
            f"{method.label}: its authors picked another epoch than the best on validation in {other} of "
            f"{counted(len(known), 'run')} that say so; a mean of {number(theirs, 1)} % at theirs, "
            f"{number(ours, 1)} % at the selected ones, which are the result."
        )
    return lines


def without_epochs(comparison: Comparison) -> str:
    """A sentence that names the imports whose selection is not known; empty where there is none."""
    who = _who([method for method in comparison.imported if not method.by_epoch])
    return f"Not available of {who}: only final predictions were imported, and not those of every epoch." if who else ""


def without_probabilities(evidence: Evidence) -> str:
    """A sentence that names the imports whose calibration is not known; empty where there is none."""
    bare = [m for m in evidence.comparison.imported if not _has_probabilities(evidence, m)]
    return f"Not available of {_who(bare)}: no probabilities were imported." if bare else ""


def _has_probabilities(evidence: Evidence, method: Method) -> bool:
    return any(evidence.outcomes[method.label, seed].reliability.any() for seed in method.seeds)


def unknown(evidence: Evidence, what: str) -> str:
    """That something in training is not known of any import; empty where there is none."""
    imported = evidence.comparison.imported
    return f"Not available of {_who(imported)}: imported predictions do not say {what}." if imported else ""


def uncompared(evidence: Evidence) -> str:
    """That a single import has nothing beside it; else empty."""
    shown = evidence.comparison.shown
    if len(shown) > 1 or not shown[0].imported:
        return ""
    return (
        f"{shown[0].label} is the only method on these data, so there is nothing to compare it with: import "
        f"another one, or add runs of this suite by cssbench run --datasets '{evidence.comparison.dataset}'."
    )


def fair(judgement: Judgement, a: Method, b: Method) -> Judgement:
    """The judgement of a - b, claimed positive, where it does not rest on how the epoch of an import was chosen.

    Chosen on the test set, or nobody knows on what, an epoch can only have raised the score: such a method can be shown
    worse, but not better, nor alike.
    """
    doubtful = [method for method in (a, b) if method.selection != "validation"]
    if not doubtful:
        return judgement
    sound = {Verdict.SUPPORTED} if a not in doubtful else {Verdict.CONTRADICTED} if b not in doubtful else set()
    verdict, alone = (
        Verdict.NOT_TESTABLE if given in SETTLED and given not in sound else given
        for given in (judgement.verdict, judgement.alone)
    )
    if verdict is judgement.verdict:
        return Judgement(verdict, alone, judgement.sentence, judgement.numbers)
    lead = judgement.sentence.removesuffix(f": {judgement.verdict.value}.")
    sentence = f"{lead}; {_who(doubtful)} may owe this to the test set: {verdict.value}."
    return Judgement(verdict, alone, sentence, judgement.numbers)


def _who(methods: Sequence[Method]) -> str:
    return listing_of([method.label for method in methods])
