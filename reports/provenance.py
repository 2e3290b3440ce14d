"""What data a result comes from, in words that travel with every page, table and figure."""

from dataclasses import dataclass

from reports.records import Run


@dataclass(frozen=True)
class Provenance:
    """Origin of one data set's features and labels."""

    dataset: str
    simulated: bool
    published: bool
    description: str

    @property
    def kind(self) -> str:
        """One word for the `data` column of a CSV file."""
        return "simulated" if self.simulated else "real-published" if self.published else "real-unpublished"

    @property
    def short(self) -> str:
        """A clause for captions and figure titles."""
        if self.simulated:
            return f"SIMULATED DATA ({self.dataset})"
        return f"Real conversations, {'published' if self.published else 'NOT the published'} features ({self.dataset})"

    @property
    def notice(self) -> str:
        """The banner."""
        source = self.description.rstrip(". ")
        if self.simulated:
            return (
                f"SIMULATED DATA: {self.dataset} ({source}). No conversation here is real and no number here is "
                "comparable with a published one."
            )
        if not self.published:
            return (
                f"Real conversations: {self.dataset}, from {source}; not the community's published features: "
                "scores are not comparable with published ones."
            )
        return f"Real conversations: {self.dataset}, from {source}: the community's published features."


def provenance(run: Run) -> Provenance:
    """Origin of a run's data, from its manifest."""
    data = run.manifest["data"]
    return Provenance(run.dataset, data["kind"] == "simulated", data["published"], data["description"])
