"""Reads of calendars: the version in force, a version by its id, what the libraries and notices know. Never writes."""

from __future__ import annotations

import json
from datetime import date
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.calendars.definition import OFFICIAL_CODE, CalendarDefinition, DateRow, from_json
from feedback.calendars.holidays import NOTICE_MONTH, latest_known_year
from feedback.calendars.models import BusinessCalendar, CalendarDay
from feedback.calendars.plan import is_official_year_known
from feedback.calendars.worktime import Calendar
from feedback.kernel.errors import NotFound
from feedback.kernel.reference import kept
from feedback.kernel.text import N_, Text


def find_calendar(session: Session, code: str) -> BusinessCalendar | None:
    """The version in force of the calendar of that code, to be read only."""
    return kept(session, "calendars", lambda reading: {row.code: row for row in list_calendars(reading)}).get(code)


def get_calendar(session: Session, code: str) -> BusinessCalendar:
    """As `find_calendar`. Raises NotFound."""
    row = find_calendar(session, code)
    if row is None:
        raise NotFound(Text(N_("There is no calendar %(code)s."), code=code))
    return row


def list_calendars(session: Session) -> list[BusinessCalendar]:
    """The versions in force, by code."""
    return list(
        session.scalars(
            select(BusinessCalendar).where(BusinessCalendar.superseded_at.is_(None)).order_by(BusinessCalendar.code)
        )
    )


def ready(row: BusinessCalendar) -> Calendar:
    """A version ready for arithmetic. Equal definitions share one Calendar with its tables."""
    return _ready(json.dumps(row.definition, sort_keys=True))


def calendar_by_id(session: Session, calendar_id: int) -> Calendar:
    """The version of that id, ready for arithmetic. LookupError if there is none (versions are never deleted)."""
    known: dict[int, Calendar] = kept(session, "calendar_versions", lambda _reading: {})
    if calendar_id not in known:
        row = session.get(BusinessCalendar, calendar_id)
        if row is None:
            raise LookupError(f"calendar version {calendar_id}")
        known[calendar_id] = ready(row)
    return known[calendar_id]


def calendar_version(session: Session, calendar_id: int) -> tuple[str, int]:
    """Code and version number of a version. LookupError if there is none."""
    known: dict[int, tuple[str, int]] = kept(session, "calendar_names", lambda _reading: {})
    if calendar_id not in known:
        named = select(BusinessCalendar.code, BusinessCalendar.version).where(BusinessCalendar.id == calendar_id)
        row = session.execute(named).first()
        if row is None:
            raise LookupError(f"calendar version {calendar_id}")
        known[calendar_id] = (row.code, row.version)
    return known[calendar_id]


def calendar_code(session: Session, calendar_id: int) -> str:
    """The code of a version. LookupError if there is none."""
    return calendar_version(session, calendar_id)[0]


def official_definition(session: Session) -> CalendarDefinition:
    """China's official days as of now: the libraries', overridden by the imported notices."""
    days = session.scalars(select(CalendarDay).order_by(CalendarDay.on)).all()
    return CalendarDefinition(
        OFFICIAL_CODE,
        dates=tuple(
            DateRow("workday" if day.kind == "workday" else "holiday", day.on, day.on, (), day.note) for day in days
        ),
        official=True,
        official_through=latest_known_year(),
    )


def missing_official_years(session: Session, today: date) -> tuple[int, ...]:
    """Years to warn about: this one, and from November on the next, where neither libraries nor notices know them."""
    known = official_definition(session)
    ahead = [today.year, today.year + 1] if today.month >= NOTICE_MONTH else [today.year]
    return tuple(year for year in ahead if not is_official_year_known(known, year))


@lru_cache(maxsize=256)
def _ready(stored: str) -> Calendar:
    return Calendar(from_json(json.loads(stored)))
