"""The translating functions with their types: texts of the reader's language, filled. English where nobody reads."""

from __future__ import annotations

from typing import Any

import flask_babel


def gettext(msgid: str, /, **values: Any) -> str:
    """The sentence in the reader's language, its %(name)s places filled."""
    return str(flask_babel.gettext(msgid, **values))


def ngettext(one: str, many: str, num: int, /, **values: Any) -> str:
    """The sentence for a number; %(num)d is that number."""
    return str(flask_babel.ngettext(one, many, num, **values))


def pgettext(context: str, msgid: str, /, **values: Any) -> str:
    """The sentence in the sense that `context` names."""
    return str(flask_babel.pgettext(context, msgid, **values))
