"""A synthetic run store, written as docs/run-format.md says and by nothing of the project."""

import atexit
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

OBJECTIVES = ("fused", "unimodal", "distillation")
PAIRS = ("fused_unimodal", "fused_distillation", "unimodal_distillation")
BLOCKS = ("inputs", "reduction")
CLASSES = {
    "iemocap": "happy sad neutral angry excited frustrated",
    "meld": "neutral surprise fear sadness joy disgust anger",
}

CEILING = {
    **{"modalities": ["text", "audio"], "context": True, "accuracy": 0.7, "accuracy_se": 0.001, "weighted_f1": 0.69},
    **{"weighted_f1_se": 0.002, "test_accuracy": 0.72, "test_weighted_f1": 0.715},
}
REFERENCES: list[dict[str, Any]] = [
    {"name": "majority", "modalities": [], "strength": None, "class_weights": None, "weighted_f1": 0.313}
    | {"accuracy": 0.481},
    {"name": "logistic", "modalities": ["text", "audio"], "strength": 0.01, "class_weights": True}
    | {"weighted_f1": 0.75, "accuracy": 0.6},
]
SESSIONS = ("Ses01", "Ses02", "Ses03", "Ses04", "Ses05")
WriteRun = Callable[..., Path]


def hashed(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def write_json(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document), encoding="utf-8")


# what each label is made of: fusion with its options, then aggregator
PARTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "css": ("spf", {}, "pgm"),
    "adam": ("spf", {}, "equal"),
    "concat": ("concat", {}, "equal"),
    "concat+pgm": ("concat", {}, "pgm"),
    "pcgrad": ("spf", {}, "pcgrad"),
    "tensor": ("tensor", {}, "equal"),
    "linear": ("linear", {}, "equal"),
    "released/linear": ("linear", {}, "equal"),
    "css-shared": ("spf", {"shared": True}, "pgm"),
    "css-nosqrt": ("spf", {"signed_sqrt": False}, "pgm"),
    "css-released": ("spf-released", {}, "pgm"),
    "released/adam": ("spf-released", {}, "equal"),
    "released/concat": ("concat", {}, "equal"),
    "text": ("text", {}, "equal"),
}
SPF = {"rank": 16, "order": 3, "shared": False, "gates": True, "anchor": True, "signed_sqrt": True}


def parts(label: str) -> tuple[str, dict[str, Any], str]:
    """Fusion, its options and aggregator; `css(rank=2,order=1)` too."""
    name, _, written = label.partition("(")
    fusion, options, aggregator = PARTS.get(name, ("spf", {}, "equal"))
    given = {k: int(v) for k, v in (item.split("=") for item in written.rstrip(")").split(",") if item)}
    return fusion, (SPF if fusion == "spf" else {}) | options | given, aggregator


def _scores(confusion: np.ndarray, epoch: int) -> dict[str, Any]:
    support, hit = confusion.sum(axis=1), np.diag(confusion)
    f1 = 2 * hit / np.maximum(support + confusion.sum(axis=0), 1)
    return {
        "epoch": epoch,
        "accuracy": float(hit.sum() / support.sum()),
        "weighted_f1": float((f1 * support).sum() / support.sum()),
        "macro_f1": float(f1.mean()),
    } | {"per_class_f1": f1.tolist(), "confusion": confusion.astype(int).tolist()}


def predict(rng: np.random.Generator, classes: int, epochs: int, recall: float) -> tuple[np.ndarray, np.ndarray]:
    """Predicted class by epoch, and labels: 40 utterances a class, in random order but the same for every run."""
    label = np.random.default_rng(0).permutation(np.repeat(np.arange(classes), 40))
    by_class = rng.normal(recall, 0.02, size=classes)
    rows = []
    for epoch in range(1, epochs + 1):
        wrong = (label + rng.integers(1, classes, size=len(label))) % classes
        kept = rng.random(len(label)) < by_class[label] * min(1, 0.7 + 0.1 * epoch)
        rows.append(np.where(kept, label, wrong))
    return np.array(rows, dtype=np.uint8), label


def confusion_of(label: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    counts = np.zeros((classes, classes), dtype=int)
    np.add.at(counts, (label, predicted), 1)
    return counts


def _after(session: str) -> str:
    return SESSIONS[(SESSIONS.index(session) + 1) % len(SESSIONS)]


@cache
def _originals() -> Path:
    """A folder of this process, for runs that are copied."""
    folder = Path(tempfile.mkdtemp(prefix="css-bench-synthetic-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def written_once(write: WriteRun) -> WriteRun:
    """Have a run of the same arguments made once and copied from then on: making one takes as long as forty copies."""
    made: dict[str, Path] = {}

    @wraps(write)
    def copied(store: Path, *arguments: object, **fields: object) -> Path:
        which = repr((arguments, sorted(fields.items())))
        if which not in made:
            made[which] = write(_originals() / str(len(made)), *arguments, **fields)
        original = made[which]
        return Path(shutil.copytree(original, store / "runs" / original.name, copy_function=shutil.copyfile))

    return copied


@written_once
def write_run(
    store: Path,
    dataset: str = "iemocap-sim",
    label: str = "css",
    seed: int = 0,
    *,
    epochs: int = 8,
    steps_per_epoch: int = 6,
    hidden: int = 64,
    preset: str = "quick",
    created: str = "2026-01-02T03:04:05+00:00",
    kind: str | None = None,
    published: bool = False,
    fingerprint: str = "d" * 64,
    protocol: str = "validated",
    refit_of: dict[str, Any] | None = None,
    shift: float = 0.0,
    tuned: dict[str, Any] | None = None,
    training: dict[str, Any] | None = None,
    weights: str | None = None,
    without: tuple[str, ...] = (),
    encoder: dict[str, Any] | None = None,
    named: str | None = None,
    fold: str | None = None,
    **data: object,
) -> Path:
    """Write one complete run and return its folder; `data` are further fields. Same arguments, same bytes.

    `without`: objectives that the method leaves out. `encoder`: in place of the usual one. `named`: the label where it
    is not that of the parts.

    `fold`: the test session, one of :data:`SESSIONS`; the protocol is that of sessions held out in turn.

    `tuned`: as in spec.json; the `training` settings given then are the run's own and in no budget. `weights`: their
    digest, which differs by run.
    """
    protocol = "sessions" if fold else protocol
    setting: tuple[object, ...] = (dataset, epochs, hidden, fingerprint)
    if protocol != "validated":
        setting += (protocol, refit_of and refit_of["group"])
    whose = (named or label) if tuned is None else f"{label} [tuned]"
    own: tuple[object, ...] = () if tuned is None else (sorted((training or {}).items()),)
    own += (without, repr(encoder)) if without or encoder else ()
    group, key = hashed(*setting, label, *own), hashed(*setting, label, *own, seed, *([fold] if fold else []))
    rng = np.random.default_rng(int(key, 16))
    folder = store / "runs" / key
    folder.mkdir(parents=True)
    classes = CLASSES[dataset.removesuffix("-sim")].split()
    fusion, options, aggregator = parts(label)
    written = ",".join(f"{k}={v}" for k, v in options.items() if SPF.get(k, v) != v)
    write_json(
        folder / "spec.json",
        {
            "format": 1, "key": key, "group": group, "budget": hashed(*setting), "dataset": dataset,
            "method": f"{fusion}{f'({written})' if written else ''}+{aggregator}", "label": whose,
            "fold": fold and {"test": fold, "validation": _after(fold), "sessions": list(SESSIONS)},
            "tuned": tuned, "seed": seed, "preset": preset, "protocol": protocol, "refit_of": refit_of,
            "encoder": encoder or {"name": "released" if "released" in label else "paper", "options": {}},
            "fusion": {"name": fusion, "options": options},
            "aggregator": {"name": aggregator, "options": {}},
            "objectives": {"name": "paper", "options": dict.fromkeys(without, False)},
            "training": {
                "hidden": hidden, "heads": 4, "dropout": 0.5, "epochs": epochs, "batch_size": 8, "lr": 1e-4,
                "weight_decay": 1e-5, "temperature": 1.0, "class_weights": True, "standardize": True, "probe_every": 5,
                "probe_conversations": 8, **(training or {}),
            },
        },
    )  # fmt: skip
    write_json(
        folder / "manifest.json",
        {
            "created": created,
            "versions": {"python": "3.11.7", "torch": "2.8.0", "numpy": "2.4.6", "css-bench": "0.1.0"},
            "hardware": {"processor": "Example CPU", "cores": 2, "device": "cpu"},
            "git": {"commit": "58a1abd", "dirty": False},
            "source": "5" * 64,
            "data": {
                "kind": kind or ("simulated" if dataset.endswith("-sim") else "real"),
                "description": "built-in simulator, seed 0" if dataset.endswith("-sim") else f"{dataset}_features.pkl",
                "fingerprint": fingerprint, "published": published, "classes": classes,
                "conversations": {"train": 96, "validation": 24, "test": 31},
                "utterances": {"train": 4600, "validation": 1200, "test": 1623},
                **data,
            },
        },
    )  # fmt: skip

    steps = epochs * steps_per_epoch
    at = np.arange(steps)
    curve = {"css": 0.9, "adam": 1.0}.get(label, 1.1) * np.exp(-at / steps * 1.5) + 0.3
    absent = re.compile("|".join(without) or "$.")
    losses = {
        f"loss_{name}": curve * (i + 1) * np.exp(0.03 * rng.normal(size=steps)) for i, name in enumerate(OBJECTIVES)
    }
    gamma = np.full((steps, 3), 1 / 3) if aggregator == "equal" else rng.dirichlet((8, 6, 4), size=steps)
    drawn = {f"cos_{p}": np.clip(0.3 - 0.2 * i + 0.2 * rng.normal(size=steps), -1, 1) for i, p in enumerate(PAIRS)}
    drawn |= {f"norm_{name}": rng.gamma(4, 0.5, size=steps) for name in OBJECTIVES}
    drawn |= {f"{b}.cos_{p}": np.clip(0.2 + 0.4 * rng.normal(size=steps), -1, 1) for b in BLOCKS for p in PAIRS}
    cosines = dict.fromkeys(drawn, np.nan) if aggregator == "equal" else drawn
    frame = pd.DataFrame(
        {"step": at, "epoch": at // steps_per_epoch + 1}
        | losses
        | {
            "total": sum(values for name, values in losses.items() if not absent.search(name)),
            "gradient_norm": rng.gamma(4, 0.5, size=steps),
            "finite": True,
            "skipped": False,
        }
        | {f"weight_{name}": gamma[:, i] for i, name in enumerate(OBJECTIVES)}
        | cosines
    )
    frame[[name for name in frame if absent.search(name)]] = np.nan
    frame.to_parquet(folder / "steps.parquet")
    by_epoch = frame.groupby("epoch").mean()
    f1 = 0.45 + 0.2 * (1 - np.exp(-np.arange(epochs) / 3)) + 0.01 * rng.normal(size=epochs)
    history = pd.DataFrame(
        {"epoch": np.arange(1, epochs + 1)}
        | {f"train_loss_{name}": by_epoch[f"loss_{name}"].to_numpy() for name in OBJECTIVES}
        | {
            "train_total": by_epoch["total"].to_numpy(),
            "validation_loss": by_epoch["loss_fused"].to_numpy() * 1.2,
            "validation_accuracy": f1, "validation_weighted_f1": f1, "validation_macro_f1": f1 - 0.02,
        }
    )  # fmt: skip
    validated = protocol in ("validated", "sessions")
    if not validated:
        history[[name for name in history if name.startswith("validation")]] = np.nan
    history.to_parquet(folder / "history.parquet")
    probed = np.arange(0, steps + 1, 5)
    probes = pd.DataFrame(
        {"step": probed, "epoch": np.maximum(1, -(-probed // steps_per_epoch))}
        | {f"norm_{name}": rng.gamma(4, 0.5, size=len(probed)) for name in OBJECTIVES}
        | {
            f"cos_{p}": np.clip(0.4 - 0.25 * i + 0.15 * rng.normal(size=len(probed)), -1, 1)
            for i, p in enumerate(PAIRS)
        }
        | {
            f"weight_{name}": w
            for name, w in zip(OBJECTIVES, rng.dirichlet((8, 6, 4), size=len(probed)).T, strict=True)
        }
        | {
            f"{what}_cos_{name}": np.clip(0.3 + 0.3 * rng.normal(size=len(probed)), -1, 1)
            for what in ("update", "displacement")
            for name in OBJECTIVES
        }
        | {f"{b}.cos_{p}": np.clip(0.3 + 0.4 * rng.normal(size=len(probed)), -1, 1) for b in BLOCKS for p in PAIRS}
        | {f"{b}.norm_{name}": rng.gamma(4, 0.5, size=len(probed)) for b in BLOCKS for name in OBJECTIVES}
    )
    probes.loc[len(probes) - 1, [f"displacement_cos_{name}" for name in OBJECTIVES]] = np.nan
    probes[[name for name in probes if absent.search(name)]] = np.nan
    probes.to_parquet(folder / "conflict.parquet")
    if label == "adam":
        pd.DataFrame(
            {"step": np.tile(probed, 2), "epoch": 1, "aggregator": np.repeat(["pgm", "equal"], len(probed))}
            | {f"weight_{name}": rng.random(2 * len(probed)) for name in OBJECTIVES}
            | {f"update_cos_{name}": rng.uniform(-1, 1, 2 * len(probed)) for name in OBJECTIVES}
            | {"mean_cos": rng.uniform(-1, 1, 2 * len(probed))}
        ).to_parquet(folder / "directions.parquet")

    by_epoch, label_of = predict(rng, len(classes), epochs, {"css": 0.66, "adam": 0.65}.get(label, 0.64) + shift)
    utterances = {
        "conversation": [f"c{i // 8}" for i in range(len(label_of))],
        "utterance": np.arange(len(label_of)) % 8,
    }
    predicted = by_epoch[epochs - 2]
    sure = np.random.default_rng(1).uniform(0.4, 1.0, size=len(predicted))
    probability = np.repeat((1 - sure)[:, None] / (len(classes) - 1), len(classes), axis=1)
    probability[np.arange(len(predicted)), predicted] = sure
    pd.DataFrame(
        utterances
        | {"predicted": predicted, "label": label_of}
        | {f"probability_{c}": probability[:, c] for c in range(len(classes))}
    ).to_parquet(folder / "predictions.parquet")
    pd.DataFrame(utterances | {f"epoch_{e}": row for e, row in enumerate(by_epoch, 1)}).to_parquet(
        folder / "test_predictions.parquet"
    )
    scores = [_scores(confusion_of(label_of, row, len(classes)), e) for e, row in enumerate(by_epoch, 1)]
    selected = scores[epochs - 2]
    last, peak = dict(scores[-1]), dict(max(scores, key=lambda s: s["weighted_f1"]))
    for other in (last, peak):
        del other["per_class_f1"], other["confusion"]
    detailed = selected | {"nll": 1.0, "ece": 0.1, "brier": 0.5}
    write_json(
        folder / "result.json",
        {
            "selected": detailed if validated else None,
            "last": (last if validated else detailed | last) | {"epoch": epochs},
            "peak_test": peak,
            "validation": {"epoch": epochs - 1, "weighted_f1": float(f1.max())} if validated else None,
            "diverged": False, "steps": steps, "skipped_steps": 0,
            "masked_objectives": {name: None if name in without else 0 for name in OBJECTIVES},
            "backward_passes": steps * (1 if aggregator == "equal" else 3), "probe_backward_passes": 3 * len(probed),
            "parameters": {"total": 400_000 + len(label), "encoder": 380_000, "fusion": 12_345, "classifiers": 1_000},
            "peak_memory": 512 * 2**20,
            "timings": {"train": 20.0 + rng.random(), "evaluate": 1.0, "probe": 2.0, "total": 23.5},
            "digests": {
                "weights": weights or hashlib.sha256(key.encode()).hexdigest(),
                "history": "1" * 64,
                "predictions": "2" * 64,
                "selected_weights": "4" * 64,
            },
        },
    )  # fmt: skip
    return folder


def edit(path: Path, **changes: object) -> None:
    """Replace top-level fields of a JSON file."""
    write_json(path, json.loads(path.read_text(encoding="utf-8")) | changes)


def write_robustness(folder: Path, intact: float, missing: dict[tuple[str, str], float]) -> Path:
    """Write a run's scores where a modality is missing: weighted F1 as it is, and by modality and way to be missing."""

    def scores(f1: float) -> dict[str, Any]:
        return {"accuracy": f1, "weighted_f1": f1, "macro_f1": f1, "confusion": [[1]]}

    content: dict[str, Any] = {"format": 1, "key": folder.name, "weights": "4" * 64, "intact": scores(intact)}
    content["conditions"] = [{"modality": modality, "how": how} | scores(f1) for (modality, how), f1 in missing.items()]
    checksum = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    write_json(folder / "robustness.json", content | {"checksum": checksum})
    return folder / "robustness.json"
