"""Studies and the runs of their trials, written as docs/run-format.md says and by nothing of the project."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.reports.synthetic_runs import hashed, write_json

SEEDS = (1_000_000, 1_000_001, 1_000_002)
LR = {"kind": "float", "low": 1e-5, "high": 1e-2, "log": True, "step": None, "choices": None}
DROPOUT = {"kind": "float", "low": 0.0, "high": 0.6, "log": False, "step": None, "choices": None}
RANK = {"kind": "int", "low": 2, "high": 128, "log": True, "step": None, "choices": None}
ORDER = {"kind": "int", "low": 1, "high": 6, "log": False, "step": None, "choices": None}
DEFAULT = {"lr": 1e-4, "dropout": 0.5, "rank": 16, "order": 3}
F1 = {"name": "weighted_f1", "direction": "maximize"}
SPACE = {"lr": LR, "dropout": DROPOUT, "rank": RANK, "order": ORDER}
STUDY = "iemocap-sim/css/quick"


def choices(*values: object) -> dict[str, Any]:
    return {"kind": "categorical", "low": None, "high": None, "log": False, "step": None, "choices": list(values)}


def draw(space: Mapping[str, Mapping[str, Any]], rng: np.random.Generator) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, p in space.items():
        if p["kind"] == "categorical":
            found[name] = p["choices"][rng.integers(len(p["choices"]))]
            continue
        ends = np.log([p["low"], p["high"]]) if p["log"] else np.array([p["low"], p["high"]], dtype=float)
        value = rng.uniform(*ends)
        value = float(np.exp(value) if p["log"] else value)
        found[name] = min(max(round(value), p["low"]), p["high"]) if p["kind"] == "int" else value
    return found


def write_trial_run(store: Path, key: str, seed: int, test: float, dataset: str, label: str) -> None:
    """The three JSON files of a complete run: no trial's frames are ever read."""
    folder = store / "runs" / key
    if folder.exists():
        return
    folder.mkdir(parents=True)
    component = {"name": "paper", "options": {}}
    write_json(
        folder / "spec.json",
        {
            "format": 1, "key": key, "group": hashed("group", key), "budget": "b" * 16, "dataset": dataset,
            "seed": seed, "method": "spf+pgm", "label": label, "preset": "quick", "protocol": "validated",
            "training": {"epochs": 10},
            **dict.fromkeys(("encoder", "fusion", "aggregator", "objectives"), component),
        },
    )  # fmt: skip
    data = {
        "kind": "simulated" if dataset.endswith("-sim") else "real", "description": "built-in simulator, seed 0",
        "fingerprint": "d" * 64, "published": False, "classes": ["a", "b"],
    }  # fmt: skip
    write_json(
        folder / "manifest.json",
        {"created": "2026-01-02T03:04:05+00:00", "versions": {}, "hardware": {}, "source": "5" * 64, "data": data},
    )
    scores = {"epoch": 9, "weighted_f1": test, "accuracy": test, "macro_f1": test}
    write_json(
        folder / "result.json",
        {
            "selected": scores, "last": scores, "peak_test": scores, "diverged": False, "parameters": {},
            "validation": {"epoch": 9, "weighted_f1": test}, "timings": {},
        },
    )  # fmt: skip


def trial(number: int, params: Mapping[str, Any], scores: Sequence[float], **more: Any) -> dict[str, Any]:
    """A complete trial with these validation scores, one a seed; `tests` are its test scores, taken away again."""
    return {
        "number": number, "state": "complete", "params": dict(params), "values": [sum(scores) / max(1, len(scores))],
        "scores": list(scores), "started": "2026-01-02T03:00:00+00:00", "ended": "2026-01-02T03:10:00+00:00", **more,
    }  # fmt: skip


def write_study(
    store: Path,
    name: str,
    trials: Sequence[Mapping[str, Any]],
    space: Mapping[str, Mapping[str, Any]],
    *,
    default: Mapping[str, Any] | None = None,
    label: str = "css",
    dataset: str = "iemocap-sim",
    sampler: str = "tpe",
    pruner: str | None = None,
    objectives: Sequence[Mapping[str, str]] = (F1,),
    fair: Mapping[str, Any] | None = None,
    front: Sequence[int] | None = None,
    seconds: float = 20.0,
    **changes: Any,
) -> Path:
    """Write a study and the runs of its trials; a run's key follows from method, setting and seed."""
    written = []
    for given in trials:
        t = dict(given)
        scores, tests = t.pop("scores"), t.pop("tests", None)
        runs = []
        for i, validation in enumerate(scores):
            key = hashed("trial", dataset, label, sorted(t["params"].items()), SEEDS[i])
            runs.append({"seed": SEEDS[i], "key": key, "validation": validation, "volatility": 0.1, "seconds": seconds,
                         "epochs": 10})  # fmt: skip
            write_trial_run(store, key, SEEDS[i], validation - 0.02 if tests is None else tests[i], dataset, label)
        written.append(t | {"runs": runs})
    complete = [t for t in written if t["state"] == "complete"]
    best = max(complete, key=lambda t: t["values"][0])["number"] if complete and len(objectives) == 1 else None
    path = store / "studies" / f"{name.replace('/', '-')}-{hashed(name)[:6]}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "format": 1, "name": name, "storage": "sqlite:///studies.db", "dataset": dataset, "preset": "quick",
        "budget": "b" * 16, "data": {"kind": "simulated" if dataset.endswith("-sim") else "real",
        "description": "built-in simulator, seed 0", "fingerprint": "d" * 64}, "method": "spf+pgm", "label": label,
        "seeds": list(SEEDS), "sampler": sampler, "pruner": pruner, "objectives": list(objectives),
        "space": dict(space),
        "default": dict(default if default is not None else {n: DEFAULT[n] for n in space}), "fair": fair,
        "trials": written, "best": best, "front": front,
    }  # fmt: skip
    write_json(path, document | changes)
    return path


def searched(
    space: Mapping[str, Mapping[str, Any]],
    count: int,
    quality: Callable[[Mapping[str, Any]], float],
    seed: int = 0,
    default: Mapping[str, Any] | None = None,
    prune: float = 0.0,
) -> list[dict[str, Any]]:
    """Trials of a random search that starts from the default: scores of `quality` with noise of its own a seed.

    A trial below `prune` is pruned after its first seed.
    """
    rng, noise = np.random.default_rng(seed), np.random.default_rng(seed + 1)
    found = []
    for number in range(count):
        params = (
            draw(space, rng) if number else dict(default if default is not None else {n: DEFAULT[n] for n in space})
        )
        scores = quality(params) + 0.006 * noise.normal(size=len(SEEDS))
        tests = quality(params) - 0.02 + 0.008 * noise.normal(size=len(SEEDS))
        t = trial(number, params, [float(s) for s in scores], tests=[float(s) for s in tests])
        if number and scores[0] < prune:
            t |= {"state": "pruned", "values": None, "scores": t["scores"][:1]}
        found.append(t)
    return found


def write_studies(store: Path) -> None:
    """Write the studies of a page with every figure: one of 26 trials, one of two goals, and two fair ones."""
    trials = searched(SPACE, 26, lambda p: 0.6 + 0.05 * p["dropout"] - 0.01 * p["order"], prune=0.56)
    write_study(store, STUDY, trials, SPACE, pruner="wilcoxon")
    pair = [t | {"values": [*t["values"], 0.1 * (i + 1)]} for i, t in enumerate(searched({"lr": LR}, 3, lambda p: 0.6))]
    both = (F1, {"name": "volatility", "direction": "minimize"})
    write_study(store, "two", pair, {"lr": LR}, objectives=both, front=[0, 1], sampler="nsga2")
    for label in ("css", "adam"):
        for study in range(3):
            trials = searched({"lr": LR}, 4, lambda p: 0.6, seed=study)
            fair = {"group": "g", "index": study, "of": 3}
            write_study(store, f"x/fair-{label}-{study}", trials, {"lr": LR}, label=label, sampler="random", fair=fair)
