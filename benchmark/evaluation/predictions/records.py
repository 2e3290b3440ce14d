"""What ``spec.json`` says of an imported run, and which names imported methods may have."""

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Literal

from benchmark.base.errors import UserError
from benchmark.base.fingerprints import json_fingerprint
from benchmark.experiment.preregistration import Side

if TYPE_CHECKING:
    from benchmark.data.datasets import DataSet
    from benchmark.evaluation.predictions.files import Predictions
    from benchmark.store.store import Store

PROTOCOL = "imported"
SELECTIONS = ("validation", "test", "unknown")
Selection = Literal["validation", "test", "unknown"]


def record(
    dataset: "DataSet", method: str, predictions: "Predictions", selection: Selection, *, paired: bool
) -> dict[str, Any]:
    """The content of ``spec.json`` (docs/run-format.md): all of it but the labels is in the key."""
    data = dataset.fingerprint
    setting = {"protocol": PROTOCOL, "dataset": dataset.name, "data": data}
    group: dict[str, Any] = setting | {"method": method, "selection": selection, "paired": paired}
    content: dict[str, Any] = {"seed": predictions.seed, "predictions": predictions.digest}
    run = predictions.run
    if run is not None:
        group |= {"whole": True}  # their epoch was chosen here: no mean over these and others
        content |= {"by_epoch": run.digest, "validation": run.validation_digest}
    return {
        "format": 1,
        "key": _digest(group | content),
        "group": _digest(group),
        "budget": _digest(setting),
        "dataset": dataset.name,
        "inputs": dataset.inputs.model_dump(mode="json"),
        "method": method,
        "label": method,
        "seed": predictions.seed,
        "preset": PROTOCOL,
        "protocol": PROTOCOL,
        "refit_of": None,
        "imported": {"selection": selection, "paired": paired, "predictions": predictions.digest}
        | ({} if run is None else {"epochs": len(run.by_epoch), "by_epoch": run.digest}),
        "provenance": {"data": data, "source": None, "torch": None, "numpy": None, "device": None},
    }


def sides(store: "Store", data: Collection[str]) -> dict[str, list[Side]]:
    """The store's imported methods on data of these fingerprints, by name, for a family of comparisons to name."""
    by_label: dict[str, dict[str, Side]] = {}
    for spec in store.specs():
        if spec.get("protocol") == PROTOCOL and spec["provenance"]["data"] in data:
            side = Side(spec["dataset"], spec["budget"], spec["group"], spec["label"])
            if by_label.setdefault(side.label, {}).setdefault(side.dataset, side) != side:
                raise UserError(
                    f"{side.label} was imported for {side.dataset} with more than one --selection or --paired, or "
                    "partly as whole runs: import it anew with --replace, all seeds alike"
                )
    return {label: list(by_dataset.values()) for label, by_dataset in by_label.items()}


def check_name(method: str) -> str:
    """The name itself; raises UserError for one of this suite's methods, or one that lists and pages cannot hold."""
    from benchmark.methods.parsing import parse_method

    if not re.fullmatch(r"[A-Za-z0-9](?:[\w .+/()\[\]-]{0,58}[\w)\]])?", method):
        raise UserError(
            f"--method {method!r}: give a name of at most 60 letters, digits, spaces and _.+-/()[], a letter or digit "
            "first"
        )
    try:
        ours = parse_method(method.lower(), {}).label
    except UserError:
        return method
    raise UserError(
        f"--method {method!r} is a method of this suite ({ours}); give what is imported a name of its own, for example "
        f"'{method} (authors)'"
    )


def _digest(form: Mapping[str, Any]) -> str:
    return json_fingerprint(form)[:16]
