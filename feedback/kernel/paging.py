"""Keyset pages: a cursor is the sort key of the last row, so that page 10,000 costs what page 1 costs."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text

T = TypeVar("T")
MOST = 200
LONGEST = 400


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows and the cursor of what comes after them (None at the end)."""

    items: Sequence[T]
    next: str | None


def encode_cursor(key: Sequence[Any]) -> str:
    """A cursor for the JSON-able sort key of the last row shown."""
    return base64.urlsafe_b64encode(json.dumps(list(key), separators=(",", ":")).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, length: int) -> list[Any]:
    """The key in a cursor. Raises Invalid for one that this system did not make."""
    try:
        if len(cursor) > LONGEST:
            raise ValueError("longer than any key, and perhaps deeper than a parser can go")
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        key = None
    if not isinstance(key, list) or len(key) != length:
        raise Invalid({"cursor": Text(N_("This cursor was not made here. Start from the first page."))})
    return key


def check_limit(limit: int) -> int:
    """`limit` itself; Invalid outside 1..200 (contract.md)."""
    if not 1 <= limit <= MOST:
        raise Invalid({"limit": Text(N_("Must be a whole number from 1 to %(most)s."), most=MOST)})
    return limit


def cut_page(rows: Sequence[T], limit: int, key: Callable[[T], Sequence[Any]]) -> Page[T]:
    """A page out of at most limit + 1 rows; the extra row only says that there is more."""
    shown = rows[:limit]
    return Page(shown, encode_cursor(key(shown[-1])) if len(rows) > limit else None)
