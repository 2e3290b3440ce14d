"""The rule that chooses the epoch, as a part of what is declared: and whether it was changed after runs were there."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from benchmark.experiment.grid import TUNING_SEEDS
from benchmark.experiment.preregistration import read_declared
from benchmark.experiment.spec import RunSpec, Selection
from benchmark.store.store import Store
from benchmark.workflows.grid import Grid

NAMES: tuple[Selection, ...] = get_args(Selection)


def with_rules(grid: Grid, store: Store) -> Grid:
    """The grid whose preregistration says by which rules epochs are chosen, and which others runs were made under.

    What an earlier declaration on the same budget says stands: to look at runs of another rule after it changes no
    rule that was chosen before.
    """
    plan = grid.preregistration
    if plan is None:
        return grid
    declared = sorted(read_declared(store.root).values(), key=lambda content: str(content["declared"]))
    rules = [
        {"dataset": spec.dataset, "selection": spec.training.selection, "changed_from": changed_from}
        for spec in {spec.dataset: spec for spec in grid.specs}.values()
        for changed_from in [_changed_from(spec, declared, store)]
        if spec.training.selection != "best" or changed_from
    ]
    return replace(grid, preregistration=replace(plan, rules=rules))


def _changed_from(spec: RunSpec, declared: Sequence[Mapping[str, Any]], store: Store) -> list[str]:
    """The other rules under which runs were there that a report could have shown, when this budget was declared."""
    for content in declared:
        if any(pair["budget"] == spec.budget for pair in content["comparisons"]):
            changes = {rule["dataset"]: rule["changed_from"] for rule in content.get("rules", ())}
            return list(changes.get(spec.dataset, ()))
    others = {_under(spec, name).budget: name for name in NAMES if name != spec.training.selection}
    return sorted(
        {
            others[record["budget"]]
            for record in store.specs()
            if record["budget"] in others and record["seed"] < TUNING_SEEDS and store.is_complete(record["key"])
        }
    )


def _under(spec: RunSpec, selection: Selection) -> RunSpec:
    return spec.model_copy(update={"training": spec.training.model_copy(update={"selection": selection})})
