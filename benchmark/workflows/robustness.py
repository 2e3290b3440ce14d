"""``benchmark.robustness``: what the finished runs of a store score where a modality is missing at test time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.base.errors import UserError
from benchmark.base.files import read_object, write_json
from benchmark.execution.listener import Listener
from benchmark.store.checksums import document_checksum
from benchmark.store.query import IMPORTED, Filter, Held, by_prefix
from benchmark.store.records import DamagedRunError
from benchmark.store.store import Store
from benchmark.workflows.defaults import data_folder, store_folder
from benchmark.workflows.notebook import default_listener
from benchmark.workflows.preparation import existing

NAME = "robustness.json"
FORMAT = 1


@dataclass(frozen=True)
class Robustness:
    """What became of the finished runs that were asked for.

    Attributes:
        evaluated, already: the keys of those that were evaluated now, and before.
        left_out: why others were not, by key.
    """

    evaluated: Sequence[str]
    already: Sequence[str]
    left_out: Mapping[str, str]


def robustness(
    runs: Sequence[str] | None = None,
    *,
    store: Path | str | None = None,
    data_dir: Path | str | None = None,
    plugins: Sequence[str] = (),
    listener: Listener | None = None,
) -> Robustness:
    """Evaluate runs on the test set with each modality zeroed, and shuffled, and keep the scores beside the runs.

    A run's model is that of its selected epoch, whose weights its folder holds; nothing is trained. Reports of the
    store show the table from then on.

    Args:
        runs: keys, or how they begin; None is every complete run but those of searches and imported ones.
        store, data_dir, listener: as for :func:`benchmark.run`.
        plugins: as for :func:`benchmark.verify`.

    Raises:
        UserError: no such run, or none to evaluate.
    """
    held, listener = Store(existing(store_folder(store))), listener or default_listener()
    evaluated, already = [], []
    unusable: list[DamagedRunError] = []
    chosen = _chosen(held, runs, unusable)
    left_out = {error.folder.name: str(error) for error in unusable}
    for number, run in enumerate(chosen, start=1):
        try:
            if _is_there(held.folder(run.key)):
                already.append(run.key)
                continue
            listener.message(f"{number} of {len(chosen)}: {run.name}")
            _evaluate(held.folder(run.key), run, data_folder(data_dir), plugins)
            evaluated.append(run.key)
        except (UserError, DamagedRunError) as error:
            left_out[run.key] = str(error)
            listener.notice(f"left out: {run.name} ({run.key}): {error}")
    return Robustness(evaluated, already, left_out)


def _chosen(store: Store, prefixes: Sequence[str] | None, unusable: list[DamagedRunError]) -> list[Held]:
    from benchmark.experiment.grid import TUNING_SEEDS

    if prefixes is not None:
        named = by_prefix(store, prefixes, unusable)
        if imported := next((run for run in named if run.spec.get("protocol") == IMPORTED), None):
            raise UserError(f"run {imported.key} was imported: there is no model of it here to evaluate")
        chosen = named
    else:
        complete = Filter(state="complete").select(store, unusable)
        chosen = [r for r in complete if r.spec.get("protocol") != IMPORTED and r.spec["seed"] < TUNING_SEEDS]
    if unfinished := next((run for run in chosen if run.state != "complete"), None):
        raise UserError(f"run {unfinished.key} is not complete: cssbench run makes it")
    if not chosen and not unusable:
        raise UserError(f"no complete run in {store.root}: cssbench run makes some")
    return chosen


def _is_there(folder: Path) -> bool:
    """Whether the file is there and whole, of the weights that the run has now."""
    try:
        content = read_object(folder / NAME)
        weights = read_object(folder / "result.json")["digests"]["selected_weights"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return content.get("checksum") == document_checksum(content) and content.get("weights") == weights


def _evaluate(folder: Path, run: Held, data_dir: Path | None, plugins: Sequence[str]) -> None:
    import numpy as np
    import pyarrow.parquet as pq

    from benchmark.evaluation.missing import robustness as evaluate
    from benchmark.execution.rebuilding import rebuild
    from benchmark.store.checksums import read_result
    from benchmark.training.run_data import run_data
    from benchmark.training.weights import load_weights

    expected = read_result(folder)["digests"].get("selected_weights")
    weights = load_weights(folder, expected)
    task = rebuild(run.spec, data_dir, plugins)
    spec = task.spec
    conversations, data = run_data(spec, task.dataset.load_remedied()[0])
    table = pq.read_table(folder / "predictions.parquet")
    recorded = np.stack([table[f"probability_{c}"].to_numpy() for c in range(len(data.test.class_names))], axis=1)
    content: dict[str, Any] = {"format": FORMAT, "key": run.key, "weights": expected}
    content |= evaluate(spec, weights, data.train, conversations, recorded)
    write_json(folder / NAME, content | {"checksum": document_checksum(content)})
