"""Instants as people's files write them, with or without an offset. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_WRITTEN = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?",
)


def read_instant(text: str, zone: ZoneInfo) -> datetime:
    """The instant in UTC of `2026-03-02 09:00`, `2026/3/2 9:00:00`, `2026-03-02` (its midnight) or ISO 8601.

    One without an offset is meant in `zone`. Raises ValueError for anything else.
    """
    written = _WRITTEN.fullmatch(text.strip())
    if written:
        found = datetime(*(int(part or 0) for part in written.groups()), tzinfo=zone)  # type: ignore[misc, arg-type]
    else:
        found = datetime.fromisoformat(text.strip())
    return (found.replace(tzinfo=zone) if found.tzinfo is None else found).astimezone(UTC)
