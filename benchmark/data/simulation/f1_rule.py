"""The rule of highest weighted F1, given posteriors.

F = Σ_c π_c F1_c with F1_c = 2 TP_c / (n_c + m_c), for n_c utterances of the class and m_c predicted, is no mean over
utterances. But the (TP, m) of all rules are a convex set, so the best rule also maximises F linearised at itself:

    argmax_c w_c (p_c − F1_c / 2),   w_c = 2 π_c / (n_c + m_c)

That is iterated to a fixed point, from argmax p_c and from argmax p_c / π_c. It is at least as good as the best rule
of the form argmax w_c p_c, which has no F1_c / 2.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.floating]


class Rule(NamedTuple):
    """Predicts argmax_c gain_c p_c − cost_c; both [C]."""

    gain: Reals
    cost: Reals

    def predict(self, p: Reals) -> Ints:
        """Classes [N] for posteriors [N, C]."""
        return (self.gain.astype(p.dtype) * p - self.cost.astype(p.dtype)).argmax(1)


def bayes_rule(classes: int) -> Rule:
    """Predicts the most probable class: the rule of highest accuracy."""
    return Rule(np.ones(classes), np.zeros(classes))


def best_f1_rule(p: Reals, iterations: int = 50) -> Rule:
    """The rule of highest expected weighted F1 on posteriors ``p`` [N, C]; expected, so no label is needed."""
    count = p.sum(0, dtype=np.float64)
    share, bayes = count / count.sum(), bayes_rule(len(count))
    best, highest = bayes, -1.0
    for rule in (bayes, Rule(1 / share, bayes.cost)):
        last = -1.0
        for _ in range(iterations):
            chosen = rule.predict(p)
            hits = np.bincount(chosen, np.take_along_axis(p, chosen[:, None], 1)[:, 0], len(count))
            both = count + np.bincount(chosen, minlength=len(count))
            score = float(share @ (2 * hits / both))
            if score > highest:
                best, highest = rule, score
            if abs(score - last) < 1e-6:
                break
            rule, last = Rule(2 * share / both, 2 * share * hits / both**2), score
    return best
