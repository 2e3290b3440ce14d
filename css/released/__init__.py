"""What the released implementation of CSS computes (github.com/m1iz/CSS, commit c4ec96f), written anew.

It differs from the published equations, which :mod:`css` follows (docs/released.md lists how). Its objectives are those
of :func:`css.objectives.objectives` with ``detach_teacher=False``, its aggregator is
:class:`css.modulator.ParetoGradientModulator` with ``solver="slsqp"``.
"""

from css.released.encoder import ReleasedEncoder
from css.released.fusion import ReleasedPolynomialFusion
from css.released.state import load_state

__all__ = ["ReleasedEncoder", "ReleasedPolynomialFusion", "load_state"]
