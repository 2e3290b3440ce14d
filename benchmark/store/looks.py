"""The looks of families that are followed until they are decided, as the store keeps them (docs/run-format.md)."""

import json
from pathlib import Path
from typing import Any

from benchmark.base.errors import UserError


def look_file(root: Path, family: str, seeds: int) -> Path:
    """Where the look of this family at so many seeds is, or would be."""
    return root / "looks" / family / f"{seeds}.json"


def read_look(root: Path, family: str, seeds: int) -> dict[str, Any] | None:
    """What a look has decided; None where it was not taken. Raises UserError where the file is damaged."""
    path = look_file(root, family, seeds)
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        content["comparisons"], content["spent"]
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"the look {path} is damaged ({error}); put back the file as it was written") from None
    return content
