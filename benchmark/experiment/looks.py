"""The looks of a grid whose seeds are made until it is decided: how users write them."""

from collections.abc import Sequence
from itertools import pairwise

from benchmark.base.errors import UserError
from benchmark.base.names import look_up
from benchmark.experiment.preregistration import LOOKS, SPENDING


def parse_looks(looks: str | Sequence[int] | None, seeds: int | None) -> tuple[int, ...]:
    """The numbers of seeds after which the comparisons are judged, the last of them the most seeds that are made.

    Args:
        looks: increasing, as ``8,12,16``; None for :data:`LOOKS`, as far as there are seeds, and at the last seed.
        seeds: how many the user has named; None for as many as the last look needs.

    Raises:
        UserError: anything else, or looks that do not end with the seeds.
    """
    if looks is None:
        return LOOKS if seeds is None else (*(n for n in LOOKS if n < seeds), seeds)
    try:
        numbers = tuple(int(n) for n in (looks.split(",") if isinstance(looks, str) else looks) if str(n).strip())
    except ValueError:
        numbers = ()
    if not numbers or numbers[0] < 2 or any(after <= before for before, after in pairwise(numbers)):
        raise UserError(f"cannot read looks {looks!r}; give increasing numbers of seeds from 2 on, as 8,12,16,20,30")
    if seeds is not None and numbers[-1] != seeds:
        raise UserError(
            f"the last look is at {numbers[-1]} seeds, and --seeds names {seeds}: leave out --seeds, or let --looks "
            "end with that number"
        )
    return numbers


def check_spending(name: str | None) -> str:
    """The name of a spending function; raises UserError for any other."""
    return SPENDING[0] if name is None else look_up("spending", name, dict.fromkeys(SPENDING, name))
