"""Parts of pages that come out the same again and again (a card, an entry, the fields of an action), kept as text.

A part is kept by all that it is made of: the macro, the language and every value that it is given. Who may see what is
decided before, so a part that is given the same says the same, whoever reads it, and nothing need be forgotten when
something changes: what is shown then has another key. Only for macros that ask for nothing but their arguments:
no token, no address, nothing of the request.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import date, datetime
from threading import Lock
from typing import Any

from flask import Flask
from markupsafe import Markup
from wtforms import Field, SelectFieldBase

from feedback.web.forms.base import PageForm
from feedback.web.language import chosen_locale

MOST = 1_500_000
"""Characters of text that a process keeps; with what they are kept by, some 6 MiB."""
_AS_THEY_ARE = frozenset({str, int, type(None), date})


class KeptTexts:
    """Texts by what they are made of; those that were not wanted for longest go first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._length = 0
        self._texts: OrderedDict[Hashable, Markup] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Markup]) -> Markup:
        """The text of that key, made where it is not kept."""
        with self._lock:
            known = self._texts.get(key)
            if known is not None:
                self._texts.move_to_end(key)
                return known
        made = make()
        with self._lock:
            if key not in self._texts:
                self._texts[key] = made
                self._length += len(made)
            while self._length > self._most:
                self._length -= len(self._texts.popitem(last=False)[1])
        return made

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._texts.clear()
            self._length = 0


texts = KeptTexts()


def kept(macro: Callable[..., Markup], *values: Any, **named: Any) -> Markup:
    """What the macro makes of these values, in the reader's language."""
    try:
        key = (macro, chosen_locale(), frozen(values), frozen(named))
    except TypeError:  # it holds something else than words, numbers and fields
        return macro(*values, **named)
    return texts.get(key, lambda: macro(*values, **named))


def keeping(macro: Callable[..., Markup], *values: Any) -> Callable[[Any], Markup]:
    """`kept` for many: a function of the macro's last argument, where those before are always the same."""
    try:
        start = (macro, chosen_locale(), frozen(values))
    except TypeError:
        return lambda last: macro(*values, last)

    def made_of(last: Any) -> Markup:
        try:
            key = (start, frozen(last))
        except TypeError:
            return macro(*values, last)
        return texts.get(key, lambda: macro(*values, last))

    return made_of


def frozen(value: Any) -> Any:
    """A value as a key: another one for whatever may be shown differently. TypeError for what is not known here."""
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is dict:
        return (dict, *value, *[v if type(v) in _AS_THEY_ARE else frozen(v) for v in value.values()])
    if kind is list or kind is tuple:
        return (list, *[v if type(v) in _AS_THEY_ARE else frozen(v) for v in value])
    if kind is bool or kind is float or kind is Markup:  # equal to an int or a plain text, and yet shown differently
        return kind, str(value)
    if kind is datetime:  # equal to the same instant in another zone
        return kind, value.isoformat()
    if isinstance(value, PageForm):
        return kind, value.slug, *map(_frozen_field, value)
    if isinstance(value, Field):
        return _frozen_field(value)
    raise TypeError(f"no part of a page is kept by a {kind.__name__}")


def _frozen_field(field: Field) -> Any:
    """A field by its form (which its id names) and all that is not so in each copy of it."""
    choices: Any = getattr(field, "choices", None) if isinstance(field, SelectFieldBase) else None
    offered = tuple((c.value, str(c.label), c.optgroup, *c.render_kw.items()) for c in choices or ())
    errors = tuple(map(str, field.errors))
    label = field.label.text
    own = label if type(label) is str else None  # one that waits for its language is of the form's class
    return type(field), field.id, field.name, own, frozen(field.data), errors, offered


def init_kept_texts(app: Flask) -> None:
    """Let templates keep parts: `{{ kept_text(parts.card, card) }}`."""
    app.jinja_env.globals.update(kept_text=kept, keeping=keeping)
