"""From finished validated runs to their refits, the runs that train on everything.

Only these may stand beside published numbers, which come from models trained without held-out data.
"""

from collections.abc import Sequence

from benchmark.base.errors import UserError
from benchmark.base.files import read_object
from benchmark.experiment.grid import in_order
from benchmark.experiment.spec import RefitOf, RunSpec
from benchmark.store.store import Store


def refits(specs: Sequence[RunSpec], store: Store) -> tuple[list[RunSpec], list[str]]:
    """The refit of every validated run, for the mean epoch that the runs of its method selected.

    Args:
        specs: a grid of validated runs; those of one method differ by seed alone.

    Returns:
        A specification for each run, in their order; and for people, which methods have none, their runs not being
        finished.
    """
    groups: dict[str, list[RunSpec]] = {}
    for spec in specs:
        groups.setdefault(spec.group, []).append(spec)
    specified, left_out = [], []
    for group, members in groups.items():
        missing = sum(not store.is_complete(spec.key) for spec in members)
        if missing:
            left_out.append(
                f"{members[0].dataset}, {members[0].method.label}: no refit, for {missing} of {len(members)} runs "
                "did not finish"
            )
            continue
        selected = {spec.key: _selected(store, spec.key) for spec in sorted(members, key=lambda spec: spec.seed)}
        origin = RefitOf(group=group, budget=members[0].budget, epochs=selected)
        epochs = int(origin.mean + 0.5)  # to the nearest; a half goes up
        specified += [
            spec.model_copy(
                update={
                    "protocol": "refit",
                    "refit_of": origin,
                    "training": spec.training.model_copy(update={"epochs": epochs}),
                }
            )
            for spec in members
        ]
    return in_order(specified), left_out


def _selected(store: Store, key: str) -> int:
    file = store.folder(key) / "result.json"
    try:
        return int(read_object(file)["selected"]["epoch"])
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{file} is damaged ({error}); remove its folder, and the run is made again") from None
