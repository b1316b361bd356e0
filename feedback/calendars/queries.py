"""Which calendar counts where: versions as pure calendars, and the nearest one upwards in the tree. Reads only."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.calendars.definition import from_json
from feedback.calendars.models import BusinessCalendar
from feedback.calendars.worktime import Calendar
from feedback.kernel.site import get_setting
from feedback.people.models import Unit
from feedback.people.queries import ancestors

_known: WeakKeyDictionary[object, dict[int, Calendar]] = WeakKeyDictionary()
"""By database: versions never change, so one that was read is kept, with the year tables it has worked out."""


def _kept(session: Session) -> dict[int, Calendar]:
    return _known.setdefault(session.get_bind(), {})


def find_calendar_row(session: Session, code: str) -> BusinessCalendar | None:
    """The version of that calendar in force."""
    return session.scalars(
        select(BusinessCalendar).where(BusinessCalendar.code == code, BusinessCalendar.superseded_at.is_(None))
    ).first()


def calendar_of(session: Session, row: BusinessCalendar) -> Calendar:
    """The pure calendar of a stored version."""
    kept = _kept(session)
    if row.id not in kept:
        kept[row.id] = Calendar(from_json(row.definition))
    return kept[row.id]


def get_calendar(session: Session, calendar_id: int) -> Calendar:
    """The pure calendar of a version's id. NoResultFound for an id that is not there."""
    return _kept(session).get(calendar_id) or calendar_of(session, session.get_one(BusinessCalendar, calendar_id))


def calendar_row_for(session: Session, unit_id: int) -> BusinessCalendar:
    """The calendar in force of the nearest unit upwards that has one, else the site's. RuntimeError where the site has none."""
    unit = session.get_one(Unit, unit_id)
    codes = [u.calendar_code for u in ancestors(session, unit) if u.calendar_code]
    for code in (*codes, str(get_setting(session, "default_calendar"))):
        row = find_calendar_row(session, code)
        if row:
            return row
    raise RuntimeError("the site has no business calendar: run `flask setup defaults`")
