"""Names to factories: the one place where the harness reaches the methods in ``css/`` and ``baselines/``.

Nothing is imported until a factory is called, so that names and options can be checked without torch.
"""

from typing import Any

from benchmark.methods.entries import Entry, GramianEntry, Option, Range

TRAINING_SPACE = {
    "lr": Range(1e-5, 1e-2, log=True),
    "dropout": Range(0.0, 0.7),
    "temperature": Range(0.5, 8.0, log=True),
    "weight_decay": Range(1e-6, 1e-2, log=True),
}
"""Training settings that tuning searches on request, in the same ranges for every method."""

_RANK = Option(16, 1, search=Range(2, 128, log=True))
_ORDER = Option(3, 1, search=Range(1, 6))

_CSS = "https://arxiv.org/abs/2512.03521"

ENCODERS: dict[str, Entry] = {
    "paper": Entry(
        "css.encoder:ConversationEncoder",
        "modality-aware and interaction-aware stages of CSS, or without one; theta_speakers: θ has the speakers' too",
        {
            "theta_speakers": Option(False),
            "modality_aware": Option(True, newer=True),
            "interaction_aware": Option(True, newer=True),
        },
        link=_CSS,
    ),
    "released": Entry(
        "css.released.encoder:ReleasedEncoder",
        "what the released implementation computes in their place; meld_step (text shifts the others): on MELD only",
        {"meld_step": Option(False)},
        needs=("text", "audio", "visual"),
        link=_CSS,
    ),
    "identity": Entry("baselines.encoders.identity:IdentityEncoder", "one linear map per modality: a control"),
    "single-text": Entry(
        "baselines.encoders.single:TextEncoder",
        "the paper's encoder of text alone, the other modalities unseen",
        needs=("text",),
        sees=("text",),
    ),
    "single-audio": Entry(
        "baselines.encoders.single:AudioEncoder",
        "the paper's encoder of audio alone, the other modalities unseen",
        needs=("audio",),
        sees=("audio",),
    ),
    "single-visual": Entry(
        "baselines.encoders.single:VisualEncoder",
        "the paper's encoder of visual features alone, the other modalities unseen",
        needs=("visual",),
        sees=("visual",),
    ),
    "pair-text-audio": Entry(
        "baselines.encoders.pair:TextAudioEncoder",
        "the paper's encoder of text and audio, the third modality unseen",
        needs=("text", "audio"),
        sees=("text", "audio"),
    ),
    "pair-text-visual": Entry(
        "baselines.encoders.pair:TextVisualEncoder",
        "the paper's encoder of text and visual features, the third modality unseen",
        needs=("text", "visual"),
        sees=("text", "visual"),
    ),
    "pair-audio-visual": Entry(
        "baselines.encoders.pair:AudioVisualEncoder",
        "the paper's encoder of audio and visual features, the third modality unseen",
        needs=("audio", "visual"),
        sees=("audio", "visual"),
    ),
}

FUSIONS: dict[str, Entry] = {
    "spf": Entry(
        "css.fusion:SynergisticPolynomialFusion",
        "Synergistic Polynomial Fusion: a rank-r polynomial interaction of order p",
        {
            "rank": _RANK,
            "order": _ORDER,
            "shared": Option(False),
            "gates": Option(True),
            "anchor": Option(True),
            "signed_sqrt": Option(True),
        },
        link=_CSS,
    ),
    "spf-released": Entry(
        "css.released.fusion:ReleasedPolynomialFusion",
        "SPF as released: gates σ(λ), a jump at 0, mapped back to width h, plus a linear map of all modalities",
        {"rank": _RANK, "order": _ORDER, "residual": Option(True)},
        link=_CSS,
    ),
    "concat": Entry("baselines.fusions.concat:ConcatFusion", "concatenation and a two-layer perceptron"),
    "concat-matched": Entry(
        "baselines.fusions.concat:MatchedConcatFusion",
        "concatenation with as many parameters, and as wide an output, as SPF of that rank and order",
        {"rank": _RANK, "order": _ORDER},
    ),
    "tensor": Entry(
        "baselines.fusions.tensor:TensorFusion",
        "Tensor Fusion Network: outer product of the modalities",
        {"width": Option(16, 1, search=Range(2, 32, log=True))},
        may_refuse=True,
        link="https://arxiv.org/abs/1707.07250",
    ),
    "lmf": Entry(
        "baselines.fusions.lmf:LowRankFusion",
        "Low-rank Multimodal Fusion: the tensor network's map as a sum of rank-one factors",
        {
            "factors": Option(4, 1, search=Range(1, 16, log=True)),
            "width": Option(64, 1, search=Range(8, 256, log=True)),
        },
        link="https://arxiv.org/abs/1806.00064",
    ),
    "gated": Entry(
        "baselines.fusions.gated:GatedFusion",
        "sum gated by a softmax over the modalities, as in SDT",
        link="https://arxiv.org/abs/2310.20494",
    ),
    "bottleneck": Entry(
        "baselines.fusions.bottleneck:BottleneckFusion",
        "attention bottlenecks: modalities exchange through a few learned tokens",
        {
            "bottlenecks": Option(4, 1, search=Range(1, 16, log=True)),
            "layers": Option(2, 1, search=Range(1, 4)),
            "heads": Option(4, 1),
        },
        link="https://arxiv.org/abs/2107.00135",
    ),
    "text": Entry(
        "baselines.fusions.unimodal:TextFusion",
        "the text stream after cross-attention to the others, as it is; no unimodal baseline: that is text-only",
        may_refuse=True,
    ),
    "audio": Entry(
        "baselines.fusions.unimodal:AudioFusion",
        "the audio stream after cross-attention to the others, as it is; no unimodal baseline: that is audio-only",
        may_refuse=True,
    ),
    "visual": Entry(
        "baselines.fusions.unimodal:VisualFusion",
        "the visual stream after cross-attention to the others, as it is; no unimodal baseline: that is visual-only",
        may_refuse=True,
    ),
    "linear": Entry("baselines.fusions.linear:LinearFusion", "concatenation and one linear map: a control"),
}

_RAW_SCALE = {"raw_scale": Option(False)}
_UNIT = {"unit": Option(False, newer=True)}
_TORCHJD: dict[str, Any] = {"extra": "torchjd", "packages": ("torchjd", "qpsolvers", "quadprog", "cvxpy", "clarabel")}

LOSSES, GRAMIAN, MODULATOR = GROUPS = ("loss weighting", "Gramian", "PGM")
"""What an aggregator weighs by: losses, or lengths of gradients; all of the Gramian; PGM or a variant of it."""

AGGREGATORS: dict[str, Entry] = {
    "equal": Entry(
        "baselines.aggregators.equal:EqualWeights",
        "the mean of the objectives: plain Adam, one backward pass",
        group=LOSSES,
        link="https://arxiv.org/abs/1412.6980",
    ),
    "pgm": Entry(
        "css.modulator:ParetoGradientModulator",
        "Pareto Gradient Modulator: min-norm point of unit gradients; slsqp is the released, inexact solver",
        {"solver": Option("exact", choices=("exact", "slsqp"))},
        group=MODULATOR,
        link=_CSS,
    ),
    "pgm-normed": Entry(
        "baselines.aggregators.pgm:NormedPGM",
        "PGM's weights on unit gradients: no objective rises to first order",
        _RAW_SCALE,
        group=MODULATOR,
        link="https://doi.org/10.1016/j.crma.2012.03.014",
    ),
    "pgm-theta-only": Entry(
        "baselines.aggregators.pgm:ThetaOnlyPGM",
        "PGM on the shared parameters, the mean of the objectives elsewhere",
        group=MODULATOR,
    ),
    "pgm-periodic": Entry(
        "baselines.aggregators.pgm:PeriodicPGM",
        "PGM at every k-th step, its weights held in between",
        {"every": Option(10, 1)},
        group=MODULATOR,
    ),
    "mgda": Entry(
        "baselines.aggregators.mgda:MGDA",
        "MGDA: exact min-norm point of the raw gradients; of the unit gradients it is pgm-normed",
        group=GRAMIAN,
        link="https://arxiv.org/abs/1810.04650",
    ),
    "pcgrad": GramianEntry(
        "baselines.aggregators.pcgrad:PCGrad",
        "PCGrad: projects conflicting gradients, in random order",
        _RAW_SCALE | _UNIT,
        group=GRAMIAN,
        link="https://arxiv.org/abs/2001.06782",
    ),
    "gradvac": GramianEntry(
        "baselines.aggregators.gradvac:GradVac",
        "Gradient Vaccine: brings each pair of gradients up to its usual cosine",
        {"beta": Option(0.01, 0, 1)} | _RAW_SCALE | _UNIT,
        group=GRAMIAN,
        link="https://arxiv.org/abs/2010.05874",
    ),
    "nash-mtl": Entry(
        "baselines.aggregators.nash_mtl:NashMTL",
        "Nash-MTL: the objectives' bargaining solution, whatever the lengths of their gradients",
        _RAW_SCALE,
        group=GRAMIAN,
        link="https://arxiv.org/abs/2202.01017",
    ),
    "fairgrad": GramianEntry(
        "baselines.aggregators.fairgrad:FairGrad",
        "FairGrad: rates of descent that are α-fair; alpha=1 is Nash-MTL, large alpha serves the worst objective",
        {"alpha": Option(2.0, 0.5, 10)} | _RAW_SCALE | _UNIT,
        group=GRAMIAN,
        link="https://arxiv.org/abs/2402.15638",
    ),
    "uncertainty": Entry(
        "baselines.aggregators.uncertainty:UncertaintyWeights",
        "uncertainty weighting: each objective by its learned noise, one backward pass",
        {"rate": Option(0.01, 0, 1)} | _RAW_SCALE,
        group=LOSSES,
        link="https://arxiv.org/abs/1705.07115",
    ),
    "rlw": Entry(
        "baselines.aggregators.random_weights:RandomWeights",
        "random loss weighting: weights drawn anew at every step, one backward pass",
        group=LOSSES,
        link="https://arxiv.org/abs/2111.10603",
    ),
    "stch": Entry(
        "baselines.aggregators.stch:SmoothTchebycheff",
        "smooth Tchebycheff scalarization: the largest loss weighs most, one backward pass",
        {"mu": Option(1.0, 1e-3)},
        group=LOSSES,
        link="https://arxiv.org/abs/2402.19078",
    ),
    "dwa": Entry(
        "baselines.aggregators.dwa:DynamicWeightAverage",
        "dynamic weight average: each objective by how slowly its loss fell from epoch to epoch, one backward pass",
        {"temperature": Option(2.0, 1e-3)},
        group=LOSSES,
        link="https://arxiv.org/abs/1803.10704",
    ),
    "famo": Entry(
        "baselines.aggregators.famo:FAMO",
        "FAMO: log losses that fall alike, measured from batch to batch, one backward pass",
        {"rate": Option(0.025, 0, 1), "decay": Option(0.001, 0, 1)},
        group=LOSSES,
        link="https://arxiv.org/abs/2306.03792",
    ),
    "gradnorm": Entry(
        "baselines.aggregators.gradnorm:GradNorm",
        "GradNorm: weighted gradients of one length, longer where learning is slow",
        {"alpha": Option(1.5, 0, 10), "rate": Option(0.025, 0, 0.5)},
        group=LOSSES,
        link="https://arxiv.org/abs/1711.02257",
    ),
    "upgrad": GramianEntry(
        "baselines.aggregators.jacobian_descent:UPGrad",
        "UPGrad: each gradient projected so that it conflicts with none",
        _RAW_SCALE | _UNIT,
        group=GRAMIAN,
        link="https://arxiv.org/abs/2406.16232",
        **_TORCHJD,
    ),
    "dualproj": GramianEntry(
        "baselines.aggregators.jacobian_descent:DualProj",
        "DualProj: the mean projected so that it conflicts with none",
        _RAW_SCALE | _UNIT,
        group=GRAMIAN,
        link="https://arxiv.org/abs/1706.08840",
        **_TORCHJD,
    ),
    "cagrad": GramianEntry(
        "baselines.aggregators.jacobian_descent:CAGrad",
        "CAGrad: the worst objective's best improvement near the mean",
        {"c": Option(0.5, 0)} | _RAW_SCALE | _UNIT,
        group=GRAMIAN,
        link="https://arxiv.org/abs/2110.14048",
        **_TORCHJD,
    ),
    "imtl-g": Entry(
        "baselines.aggregators.jacobian_descent:IMTLG",
        "IMTL-G: equal projections on all gradients",
        group=GRAMIAN,
        link="https://openreview.net/forum?id=IMPnRXEWpvr",
        **_TORCHJD,
    ),
    "aligned-mtl": GramianEntry(
        "baselines.aggregators.jacobian_descent:AlignedMTL",
        "Aligned-MTL: the mean after equalising the singular values of the gradients",
        _RAW_SCALE | _UNIT,
        group=GRAMIAN,
        link="https://arxiv.org/abs/2305.19000",
        **_TORCHJD,
    ),
}

OBJECTIVES: dict[str, Entry] = {
    "paper": Entry(
        "css.objectives:objectives",
        "fused, unimodal and distillation loss, or without one of the last two; the release detaches no teacher",
        {
            "detach_teacher": Option(True),
            "t_squared": Option(False),
            "unimodal": Option(True, newer=True),
            "distillation": Option(True, newer=True),
        },
        link=_CSS,
    ),
}

ALIASES = {
    "css": "spf+pgm",
    "css-released": "released/spf-released+pgm(solver=slsqp)/paper(detach_teacher=false)",
    "adam": "spf+equal",
    "css-shared": "spf(shared=true)+pgm",
    "css-nogate": "spf(gates=false)+pgm",
    "css-noanchor": "spf(anchor=false)+pgm",
    "css-nosqrt": "spf(signed_sqrt=false)+pgm",
    "text-only": "single-text/text+equal",
    "audio-only": "single-audio/audio+equal",
    "visual-only": "single-visual/visual+equal",
}
"""Names that the general rules (a fusion alone: with ``equal``; an aggregator alone: with ``spf``) do not give."""

METHODS = ("css", "adam", "concat", "concat+pgm", "pcgrad", "tensor", "linear")
"""The comparison of the benchmark; its first four are a complete 2 × 2 of fusion and aggregator, its last only adds
modalities, as a control."""
