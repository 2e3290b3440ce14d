"""The tables of gradient conflict: over θ, over each of its blocks, and every aggregator on one trajectory."""

import pandas as pd

from reports.evidence.evidence import Evidence
from reports.measures.conflict import BLOCK_MEASURES, QUANTILES, THIRDS
from reports.measures.runs import WEIGHTS
from reports.reading.runs import OBJECTIVES, PAIRS
from reports.tables.model import Block, Column, Table, summary_frame, summary_frame_by

UPDATES = [f"{what}_{measure}" for what in ("update", "displacement") for measure in ("worst_cos", "negative")]
DIRECTIONS = ["worst_cos", "negative", "mean_cos", "distance"]


def conflict(evidence: Evidence) -> pd.DataFrame:
    """Cosines between the objectives' gradients per pair and series, weights, and conflict of what was done."""
    weights = [f"{series}_{name}" for series in ("pgm", "applied") for name in (*WEIGHTS, "distance")]
    return summary_frame(evidence, [*BLOCK_MEASURES, *weights, "masked_objectives", "skipped_steps", *UPDATES])


def blocks(evidence: Evidence) -> pd.DataFrame:
    """The same cosines over each block of θ."""
    return summary_frame_by(evidence, evidence.blocks, "block", BLOCK_MEASURES)


def directions(evidence: Evidence) -> pd.DataFrame:
    """Every aggregator's update on the common trajectory."""
    return summary_frame_by(evidence, evidence.directions, "aggregator", DIRECTIONS)


def _name(pair: str) -> str:
    return pair.replace("_", "–")


def _cosines(series: str) -> tuple[Column, ...]:
    return tuple(
        column
        for pair in PAIRS
        for column in (
            Column(f"{series}_cos_{pair}", "mean\u00a0cos", "mean", group=_name(pair)),
            Column(f"{series}_cos_{pair}", "95 % CI", "interval", group=_name(pair)),
            Column(f"{series}_negative_{pair}", "<\u00a00,\u00a0%", "mean", 100.0, 1, _name(pair)),
            Column(f"{series}_below_tenth_{pair}", "<\u00a0−0.1,\u00a0%", "mean", 100.0, 1, _name(pair)),
        )
    )


def _brief(series: str, prefix: str) -> tuple[Column, ...]:
    return tuple(
        column
        for pair in PAIRS
        for column in (
            Column(f"{series}_cos_{pair}", "mean\u00a0cos", group=f"{prefix}, {_name(pair)}"),
            Column(f"{series}_negative_{pair}", "<\u00a00,\u00a0%", "mean", 100.0, 1, f"{prefix}, {_name(pair)}"),
        )
    )


def _quantiles(series: str) -> tuple[Column, ...]:
    return tuple(
        Column(f"{series}_{name}_{pair}", f"{100 * level:.0f}\u00a0%", "mean", group=_name(pair))
        for pair in PAIRS
        for name, level in QUANTILES.items()
    )


def _trend(series: str) -> tuple[Column, ...]:
    return tuple(
        column
        for pair in PAIRS
        for column in (
            *(Column(f"{series}_{third}_{pair}", third, "mean", group=_name(pair)) for third in THIRDS),
            Column(f"{series}_similarity_{pair}", "magnitude similarity", "mean", group=_name(pair)),
        )
    )


def _weights(series: str, group: str) -> tuple[Column, ...]:
    named = tuple(Column(f"{series}_weight_{name}", name, "mean", digits=3, group=group) for name in OBJECTIVES)
    return (*named, Column(f"{series}_distance", "from uniform", digits=3, group=group))


def _worst(what: str, group: str) -> tuple[Column, ...]:
    return (
        Column(f"{what}worst_cos", "worst cos", "mean", group=group),
        Column(f"{what}worst_cos", "95 % CI", "interval", group=group),
        Column(f"{what}negative", "<\u00a00,\u00a0%", "mean", 100.0, 1, group),
    )


CONFLICT = Table(
    "conflict",
    "Gradient conflict",
    "Cosines between the gradients of two objectives over the shared parameters: a mean and shares per run first, "
    "then mean and 95 % CI over runs. Probe: evaluation mode, fixed conversations, the same for all methods and "
    "seeds. Early, middle, late: thirds of the steps. Magnitude similarity: 2‖g‖‖h‖/(‖g‖² + ‖h‖²), 1 for equal "
    "lengths. Weights: mean γ over probes or steps; from uniform: mean ‖γ − ⅓‖. Unusable: "
    "objectives that PGM gave weight 0 for a vanishing or non-finite gradient, and steps without any other, counts "
    "a run. Update: the method's own combined gradient on the probe; displacement: −Δθ of the optimiser's step after "
    "it, with moments and weight decay, on a training batch; worst: the smallest cosine with an objective's gradient "
    "on the probe. A dash: no such gradient is computed.",
    conflict,
    (
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
                *_worst("update_", "update"),
                *_worst("displacement_", "displacement"),
            ),
        ),
    ),
)
BLOCKS = Table(
    "conflict-blocks",
    "Gradient conflict by block of the shared parameters",
    "As above, over one block of the shared parameters at a time; encoders differ in their blocks. Mean cosine with "
    "its sd over runs, and the share of probes or steps below 0. Quantiles, trend and lengths: in the CSV.",
    blocks,
    (Block("", (*_brief("probe", "probe"), *_brief("batch", "training batches")), ("method", "block")),),
)
DIRECTIONS_TABLE = Table(
    "directions",
    "Every aggregator on one trajectory",
    "The update d = Σ γ g that each built-in aggregator, with its default options, would have made of the same "
    "gradients: those of the probes of the method named, which trains with equal weights. Worst: d's smallest "
    "cosine with an objective's gradient, mean over probes; below 0: share of probes where d raises an objective to "
    "first order. From uniform: mean ‖γ − ⅓‖.",
    directions,
    (
        Block(
            "",
            (
                *_worst("", ""),
                Column("mean_cos", "cos with the mean gradient"),
                Column("distance", "from uniform", digits=3),
            ),
            ("method", "aggregator"),
        ),
    ),
)
