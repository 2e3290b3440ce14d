"""The base of validated value objects, and the numbers that they share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Positive = Annotated[int, Field(ge=1)]


NonNegative = Annotated[float, Field(ge=0)]


class Frozen(BaseModel):
    """A validated value object that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def first_error(error: ValidationError) -> str:
    """The first problem that pydantic found, on one line."""
    problem = error.errors()[0]
    message = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:  # a check of several fields names them itself
        return message
    return f"{'.'.join(map(str, problem['loc']))}: {message}, got {problem['input']!r}"[:300]
