"""What was decided at the looks of a family that is followed until it is decided (docs/run-format.md)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reports.errors import ReportError
from reports.reading.documents import check, document
from reports.statistics.effects import Interval
from reports.statistics.sequential import Decision, Design, Look, Standing

FORMAT = 1
_FIELDS = {"format": int, "taken": str, "seeds": int, "spent": float, "mc_se": float, "comparisons": list}
_COMPARISON = {"seeds": int, "degrees": int, "reason": str}


@dataclass(frozen=True)
class RecordedLook:
    """A look as it was written down before further runs began.

    reasons: why a comparison was withdrawn, in the order of the comparisons; empty for all others.
    """

    taken: datetime
    look: Look
    reasons: tuple[str, ...]

    @property
    def seeds(self) -> int:
        """The number of seeds, of those declared, that it judged."""
        return self.look.seeds


def looks_folder(preregistration: Path) -> Path:
    """Where the looks of a preregistration are, given its file: ``looks/NAME/`` in the store."""
    return preregistration.parent.parent / "looks" / preregistration.stem


def read_looks(preregistration: Path, design: Design, comparisons: int) -> tuple[RecordedLook, ...]:
    """The looks that were taken, first to last. Raises ReportError on a damaged file, and where one is missing."""
    folder = looks_folder(preregistration)
    looks = tuple(sorted((_read(path, comparisons) for path in folder.glob("*.json")), key=lambda look: look.seeds))
    taken = tuple(look.seeds for look in looks)
    if taken != design.looks[: len(taken)]:
        raise ReportError(
            f"{folder} has looks at {', '.join(map(str, taken))} seeds, and {preregistration} declares "
            f"{', '.join(map(str, design.looks))}: put back the file that is missing"
        )
    return looks


def _read(path: Path, comparisons: int) -> RecordedLook:
    content = document(path, _FIELDS, _damaged)
    try:
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']}, this version reads {FORMAT}")
        if len(content["comparisons"]) != comparisons:
            raise ValueError(f"{len(content['comparisons'])} comparisons, {comparisons} were declared")
        standings = tuple(_standing(c, path) for c in content["comparisons"])
        look = Look(content["seeds"], content["boundary"], content["spent"], content["mc_se"], standings)
        reasons = tuple(c["reason"] for c in content["comparisons"])
        return RecordedLook(datetime.fromisoformat(content["taken"]), look, reasons)
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, f"{type(error).__name__} {error}") from error


def look_content(look: Look, comparisons: Sequence[Mapping[str, Any]], reasons: Sequence[str]) -> dict[str, Any]:
    """What is written of a look that is taken now; a number that is not finite is null.

    comparisons: what each is of, as the preregistration says it.
    """
    return {
        "format": FORMAT,
        "taken": datetime.now(UTC).isoformat(timespec="seconds"),
        "seeds": look.seeds,
        "boundary": look.boundary,
        "spent": look.spent,
        "mc_se": look.mc_se,
        "comparisons": [
            {**declared, **_content(standing), "reason": reason}
            for declared, standing, reason in zip(comparisons, look.comparisons, reasons, strict=True)
        ],
    }


def _content(standing: Standing) -> dict[str, Any]:
    numbers = {
        "mean": standing.mean,
        "t": standing.t,
        "boundary": standing.boundary,
        "low": standing.interval.low,
        "high": standing.interval.high,
        "conditional_power": standing.conditional_power,
    }
    return {
        "seeds": standing.seeds,
        "degrees": standing.degrees,
        **{name: value if math.isfinite(value) else None for name, value in numbers.items()},
        "decision": None if standing.decision is None else standing.decision.value,
    }


def _standing(content: dict[str, Any], path: Path) -> Standing:
    check(content, _COMPARISON, path, refuse=_damaged)

    def value(name: str, missing: float) -> float:
        return missing if content[name] is None else float(content[name])

    mean = value("mean", math.nan)
    return Standing(
        seeds=content["seeds"],
        mean=mean,
        t=value("t", math.copysign(math.inf, mean) if content["seeds"] else math.nan),
        degrees=content["degrees"],
        boundary=value("boundary", math.inf),
        interval=Interval(value("low", -math.inf), value("high", math.inf)),
        conditional_power=value("conditional_power", math.nan),
        decision=None if content["decision"] is None else Decision(content["decision"]),
    )


def _damaged(path: Path, cause: str) -> ReportError:
    return ReportError(f"cannot use the look {path}: {cause}; put back the file as it was written")
