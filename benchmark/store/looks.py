"""The looks of families that are followed until they are decided, as the store keeps them (docs/run-format.md)."""

from pathlib import Path
from typing import Any

from benchmark.base.errors import UserError
from benchmark.base.files import read_object


def look_file(root: Path, family: str, seeds: int) -> Path:
    """Where the look of this family at so many seeds is, or would be."""
    return root / "looks" / family / f"{seeds}.json"


def read_look(root: Path, family: str, seeds: int) -> dict[str, Any] | None:
    """What a look has decided; None where it was not taken. Raises UserError where the file is damaged."""
    path = look_file(root, family, seeds)
    try:
        content = read_object(path)
        content["spent"], [comparison["decision"] for comparison in content["comparisons"]]
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"the look {path} is damaged ({error}); put back the file as it was written") from None
    return content
