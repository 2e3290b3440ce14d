"""Cross-Space Synergy (Lyu et al., AAAI 2026), the method under test, in pure torch."""

from css.fusion import SynergisticPolynomialFusion
from css.modulator import ParetoGradientModulator, min_norm_weights

__all__ = ["ParetoGradientModulator", "SynergisticPolynomialFusion", "min_norm_weights"]
