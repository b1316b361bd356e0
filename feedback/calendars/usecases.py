"""Writes of calendars, all inside the caller's transaction: new versions, imported official days, the site's calendar.

A version is never changed: what a row of `business_calendar` says, it says for ever. Moving open clocks to a new version
is the sla room's work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from feedback.calendars.definition import OFFICIAL_CODE, CalendarDefinition, WeekRow, from_json, to_json
from feedback.calendars.models import BusinessCalendar, CalendarDay
from feedback.calendars.notation import parse_days, parse_windows
from feedback.calendars.queries import find_calendar, list_calendars, official_definition

SITE_CODE = "site"
SITE_DAYS, SITE_WINDOWS = "mon;tue;wed;thu;fri", "09:00-12:00;13:00-18:00"
"""The hours of a site that has not said its own: eight a day with a noon break."""


def save_calendars(
    session: Session, wanted: Mapping[str, CalendarDefinition], *, now: datetime
) -> dict[int, BusinessCalendar]:
    """Make these definitions the ones in force, and carry changes of a base into every calendar that stands on it.

    Only what differs gets a new version. Returns new versions by the id of the version each of them replaces; a calendar
    that is new altogether is not in it.
    """
    present = {row.code: row for row in list_calendars(session)}
    stored = {code: from_json(row.definition) for code, row in present.items()} | dict(wanted)
    official = official_definition(session)
    rebuilt: dict[str, CalendarDefinition] = {}

    def rebuild(definition: CalendarDefinition) -> CalendarDefinition:
        if definition.code == OFFICIAL_CODE:
            return official
        if definition.code not in rebuilt:
            base = definition.base
            newer = rebuild(stored.get(base.code, base)) if base else None
            rebuilt[definition.code] = replace(definition, base=newer)
        return rebuilt[definition.code]

    replaced: dict[int, BusinessCalendar] = {}
    for code, definition in sorted(stored.items()):
        form = to_json(rebuild(definition))
        before = present.get(code)
        if before is not None and before.definition == form:
            continue
        row = _add_version(session, code, form, before, now)
        if before is not None:
            replaced[before.id] = row
    return replaced


def save_official_days(session: Session, days: Iterable[tuple[date, str, str]], *, source: str) -> bool:
    """Keep the days of an imported notice: (date, holiday or workday, note). Whether any of them was news."""
    is_news = False
    for on, kind, note in days:
        known = session.get(CalendarDay, on)
        if known is None:
            session.add(CalendarDay(on=on, kind=kind, source=source[:60], note=note[:120]))
            is_news = True
        elif (known.kind, known.note) != (kind, note[:120]):
            known.kind, known.source, known.note = kind, source[:60], note[:120]
            is_news = True
    session.flush()
    return is_news


def install_site_calendar(session: Session, *, now: datetime) -> dict[int, BusinessCalendar]:
    """Make the site's calendar where it is missing, and follow official days that the libraries have learnt since.

    Returns new versions by the id of the version each replaces.
    """
    wanted: dict[str, CalendarDefinition] = {}
    if find_calendar(session, SITE_CODE) is None:
        hours = WeekRow(parse_days(SITE_DAYS), parse_windows(SITE_WINDOWS))
        wanted[SITE_CODE] = CalendarDefinition(SITE_CODE, weeks=(hours,), base=official_definition(session))
    return save_calendars(session, wanted, now=now)


def _add_version(
    session: Session, code: str, form: dict[str, object], before: BusinessCalendar | None, now: datetime
) -> BusinessCalendar:
    latest = session.scalar(select(func.max(BusinessCalendar.version)).where(BusinessCalendar.code == code)) or 0
    if before is not None:
        before.superseded_at = now
    row = BusinessCalendar(code=code, version=latest + 1, definition=form, created_at=now)
    session.add(row)
    session.flush()
    return row
