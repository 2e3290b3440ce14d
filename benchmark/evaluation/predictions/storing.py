"""Imported predictions into the store: all of a file, or nothing of it."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.base.errors import UserError
from benchmark.base.files import write_json
from benchmark.base.words import counted
from benchmark.evaluation.predictions.files import PredictionFile, Predictions
from benchmark.evaluation.predictions.records import Selection, record
from benchmark.evaluation.scoring import Scorer
from benchmark.store.checksums import with_checksums
from benchmark.store.parquet import write_table
from benchmark.store.query import conflicting_imports
from benchmark.store.store import Store

if TYPE_CHECKING:
    from benchmark.data.conversations import Conversations
    from benchmark.data.datasets import DataSet
    from benchmark.data.defects.remedies import Change

FILES = ("spec.json", "manifest.json", "predictions.parquet")
"""What an imported run's folder holds beside ``result.json``."""


@dataclass(frozen=True)
class Imported:
    """A run that the store now holds; ``new`` where it did not before. ``weighted_f1`` is a fraction."""

    key: str
    seed: int
    new: bool
    weighted_f1: float


def store_predictions(
    store: Store,
    dataset: "DataSet",
    file: PredictionFile,
    method: str,
    selection: Selection,
    *,
    paired: bool,
    replace: bool = False,
) -> list[Imported]:
    """Score the predictions of a file and keep them as runs.

    What is there already is left as it is. Other predictions of the same data, method and seed go only when the new
    ones are on the disk, and only with ``replace``.

    Raises:
        UserError: the store has others and ``replace`` is not given, or another process is writing one of these runs.
    """
    conversations, changes = dataset.load_remedied()
    specs = [record(dataset, method, one, selection, paired=paired) for one in file.predictions]
    former = {spec["key"]: conflicting_imports(spec, store) for spec in specs}
    standing = [key for keys in former.values() for key in keys if store.is_complete(key)]
    if standing and not replace:
        raise UserError(
            f"{store.root} has {counted(len(standing), 'run')} of {method} on {dataset.name} with these seeds already, "
            f"with other predictions, --selection or --paired (run {standing[0]}): nothing was imported; --replace "
            "puts these in their place, or give another --method"
        )
    replaced = {key for keys in former.values() for key in keys}
    for spec in specs:
        _check_new(spec, store, replaced)
    store.prepare()
    scorer = Scorer(conversations)
    manifest = _manifest(dataset, conversations, changes, file)
    imported = []
    with ExitStack() as claims:
        for spec in specs:
            if not claims.enter_context(store.claim(spec["key"])):
                raise UserError(f"another process is writing run {spec['key']} in {store.root}: try again when it ends")
        for spec, one in zip(specs, file.predictions, strict=True):
            scores = scorer.scores_of(one.predicted, one.probabilities)
            new = not store.is_whole(spec["key"])
            if new:
                _write(store, spec, manifest | {"disagreeing": one.disagreeing}, one, scores, conversations)
            imported.append(Imported(spec["key"], one.seed, new, scores["weighted_f1"]))
    for keys in former.values():
        for key in keys:
            store.remove(key)
    return imported


def _check_new(spec: Mapping[str, Any], store: Store, replaced: Collection[str]) -> None:
    """Raise UserError where another seed of the method has these very predictions: one run is not two."""
    for other in store.specs():
        same = other.get("protocol") == spec["protocol"] and other["key"] not in replaced
        same = same and (other["provenance"]["data"], other["label"]) == (spec["provenance"]["data"], spec["label"])
        if (
            same
            and other["seed"] != spec["seed"]
            and other["imported"]["predictions"] == spec["imported"]["predictions"]
        ):
            raise UserError(
                f"{store.root} has these very predictions of {spec['label']} as seed {other['seed']} (run "
                f"{other['key']}), so that seed {spec['seed']} is no other run: nothing was imported; import the file "
                "of that seed"
            )


def _write(
    store: Store,
    spec: Mapping[str, Any],
    manifest: Mapping[str, Any],
    predictions: Predictions,
    scores: Mapping[str, Any],
    conversations: "Conversations",
) -> None:
    folder, test = store.folder(spec["key"]), conversations.where("test")
    assert test.label is not None, "the data set is loaded with its labels"
    (folder / "result.json").unlink(missing_ok=True)  # damaged, or the run would stand
    write_json(folder / "spec.json", spec)
    write_json(folder / "manifest.json", manifest)
    shares = predictions.probabilities
    write_table(
        folder / "predictions.parquet",
        {
            "conversation": np.repeat(np.array(test.ids), test.lengths),
            "utterance": np.concatenate([np.arange(n) for n in test.lengths]),
            "predicted": predictions.predicted,
            "label": test.label,
        }
        | ({} if shares is None else {f"probability_{c}": column for c, column in enumerate(shares.T)}),
    )
    unknown = dict.fromkeys(("selected", "last", "peak_test", "validation"))
    result = unknown | {"imported": dict(scores), "digests": {"predictions": predictions.digest}}
    write_json(folder / "result.json", with_checksums(folder, result, FILES))


def _manifest(
    dataset: "DataSet", conversations: "Conversations", changes: "Sequence[Change]", file: PredictionFile
) -> dict[str, Any]:
    test = conversations.where("test")
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"css-bench": version("css-bench")},
        "hardware": {},
        "git": None,
        "source": None,
        "imported_from": {"file": file.name, "sha256": file.sha256},
        "data": {
            "kind": dataset.kind,
            "description": dataset.description,
            "fingerprint": dataset.fingerprint,
            "published": dataset.published,
            "remedies": [asdict(change) for change in changes],
            "audit": None,
            "ceiling": None,
            "references": None,
            "classes": list(test.class_names),
            "conversations": {"test": len(test)},
            "utterances": {"test": test.utterances},
        },
    }
