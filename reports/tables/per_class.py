"""The table of classes: F1 of every emotion, and what the reference method gains on the other ones."""

from typing import Any

import pandas as pd

from reports.evidence.evidence import Evidence
from reports.inference.per_class import MethodClasses, PerClass, per_class
from reports.inference.single_streams import stream_words
from reports.statistics import Summary
from reports.statistics.effects import Interval
from reports.statistics.verdicts import shown_interval, signed
from reports.tables.model import Heading, Listing, Table
from reports.text import MISSING, listing_of, number

NOTE = (
    "F1 of every class on the test set at the selected epoch, in %, mean ± sd over seeds; 0 where a class is never "
    "found. Differences are paired by seed and hold one at a time: with so many of them some exclude 0 by chance, and "
    "none is a verdict."
)


def per_class_table(evidence: Evidence) -> Table:
    """A row a method, a column a class; a row a method and class in the CSV file."""
    comparison, scores = evidence.comparison, per_class(evidence)
    header = (
        Heading("method", "name"),
        Heading("n", "number"),
        *(
            Heading(f"{name} ({count})", "number")
            for name, count in zip(scores.classes, scores.utterances, strict=True)
        ),
    )
    f1 = tuple((m.label, str(m.n), *map(_f1, m.f1)) for m in scores.methods)
    gains = tuple(
        (m.label, str(m.n), *(_gain(*gain) for gain in m.gains)) for m in scores.methods if m.gains is not None
    )
    listings = [
        Listing("F1 by class (test utterances)", header, f1),
        Listing(f"{scores.reference} minus the method, with its 95 % interval", header, gains),
    ]
    return Table(
        name="per_class",
        title="F1 by class",
        note=NOTE,
        data=comparison.data_origin.short,
        dataset=comparison.name,
        sentences=(*_sentences(scores), *stream_words(comparison)),
        listings=tuple(each for each in listings if each.rows),
        frame=pd.DataFrame(
            [
                {"dataset": comparison.dataset, "data": comparison.data_origin.kind, "method": m.label} | row
                for m in scores.methods
                for row in _rows(scores, m)
            ]
        ),
    )


def _sentences(scores: PerClass) -> list[str]:
    absent = [name for name, count in zip(scores.classes, scores.utterances, strict=True) if not count]
    words = [f"No test utterance is {' or '.join(absent)}, so that class has no F1."] if absent else []
    never = {
        m.label: [f"{name} in {runs} of {m.n}" for name, runs in zip(scores.classes, m.never, strict=True) if runs]
        for m in scores.methods
    }
    missed = [f"{label} ({listing_of(classes)} runs)" for label, classes in never.items() if classes]
    if missed:
        return [*words, f"Never predicted: {'; '.join(missed)}."]
    return [*words, "Every method predicts every class in every run."]


def _rows(scores: PerClass, method: MethodClasses) -> list[dict[str, Any]]:
    unknown = float("nan")
    rows = []
    for c, name in enumerate(scores.classes):
        f1 = method.f1[c]
        gain, interval = method.gains[c] if method.gains else (unknown, Interval(unknown, unknown))
        row = {"class": name, "utterances": int(scores.utterances[c]), "n": method.n}
        row |= {f"f1_{part}": getattr(f1, part) for part in ("mean", "sd", "low", "high")}
        row |= {"gain": gain, "gain_low": interval.low, "gain_high": interval.high}
        rows.append(row | {"never_predicted": int(method.never[c])})
    return rows


def _f1(summary: Summary) -> str:
    mean = number(summary.mean, 1)
    return mean if summary.n < 2 else f"{mean} ± {number(summary.sd, 1)}"


def _gain(mean: float, interval: Interval) -> str:
    if mean != mean:
        return MISSING
    return signed(mean) + (f" {shown_interval(interval)}" if interval.low == interval.low else "")
