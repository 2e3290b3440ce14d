"""What data a result comes from, in words that travel with every page, table and figure."""

from collections.abc import Mapping
from dataclasses import dataclass

from reports.reading.runs import Run

OF_THE_PAPER = ("iemocap", "meld")
"""The corpora that the paper's claims are about; any other that is not simulated is one of the user's own."""


@dataclass(frozen=True)
class DataOrigin:
    """Origin of one data set's features and labels; `folds`: how many sessions are held out in turn, or 0."""

    dataset: str
    simulated: bool
    published: bool
    description: str
    remedies: tuple[str, ...] = ()
    folds: int = 0

    @property
    def own(self) -> bool:
        """Whether it is a corpus of the user's own."""
        return not self.simulated and not self.dataset.startswith(OF_THE_PAPER)

    @property
    def kind(self) -> str:
        """One word for the `data` column of a CSV file."""
        features = "published" if self.published else "own" if self.own else "unpublished"
        kind = "simulated" if self.simulated else f"real-{features}"
        return f"{kind}-remedied" if self.remedies else kind

    @property
    def short(self) -> str:
        """A clause for captions and figure titles."""
        name = f"{self.dataset}, after remedies" if self.remedies else self.dataset
        if self.simulated:
            return f"SIMULATED DATA ({name})"
        if self.own:
            return f"A corpus of its own ({name})"
        return f"Real conversations, {'published' if self.published else 'NOT the published'} features ({name})"

    @property
    def notice(self) -> str:
        """The banner."""
        return " ".join((self._source, *self.remedies))

    @property
    def _source(self) -> str:
        source = self.description.rstrip(". ")
        if self.simulated:
            return (
                f"SIMULATED DATA: {self.dataset} ({source}). No conversation here is real and no number here is "
                "comparable with a published one."
            )
        if self.own:
            return f"{self.dataset}: {source}. No score is comparable with a published one."
        if not self.published:
            return (
                f"Real conversations: {self.dataset}, from {source}; not the community's published features: "
                "scores are not comparable with published ones."
            )
        if self.remedies:
            return (
                f"Real conversations: {self.dataset}, from {source}: the community's published features, but changed: "
                "scores are not comparable with published ones."
            )
        if self.folds:
            return (
                f"Real conversations: {self.dataset}, from {source}: the community's published features, but every "
                "session is tested on in turn and not the published test set: scores are not comparable with those "
                "that were published on that."
            )
        return f"Real conversations: {self.dataset}, from {source}: the community's published features."


def data_origin(run: Run) -> DataOrigin:
    """Origin of a run's data, from its manifest."""
    data = run.manifest["data"]
    remedies = tuple(
        f"Remedy {r['remedy']} ({r['what']}) changed {_counted(r['counts'])}." for r in data.get("remedies") or ()
    )
    folds = len(run.parts) if len(run.parts) > 1 else 0
    return DataOrigin(run.dataset, data["kind"] == "simulated", data["published"], data["description"], remedies, folds)


def examination(run: Run) -> list[str]:
    """What is known of a run's data beside their origin, in sentences: the audit's outcome, defects, the ceiling."""
    audit, ceiling = run.manifest["data"].get("audit"), run.ceiling
    if audit is None:
        lines = ["Not audited."]
    else:
        defects, notes = len(audit["defects"]), audit["notes"]
        lines = [
            f"Audit: {defects or 'no'} {'defect' if defects == 1 else 'defects'}, "
            f"{notes} {'note' if notes == 1 else 'notes'}."
        ]
        lines += [f"Defect: {message}." for message in audit["defects"]]
        if audit["remedies"]:
            lines.append(f"A remedy: --drop-defects {','.join(audit['remedies'])}.")
    if ceiling is not None:

        def percent(name: str) -> str:
            return f"{100 * ceiling[name]:.2f}"

        lines.append(
            f"Ceiling: seeing {' + '.join(ceiling['modalities'])} with context, no model can be expected to exceed a "
            f"weighted F1 of {percent('weighted_f1')} ± {percent('weighted_f1_se')} % or an accuracy of "
            f"{percent('accuracy')} ± {percent('accuracy_se')} % (± Monte Carlo error). On this very test set the same "
            f"rules reach {percent('test_weighted_f1')} % and {percent('test_accuracy')} %."
        )
    return lines


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items()) or "nothing"
