"""A claim, what it rests on, and its verdict in words."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reports.inference.plans import Standing
from reports.statistics import Judgement, Verdict, conjunction, counts_in_words
from reports.statistics.conjunction import AGAINST
from reports.text import listing_of

TOLD = 3  # parts whose sentences are told in full; of more the one furthest from the claim


@dataclass(frozen=True, eq=False, kw_only=True)
class Part:
    """One comparison that a claim rests on. `standing`: what was declared of its methods; None where one is missing."""

    dataset: str
    label: str
    judgement: Judgement
    standing: Standing | None = None

    @property
    def exploratory(self) -> bool:
        """Whether it was not declared before its runs."""
        return self.standing is not None and bool(self.standing.remark)


@dataclass(frozen=True, eq=False, kw_only=True)
class Claim:
    """A claim with its parts, in the order of the data sets.

    attributed: whether summaries of the paper say that it makes the claim, which nobody here has verified.
    """

    id: str
    says: str
    attributed: bool = False
    published: str
    corpora: tuple[str, ...]
    parts: tuple[Part, ...]

    def on(self, *datasets: str) -> list[Part]:
        """Its parts on these data sets."""
        return [part for part in self.parts if part.dataset in datasets]

    def verdict(self, dataset: str) -> Verdict | None:
        """The verdict on one data set; None where the claim is not about it."""
        parts = self.on(dataset)
        return _together(parts) if parts else None

    def overall(self, datasets: Sequence[str]) -> Verdict | None:
        """The verdict on these data sets together; not testable where one of the claim's corpora is missing."""
        parts = self.on(*datasets)
        if not parts:
            return None
        covered = all(any(d.startswith(corpus) for d in datasets) for corpus in self.corpora)
        return _together(parts) if covered else Verdict.NOT_TESTABLE

    def exploratory(self, datasets: Sequence[str]) -> bool:
        """Whether any of its parts on these data sets was not declared before its runs."""
        return any(part.exploratory for part in self.on(*datasets))

    def words(self, dataset: str) -> str:
        """The numbers of its parts on one data set, and what of them decides."""
        parts = self.on(dataset)
        judgements = [part.judgement for part in parts]
        if len(parts) <= TOLD:
            text = " ".join(judgement.sentence for judgement in judgements)
        else:
            furthest = _furthest(judgements).sentence
            text = f"{len(parts)} parts: {counts_in_words(judgements)}. Furthest from the claim: {furthest}"
        decisive = _decisive(parts, _together(parts), len(parts) <= TOLD)
        mark = " Exploratory: not every part was declared before its runs." if self.exploratory([dataset]) else ""
        return f"{text}{decisive}{mark}"

    def words_together(self, datasets: Sequence[str]) -> str:
        """What decides on several data sets at once; empty where that is plain from their verdicts."""
        verdict, parts = self.overall(datasets), self.on(*datasets)
        missing = [c for c in self.corpora if not any(d.startswith(c) for d in datasets)]
        if parts and missing:
            return f"It is about {' and '.join(self.corpora)}, and there is no run on {' and '.join(missing)}."
        return _decisive(parts, verdict, False).strip() if verdict is not None and len(parts) > 1 else ""

    def p(self, dataset: str) -> float:
        """P of the claim on a data set: of one part its adjusted p, of several the largest raw one: all must reject.

        NaN where it is not known of every part.
        """
        numbers = [part.judgement.numbers for part in self.on(dataset)]
        if len(numbers) == 1:
            return numbers[0].get("p_adjusted", numbers[0].get("p", math.nan))
        values = [n.get("p", math.nan) for n in numbers]
        return math.nan if any(map(math.isnan, values)) else max(values, default=math.nan)


def _together(parts: Sequence[Part]) -> Verdict:
    """One part has its own verdict, by its adjusted p; only a conjunction of several may go by their raw ones."""
    return parts[0].judgement.verdict if len(parts) == 1 else conjunction([part.judgement for part in parts])


def _decisive(parts: Sequence[Part], verdict: Verdict, told: bool) -> str:
    """Why the whole has this verdict, where its parts have others. told: whether the parts were told one by one."""
    judgements = [part.judgement for part in parts]
    if len(parts) < 2:
        return ""
    if verdict is Verdict.SUPPORTED and any(j.verdict is not Verdict.SUPPORTED for j in judgements):
        return (
            f" Together supported: each of the {len(parts)} parts rejects at its own p, and a claim that says all of "
            "them needs no adjustment (intersection-union test), although by adjusted p they are, one by one, "
            f"{counts_in_words(judgements)}."
        )
    against = _against(parts)
    if verdict in (Verdict.NOT_SUPPORTED, Verdict.CONTRADICTED) and against:
        counts = f" ({counts_in_words(judgements)})" if told or len(parts) <= TOLD else ""
        return f" It says all of {len(parts)} parts{counts}; against it{against}."
    return ""


def _against(parts: Sequence[Part]) -> str:
    """The parts that stand against a claim, each named once, under its data sets where there are several."""
    where: dict[str, list[str]] = {}
    for part in parts:
        if part.judgement.verdict in AGAINST:
            where.setdefault(part.label, []).append(part.dataset)
    labels: dict[str, list[str]] = {}
    for label, datasets in where.items():
        labels.setdefault(listing_of(datasets), []).append(label)
    several = len({part.dataset for part in parts}) > 1
    return "; ".join(f"{f', on {on}' if several else ''}: {'; '.join(named)}" for on, named in labels.items())


def _furthest(parts: Sequence[Judgement]) -> Judgement:
    contradicted = [part for part in parts if part.verdict is Verdict.CONTRADICTED]
    against = [part for part in parts if part.verdict in AGAINST]
    return (contradicted or against or [max(parts, key=lambda part: part.numbers.get("p", float("inf")))])[0]
