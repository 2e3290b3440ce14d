"""The verdict on a claim that says several things at once."""

from collections import Counter
from collections.abc import Sequence

from reports.statistics.verdicts import Judgement, Verdict

AGAINST = (Verdict.CONTRADICTED, Verdict.SHOWN_EQUAL, Verdict.WITHIN_MARGIN)
"""What a part must not be, if all of them are to hold."""

# A conjunction that nothing stands against and that is not supported is as weak as its first part in this order.
WEAKEST_FIRST = (
    Verdict.NOT_TESTABLE,
    Verdict.NOT_TESTABLE_YET,
    Verdict.TOO_FEW_SEEDS,
    Verdict.TOO_FEW_EVENTS,
    Verdict.UNDERPOWERED,
    Verdict.NO_DIFFERENCE_SHOWN,
)


def conjunction(parts: Sequence[Judgement]) -> Verdict:
    """The verdict on a claim that says all its parts at once.

    Supported only if each part is by its raw p: as all have to reject, no adjustment is due (intersection-union test,
    Berger, Technometrics 24, 1982). Contradicted if any part is, after adjustment. Shown equal only if all parts are;
    not supported if some are, or lie within the margin, for then not all can hold. Else as weak as its weakest part.
    Raises ValueError without parts.
    """
    if not parts:
        raise ValueError("A conjunction without parts says nothing.")
    verdicts = [part.verdict for part in parts]
    if Verdict.CONTRADICTED in verdicts:
        return Verdict.CONTRADICTED
    if all(part.alone is Verdict.SUPPORTED for part in parts):
        return Verdict.SUPPORTED
    if set(verdicts) == {Verdict.SHOWN_EQUAL}:
        return Verdict.SHOWN_EQUAL
    if any(verdict in (*AGAINST, Verdict.NOT_SUPPORTED) for verdict in verdicts):
        return Verdict.NOT_SUPPORTED
    return next(verdict for verdict in WEAKEST_FIRST if verdict in verdicts)


def counts_in_words(parts: Sequence[Judgement]) -> str:
    """`6 supported, 2 shown equal`: how many parts have which verdict, in the order of the verdicts."""
    counted = Counter(part.verdict for part in parts)
    return ", ".join(f"{counted[verdict]} {verdict.value}" for verdict in Verdict if counted[verdict])
