"""The rule of highest weighted F1, given posteriors.

F = Σ_c π_c F1_c with F1_c = 2 TP_c / (n_c + m_c), for n_c utterances of the class and m_c predicted, is no mean over
utterances. But the (TP, m) of all rules are a convex set, so the best rule also maximises F linearised at itself:

    argmax_c w_c p_c − k_c,   w_c = 2 π_c / (n_c + m_c),  k_c = w_c F1_c / 2

F has many maxima, and where evidence is weak iterating these equations ends in a poor one. So w and k are searched one
coordinate at a time, from k = 0 and the best w = π^−a: what is found is at least as good as argmax w_c p_c there.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.floating]

FEW = 1 << 16
"""Posteriors that the coarse part of the search looks at."""


class Rule(NamedTuple):
    """Predicts argmax_c gain_c p_c − cost_c; both [C]."""

    gain: Reals
    cost: Reals

    def predict(self, p: Reals) -> Ints:
        """Classes [N] for posteriors [N, C]."""
        gain, cost = self.gain.astype(p.dtype), self.cost.astype(p.dtype)
        best, chosen = gain[0] * p[:, 0] - cost[0], np.zeros(len(p), np.int16)
        for c in range(1, p.shape[1]):  # over so few classes eight times as fast as argmax, to the same answer
            score = gain[c] * p[:, c] - cost[c]
            chosen = np.maximum(chosen, (score > best) * np.int16(c))
            best = np.maximum(best, score)
        return chosen.astype(np.int64)


def bayes_rule(classes: int) -> Rule:
    """Predicts the most probable class: the rule of highest accuracy."""
    return Rule(np.ones(classes), np.zeros(classes))


def best_f1_rule(p: Reals) -> Rule:
    """The rule of highest expected weighted F1 on posteriors ``p`` [N, C]; expected, so no label is needed."""
    p, nothing = np.asfortranarray(p), np.zeros(p.shape[1])
    few = np.asfortranarray(p[:FEW])
    share = p.mean(0, dtype=np.float64)
    starts = [Rule(share**-a, nothing) for a in (0, 0.25, 0.5, 0.75, 1)]
    rule = max(starts, key=lambda start: expected_f1(start, few))
    for step in (0.4, 0.2, 0.1, 0.05, 0.02):
        rule = _climb(rule, few, step, sweeps=4)
    return _climb(rule, p, 0.01, sweeps=1)


def expected_f1(rule: Rule, p: Reals) -> float:
    """Weighted F1 of a rule on utterances of posteriors ``p`` [N, C], labels averaged over."""
    count, chosen = p.sum(0, dtype=np.float64), rule.predict(p)
    hits = np.bincount(chosen, p[np.arange(len(p)), chosen], len(count))
    return float(count @ (2 * hits / (count + np.bincount(chosen, minlength=len(count)))) / count.sum())


def _climb(rule: Rule, p: Reals, step: float, sweeps: int) -> Rule:
    """Change a gain by the factor e^±step, or a cost by ± step / 2 of the mean of w_c π_c, while that helps."""
    highest, scale = expected_f1(rule, p), float((rule.gain * p.mean(0)).mean())
    for _ in range(sweeps):
        before = highest
        for c, way in np.ndindex(len(rule.gain), 4):
            gain, cost, signed = rule.gain.copy(), rule.cost.copy(), step * (-1) ** way
            if way < 2:
                gain[c] *= np.exp(signed)
            else:
                cost[c] += signed * 0.5 * scale
            score = expected_f1(other := Rule(gain, cost), p)
            if score > highest:
                rule, highest = other, score
        if highest == before:
            break
    return rule
