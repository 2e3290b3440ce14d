"""The table of the instrument check: on simulated corpora, what was planted beside what was found."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from reports.inference.instrument import ADDITIVE, DIFFERENT, Check, Difference
from reports.statistics import Verdict
from reports.tables.model import Table, listing
from reports.text import MISSING, counted, number

NOTE = (
    "Of simulated corpora it is known what there is to find. This says how well the harness finds it under this "
    "budget, and nothing of emotions, of people or of the paper. Planted: the ceiling of weighted F1 less the ceiling "
    "of who does not know the product of the synergy's bits, ± Monte Carlo standard error. Found: the difference "
    f"between the reference method and {ADDITIVE}, which only adds modalities, on this test set, paired by seed. A "
    "network may gain more than was planted where the additive one falls short of its own ceiling, and less where it "
    "has not learned the product. Where nothing is planted no method gains by multiplying modalities: what differs "
    "there differs in how well it learns. Intervals hold one at a time; verdicts are those of the table of "
    "comparisons. Can see: with probability .8, by a test as strict as the family, if differences vary as they do here."
)
DIRECTIONS = {1: "yes", -1: "no, the opposite", 0: "not shown"}


def instrument(checks: Sequence[Check]) -> Table | None:
    """The table of all simulated corpora; None where there are none."""
    if not checks:
        return None
    planted = [check for check in checks if check.planted is not None and check.planted.points]
    nothing = [check for check in checks if check.planted is not None and not check.planted.points]
    listings = (
        listing(
            "Planted: what only a product of modalities tells",
            (
                "data set", "planted", "compared", "n", "found", "95 % CI", "verdict", "same direction",
                f"{ADDITIVE} below its ceiling",
            ),
            tuple((check.dataset, _planted(check), *_gain(check), number(check.shortfall, 2)) for check in planted),
            prose=["verdict"],
        ),
        listing(
            "Nothing planted",
            (
                "data set", "largest difference", "of", "n", "95 % CI", "comparisons", "shown different",
                "within the margin", "shown equal", "not decided",
            ),
            tuple((check.dataset, *_largest(check), str(check.comparisons), *_counts(check)) for check in nothing),
        ),
    )  # fmt: skip
    return Table(
        name="instrument",
        title="Instrument check",
        note=NOTE,
        data="; ".join(check.data_origin.short for check in checks),
        dataset="instrument check",
        sentences=tuple(sentence for check in checks for sentence in (_in_words(check), _fineness(check))),
        listings=tuple(each for each in listings if each.rows),
        frame=pd.DataFrame([_row(check) for check in checks]),
    )


def _in_words(check: Check) -> str:
    """What was planted in one corpus, what was found, and whether they agree."""
    planted, name = check.planted, check.dataset
    if planted is None:
        return (
            f"{name}: the manifest does not say what was planted. These runs were made by an earlier version, a remedy "
            "changed their data, or their test set is not the corpus's own."
        )
    if not planted.points:
        return f"{name}: nothing is planted that takes more than a sum over modalities. {_nothing_in_words(check)}"
    words = f"{name}: knowing the product of the bits is worth {_planted(check)} points of weighted F1."
    if check.gain is None:
        return f"{words} Nothing was found or missed: {check.missing}."
    gain = check.gain
    words += f" Found: {gain.label}, {_numbers(gain)}"
    if gain.verdict is None:
        words += f"; a verdict needs {gain.needed} seeds."
    else:
        agreement = {
            1: "in the direction that was planted",
            -1: "against the direction that was planted",
            0: "no direction is shown",
        }[gain.direction]
        words += f": {_verdict(gain)}; {agreement}."
    if check.shortfall > 0:
        words += (
            f" {gain.second} stays {number(check.shortfall, 2)} points below its own ceiling of "
            f"{number(planted.without, 2)} %, so up to {number(planted.points + check.shortfall, 2)} could be found."
        )
    return words


def _nothing_in_words(check: Check) -> str:
    largest = check.largest
    if largest is None:
        return "No two methods have a seed in common, so nothing is compared."
    words = f"Largest difference found: {largest.label}, {_numbers(largest)}"
    if largest.verdict is None:
        return f"{words}; verdicts need {largest.needed} seeds."
    different, within, equal, undecided = _counts(check)
    noun = "comparison" if check.comparisons == 1 else "comparisons"
    return (
        f"{words}. Of {check.comparisons} {noun}: {equal} shown equal, {within} different but within the margin, "
        f"{different} shown different beyond it, {undecided} not decided."
    )


def _fineness(check: Check) -> str:
    """Which differences the harness can see: what it can, not what it did."""
    basis, name = check.basis, check.dataset
    if basis is None:
        return f"On {name} it is not known which differences this harness can see: nothing is compared."
    seeds = counted(basis.n, "seed")
    if basis.verdict is None:
        return (
            f"On {name} this harness can see no difference with {seeds}, whatever its size: "
            f"a verdict needs {basis.needed}."
        )
    if not basis.detectable > 0:
        return (
            f"On {name} it is not known which differences this harness can see: {basis.label} does not vary, or is not "
            "testable."
        )
    return (
        f"On {name} this harness can see differences of {number(basis.detectable, 2)} points or more with {seeds} "
        f"(sd of {basis.label}: {number(basis.sd, 2)})."
    )


def _planted(check: Check) -> str:
    assert check.planted is not None
    return f"{number(check.planted.points, 2)} ± {number(check.planted.se, 2)}"


def _gain(check: Check) -> tuple[str, ...]:
    gain = check.gain
    if gain is None:
        return (MISSING,) * 6
    direction = MISSING if gain.verdict is None else DIRECTIONS[gain.direction]
    return gain.label, str(gain.n), _signed(gain.mean), _interval(gain), _verdict(gain), direction


def _largest(check: Check) -> tuple[str, ...]:
    largest = check.largest
    if largest is None:
        return (MISSING,) * 4
    return number(largest.mean, 2), largest.label, str(largest.n), _interval(largest)


def _counts(check: Check) -> tuple[str, ...]:
    """How many comparisons are shown different, within the margin, shown equal, and none of these."""
    if not check.verdicts:
        return (MISSING,) * 4
    different = sum(check.verdicts[verdict] for verdict in DIFFERENT)
    within, equal = check.verdicts[Verdict.WITHIN_MARGIN], check.verdicts[Verdict.SHOWN_EQUAL]
    return tuple(map(str, (different, within, equal, check.comparisons - different - within - equal)))


def _numbers(difference: Difference) -> str:
    interval = "" if difference.n < 2 else f", 95 % CI {_interval(difference)}"
    return f"{_signed(difference.mean)} points{interval}, n = {difference.n}"


def _verdict(difference: Difference) -> str:
    if difference.verdict is None:
        return MISSING
    return difference.verdict.value + (" (exploratory)" if difference.exploratory else "")


def _interval(difference: Difference) -> str:
    low, high = (number(limit, 2) for limit in difference.interval)
    return MISSING if MISSING in (low, high) else f"[{low}, {high}]"


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + number(value, 2)


def _row(check: Check) -> dict[str, Any]:
    planted, basis = check.planted, check.basis
    row = {
        "dataset": check.dataset,
        "data": check.data_origin.kind,
        "planted": None if planted is None else planted.points,
        "planted_se": None if planted is None else planted.se,
        "ceiling_without_synergy": None if planted is None else planted.without,
        "missing": check.missing,
        "shortfall": check.shortfall,
        "comparisons": check.comparisons,
        "verdicts": sum(check.verdicts.values()),
        "shown_different": sum(check.verdicts[verdict] for verdict in DIFFERENT),
        "within_margin": check.verdicts[Verdict.WITHIN_MARGIN],
        "shown_equal": check.verdicts[Verdict.SHOWN_EQUAL],
        "detectable": None if basis is None else basis.detectable,
        "detectable_n": None if basis is None else basis.n,
        "detectable_sd": None if basis is None else basis.sd,
        "detectable_of": None if basis is None else basis.label,
    }
    for name, difference in (("found", check.gain), ("largest", check.largest)):
        row |= {
            f"{name}_a": None if difference is None else difference.first,
            f"{name}_b": None if difference is None else difference.second,
            f"{name}_n": None if difference is None else difference.n,
            f"{name}_difference": None if difference is None else difference.mean,
            f"{name}_low": None if difference is None else difference.interval.low,
            f"{name}_high": None if difference is None else difference.interval.high,
            f"{name}_verdict": None if difference is None or difference.verdict is None else difference.verdict.value,
        }
    return row
