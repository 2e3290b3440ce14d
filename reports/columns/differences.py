"""What the columns of comparisons, and of what rests on them, mean."""

from reports.columns.shared import ORIGIN, PARTS

_ENDS = {
    "n": "The number of seeds that both methods have.",
    "n_a": "The number of runs of the first method, where the two are not paired.",
    "n_b": "The number of runs of the second method, where the two are not paired.",
    "low": "Lower end of the 95 % interval of the difference, in its unit.",
    "high": "Upper end of the 95 % interval of the difference, in its unit.",
    "low_90": "Lower end of the 90 % interval, which is set against the margin, in the same unit.",
    "high_90": "Upper end of the 90 % interval, which is set against the margin, in the same unit.",
    "p": "The p value of this comparison alone.",
    "p_adjusted": "The p value adjusted for the family, which decides.",
    "power": "The power to show a difference as large as the margin, from 0 to 1.",
}
COMPARISONS = ORIGIN | _ENDS | {
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
    "sessions_difference": "The mean difference by session, where sessions are held out in turn, points; else empty.",
    "sessions_low": "Lower end of its 95 % interval over sessions, points.",
    "sessions_high": "Upper end of its 95 % interval over sessions, points.",
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
LOOKS = ORIGIN | {
    "a": "The first method.",
    "b": "The second method.",
    "seeds": "The number of seeds that the look judged.",
    "difference": "The mean of a − b over these seeds, points of weighted F1.",
    "t": "The paired t of the difference.",
    "boundary": "What |t| had to reach; not a number where so few seeds can reject nothing.",
    "low": "The lower end of the interval that holds over all looks, points.",
    "high": "The upper end of the interval that holds over all looks, points.",
    "naive_low": "The lower end of the 95 % interval that a fixed number of seeds would have, points.",
    "naive_high": "The upper end of the 95 % interval that a fixed number of seeds would have, points.",
    "conditional_power": "The chance (0 to 1) to reject at the last look, were the difference as large as the margin.",
    "decision": "What the look decided.",
}
CLAIMS = ORIGIN | _ENDS | {
    "claim": "The letter of the claim.",
    "says": "The claim.",
    "attributed": "Whether only summaries of the paper say that it makes the claim, which is not verified.",
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
    "events_a": "The number of runs of the first method in which it happened, where the part is about how often.",
    "events_b": "The number of runs of the second method in which it happened.",
    "log_ratio": "The log of the ratio of two variances, where the part is about spread.",
}  # fmt: skip
LEADERBOARD = ORIGIN | {
    "method": "The method's label.",
    "n": "The number of seeds with a score.",
    "weighted_f1_mean": "The mean of test weighted F1 over seeds, at the selected epochs or as imported, %.",
    "weighted_f1_sd": "Its standard deviation over seeds, points.",
    "weighted_f1_low": "Lower end of the 95 % interval of the mean, by Student's t, %.",
    "weighted_f1_high": "Upper end of the 95 % interval of the mean, by Student's t, %.",
    "rank": "The rank by mean score over the seeds that all methods have; 1 is the highest.",
    "rank_low": "Lower end of the 95 % bootstrap interval of the rank.",
    "rank_high": "Upper end of the 95 % bootstrap interval of the rank.",
    "chance_to_be_best": "The share of bootstrap draws in which the method has the highest mean, %.",
    "difference": "The mean difference of the comparison of the reference method and this one, points.",
    "verdict": "The verdict on that comparison.",
    "train_seconds": "The mean wall time of training a run, seconds.",
}  # fmt: skip
ABLATION = ORIGIN | {
    "method": "The method's label: the reference method, then its variants.",
    "left_out": "What the variant is without; empty for the reference method.",
    "n": "The number of seeds with a score.",
    "weighted_f1_mean": "The mean of test weighted F1 over seeds, at the selected epochs, %.",
    "weighted_f1_sd": "Its standard deviation over seeds, points.",
    "weighted_f1_low": "Lower end of the 95 % interval of the mean, by Student's t, %.",
    "weighted_f1_high": "Upper end of the 95 % interval of the mean, by Student's t, %.",
    "difference": "The mean difference of the reference method and this one, points.",
    "low": "Lower end of the 95 % interval of the difference, points.",
    "high": "Upper end of the 95 % interval of the difference, points.",
    "verdict": "The verdict on that comparison.",
}  # fmt: skip
FACTORIAL = ORIGIN | {
    "grid": "The encoder and objectives that the cells of the grid share.",
    "kind": "Whether it is a main effect, an interaction or a simple effect.",
    "effect": "Which levels the effect compares.",
    "n": "The number of seeds that all of its cells have.",
    "estimate": "The mean effect on weighted F1, points.",
    "low": "Lower end of its 95 % interval, points.",
    "high": "Upper end of its 95 % interval, points.",
    "sd": "The standard deviation of the effect over seeds, points.",
    "p": "The p value of this effect alone.",
    "not_estimable": "Which cells an effect lacks that cannot be estimated; empty where it is estimated.",
}  # fmt: skip
_SELECTION_MEASURES = {
    "selected_weighted_f1": "Test weighted F1 at the epoch chosen on validation data, %",
    "peak_test_weighted_f1": "Test weighted F1 at the best test epoch, which is never a result, %",
    "gap": "The second minus the first, points",
    "optimism": "The part of the gap that chance explains, points",
    "regret": "The rest of the gap, points",
}
_RULES = {
    "selected": "the epoch chosen on validation data",
    "peak": "the best test epoch",
    "best_seed": "the best test epoch of the best seed",
}
SELECTION = ORIGIN | {"method": "The method's label.", "n": "The number of seeds with a gap."} | {
    f"{name}_{part}": f"{says}: {how}."
    for name, says in _SELECTION_MEASURES.items() for part, how in PARTS.items() if part != "n"
} | {
    "gap_difference": "The reference method's gap minus this one's, paired by seed, points.",
    "gap_difference_low": "Lower end of its 95 % interval, points.",
    "gap_difference_high": "Upper end of its 95 % interval, points.",
    "gap_difference_p": "The p value of that difference.",
    "best_seed": "The seed whose best test epoch is the highest.",
    "claimed": "What that epoch of that seed would have claimed, %.",
    "excess": "By how much that is above the mean at the epochs chosen on validation data, points.",
} | {f"rank_{rule}": f"The method's rank by {says}." for rule, says in _RULES.items()} | {
    name: sentence
    for rule, says in _RULES.items()
    for name, sentence in (
        (f"order_changed_{rule}", f"The share of resamples in which the order by {says} is another one, %."),
        (f"winner_changed_{rule}", f"The share of resamples in which the winner by {says} is another one, %."),
    )
}  # fmt: skip
SELECTION_RULES = ORIGIN | {
    "method": "The method's label.",
    "rule": "The rule that chooses the epoch: validation (best score), smoothed, last or fixed; the result's has no "
    "difference.",
    "n": "The number of seeds with an epoch by this rule.",
} | {
    f"{name}_{part}": f"{says}: {how}."
    for name, says in (
        ("weighted_f1", "Test weighted F1 at the rule's epoch, %"),
        ("gap", "Test weighted F1 at the best test epoch minus that at the rule's, points"),
    )
    for part, how in PARTS.items()
    if part != "n"
} | {
    "difference": "Weighted F1 at the rule's epoch minus that at the epoch that decides, paired by seed, points.",
    "difference_low": "Lower end of its 95 % interval, points.",
    "difference_high": "Upper end of its 95 % interval, points.",
}  # fmt: skip
ROBUSTNESS = ORIGIN | {
    "method": "The method's label.",
    "modality": "The modality that is missing in the test set.",
    "how": "Whether it is zeroed or shuffled over the test set.",
    "n": "The number of seeds that were evaluated so.",
} | {
    f"{name}_weighted_f1_{part}": f"Test weighted F1 {says}, %: {how}."
    for name, says in (("intact", "with all modalities"), ("missing", "without this one"))
    for part, how in PARTS.items()
    if part != "n"
} | {
    "drop": "The mean of the first minus the second, paired by seed, points.",
    "drop_low": "Lower end of its 95 % interval, points.",
    "drop_high": "Upper end of its 95 % interval, points.",
}  # fmt: skip
INSTRUMENT = ORIGIN | {
    "planted": "What knowing the planted product is worth in weighted F1, points.",
    "planted_se": "Its Monte Carlo standard error, points.",
    "ceiling_without_synergy": "The ceiling of weighted F1 for rules that do not know the product, %.",
    "missing": "Why nothing could be found or missed; empty elsewhere.",
    "shortfall": "How far the additive method stays below its own ceiling, points.",
    "comparisons": "The number of comparisons on the data set.",
    "verdicts": "How many of them have a verdict.",
    "shown_different": "How many are shown different beyond the margin.",
    "within_margin": "How many are different, but within the margin.",
    "shown_equal": "How many are shown equal.",
    "detectable": "The smallest difference that these seeds can see with probability 0.8, points.",
    "detectable_n": "The number of seeds that this rests on.",
    "detectable_sd": "The standard deviation of differences that it rests on, points.",
    "detectable_of": "The comparison whose standard deviation that is.",
} | {
    f"{name}_{part}": sentence.format(which)
    for name, which in (("found", "that looks for what was planted"), ("largest", "with the largest difference"))
    for part, sentence in {
        "a": "The first method of the comparison {}.",
        "b": "The second method of the comparison {}.",
        "n": "The number of seeds of the comparison {}.",
        "difference": "The mean difference of the comparison {}, points.",
        "low": "Lower end of the 95 % interval of the comparison {}, points.",
        "high": "Upper end of the 95 % interval of the comparison {}, points.",
        "verdict": "The verdict on the comparison {}; empty where there are too few seeds.",
    }.items()
}  # fmt: skip
