"""What another code base's predictions can and cannot show."""

from collections.abc import Sequence

from reports.evidence.comparisons import Comparison
from reports.evidence.method import Method
from reports.statistics import Judgement, Verdict
from reports.text import counted

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
        lines.append(
            f"Imported: {method.label}, {counted(len(method.runs), 'run')} from {named}, "
            f"{seeds}. Its training, validation curve, gradients and cost are not available."
        )
    return lines


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
    return " and ".join(method.label for method in methods)
