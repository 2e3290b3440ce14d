"""Further looks at comparisons that an earlier plan has left open: what of its error is left is theirs."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from benchmark.base.errors import UserError
from benchmark.experiment.preregistration import Preregistration, read_declared
from benchmark.store.looks import read_look
from benchmark.store.store import Store

LEAST = 1e-3
"""An error smaller than this decides nothing within any number of seeds worth making."""


def continued(plan: Preregistration, store: Store) -> Preregistration:
    """The plan itself or, where the store holds one with other looks at the same comparisons, its continuation.

    Its comparisons are those that the earlier plan's looks have left open, its error is what they have not spent, and
    its looks come after theirs. The earlier plan takes no further look.

    Raises:
        UserError: the plan has been continued, or nothing of the error is left, or its looks or seeds are not later.
    """
    declared = _followed(store)
    successors = {content["continues"]: name for name, content in declared.items() if content.get("continues")}
    name = plan.name
    if name not in declared:
        alike = (n for n, content in declared.items() if not content.get("continues") and _same(content, plan))
        earlier = next(alike, None)
        while earlier is not None:
            name = (later := _after(plan, earlier, declared[earlier], store)).name
            if successors.get(earlier) in (None, name):
                return later
            earlier = successors[earlier]
    if name in successors:
        raise UserError(
            f"these looks were given up for later ones, declared in {store.root} as {successors[name]}: give "
            "--looks as they are there, or name another store"
        )
    return plan


def _followed(store: Store) -> dict[str, Mapping[str, Any]]:
    """What was declared with looks, by name."""
    return {name: content for name, content in read_declared(store.root).items() if "looks" in content}


def _same(content: Mapping[str, Any], plan: Preregistration) -> bool:
    return content["margin"] == plan.margin and content["comparisons"] == list(plan.comparisons)


def _after(plan: Preregistration, name: str, earlier: Mapping[str, Any], store: Store) -> Preregistration:
    """The plan as the continuation of an earlier one."""
    assert plan.looks is not None
    taken = [look for seeds in earlier["looks"] if (look := read_look(store.root, name, seeds)) is not None]
    other = f"{store.root} holds a plan with looks at {', '.join(map(str, earlier['looks']))} of these comparisons"
    if not taken:
        raise UserError(f"{other}, and none was taken yet: go on with these --looks, or name another store")
    last, left = taken[-1], earlier["alpha"] - taken[-1]["spent"]
    reached = last["seeds"]
    if plan.looks[0] <= reached or list(plan.seeds[:reached]) != earlier["seeds"][:reached]:
        raise UserError(
            f"{other}, and the one at {reached} was taken: further looks have to come after it, on the same seeds and "
            "more; or name another store"
        )
    if left < LEAST:
        raise UserError(
            f"{other}, which have spent {last['spent']:.4f} of the error {earlier['alpha']:g}: nothing is left for "
            "further looks; more seeds are exploratory (leave out --until-decided)"
        )
    is_open = [standing["decision"] is None for standing in last["comparisons"]]
    comparisons = [c for c, undecided in zip(earlier["comparisons"], is_open, strict=True) if undecided]
    if not comparisons:
        raise UserError(f"{other}, and all of them are decided: there is nothing to look at")
    return replace(plan, comparisons=comparisons, alpha=left, continues=name)
