"""What of a data set is used, and how."""

from typing import Annotated

from pydantic import Field, ValidationError, model_validator

from benchmark.base.errors import UserError
from benchmark.base.names import look_up
from benchmark.base.values import Frozen, first_error
from benchmark.data.defects.remedies import REMEDIES, RemedyName
from benchmark.data.views import MODALITIES, TEXT_VIEWS, Modality, TextView


class Inputs(Frozen):
    """What of a data set is used, and how.

    Attributes:
        modalities, text_view: which features (see :mod:`benchmark.data.views`).
        remedies: what is done about defects first (see :mod:`benchmark.data.defects.remedies`).
    """

    modalities: Annotated[tuple[Modality, ...], Field(min_length=1)] = MODALITIES
    text_view: TextView = "1"
    remedies: tuple[RemedyName, ...] = ()

    @model_validator(mode="after")
    def _one_name_for_one_choice(self) -> "Inputs":
        if self.modalities != tuple(m for m in MODALITIES if m in self.modalities):
            raise ValueError(f"modalities must be in the order {', '.join(MODALITIES)}, each once")
        if self.text_view != "1" and "text" not in self.modalities:
            raise ValueError(f"text view {self.text_view} of a run without text")
        if self.remedies != tuple(name for name in REMEDIES if name in self.remedies):
            raise ValueError(f"remedies must be in the order {', '.join(REMEDIES)}, each once")
        return self

    def __str__(self) -> str:
        """What differs from the default, as people read it; empty for the default."""
        used = "" if self.modalities == MODALITIES else f"{' + '.join(self.modalities)} only"
        view = "" if self.text_view == "1" else f"text view {self.text_view}"
        mended = f"remedies {' + '.join(self.remedies)}" if self.remedies else ""
        return ", ".join(filter(None, (used, view, mended)))


DEFAULT_INPUTS = Inputs()


def parse_inputs(modalities: str | None, text_view: str | None, remedies: str | None = None) -> Inputs:
    """``text,audio``, ``mean`` and ``zero-leaked``, say; None is the default; raises UserError for anything unknown."""
    known: dict[str, None] = dict.fromkeys(MODALITIES)
    named = [item.strip() for item in (modalities or ",".join(MODALITIES)).split(",") if item.strip()]
    for name in named:
        look_up("modality", name, known)
    look_up("text view", text_view or "1", dict.fromkeys(TEXT_VIEWS))
    try:
        chosen = tuple(m for m in MODALITIES if m in named)
        return Inputs(
            modalities=chosen,
            text_view=text_view or "1",  # type: ignore[arg-type]  # looked up
            remedies=parse_remedies(remedies),
        )
    except ValidationError as error:
        raise UserError(first_error(error)) from None


def parse_remedies(text: str | None) -> tuple[RemedyName, ...]:
    """``all``, or names in any order; None is none; raises UserError for anything unknown."""
    if text is None:
        return ()
    named = [item.strip() for item in text.split(",") if item.strip()]
    if not named:
        raise UserError(f"--drop-defects names nothing: {text!r}; give all or some of {', '.join(REMEDIES)}")
    for name in named:
        look_up("remedy", name, dict.fromkeys(("all", *REMEDIES)))
    return tuple(name for name in REMEDIES if name in named or "all" in named)
