"""The fields of a run's JSON files that reports rely on, and their types (docs/run-format.md)."""

SPEC = {"key": str, "group": str, "budget": str, "dataset": str, "method": str, "label": str, "seed": int}
SPEC_MORE = {"preset": str, "encoder": dict, "training": dict}
MANIFEST = {"created": str, "versions": dict, "hardware": dict, "source": str, "data": dict}
DATA = {"kind": str, "description": str, "fingerprint": str, "published": bool, "classes": list}
DATA_MORE = {
    "remedies": list,
    "audit": dict,
    "ceiling": dict,
    "references": list,
    "validation_sessions": int,
}  # absent or null where there is none
AUDIT = {"defects": list, "remedies": list, "notes": int}
CEILING = {
    **{f"{score}{part}": float for score in ("accuracy", "weighted_f1") for part in ("", "_se")},
    **{f"test_{score}": float for score in ("accuracy", "weighted_f1")},
    "modalities": list,
}
REFERENCE = {"name": str, "modalities": list, "weighted_f1": float, "accuracy": float}
SYNERGY = ("weighted_f1_without_synergy", "weighted_f1_without_synergy_se", "weighted_f1_synergy_se")
RESULT = {"last": dict, "peak_test": dict, "diverged": bool, "parameters": dict, "timings": dict}
REFIT_OF = {"group": str, "budget": str, "epochs": dict, "mean": float}
TUNED = {"study": str, "base": dict}
IMPORTED = {"selection": str, "paired": bool, "predictions": str}
SCORES = {"accuracy": float, "weighted_f1": float, "macro_f1": float, "confusion": list}
FOLD = {"test": str, "validation": str, "sessions": list}
