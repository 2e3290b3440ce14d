"""A store -> all that its report says, before anything is written or drawn."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from reports.errors import ReportError
from reports.evidence.comparisons import compare, published
from reports.evidence.evidence import Evidence, collect
from reports.evidence.omitted import Omitted
from reports.inference.claims import Claim, check_claims
from reports.inference.contrasts import Inference, infer
from reports.inference.instrument import Check, check_instrument
from reports.reading.preregistration import read_preregistrations
from reports.reading.runs import TUNING_SEED, StoredRuns, read_store
from reports.tuning import subjects as tuning


@dataclass(frozen=True, eq=False)
class Analysis:
    """What a store holds and shows.

    Attributes:
        stored: its runs. omitted: those under other budgets than the ones shown.
        validated: the evidence of each data set that verdicts rest on. published: that of runs under the published
            protocol, which are in no verdict.
        inference, claims: the verdicts.
        checks: what the simulated corpora show of the harness itself.
        groups, subjects: the fair comparisons of searches, and all searches.
    """

    stored: StoredRuns
    omitted: tuple[Omitted, ...]
    validated: tuple[Evidence, ...]
    published: tuple[Evidence, ...]
    inference: Inference
    claims: tuple[Claim, ...]
    checks: tuple[Check, ...]
    groups: tuple[tuning.Group, ...]
    subjects: tuple[tuning.Subject, ...]

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Everything that is shown."""
        return (*self.validated, *self.published)

    @property
    def is_of_searches_alone(self) -> bool:
        """Whether the page of tuning is all there is to show: no comparison, no failed run, no other budget."""
        return bool(self.subjects) and not (self.evidence or self.stored.failed or self.omitted)


def analyse(store: Path, keys: Collection[str] | None = None) -> Analysis:
    """Read a store's runs, or those of `keys`, and infer from them.

    Raises ReportError where there is nothing to report, and like `read_store`.
    """
    stored = read_store(store, keys)
    compared, omitted = compare(stored.runs)
    groups, subjects = tuning.collect(store, stored, keys)
    if not stored.runs and not subjects:
        raise ReportError(
            f"nothing to report: all {len(stored.tuning)} complete runs in {store / 'runs'} are of searches (seeds "
            f"from {TUNING_SEED}) whose studies are not in {store / 'studies'}; run `cssbench run` first"
        )
    as_published, omitted_published = published(stored.runs)
    validated = tuple(collect(comparison) for comparison in compared)
    inference = infer(validated, read_preregistrations(store), stored.failed)
    return Analysis(
        stored=stored,
        omitted=omitted + omitted_published,
        validated=validated,
        published=tuple(collect(comparison) for comparison in as_published),
        inference=inference,
        claims=check_claims(validated, inference),
        checks=check_instrument(validated, inference),
        groups=groups,
        subjects=subjects,
    )
