"""The translating functions with their types: texts of the reader's language, filled. English where nobody reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from feedback.web.language import texts

FULL_WIDTH_STOPS = ("。", "！", "？", "；", "：")


def gettext(msgid: str, /, **values: Any) -> str:
    """The sentence in the reader's language, its %(name)s places filled."""
    said = str(texts().ugettext(msgid))
    return said % values if values else said


def ngettext(one: str, many: str, num: int, /, **values: Any) -> str:
    """The sentence for a number; %(num)d is that number."""
    said: str = texts().ungettext(one, many, num)
    return said % {"num": num, **values}


def pgettext(context: str, msgid: str, /, **values: Any) -> str:
    """The sentence in the sense that `context` names."""
    said = str(texts().upgettext(context, msgid))
    return said % values if values else said


def listed(words: Iterable[str]) -> str:
    """Words one after the other as the reader's language separates them: `a, b` or `甲、乙`."""
    return gettext(", ").join(words)


def sentences(parts: Iterable[str]) -> str:
    """Sentences one after the other, empty ones left out: a space between them unless a full-width stop is before it."""
    said = ""
    for part in filter(None, parts):
        said += part if not said or said.endswith(FULL_WIDTH_STOPS) else f" {part}"
    return said
