"""What the columns of means over seeds mean: accuracy, stability, conflict, calibration and cost."""

from reports.columns.shared import METHOD, summaries
from reports.measures.conflict import QUANTILES, SERIES, THIRDS
from reports.measures.runs import SCORES
from reports.reading.runs import OBJECTIVES, PAIRS


def _accuracy() -> dict[str, str]:
    where = {
        "selected": "at the epoch chosen on validation data, the result",
        "refit": "at the last epoch of the refit on training and validation data",
        "last": "at the last epoch",
        "peak_test": "at the best test epoch, which is never a result",
        "imported": "of another code base's predictions",
    }
    names = dict(zip(SCORES, ("weighted F1", "accuracy", "macro F1"), strict=True))
    scores = {f"{at}_{name}": f"Test {title} {when}, %" for at, when in where.items() for name, title in names.items()}
    ceilings = {
        f"{part}{name}": f"The {names[name]} that no model exceeds {which}, %"
        for part, which in (("ceiling_", "in expectation"), ("ceiling_test_", "on this very test set"))
        for name in ("weighted_f1", "accuracy")
    }
    errors = {
        f"ceiling_{name}_se": f"The Monte Carlo standard error of that expected {names[name]}, points."
        for name in ("weighted_f1", "accuracy")
    }
    return (
        METHOD
        | {"n": "The number of runs."}
        | summaries(scores | {"gap": "Weighted F1 at the best test epoch minus that at the selected one, points"})
        | {name: f"{says}; not a number where no ceiling is known." for name, says in ceilings.items()}
        | errors
        | {
            f"logistic_{name}": f"Test {names[name]} of a logistic regression on single utterances, %; not a number "
            "where it is not known."
            for name in ("weighted_f1", "accuracy")
        }
    )


def _stability() -> dict[str, str]:
    measures = {
        "volatility_fused": "Standard deviation of the fused loss's log residual over the last quarter of the steps",
        "volatility_total": "The same of the sum of the losses",
        "spikes": "Steps of a run at which the fused loss jumps",
        "late_validation_f1_sd": "Standard deviation of validation F1 over the last quarter of a run's epochs, points",
        "gradient_norm_q99": "99 % quantile of a run's gradient norm",
    }
    return (
        METHOD
        | {"n": "The number of runs."}
        | summaries(measures)
        | {
            "final_sd": "Standard deviation over seeds of the selected weighted F1, points.",
            "final_variance": "Variance over seeds of the selected weighted F1, points².",
            "final_range": "Largest minus smallest selected weighted F1 over seeds, points.",
            "loss_variance_fused": "Variance over seeds of the fused training loss, averaged over epochs, nats².",
            "loss_variance_total": "Variance over seeds of the total training loss, averaged over epochs, nats².",
            "diverged_count": "The number of runs that diverged.",
        }
    )


def _cosines() -> dict[str, str]:
    series = dict(zip(SERIES, ("at the probe", "on training batches"), strict=True))
    measures: dict[str, str] = {}
    for name, where in series.items():
        for pair in PAIRS:
            between = f"between the gradients of {pair.replace('_', ' and ')} {where}"
            measures |= {
                f"{name}_cos_{pair}": f"Mean cosine {between}",
                f"{name}_sd_{pair}": f"Standard deviation within a run of the cosine {between}",
                f"{name}_negative_{pair}": f"Share of steps with a negative cosine {between}, %",
                f"{name}_below_tenth_{pair}": f"Share of steps with a cosine below −0.1 {between}, %",
                **{f"{name}_{q}_{pair}": f"{at:.0%} quantile of the cosine {between}" for q, at in QUANTILES.items()},
                **{f"{name}_{at}_{pair}": f"Mean cosine in the {at} third of training {between}" for at in THIRDS},
                f"{name}_similarity_{pair}": f"Magnitude similarity, 1 for equal lengths, {between}",
            }  # fmt: skip
    return measures


def _conflict() -> dict[str, str]:
    measures = _cosines()
    for name, which in (("pgm", "that PGM would give on the probe"), ("applied", "that training applied")):
        measures |= {f"{name}_weight_{o}": f"Mean weight of the {o} objective {which}" for o in OBJECTIVES}
        measures[f"{name}_distance"] = f"Mean distance from uniform of the weights {which}"
    measures |= {
        "masked_objectives": "Times in a run that an objective's gradient was unusable",
        "skipped_steps": "Steps of a run without any usable gradient",
    }
    for name, which in (("update", "combined gradient"), ("displacement", "step of the optimiser")):
        measures[f"{name}_worst_cos"] = f"Mean over probes of the smallest cosine of the {which} with an objective"
        measures[f"{name}_negative"] = f"Share of probes at which the {which} raises an objective to first order, %"
    return METHOD | {"n": "The number of runs."} | summaries(measures)


ACCURACY, STABILITY, CONFLICT = _accuracy(), _stability(), _conflict()
CONFLICT_BLOCKS = (
    METHOD | {"block": "The block of the shared parameters.", "n": "The number of runs."} | summaries(_cosines())
)
DIRECTIONS = (
    METHOD
    | {"aggregator": "The aggregator whose update is described.", "n": "The number of runs."}
    | summaries(
        {
            "worst_cos": "Mean over probes of the smallest cosine of the update with an objective",
            "negative": "Share of probes at which the update raises an objective to first order, %",
            "mean_cos": "Mean cosine of the update with the mean gradient",
            "distance": "Mean distance from uniform of the weights",
        }
    )
)
CALIBRATION = (
    METHOD
    | {"n": "The number of runs."}
    | summaries(
        {
            "nll": "Negative log likelihood on the test set, nats",
            "ece": "Expected calibration error on the test set over 15 bins, %",
            "brier": "Brier score on the test set, the squared error summed over classes",
        }
    )
)
COST = (
    METHOD
    | {"n": "The number of runs."}
    | summaries(
        {
            "train_seconds": "Wall time of training, seconds",
            "seconds_per_epoch": "Wall time of an epoch, seconds",
            "backward_passes": "Backward passes of training",
            "probe_backward_passes": "Backward passes of the probes",
            "parameters_total": "Parameters of the model",
            "parameters_encoder": "Parameters of the encoder",
            "parameters_fusion": "Parameters of the fusion",
            "peak_memory_mib": "Peak memory, MiB",
        }
    )
)
