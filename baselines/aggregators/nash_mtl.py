"""Nash-MTL (Navon et al., ICML 2022): the update on which objectives that bargain agree."""

from baselines.aggregators.fairgrad import FairGrad


class NashMTL(FairGrad):
    """Nash-MTL (Navon et al. 2022, claim 3.1): γ > 0 with Mγ = 1/γ, M = J Jᵀ.

    d = Σ γ_i g_i maximises Σ log ⟨d, g_i⟩ over a ball, Nash's solution of a bargaining game in which no agreement means
    no step; every ⟨d, g_i⟩ = 1/γ_i is positive, so that no objective rises. A gradient that is twice as long gets half
    the weight: the update does not depend on lengths, and that of the unit gradients is this one. It is FairGrad with
    α = 1 and is solved so, exactly and without memory (the published code takes some steps of a linearised problem from
    the last step's γ). Of the published scale Jᵀγ has length √K, which the published code cuts to 1.

    Args:
        raw_scale: keep that scale instead of rescaling to Σγ = 1.
    """

    def __init__(self, raw_scale: bool = False) -> None:
        super().__init__(1.0, raw_scale)
