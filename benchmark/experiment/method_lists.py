"""Lists of methods that answer one question, by name: what ``cssbench run --grid`` expands to."""

from collections.abc import Sequence
from itertools import combinations

from benchmark.base.errors import UserError
from benchmark.base.names import Names, listed, look_up
from benchmark.data.views import MODALITIES
from benchmark.methods.registry import METHODS

_BETWEEN = ("paper(interaction_aware=false)/css", "css-shared")  # the same as css where there is one modality


def ablation(modalities: Sequence[str] = MODALITIES) -> tuple[str, ...]:
    """The paper's ablation of CSS on these modalities, in their order.

    CSS; without a stage of the encoder, L2 or L3; two modalities of three, and one with one classifier; without SPF,
    without PGM, without both; SPF without each of its parts.
    """
    pairs = combinations(modalities, 2) if len(modalities) > 2 else ()
    methods = (
        "css",
        "paper(modality_aware=false)/css",
        "paper(interaction_aware=false)/css",
        "css(unimodal=false)",
        "css(distillation=false)",
        *(f"pair-{'-'.join(pair)}/css" for pair in pairs),
        *(f"{modality}-only(unimodal=false,distillation=false)" for modality in modalities),
        "concat+pgm",
        "adam",
        "concat",
        "css-shared",
        "css-nogate",
        "css-noanchor",
        "css-nosqrt",
    )
    return methods if len(modalities) > 1 else tuple(text for text in methods if text not in _BETWEEN)


ABLATION = ablation()
"""The ablation on all three modalities."""

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
    modalities: Sequence[str] = MODALITIES,
) -> list[str]:
    """The methods that are named; the benchmark's own comparison where none is.

    Args:
        methods: the methods themselves, instead of a grid.
        grid: a name in :data:`GRIDS`; ``factorial`` crosses ``fusions`` with ``aggregators``.
        fusions, aggregators: names, options in parentheses; they belong to the factorial grid alone.
        modalities: that every data set has; the ablation is of these.

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
    if grid == "ablation":
        return list(ablation(modalities))
    return list(GRIDS[grid] if grid else METHODS)
