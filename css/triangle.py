"""The min-norm point of a triangle: :func:`css.modulator.min_norm_weights` for three objectives, in plain numbers.

A dozen operators on tensors of nine numbers take longer to call than the whole solution takes to compute.
"""

import math
from collections.abc import Sequence

Triple = Sequence[float]

TIE = 1e-10
"""Values of ½γᵀQγ, and curvatures of it, that differ by less are equal (Q scaled to a largest diagonal entry of 1)."""
INFEASIBLE = -1e-12
"""A weight below is negative; one above is a rounding error of zero."""
EDGES = ((0, 1), (0, 2), (1, 2))


def triangle_weights(gramian: Sequence[Triple], allowed: Sequence[bool]) -> list[float]:
    """γ [3] of the Gramian [3][3] as its rows; 0 where not ``allowed``, and all zero where nothing is.

    Every face's own minimum nearest to uniform is a candidate, as in the function that this is a case of.
    """
    corners = [i for i in range(3) if allowed[i]]
    if not corners:
        return [0.0, 0.0, 0.0]
    largest = max(2.0**-1022, *(gramian[i][i] for i in corners))
    Q = [[entry / largest for entry in row] for row in gramian]
    candidates = [[float(i == corner) for i in range(3)] for corner in corners]
    for i, j in EDGES:
        if allowed[i] and allowed[j]:
            curvature = (Q[i][i] + Q[j][j]) / 2 - Q[i][j]
            step = (Q[j][j] - Q[i][i]) / (4 * curvature) if abs(curvature) > TIE else 0.0
            if abs(step) <= 0.5 - INFEASIBLE:
                weights = [0.0, 0.0, 0.0]
                weights[i], weights[j] = max(0.5 + step, 0.0), max(0.5 - step, 0.0)
                candidates.append(weights)
    if len(corners) == 3:
        weights = _plane(Q)
        if min(weights) >= INFEASIBLE:
            candidates.append([max(w, 0.0) for w in weights])
    candidates = [[w / sum(weights) for w in weights] for weights in candidates]
    values = [_value(Q, weights) for weights in candidates]
    least = min(values) + TIE
    best = [weights for weights, value in zip(candidates, values, strict=True) if value <= least]
    return min(best or candidates, key=lambda weights: sum(w * w for w in weights))


def _plane(Q: Sequence[Triple]) -> list[float]:
    """The minimum on Σγ = 1 nearest to uniform: ⅓ − B (BᵀQB)⁺ BᵀQ⅓, B's columns (1, −1, 0)/√2 and (1, 1, −2)/√6."""
    (a, d, e), (_, b, f), (_, _, c) = Q
    p, q, r = (a + b) / 2 - d, (a - b - 2 * e + 2 * f) / math.sqrt(12), (a + b + 2 * d + 4 * c - 4 * e - 4 * f) / 6
    x, y = (a + e - b - f) / math.sqrt(18), (a + b + 2 * d - e - f - 2 * c) / math.sqrt(54)
    mean = (p + r) / 2
    radius = math.copysign(math.hypot((p - r) / 2, q), mean)
    large, small = mean + radius, mean - radius  # eigenvalues by modulus
    if abs(small) > TIE:
        determinant = large * small
        x, y = (r * x - q * y) / determinant, (p * y - q * x) / determinant
    elif abs(large) > TIE:  # large's eigenprojection / large
        scale = (large - small) * large
        x, y = ((p - small) * x + q * y) / scale, (q * x + (r - small) * y) / scale
    else:
        x = y = 0.0
    x, y = x / math.sqrt(2), y / math.sqrt(6)
    return [1 / 3 - x - y, 1 / 3 + x - y, 1 / 3 + 2 * y]


def _value(Q: Sequence[Triple], weights: Triple) -> float:
    u, v, w = weights
    (a, d, e), (_, b, f), (_, _, c) = Q
    return 0.5 * (u * u * a + v * v * b + w * w * c) + u * v * d + u * w * e + v * w * f
