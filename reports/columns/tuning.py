"""What the columns of the tables of tuning mean. A name that ends in `*` stands for all that begin like it."""

from reports.columns.shared import ORIGIN, PARTS

TUNING = ORIGIN | {
    "study": "The name of the study.",
    "method": "The method's label.",
    "trial": "The number of the trial, from 0.",
    "state": "What became of it: complete, pruned, failed or running.",
    "chosen": "Whether the search chose it, on validation data alone.",
    "front": "Whether it is on the Pareto front.",
    "default": "Whether its settings are the default ones.",
    "runs": "The number of its runs.",
    "epochs": "The epochs of its runs together.",
    "seconds": "The training time of its runs together, seconds.",
} | {
    f"{where}_{part}": f"Weighted F1 {on}, %: {how}." if part != "n" else f"The {how} {on}."
    for where, on in (("validation", "on validation data"), ("test", "on test data, which no search used"))
    for part, how in PARTS.items()
} | {
    "goal_*": "The value of a further goal: `volatility` of the fused loss, or training `seconds`, mean over runs.",
    "param_*": "The trial's value of a setting that was searched.",
}  # fmt: skip
TUNING_BUDGET = {
    "dataset": "The name of the data set.",
    "study": "The name of the study; of a fair comparison, of the studies.",
    "method": "The method's label.",
    "kind": "`so far`: the best trial of one study until then; `expected best of k`: a mean over draws of k trials.",
    "trial": "The number of the trial, from 0; empty of an expected score.",
    "k": "The number of trials.",
    "epochs": "The epochs spent on k trials.",
    "seconds": "The training time spent on k trials, seconds.",
    "studies": "The number of studies.",
    "validation": "Weighted F1 on validation data of the best trial, %.",
    "test": "Weighted F1 of the same trial on test data, which no search used, %.",
} | {
    f"{where}_{end}": f"{word} end of the 95 % interval of the score on {where} data over studies, %."
    for where in ("validation", "test") for end, word in (("low", "Lower"), ("high", "Upper"))
}  # fmt: skip
