"""The shape of what a use-case is asked to do: frozen fields that check themselves and say in words what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text

LONG, SHORT, CODE = 20_000, 2_000, 200
FEWEST_LETTERS = 2

_NEVER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_NOT_LETTERS = re.compile(r"[\W_]+", re.UNICODE)


def _clean(value: str) -> str:
    if _NEVER.search(value):
        raise PydanticCustomError("control_characters", "control characters")
    return value.replace("\r\n", "\n").replace("\r", "\n")


def _has_words(value: str) -> str:
    if len(_NOT_LETTERS.sub("", value)) < FEWEST_LETTERS:
        raise PydanticCustomError("no_words", "no words")
    return value


def _text_to_instant(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            raise PydanticCustomError("instant", "instant") from error
    if isinstance(value, datetime):
        try:
            is_instant = value.tzinfo is not None and value.astimezone(UTC).year > 1
        except OverflowError:  # the first and last hours of the calendar have no UTC
            is_instant = False
        if not is_instant:
            raise PydanticCustomError("instant", "instant")
    return value


def _text_to_date(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise PydanticCustomError("date", "date") from error
    return value


LongText = Annotated[str, Field(min_length=1, max_length=LONG), AfterValidator(_clean)]
"""Up to 20,000 characters of somebody's words."""
Words = Annotated[str, Field(min_length=1, max_length=LONG), AfterValidator(_clean), AfterValidator(_has_words)]
"""Words that must say something: a lone full stop is no reply (at least two letters, figures or characters)."""
ShortText = Annotated[str, Field(min_length=1, max_length=SHORT), AfterValidator(_clean)]
Line = Annotated[str, Field(max_length=CODE), AfterValidator(_clean)]
"""A title or a place: up to 200 characters, or none."""
Code = Annotated[str, Field(min_length=1, max_length=CODE), AfterValidator(_clean)]
InstantField = Annotated[AwareDatetime, BeforeValidator(_text_to_instant)]
DateField = Annotated[date, BeforeValidator(_text_to_date)]

_MESSAGES = {
    "missing": N_("This is needed."),
    "string_too_short": N_("This is needed."),
    "string_type": N_("Must be a text."),
    "string_too_long": N_("Must be at most %(max_length)s characters."),
    "literal_error": N_("Must be one of: %(expected)s."),
    "int_type": N_("Must be a whole number."),
    "int_parsing": N_("Must be a whole number."),
    "int_from_float": N_("Must be a whole number."),
    "greater_than_equal": N_("Must be %(ge)s or more."),
    "less_than_equal": N_("Must be %(le)s or less."),
    "extra_forbidden": N_("There is no such field here."),
    "bool_type": N_("Must be true or false."),
    "list_type": N_("Must be a list."),
    "too_long": N_("At most %(max_length)s entries."),
    "control_characters": N_("Holds characters that can't be shown. Type it again, or paste it as plain text."),
    "no_words": N_("Please write it in words."),
    "instant": N_("Must be a date and time with its offset, such as 2026-03-02T09:00:00+08:00."),
    "date": N_("Must be a date, such as 2026-03-02."),
    "date_type": N_("Must be a date, such as 2026-03-02."),
}


def _sentence(error: ErrorDetails) -> Text:
    msgid = _MESSAGES.get(error["type"], N_("This can't be taken as it is."))
    return Text(msgid, **{k: v for k, v in error.get("ctx", {}).items() if f"%({k})s" in msgid})


class Command(BaseModel):
    """Base of every command. Unknown fields are refused, so that a slip of the pen does not pass for a wish."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, strict=True)

    @classmethod
    def parse(cls, fields: Mapping[str, Any]) -> Self:
        """The command of these raw fields (JSON values or form texts). Raises Invalid that names each bad field."""
        try:
            return cls.model_validate(dict(fields))
        except ValidationError as error:
            found: dict[str, Text] = {}
            for detail in error.errors():
                name = ".".join(str(part) for part in detail["loc"]) or "body"
                found.setdefault(name, _sentence(detail))
            raise Invalid(found) from error
