"""What every column of the data frames of `reports.load` means. Scores, shares and differences are in per cent."""

from collections.abc import Mapping
from typing import Final

from reports.measures.conflict import DISPLACEMENT, NORMS, QUANTILES, SERIES, THIRDS
from reports.measures.runs import SCORES
from reports.reading.runs import OBJECTIVES, PAIRS

_ORIGIN = {
    "dataset": "The name of the data set.",
    "data": "Where its data come from: simulated, real-published or real-unpublished, with -remedied where changed.",
}
_METHOD = _ORIGIN | {
    "protocol": "How epochs were chosen: validated, published or imported.",
    "method": "The method's label.",
}
_RUN = _METHOD | {"seed": "The run's seed."}
_PARTS = {
    "mean": "mean over seeds",
    "sd": "standard deviation over seeds (denominator n − 1)",
    "low": "lower end of the 95 % interval of the mean, by Student's t",
    "high": "upper end of the 95 % interval of the mean, by Student's t",
    "n": "number of seeds with a finite value",
}


def _summaries(measures: Mapping[str, str]) -> dict[str, str]:
    return {f"{name}_{part}": f"{says}: {how}." for name, says in measures.items() for part, how in _PARTS.items()}


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
        f"ceiling_{name}_se": f"The Monte Carlo standard error of that expected {names[name]}."
        for name in ("weighted_f1", "accuracy")
    }
    return (
        _METHOD
        | {"n": "The number of runs."}
        | _summaries(scores | {"gap": "Weighted F1 at the best test epoch minus that at the selected one, points"})
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
        _METHOD
        | {"n": "The number of runs."}
        | _summaries(measures)
        | {
            "final_sd": "Standard deviation over seeds of the selected weighted F1, points.",
            "final_variance": "Variance over seeds of the selected weighted F1, points².",
            "final_range": "Largest minus smallest selected weighted F1 over seeds, points.",
            "loss_variance_fused": "Variance over seeds of the fused training loss, averaged over epochs, nats².",
            "loss_variance_total": "Variance over seeds of the total training loss, averaged over epochs, nats².",
            "diverged_count": "The number of runs that diverged.",
        }
    )


def _conflict() -> dict[str, str]:
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
    return _METHOD | {"n": "The number of runs."} | _summaries(measures)


_ENDS = {
    "n": "The number of seeds that both methods have.",
    "n_a": "The number of runs of the first method, where the two are not paired.",
    "n_b": "The number of runs of the second method, where the two are not paired.",
    "low": "Lower end of the 95 % interval.",
    "high": "Upper end of the 95 % interval.",
    "low_90": "Lower end of the 90 % interval, which is set against the margin.",
    "high_90": "Upper end of the 90 % interval, which is set against the margin.",
    "p": "The p value of this comparison alone.",
    "p_adjusted": "The p value adjusted for the family, which decides.",
    "power": "The power to show a difference as large as the margin.",
}
_COMPARISONS = _ORIGIN | _ENDS | {
    "a": "The first method.",
    "b": "The second method, which is subtracted.",
    "declared": "Whether the comparison was declared before the runs.",
    "remark": "Why it is exploratory; empty where it was declared.",
    "family_size": "The number of comparisons that were adjusted for.",
    "margin": "The difference δ that matters, points of weighted F1.",
    "verdict": "The verdict on a difference in favour of the first method.",
    "sentence": "The verdict in words, with its numbers.",
    "p_adjusted_mc_se": "The Monte Carlo standard error of p_adjusted.",
    "p_holm": "The p value adjusted by Holm's method.",
    "p_equal": "The p value of the test that the difference is no smaller than δ, by two one-sided t tests.",
    "p_equal_holm": "That p value adjusted over the family by Holm's method.",
    "seeds_declared": "The number of seeds that were declared before the runs; empty where nothing was.",
    "seeds_present": "The number of declared seeds of which both methods have a finished run.",
    "runs_failed": "The number of runs of the two methods that failed.",
    "dropped_seeds": "Seeds that one of the two lacks.",
    "difference": "The mean difference of test weighted F1 at the selected epochs, points.",
    "sd": "The standard deviation of the paired differences, points.",
    "se": "The standard error of the difference, by sessions where seeds share them, points.",
    "session_correlation": "The correlation of differences whose seeds share a held-out session; empty elsewhere.",
    "p_t": "The p value of Student's t test, of Welch's where the two are not paired.",
    "p_wilcoxon": "The p value of Wilcoxon's signed-rank test.",
    "bca_low": "Lower end of the 95 % BCa bootstrap interval, points.",
    "bca_high": "Upper end of the 95 % BCa bootstrap interval, points.",
    "bca_warning": "Why the BCa interval may be too narrow.",
    "d_z": "Cohen's d of the paired differences.",
    "d_z_low": "Lower end of its 95 % interval.",
    "d_z_high": "Upper end of its 95 % interval.",
    "improvement": "The share of seeds in which the first method is better, %.",
    "improvement_low": "Lower end of its 95 % interval, %.",
    "improvement_high": "Upper end of its 95 % interval, %.",
    "crossed_low": "Lower end of the 95 % bootstrap interval over seeds and conversations, points.",
    "crossed_high": "Upper end of the 95 % bootstrap interval over seeds and conversations, points.",
    "crossed_se": "The standard error of the difference over seeds and conversations, points.",
    "variance_seed": "The variance component of seeds, points².",
    "variance_conversation": "The variance component of conversations, points².",
    "variance_remainder": "The variance component of neither alone, points².",
    "se_seed": "The part of the standard error that seeds give, points.",
    "se_conversation": "The part of the standard error that conversations give, points.",
    "se_remainder": "The part of the standard error that neither alone gives, points.",
    "p_conversations": "The p value of swapping whole conversations.",
    "sd_a": "The standard deviation over seeds of the first method, points.",
    "sd_b": "The standard deviation over seeds of the second method, points.",
    "sd_ratio": "The ratio of the two.",
    "sd_ratio_low": "Lower end of its 95 % interval.",
    "sd_ratio_high": "Upper end of its 95 % interval.",
    "p_spread": "The p value of the test of equal spread.",
    "p_pitman_morgan": "The p value of Pitman and Morgan's test of equal spread.",
    "spread_verdict": "The verdict on whether the first method varies less.",
    "spread_sentence": "That verdict in words.",
    "seeds_for_difference": "How many seeds would show a difference of δ.",
    "seeds_for_equivalence": "How many seeds would show equality within δ.",
}  # fmt: skip
_LOOKS = _ORIGIN | {
    "a": "The first method.",
    "b": "The second method.",
    "seeds": "The number of seeds that the look judged.",
    "difference": "The mean of a − b over these seeds, points of weighted F1.",
    "t": "The paired t of the difference.",
    "boundary": "What |t| had to reach; not a number where so few seeds can reject nothing.",
    "low": "The lower end of the interval that holds over all looks.",
    "high": "The upper end of the interval that holds over all looks.",
    "naive_low": "The lower end of the 95 % interval that a fixed number of seeds would have.",
    "naive_high": "The upper end of the 95 % interval that a fixed number of seeds would have.",
    "conditional_power": "The chance of a rejection at the last look, were the difference as large as the margin.",
    "decision": "What the look decided.",
}
_CLAIMS = _ORIGIN | _ENDS | {
    "claim": "The letter of the claim.",
    "says": "The claim.",
    "claim_verdict": "The verdict on the claim on this data set.",
    "part": "One comparison that the claim rests on.",
    "verdict": "The verdict on this part.",
    "alone": "The verdict that the part's own p value would give.",
    "exploratory": "Whether the part was not declared before the runs.",
    "seeds_declared": "The number of seeds that were declared before the runs; empty where nothing was.",
    "seeds_present": "The number of declared seeds of which both methods have a finished run.",
    "runs_failed": "The number of runs of the two methods that failed.",
    "p_claim": "The p value of the claim on this data set.",
    "p_claim_adjusted": "That p value adjusted over the claims of the data set by Holm's method.",
    "sentence": "The part's verdict in words, with its numbers.",
    "mean": "The mean difference in the unit of the part, points unless its sentence says otherwise.",
    "alpha": "The level of the test.",
    "margin": "The difference that matters, in the same unit.",
    "sd_limit": "The largest standard deviation with which these seeds have the power that a verdict needs.",
    "log_ratio": "The log of the ratio of two variances, where the part is about spread.",
}  # fmt: skip
_PER_CLASS = _RUN | {
    "class": "The class.",
    "f1": "F1 of the class on the test set at the selected epoch, %.",
    "precision": "The share of utterances predicted as the class that are of it, %; not a number where there are none.",
    "recall": "The share of the class's utterances that are predicted as it, %; not a number where there are none.",
    "utterances": "The number of test utterances of the class.",
}
_HISTORY = _RUN | {
    "epoch": "The epoch, from 1.",
    **{f"train_loss_{o}": f"The mean training loss of the {o} objective over the epoch, nats." for o in OBJECTIVES},
    "train_total": "The mean of the loss that was minimised, nats.",
    "validation_loss": "The validation loss of the fused branch, nats.",
    "validation_weighted_f1": "The weighted F1 on validation data, %.",
}  # fmt: skip
_PROBES = _RUN | {
    "step": "The number of updates before the probe.",
    "epoch": "The epoch of the probe.",
    **{f"cos_{p}": f"The cosine between the gradients of {p.replace('_', ' and ')}." for p in PAIRS},
    **{f"weight_{o}": f"The weight that PGM would give the {o} objective." for o in OBJECTIVES},
    **{f"update_cos_{o}": f"The cosine of the combined gradient with the gradient of {o}." for o in OBJECTIVES},
    **{
        name: f"The length of the gradient of the {o} objective." for name, o in zip(NORMS, OBJECTIVES, strict=True)
    },
    **{
        name: f"The cosine of the optimiser's step with the gradient of {o}."
        for name, o in zip(DISPLACEMENT, OBJECTIVES, strict=True)
    },
}  # fmt: skip

COLUMNS: Final[Mapping[str, Mapping[str, str]]] = {
    "accuracy": _accuracy(),
    "stability": _stability(),
    "conflict": _conflict(),
    "comparisons": _COMPARISONS,
    "looks": _LOOKS,
    "claims": _CLAIMS,
    "per_class": _PER_CLASS,
    "history": _HISTORY,
    "probes": _PROBES,
}
"""A sentence for every column of every frame."""
