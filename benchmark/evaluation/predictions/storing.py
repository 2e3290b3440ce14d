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
from benchmark.evaluation.predictions.tables import Origin
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
BY_EPOCH = ("history.parquet", "test_predictions.parquet")
"""What it holds besides where the run came whole."""


@dataclass(frozen=True)
class Imported:
    """A run that the store now holds; ``new`` where it did not before. ``result`` is its result.json's content."""

    key: str
    seed: int
    new: bool
    result: Mapping[str, Any]


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
    """Score the predictions of a file and keep them as runs. ``selection`` of whole runs is ``validation``.

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
            result = _result(scorer, one)
            new = not store.is_whole(spec["key"])
            if new:
                _write(store, spec, manifest | {"disagreeing": one.disagreeing}, one, result, conversations)
            imported.append(Imported(spec["key"], one.seed, new, result))
    for keys in former.values():
        for key in keys:
            store.remove(key)
    return imported


def _result(scorer: Scorer, predictions: Predictions) -> dict[str, Any]:
    """What result.json says: the scores, and of a whole run those at the epochs that the rules choose."""
    run, scores = predictions.run, scorer.scores_of(predictions.predicted, predictions.probabilities)
    digests = {"imported": scores, "digests": {"predictions": predictions.digest}}
    if run is None:
        return dict.fromkeys(("selected", "last", "peak_test", "validation")) | digests
    shares = predictions.probabilities
    if shares is None:  # not read: the scores that need them are in `scores`, as unknown
        shares = np.zeros((len(predictions.predicted), scorer.classes), np.float32)
    chosen = scorer.score((run.selected, float(run.validation[run.selected - 1])), run.by_epoch, shares)
    chosen["selected"] |= scores
    picked = None
    if run.picked is not None:
        theirs = scorer.scores_of(run.by_epoch[run.picked - 1], None)
        picked = {"epoch": run.picked} | {name: theirs[name] for name in ("accuracy", "weighted_f1", "macro_f1")}
    return chosen | digests | {"picked": picked}


def _check_new(spec: Mapping[str, Any], store: Store, replaced: Collection[str]) -> None:
    """Raise UserError where another seed of the method has these very predictions: one run is not two."""
    for other in store.specs():
        same = other.get("protocol") == spec["protocol"] and other["key"] not in replaced
        same = same and (other["provenance"]["data"], other["label"]) == (spec["provenance"]["data"], spec["label"])
        if same and other["seed"] != spec["seed"] and _says_the_same(other["imported"], spec["imported"]):
            raise UserError(
                f"{store.root} has these very predictions of {spec['label']} as seed {other['seed']} (run "
                f"{other['key']}), so that seed {spec['seed']} is no other run: nothing was imported; import the file "
                "of that seed"
            )


def _says_the_same(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Whether two runs predict the same: in every epoch where both came whole, else in the one that counts."""
    name = "by_epoch" if "by_epoch" in first and "by_epoch" in second else "predictions"
    return bool(first[name] == second[name])


def _write(
    store: Store,
    spec: Mapping[str, Any],
    manifest: Mapping[str, Any],
    predictions: Predictions,
    result: Mapping[str, Any],
    conversations: "Conversations",
) -> None:
    folder, test = store.folder(spec["key"]), conversations.where("test")
    assert test.label is not None, "the data set is loaded with its labels"
    store.clear(spec["key"])  # with a damaged result, or the run would stand
    write_json(folder / "spec.json", spec)
    write_json(folder / "manifest.json", manifest)
    shares, run = predictions.probabilities, predictions.run
    utterances = {
        "conversation": np.repeat(np.array(test.ids), test.lengths),
        "utterance": np.concatenate([np.arange(n) for n in test.lengths]),
    }
    write_table(
        folder / "predictions.parquet",
        utterances
        | {"predicted": predictions.predicted, "label": test.label}
        | ({} if shares is None else {f"probability_{c}": column for c, column in enumerate(shares.T)}),
    )
    if run is not None:
        epochs = np.arange(1, len(run.by_epoch) + 1)
        write_table(folder / "history.parquet", {"epoch": epochs, "validation_weighted_f1": run.validation})
        write_table(
            folder / "test_predictions.parquet",
            utterances | {f"epoch_{e}": row for e, row in zip(epochs, run.by_epoch, strict=True)},
        )
    files = FILES if run is None else (*FILES, *BY_EPOCH)
    write_json(folder / "result.json", with_checksums(folder, result, files))


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
        "imported_from": _named(file.origin)
        | ({} if file.validation is None else {"validation": _named(file.validation)}),
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


def _named(origin: Origin) -> dict[str, str]:
    return {"file": origin.name, "sha256": origin.sha256}
