"""Studies as files beside the runs, ``studies/<slug>.json`` (docs/run-format.md): what reports and ``--tuned`` read."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.base.errors import UserError
from benchmark.base.files import read_object, write_json
from benchmark.base.locks import locked
from benchmark.base.names import look_up
from benchmark.experiment.grid import TUNING_SEEDS
from benchmark.tracking.uris import without_password
from benchmark.tuning.plan import GOALS, slug

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from benchmark.tuning.study import Study

FORMAT = 1
_STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "RUNNING": "running", "FAIL": "failed"}


def write_record(root: Path, study: "Study", url: str) -> dict[str, Any]:
    """Write the study's file as the storage has the study now, and return its content."""
    folder = root / "studies"
    with locked(folder):  # else a slower process would put an older state over a newer one
        content = record(study, url)
        write_json(folder / f"{slug(study.plan.name)}.json", content)
    return content


def record(study: "Study", url: str) -> dict[str, Any]:
    """The content of the file."""
    plan = study.plan
    spec, data = plan.default, plan.recipe.dataset
    trials = [_trial(number, attempt) for number, attempt in study.attempts()]
    complete = [trial for trial in trials if trial["state"] == "complete"]
    best = None if plan.multiple else max(complete, key=lambda trial: trial["values"][0], default=None)
    return {
        "format": FORMAT,
        "name": plan.name,
        "storage": without_password(url),
        "dataset": spec.dataset,
        "preset": spec.preset,
        "budget": spec.budget,
        "data": {"kind": data.kind, "description": data.description, "fingerprint": spec.provenance.data},
        "method": spec.method.canonical,
        "label": spec.method.label,
        "seeds": [TUNING_SEEDS + i for i in range(plan.seeds)],
        "sampler": plan.sampler,
        "pruner": plan.pruner,
        "objectives": [{"name": name, "direction": GOALS[name]} for name in plan.goals],
        "space": {name: parameter.model_dump(mode="json") for name, parameter in plan.space.items()},
        "default": dict(plan.default_settings),
        "fair": None if plan.fair is None else dict(plan.fair),
        "trials": trials,
        "best": None if best is None else best["number"],
        "front": study.front() if plan.multiple else None,
    }


def read_records(root: Path) -> dict[str, dict[str, Any]]:
    """Every study of the store, by name; raises UserError for a file that is damaged."""
    records = {}
    for file in sorted((root / "studies").glob("*.json")):
        try:
            content = read_object(file)
            content["trials"], content["best"], content["dataset"], content["method"]
            records[content["name"]] = content
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{file} is damaged ({error}); remove it, and cssbench tune writes it again") from None
    return records


def settings_in(root: Path, text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A study and its best trial, or of ``STUDY#7`` that trial.

    Raises:
        UserError: an unknown study, with the nearest name; a trial that is not complete; a study without a best one.
    """
    known = read_records(root)
    if not known:
        raise UserError(f"no study in {root}: make one with cssbench tune, or name a store with --store")
    name, _, number = text.partition("#")
    study = look_up("study", name, known)
    complete = {str(trial["number"]): trial for trial in study["trials"] if trial["state"] == "complete"}
    if not number:
        if study["best"] is None:
            front = "".join(f" {name}#{n}" for n in study["front"] or ())
            what = f"name a trial of its front:{front}" if front else "go on with it: cssbench tune"
            raise UserError(f"study {name!r} has no best trial; {what}")
        number = str(study["best"])
    return study, look_up(f"complete trial of study {name!r}:", number, complete)


def best_of(root: Path, names: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """The name of the study with the best trial among several of one method, and that trial's settings.

    Raises UserError where no trial of theirs is complete.
    """
    bests = []
    known = read_records(root)
    for study in (known[name] for name in names):
        bests += [(trial["values"][0], study["name"], trial["params"]) for trial in study["trials"]
                  if trial["number"] == study["best"]]  # fmt: skip
    if not bests:
        raise UserError(f"no trial of {', '.join(names)} is complete: there is nothing to compare")
    _, name, settings = max(bests, key=lambda best: best[0])  # the first of equals
    return name, settings


def _trial(number: int, attempt: "FrozenTrial") -> dict[str, Any]:
    state = _STATES[attempt.state.name]
    return {
        "number": number,
        "state": state,
        "params": dict(attempt.params),
        "values": list(attempt.values or ()) if state == "complete" else None,
        "runs": json.loads(attempt.user_attrs.get("runs", "[]")),
        "started": _time(attempt.datetime_start),
        "ended": _time(attempt.datetime_complete),
        "error": attempt.user_attrs.get("error"),
    }


def _time(naive: datetime | None) -> str | None:
    """Optuna's local time in UTC, ISO 8601."""
    return None if naive is None else naive.astimezone(UTC).isoformat(timespec="seconds")
