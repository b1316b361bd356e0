"""Calendars for tests, written in a line or two."""

from __future__ import annotations

from datetime import date, datetime

from feedback.calendars.definition import CalendarDefinition, DateRow, WeekRow
from feedback.calendars.notation import parse_dates, parse_days, parse_span, parse_windows
from feedback.calendars.worktime import Calendar

CHINA = CalendarDefinition("cn", official=True, official_through=2026)
WEEKDAYS = "mon;tue;wed;thu;fri"
EVERY_DAY = "mon;tue;wed;thu;fri;sat;sun"
NOON_BREAK = "09:00-12:00;14:00-17:30"


def week(windows: str = NOON_BREAK, days: str = WEEKDAYS, span: str = "") -> WeekRow:
    return WeekRow(parse_days(days), parse_windows(windows), parse_span(span))


def dated(kind: str, dates: str, windows: str = "") -> DateRow:
    first, last = parse_dates(dates)
    return DateRow(kind, first, last, parse_windows(windows))  # type: ignore[arg-type]


def calendar(
    *rows: WeekRow | DateRow, base: CalendarDefinition | None = None, zone: str | None = None, code: str = "town"
) -> Calendar:
    weeks = tuple(row for row in rows if isinstance(row, WeekRow))
    dates = tuple(row for row in rows if isinstance(row, DateRow))
    return Calendar(CalendarDefinition(code, weeks, dates, zone, base))


def at(text: str) -> datetime:
    """`2026-10-09 09:30` in China's time, or any ISO text with an offset."""
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else datetime.fromisoformat(f"{text}+08:00")


def on(text: str) -> date:
    return date.fromisoformat(text)
