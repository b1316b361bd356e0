"""Sentences for people, made where no reader's language is known. A door translates them; nothing is translated here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


def N_(msgid: str) -> str:
    """Mark a sentence for the translators and return it unchanged."""
    return msgid


@dataclass(frozen=True)
class Text:
    """A sentence (English msgid with %(name)s places) and what fills it.

    A `Text` among the values is translated too, and words in a tuple are listed as the language does: `a, b` or `甲、乙`.
    """

    msgid: str
    values: dict[str, Any] = field(default_factory=dict)

    def __init__(self, msgid: str, **values: Any) -> None:
        object.__setattr__(self, "msgid", msgid)
        object.__setattr__(self, "values", values)

    def render(self, translate: Callable[[str], str] = str) -> str:
        """The sentence in the language that `translate` knows; English without one."""
        values = {name: _filling(value, translate) for name, value in self.values.items()}
        sentence = translate(self.msgid)
        return sentence % values if values else sentence

    def __str__(self) -> str:
        return self.render()


def _filling(value: Any, translate: Callable[[str], str]) -> Any:
    if isinstance(value, tuple):
        return translate(N_(", ")).join(map(str, value))
    return value.render(translate) if isinstance(value, Text) else value
