"""The table of gradient conflict over all shared parameters."""

from reports.evidence.evidence import Evidence
from reports.evidence.summaries import summary_frame
from reports.measures.conflict import BLOCK_MEASURES, QUANTILES, THIRDS
from reports.measures.runs import WEIGHTS
from reports.reading.runs import OBJECTIVES, PAIRS
from reports.tables.model import Table
from reports.tables.summaries import Block, Column, summary_table

NOTE = (
    "Cosines between the gradients of two objectives over the shared parameters: a mean and shares per run first, "
    "then mean and 95 % CI over runs. Probe: evaluation mode, fixed conversations, the same for all methods and "
    "seeds. Early, middle, late: thirds of the steps. Magnitude similarity: 2‖g‖‖h‖/(‖g‖² + ‖h‖²), 1 for equal "
    "lengths. Weights: mean γ over probes or steps; from uniform: mean ‖γ − 1/K‖ of K objectives. Unusable: "
    "objectives that PGM gave weight 0 for a vanishing or non-finite gradient, and steps without any other, counts "
    "a run. Update: the method's own combined gradient on the probe; displacement: −Δθ of the optimiser's step after "
    "it, with moments and weight decay, on a training batch; worst: the smallest cosine with an objective's gradient "
    "on the probe. A dash: no such gradient is computed, or the method is without such an objective."
)
UPDATES = [f"{what}_{measure}" for what in ("update", "displacement") for measure in ("worst_cos", "negative")]


def conflict(evidence: Evidence) -> Table:
    """Cosines between the objectives' gradients per pair and series, weights, and conflict of what was done."""
    weights = [f"{series}_{name}" for series in ("pgm", "applied") for name in (*WEIGHTS, "distance")]
    measures = [*BLOCK_MEASURES, *weights, "masked_objectives", "skipped_steps", *UPDATES]
    return summary_table(
        evidence,
        summary_frame(evidence, measures),
        BLOCKS,
        name="conflict",
        title="Gradient conflict",
        note=NOTE,
    )


def pair_name(pair: str) -> str:
    """A pair of objectives as people write it."""
    return pair.replace("_", "–")


def _cosines(series: str) -> tuple[Column, ...]:
    return tuple(
        column
        for pair in PAIRS
        for column in (
            Column(f"{series}_cos_{pair}", "mean\u00a0cos", "mean", group=pair_name(pair)),
            Column(f"{series}_cos_{pair}", "95 % CI", "interval", group=pair_name(pair)),
            Column(f"{series}_negative_{pair}", "<\u00a00,\u00a0%", "mean", 100.0, 1, pair_name(pair)),
            Column(f"{series}_below_tenth_{pair}", "<\u00a0−0.1,\u00a0%", "mean", 100.0, 1, pair_name(pair)),
        )
    )


def _quantiles(series: str) -> tuple[Column, ...]:
    return tuple(
        Column(f"{series}_{name}_{pair}", f"{100 * level:.0f}\u00a0%", "mean", group=pair_name(pair))
        for pair in PAIRS
        for name, level in QUANTILES.items()
    )


def _trend(series: str) -> tuple[Column, ...]:
    return tuple(
        column
        for pair in PAIRS
        for column in (
            *(Column(f"{series}_{third}_{pair}", third, "mean", group=pair_name(pair)) for third in THIRDS),
            Column(f"{series}_similarity_{pair}", "magnitude similarity", "mean", group=pair_name(pair)),
        )
    )


def _weights(series: str, group: str) -> tuple[Column, ...]:
    named = tuple(Column(f"{series}_weight_{name}", name, "mean", digits=3, group=group) for name in OBJECTIVES)
    return (*named, Column(f"{series}_distance", "from uniform", digits=3, group=group))


def worst_cosine(what: str, group: str) -> tuple[Column, ...]:
    """The columns of the smallest cosine of an update with an objective, whose measures begin with `what`."""
    return (
        Column(f"{what}worst_cos", "worst cos", "mean", group=group),
        Column(f"{what}worst_cos", "95 % CI", "interval", group=group),
        Column(f"{what}negative", "<\u00a00,\u00a0%", "mean", 100.0, 1, group),
    )


BLOCKS = (
    Block("Probe", _cosines("probe")),
    Block("Training batches", _cosines("batch")),
    Block("Probe: quantiles of the cosine", _quantiles("probe")),
    Block("Training batches: quantiles of the cosine", _quantiles("batch")),
    Block("Probe: trend of the cosine, and lengths", _trend("probe")),
    Block("Training batches: trend of the cosine, and lengths", _trend("batch")),
    Block(
        "Weights and update",
        (
            *_weights("applied", "weights applied in training"),
            *_weights("pgm", "weights PGM would give on the probe"),
            Column("masked_objectives", "masked objectives", "mean", digits=1, group="unusable gradients"),
            Column("skipped_steps", "skipped steps", "mean", digits=1, group="unusable gradients"),
            *worst_cosine("update_", "update"),
            *worst_cosine("displacement_", "displacement"),
        ),
    ),
)
