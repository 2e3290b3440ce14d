"""The table of accuracy: test scores at the selected epoch, and beside them those that are no result."""

from dataclasses import replace

from reports.evidence.evidence import Evidence
from reports.evidence.summaries import summary_frame
from reports.inference.single_streams import stream_words
from reports.measures.runs import SCORES
from reports.tables.model import Heading, Listing, Table
from reports.tables.summaries import Block, Column, summary_table
from reports.text import MISSING, number

NOTE = (
    "Test scores in %, mean ± sd over seeds. Selected: at the epoch with the best validation weighted F1, the "
    "result. Refit: trained anew on training and validation data for as many epochs as the method's seeds selected "
    "on average, at the last epoch; only this may stand beside published numbers. Imported: another code base's "
    "predictions, scored here; what such a run does not say is not available. Peak test: at the epoch with the "
    "best test score, never a result. Gap: peak test minus selected. Ceiling, of simulated data: what the best "
    "rule that knows how they are made reaches on this test set. References see one utterance at a time and have no "
    "seed: the most frequent class, and a logistic regression whose strength C and class weights were chosen on "
    "validation. They are in no test."
)
WHERE = ("selected", "refit", "last", "peak_test", "imported")
CEILINGS = (
    *("weighted_f1", "weighted_f1_se", "accuracy", "accuracy_se"),
    *("test_weighted_f1", "test_accuracy"),
)


def accuracy(evidence: Evidence) -> Table:
    """Test scores at the selected epoch, of the refit, at the last and the best epoch, imported; the ceiling."""
    names = [f"{where}_{score}" for where in WHERE for score in SCORES]
    known = evidence.comparison.first.ceiling or {}
    beside = {f"ceiling_{name}": float(known.get(name, "nan")) for name in CEILINGS} | _logistic(evidence)
    table = summary_table(
        evidence,
        summary_frame(evidence, [*names, "gap"], lambda method: beside),
        [Block("All scores", COLUMNS)],
        name="accuracy",
        title="Accuracy",
        note=NOTE,
    )
    listings = (*table.listings, *_references(evidence))
    closed = tuple(replace(each, closed=True) for each in listings)
    return replace(table, sentences=tuple(stream_words(evidence.comparison)), listings=closed)


def _logistic(evidence: Evidence) -> dict[str, float]:
    logistic = evidence.comparison.first.logistic or {}
    return {f"logistic_{score}": float(logistic.get(score, "nan")) for score in ("weighted_f1", "accuracy")}


def _references(evidence: Evidence) -> list[Listing]:
    """The references as a listing; none where they are not known."""
    rows = [
        (
            each["name"],
            " + ".join(each["modalities"]) or MISSING,
            *(number(100 * each[score], 1) for score in ("weighted_f1", "accuracy")),
            MISSING if each.get("strength") is None else f"{each['strength']:g}",
            MISSING if each.get("class_weights") is None else "yes" if each["class_weights"] else "no",
        )
        for each in evidence.comparison.first.references
    ]
    header = (
        Heading("reference", "name"),
        Heading("sees"),
        Heading("weighted F1", "number"),
        Heading("accuracy", "number"),
        Heading("C", "number"),
        Heading("class weights"),
    )
    return [Listing("References", header, tuple(rows))] if rows else []


def _scores(where: str, group: str) -> tuple[Column, ...]:
    result = where in ("selected", "refit", "imported")
    interval = (Column(f"{where}_weighted_f1", "95 % CI", "interval", 100.0, 1, group),) if result else ()
    f1, acc, macro = (
        Column(f"{where}_{score}", header, scale=100.0, digits=1, group=group)
        for score, header in zip(SCORES, ("weighted F1", "accuracy", "macro F1"), strict=True)
    )
    return (f1, *interval, acc, macro) if result else (f1, acc)


COLUMNS = (
    *_scores("selected", "selected (the result)"),
    *_scores("refit", "refit (beside published numbers)"),
    *_scores("imported", "imported (choice of epoch: see the method)"),
    *_scores("last", "last epoch"),
    *_scores("peak_test", "peak test (never a result)"),
    Column("gap", "gap", scale=100.0, digits=1, group="peak test (never a result)"),
    Column("ceiling_test_weighted_f1", "weighted F1", "value", 100.0, 1, "ceiling"),
    Column("ceiling_test_accuracy", "accuracy", "value", 100.0, 1, "ceiling"),
)
