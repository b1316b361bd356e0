"""The calendars in force, and the imported official days, as lines of a calendars file. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.calendars.definition import OFFICIAL_CODE, CalendarDefinition, DateRow, from_json
from feedback.calendars.imports import OPTIONAL, REQUIRED
from feedback.calendars.models import CalendarDay
from feedback.calendars.notation import DAY_NAMES
from feedback.calendars.queries import list_calendars

COLUMNS = (*REQUIRED, *OPTIONAL)


def export_calendars(session: Session) -> Iterator[list[str]]:
    """Every calendar in force, week rows before dates, and the official days of imported notices; the header first."""
    yield list(COLUMNS)
    for row in list_calendars(session):
        yield from _lines(from_json(row.definition))
    yield from _official_lines(session)


def _lines(definition: CalendarDefinition) -> Iterator[list[str]]:
    frame = {"timezone": definition.zone or "", "base": definition.base.code if definition.base else ""}
    for week in definition.weeks:
        days = ";".join(DAY_NAMES[day] for day in week.days)
        yield _line(
            definition.code,
            "week",
            days=days,
            date=str(week.span) if week.span else "",
            windows=_windows(week.windows),
            **frame,
        )
    for dated in definition.dates:
        more = {} if definition.weeks else frame
        yield _line(
            definition.code, dated.kind, date=_span(dated), windows=_windows(dated.windows), note=dated.note, **more
        )


def _official_lines(session: Session) -> Iterator[list[str]]:
    """Days that follow each other and say the same are one line."""
    spans: list[DateRow] = []
    for day in session.scalars(select(CalendarDay).order_by(CalendarDay.on)):
        kind = "workday" if day.kind == "workday" else "holiday"
        last = spans[-1] if spans else None
        if last and (last.kind, last.note) == (kind, day.note) and day.on - last.last == timedelta(days=1):
            spans[-1] = DateRow(last.kind, last.first, day.on, (), day.note)
        else:
            spans.append(DateRow("workday" if kind == "workday" else "holiday", day.on, day.on, (), day.note))
    for span in spans:
        yield _line(OFFICIAL_CODE, span.kind, date=_span(span), note=span.note)


def _line(code: str, rule: str, **cells: str) -> list[str]:
    return [code, rule, *(cells.get(column, "") for column in OPTIONAL)]


def _span(row: DateRow) -> str:
    return row.first.isoformat() if row.first == row.last else f"{row.first.isoformat()}/{row.last.isoformat()}"


def _windows(windows: tuple[object, ...]) -> str:
    return ";".join(str(window) for window in windows)
