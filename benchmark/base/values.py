"""The base of validated value objects, and the numbers that they share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Positive = Annotated[int, Field(ge=1)]


NonNegative = Annotated[float, Field(ge=0)]


class Frozen(BaseModel):
    """A validated value object that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


_LIMITS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
_KINDS = {
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
}


def first_error(error: ValidationError, name: str = "") -> str:
    """The first problem that pydantic found, on one line; `name`: what the value is called where it is not a field."""
    problem = error.errors()[0]
    message = problem["msg"].removeprefix("Value error, ")
    name, limits = name or ".".join(map(str, problem["loc"])), problem.get("ctx", {})
    if not name:  # a check of several fields names them itself
        return message
    for limit, words in _LIMITS.items():
        if limit in limits:
            return f"{name} must be {words} {limits[limit]:g}, got {problem['input']!r}"
    if problem["type"] == "extra_forbidden":
        return f"{name}: there is no such setting, got {problem['input']!r}"[:300]
    if problem["type"] == "literal_error":
        return f"{name} must be {limits['expected']}, got {problem['input']!r}"[:300]
    if problem["type"] in _KINDS:
        return f"{name} must be {_KINDS[problem['type']]}, got {problem['input']!r}"[:300]
    return f"{name}: {message}, got {problem['input']!r}"[:300]
