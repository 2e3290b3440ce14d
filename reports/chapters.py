"""The chapters of a report in the order of its pages: which tables and figures stand in each.

To add a table or a figure, write its file and add it to a chapter.
"""

from collections.abc import Callable
from dataclasses import dataclass

from reports.evidence.evidence import Evidence
from reports.figures.calibration import calibration_plot
from reports.figures.cost import cost_plot
from reports.figures.drawing import Drawing
from reports.figures.effects import factorial_plot
from reports.figures.figures import confusions, cosines, losses, weights
from reports.figures.looks import looks_plot
from reports.figures.modalities import losses_by_modality
from reports.figures.per_class import per_class_plot
from reports.figures.power import power_plot
from reports.figures.scores import scores
from reports.figures.style import Palette
from reports.figures.ternary import ternary
from reports.inference import imported as imports
from reports.inference.contrasts import Inference
from reports.tables.ablation import ablation
from reports.tables.accuracy import accuracy
from reports.tables.calibration import calibration
from reports.tables.comparisons import comparisons
from reports.tables.conflict import conflict
from reports.tables.conflict_blocks import conflict_blocks
from reports.tables.cost import cost
from reports.tables.directions import directions
from reports.tables.factorial import factorial
from reports.tables.leaderboard import leaderboard
from reports.tables.looks import looks
from reports.tables.model import Table
from reports.tables.per_class import per_class_table
from reports.tables.robustness import robustness
from reports.tables.selection import selection
from reports.tables.selection_rules import selection_rules
from reports.tables.stability import stability

MakeTable = Callable[[Evidence, Inference], Table | None]
Draw = Callable[[Evidence, Inference, Palette], Drawing | None]


@dataclass(frozen=True)
class Chapter:
    """One question that a report answers, for all of its data sets.

    Attributes:
        id, title, lead: of its heading, the heading, and what a reader should know before the first figure.
        figures, tables: what makes them for one data set; None where it has none. Figures come first.
        closed: whether the reader has to open it.
        unknown: a sentence on what it does not have of a data set's imports; empty where it has all.
    """

    id: str
    title: str
    lead: str
    figures: tuple[Draw, ...] = ()
    tables: tuple[MakeTable, ...] = ()
    closed: bool = False
    unknown: Callable[[Evidence], str] = lambda evidence: ""


def _table(make: Callable[[Evidence], Table | None]) -> MakeTable:
    """A table of the evidence alone."""
    return lambda evidence, inference: make(evidence)


def _result(make: MakeTable) -> MakeTable:
    """A table that only results have: runs whose epoch was selected on validation data."""
    return lambda evidence, inference: make(evidence, inference) if evidence.comparison.validated else None


def _figure(draw: Callable[[Evidence, Palette], Drawing | None]) -> Draw:
    return lambda evidence, inference, palette: draw(evidence, palette)


def _of_result(draw: Draw) -> Draw:
    """A figure that only results have."""
    return lambda evidence, inference, palette: (
        draw(evidence, inference, palette) if evidence.comparison.validated else None
    )


def _trained(draw: Draw) -> Draw:
    """A figure of training: nothing is known of it where imports are alone."""
    return lambda evidence, inference, palette: (
        draw(evidence, inference, palette) if evidence.comparison.methods else None
    )


def _read(make: MakeTable) -> MakeTable:
    """A table that is left out where imports are alone and it has nothing to read."""

    def made(evidence: Evidence, inference: Inference) -> Table | None:
        table = make(evidence, inference)
        return table if table is not None and (table.listings or evidence.comparison.methods) else None

    return made


def _of_training(make: MakeTable) -> MakeTable:
    """A table of training, likewise."""
    return lambda evidence, inference: make(evidence, inference) if evidence.comparison.methods else None


def _not_said(what: str) -> Callable[[Evidence], str]:
    return lambda evidence: imports.unknown(evidence, what)


def _of_selection(evidence: Evidence) -> str:
    """Where the table is not there to say it."""
    comparison = evidence.comparison
    return "" if any(method.by_epoch for method in comparison.shown) else imports.without_epochs(comparison)


def _looks(evidence: Evidence, inference: Inference) -> Table | None:
    plan = inference.plans.get(evidence.comparison.dataset)
    return looks(evidence, inference) if plan is not None and plan.is_followed else None


CHAPTERS = (
    Chapter(
        "leaderboard",
        "Leaderboard",
        "Scores at the epoch chosen on validation are the result. Means that differ by less than their intervals are "
        "no ranking: the verdicts are in the chapter of differences.",
        (_figure(scores),),
        (_result(leaderboard), _table(accuracy)),
    ),
    Chapter(
        "differences",
        "Differences, tested",
        "Every difference between two methods, with what was declared of it before the runs and the verdict.",
        (_of_result(looks_plot),),
        (_read(_result(comparisons)), _result(_looks)),
        unknown=imports.uncompared,
    ),
    Chapter(
        "selection",
        "Would selection have fooled us?",
        "What a report would have claimed that chooses its epoch, or its seed, by the test score.",
        (),
        (_result(_table(selection)), _result(_table(selection_rules))),
        unknown=_of_selection,
    ),
    Chapter(
        "per-class",
        "Per class",
        "Which emotions the methods find, and which they take for which.",
        (_figure(per_class_plot), _figure(confusions)),
        (_result(_table(per_class_table)),),
    ),
    Chapter(
        "calibration",
        "Calibration",
        "Whether a method that is 80 % sure is right in 80 % of cases.",
        (_figure(calibration_plot),),
        (_read(_result(_table(calibration))),),
        unknown=imports.without_probabilities,
    ),
    Chapter(
        "robustness",
        "Robustness",
        "How much a score depends on the seed, what more seeds could show, how steadily training runs, how often it "
        "fails, and what a missing modality costs (cssbench robustness).",
        (_of_result(power_plot), _trained(_figure(losses)), _trained(_figure(losses_by_modality))),
        (_of_training(_table(stability)), _of_training(_result(_table(robustness)))),
        unknown=_not_said("how steadily training ran, what its losses were, or how often it failed"),
    ),
    Chapter(
        "factorial",
        "Ablation and factorial effects",
        "What the method loses without each of its parts, and what a fusion or an aggregator adds, over the methods "
        "that differ by it alone.",
        (_trained(_of_result(_figure(factorial_plot))),),
        (_of_training(_result(ablation)), _of_training(_result(_table(factorial)))),
        unknown=_not_said("what a method is made of, so that it is no variant of another one"),
    ),
    Chapter(
        "mechanism",
        "Mechanism: conflict between the objectives",
        "Whether the gradients of the objectives conflict, and what the aggregators do about it.",
        tuple(_trained(_figure(draw)) for draw in (cosines, weights, ternary)),
        tuple(_of_training(_table(make)) for make in (conflict, conflict_blocks, directions)),
        closed=True,
        unknown=_not_said("anything of gradients, conflict, or weights of objectives"),
    ),
    Chapter(
        "cost",
        "Cost",
        "What a method takes in time, gradient computations, parameters and memory.",
        (_trained(_figure(cost_plot)),),
        (_of_training(_table(cost)),),
        unknown=_not_said("what training took in time, gradient computations, parameters and memory"),
    ),
)
