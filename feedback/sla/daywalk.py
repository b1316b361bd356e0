"""The days between two instants as a calendar sees them, each with the working time inside. For explanations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from feedback.calendars.table import DAY, from_micros, to_micros
from feedback.calendars.worktime import Calendar


@dataclass(frozen=True)
class Day:
    """A local date: its kind (week, workday, half, holiday, none), its hours as text, and what of it lay in between."""

    on: date
    kind: str
    note: str
    hours: tuple[str, ...]
    counted: timedelta
    begins: datetime
    ends: datetime
    is_working: bool


def walk_days(start: datetime, end: datetime, calendar: Calendar) -> Iterator[Day]:
    """Every local date from `start` to `end`, clipped to them. A midnight end belongs to the day that it ends."""
    first = calendar.local(start).date().toordinal()
    last = calendar.local(end - timedelta(microseconds=1) if end > start else end).date().toordinal()
    low, high = to_micros(start), to_micros(end)
    for ordinal in range(first, last + 1):
        on = date.fromordinal(ordinal)
        year = calendar.year(on.year)
        plan = year.plan.on(on)
        whole = year.windows_on(ordinal)
        inside = [(max(opens, low), min(closes, high)) for opens, closes in whole if opens < high and closes > low]
        begins = inside[0][0] if inside else max(low, year.instant_at(ordinal, 0))
        ends = inside[-1][1] if inside else max(begins, min(high, year.instant_at(ordinal, DAY)))
        yield Day(
            on,
            plan.kind,
            plan.note,
            tuple(f"{_clock(opens, calendar)}-{_clock(closes, calendar, '24:00')}" for opens, closes in inside),
            timedelta(microseconds=sum(closes - opens for opens, closes in inside)),
            from_micros(begins),
            from_micros(ends),
            bool(whole),
        )


def _clock(micros: int, calendar: Calendar, midnight: str = "00:00") -> str:
    local = calendar.local(from_micros(micros))
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        return midnight
    return local.strftime("%H:%M:%S" if local.second else "%H:%M")
