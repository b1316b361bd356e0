"""The short texts that calendars are written in (windows, days, dates, spans) read into a definition's parts."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise

from feedback.calendars.definition import Span, Window
from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text

DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LEAP_YEAR = 2028

_WINDOW = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PLACE = re.compile(r"([0-9]{2})-([0-9]{2})")


def parse_windows(text: str) -> tuple[Window, ...]:
    """`09:00-12:00;14:00-17:30` as windows; 24:00 is legal, empty gives none. Raises Invalid, with `windows`."""
    windows = []
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        found = _WINDOW.fullmatch(part)
        if not found:
            raise _bad("windows", N_("“%(value)s” is no window; write 09:00-12:00, and “;” between several."), part)
        hours, minutes, to_hours, to_minutes = (int(number) for number in found.groups())
        opens, closes = hours * 60 + minutes, to_hours * 60 + to_minutes
        if minutes > 59 or to_minutes > 59 or closes > 1440:
            raise _bad("windows", N_("“%(value)s” has a time that no day has; the last one is 24:00."), part)
        if opens >= closes:
            raise _bad(
                "windows",
                N_("“%(value)s” ends before it begins; over midnight, write two: 22:00-24:00;00:00-06:00."),
                part,
            )
        windows.append(Window(opens, closes))
    return tuple(windows)


def parse_windows_apart(text: str) -> tuple[Window, ...]:
    """As `parse_windows`, for what is saved: overlapping windows are refused too, because one of them must be a slip.

    Touching ones are taken. Raises Invalid, with `windows`.
    """
    windows = parse_windows(text)
    ordered = sorted(windows)
    for earlier, later in pairwise(ordered):
        if later.opens < earlier.closes:
            raise Invalid(
                {
                    "windows": Text(
                        N_("%(one)s and %(other)s overlap; say when each ends."), one=str(earlier), other=str(later)
                    )
                }
            )
    return windows


def parse_days(text: str) -> tuple[int, ...]:
    """`mon;tue;wed` as weekdays, Monday 0. Raises Invalid with the field `days`."""
    days = set()
    for part in filter(None, (piece.strip().lower() for piece in text.split(";"))):
        if part not in DAY_NAMES:
            raise _bad("days", N_("“%(value)s” is no day; write mon, tue, wed, thu, fri, sat or sun."), part)
        days.add(DAY_NAMES.index(part))
    if not days:
        raise Invalid({"days": Text(N_("A week row needs its days, such as mon;tue;wed;thu;fri."))})
    return tuple(sorted(days))


def parse_dates(text: str) -> tuple[date, date]:
    """`2026-10-01` or `2026-10-01/2026-10-07`, both ends included. Raises Invalid with the field `date`."""
    first_text, _, last_text = text.strip().partition("/")
    first = _date(first_text.strip())
    last = _date(last_text.strip()) if last_text else first
    if last < first:
        raise _bad("date", N_("“%(value)s” ends before it begins."), text)
    if (last - first).days > 366:
        raise _bad("date", N_("“%(value)s” is longer than a year; divide it into several rows."), text)
    return first, last


def parse_span(text: str) -> Span | None:
    """`06-01/09-30` (every year, over New Year too) or `2026-06-01/2026-09-30` (once); empty: always.

    Raises Invalid with the field `date`.
    """
    text = text.strip()
    if not text:
        return None
    first_text, divided, last_text = (part.strip() for part in text.partition("/"))
    if divided and _PLACE.fullmatch(first_text) and _PLACE.fullmatch(last_text):
        return Span(_place(first_text), _place(last_text))
    if not (divided and _DATE.fullmatch(first_text) and _DATE.fullmatch(last_text)):
        raise _bad(
            "date",
            N_("“%(value)s” is no span; write 06-01/09-30 for every year or 2026-06-01/2026-09-30 for once."),
            text,
        )
    first, last = _date(first_text), _date(last_text)
    if last < first:
        raise _bad("date", N_("“%(value)s” ends before it begins."), text)
    return Span((first.year, first.month, first.day), (last.year, last.month, last.day))


def _date(text: str) -> date:
    try:
        if not _DATE.fullmatch(text):
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        raise _bad("date", N_("“%(value)s” is no date; write it as 2026-10-01."), text) from None


def _place(text: str) -> tuple[int, int]:
    month, day = int(text[:2]), int(text[3:])
    try:
        date(LEAP_YEAR, month, day)
    except ValueError:
        raise _bad("date", N_("“%(value)s” is no day of a year; write it as 06-01."), text) from None
    return month, day


def _bad(field: str, msgid: str, value: str) -> Invalid:
    return Invalid({field: Text(msgid, value=value)})
