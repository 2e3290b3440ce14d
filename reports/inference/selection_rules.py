"""What other rules for the choice of the epoch would have given, from the same runs."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from reports.evidence.evidence import Evidence
from reports.evidence.method import Method
from reports.measures import rules
from reports.measures.runs import columns, usable
from reports.statistics import PairedComparison, Summary, paired_comparison, summarize

RULES = {
    "validation": "best validation score",
    "smoothed": f"best median of {rules.WINDOW} validation scores",
    "last": "last epoch",
    "fixed": "mean epoch that the other seeds selected",
}
"""The rules, in the order of the table."""
DECIDES = {"best": "validation", "smoothed": "smoothed", "last": "last"}
"""Which of them decided, by the `selection` of the runs."""


@dataclass(frozen=True, eq=False)
class RuleEffect:
    """What one rule gives for one method.

    Attributes:
        method, rule: which.
        score: test weighted F1 at the rule's epoch, a fraction. gap: the best test epoch's minus it.
        difference: its score minus that of the rule that decides, in points, paired by seed; None of that rule itself.
    """

    method: str
    rule: str
    score: Summary
    gap: Summary
    difference: PairedComparison | None


def rule_effects(evidence: Evidence) -> list[RuleEffect]:
    """A row a method and rule; nothing of a rule that no run of the method has an epoch for.

    Nothing at all where a seed has several runs, each with an epoch of its own.
    """
    if evidence.comparison.folds:
        return []
    return [effect for m in evidence.comparison.shown if m.by_epoch for effect in _of_method(evidence, m)]


def _of_method(evidence: Evidence, method: Method) -> list[RuleEffect]:
    peak = evidence.values(method.label, "peak_test_weighted_f1")
    scores, decides = _scores(evidence, method), DECIDES[evidence.comparison.selection]
    effects = []
    for rule, by_seed in scores.items():
        if not by_seed:
            continue
        values, seeds = np.array(list(by_seed.values())), list(by_seed)
        difference = None
        if rule != decides:
            ours = {seed: 100 * scores[decides][seed] for seed in seeds}
            theirs = {seed: 100 * score for seed, score in by_seed.items()}
            difference = paired_comparison(theirs, ours, sessions=evidence.comparison.sessions_of(method, method))
        groups = evidence.groups(method.label, seeds)
        gap = peak.loc[seeds].to_numpy(dtype=float) - values
        effects.append(RuleEffect(method.label, rule, summarize(values, groups), summarize(gap, groups), difference))
    return effects


def _scores(evidence: Evidence, method: Method) -> Mapping[str, Mapping[int, float]]:
    """Test weighted F1 by rule and seed."""
    selected = {run.seed: int(run.number("selected", "epoch")) for run in method.runs}
    rows = evidence.history_of(method.label)[["seed", "epoch", "finite", "validation_weighted_f1"]]
    histories = {seed: columns(of_seed) for seed, of_seed in rows.sort_values("epoch").groupby("seed")}
    scores: dict[str, dict[int, float]] = {rule: {} for rule in RULES}
    for run in method.runs:
        history = histories[run.seed]
        allowed, validation = usable(history), history["validation_weighted_f1"]
        epochs = {
            "validation": rules.best_epoch(validation, allowed),
            "smoothed": rules.smoothed_epoch(validation, allowed),
            "last": rules.last_epoch(allowed),
            "fixed": rules.fixed_epoch([epoch for seed, epoch in selected.items() if seed != run.seed], allowed),
            DECIDES[run.selection]: selected[run.seed],
        }
        f1 = evidence.outcomes[method.label, run.seed].f1_by_epoch
        for rule, epoch in epochs.items():
            if epoch:
                scores[rule][run.seed] = float(f1[epoch - 1])
    return scores
