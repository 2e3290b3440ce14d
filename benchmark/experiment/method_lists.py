"""Lists of methods that answer one question, by name: what ``cssbench run --grid`` expands to."""

from benchmark.base.errors import UserError
from benchmark.base.names import Names, listed, look_up
from benchmark.methods.registry import METHODS

ABLATION = (
    "css",
    "paper(modality_aware=false)/css",
    "paper(interaction_aware=false)/css",
    "css(unimodal=false)",
    "css(distillation=false)",
    *(f"pair-{pair}/css" for pair in ("text-audio", "text-visual", "audio-visual")),
    *(f"{modality}-only(unimodal=false,distillation=false)" for modality in ("text", "audio", "visual")),
    "concat+pgm",
    "adam",
    "concat",
    "css-shared",
    "css-nogate",
    "css-noanchor",
    "css-nosqrt",
)
"""The paper's ablation: CSS; without a stage of the encoder, L2 or L3; two modalities, and one with one classifier;
without SPF, without PGM, without both; SPF without each of its parts."""

SENSITIVITY = tuple(f"css(order={p})" for p in range(1, 7)) + tuple(f"css(rank={2**k})" for k in range(1, 8))
"""SPF's order, then its rank, each at the preset's value of the other."""

RANK_ORDER = tuple(f"css(rank={r},order={p})" for r in (2, 8, 16, 64) for p in range(1, 5))
"""Rank × order, crossed: the fixed grid on which the claim "order matters, rank does not" is checked."""

GRIDS = {"ablation": ABLATION, "sensitivity": SENSITIVITY, "rank-order": RANK_ORDER, "factorial": ()}


def choose_methods(
    methods: Names | None = None,
    grid: str | None = None,
    fusions: Names | None = None,
    aggregators: Names | None = None,
) -> list[str]:
    """The methods that are named; the benchmark's own comparison where none is.

    Args:
        methods: the methods themselves, instead of a grid.
        grid: a name in :data:`GRIDS`; ``factorial`` crosses ``fusions`` with ``aggregators``.
        fusions, aggregators: names, options in parentheses; they belong to the factorial grid alone.

    Raises:
        UserError: an unknown grid, or options that do not go together.
    """
    if methods is not None and grid is not None:
        raise UserError(f"--methods and --grid {grid} both say what is compared; give one of them")
    if grid is not None:
        look_up("grid", grid, GRIDS)
    for option, given in (("--fusions", fusions), ("--aggregators", aggregators)):
        if (given is None) == (grid == "factorial"):
            raise UserError(f"{option} belongs to --grid factorial, which crosses --fusions A,B with --aggregators C,D")
    if fusions is not None and aggregators is not None:
        crossed = listed("--fusions", fusions), listed("--aggregators", aggregators)
        return [f"{fusion}+{aggregator}" for fusion in crossed[0] for aggregator in crossed[1]]
    if methods is not None:
        return listed("--methods", methods)
    return list(GRIDS[grid] if grid else METHODS)
