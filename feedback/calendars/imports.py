"""Calendars from a file's rows: read row by row, put together calendar by calendar, saved as new versions.

For each calendar that the file gives week rows, its rows are the whole calendar; rows of dates alone are added to the
calendar that is there. Rows of `cn` are days of an official notice. The transaction is the caller's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from feedback.calendars.definition import OFFICIAL_CODE, CalendarDefinition, DateRow, RowKind, WeekRow, from_json
from feedback.calendars.notation import parse_dates, parse_days, parse_span, parse_windows_apart
from feedback.calendars.queries import list_calendars, official_definition
from feedback.calendars.usecases import save_calendars, save_official_days
from feedback.calendars.worktime import Calendar
from feedback.kernel.errors import Invalid
from feedback.kernel.imports import ImportResult, RowError
from feedback.kernel.tabular import Row, Table
from feedback.kernel.text import N_, Text

REQUIRED = ("calendar", "rule")
OPTIONAL = ("days", "date", "windows", "timezone", "base", "note")
DATE_RULES: dict[str, RowKind] = {"holiday": "holiday", "workday": "workday", "half": "half"}
RULES = ("week", *DATE_RULES)

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
_UNCHANGED, _CHANGED, _NEW = "unchanged", "updated", "added"


@dataclass
class _Draft:
    """What the file says of one calendar, and where."""

    code: str
    weeks: list[WeekRow] = field(default_factory=list)
    dates: list[DateRow] = field(default_factory=list)
    zone: str | None = None
    base: str | None = None
    numbers: list[int] = field(default_factory=list)
    is_bad: bool = False


def save_rows(session: Session, table: Table, name: str, now: datetime) -> ImportResult:
    """Save the calendars of a table's rows. A row that can't be taken is reported, and with it its whole calendar:

    half a calendar would be a wrong one. `name` is what people call the file.
    """
    result = ImportResult(ignored=table.ignored)
    result.refuse_all(table.errors)
    drafts = _drafts(table.rows, result)
    present = {row.code: from_json(row.definition) for row in list_calendars(session)}
    did: dict[str, str] = {}
    notice = drafts.pop(OFFICIAL_CODE, None)
    if notice and not notice.is_bad:
        is_news = save_official_days(session, _official_days(notice), source=name)
        did[OFFICIAL_CODE] = _CHANGED if is_news else _UNCHANGED
    _refuse_circles(drafts, present, result)
    wanted: dict[str, CalendarDefinition] = {}
    official = official_definition(session)
    for code, draft in drafts.items():
        definition = None if draft.is_bad else _build(code, drafts, present, official)
        if definition is None or not _is_usable(definition, draft, result):
            _refuse_rest(draft, result)
            continue
        wanted[code] = definition
        before = present.get(code)
        did[code] = _NEW if before is None else _UNCHANGED if before == definition else _CHANGED
    save_calendars(session, wanted, now=now)
    for code, what in did.items():
        count = len((drafts.get(code) or notice or _Draft(code)).numbers)
        setattr(result, what, getattr(result, what) + count)
    return result


def _drafts(rows: Iterable[Row], result: ImportResult) -> dict[str, _Draft]:
    drafts: dict[str, _Draft] = {}
    for row in rows:
        code = row.values["calendar"]
        if not _CODE.fullmatch(code):
            text = Text(N_("Must be a code of letters, figures, “.”, “-” and “_”, 60 at most."))
            result.refuse(row.number, text, "calendar")
            continue
        draft = drafts.setdefault(code, _Draft(code))
        draft.numbers.append(row.number)
        try:
            _take(draft, row.values)
        except Invalid as invalid:
            draft.is_bad = True
            result.refuse_all(RowError.of_invalid(row.number, invalid))
    return drafts


def _take(draft: _Draft, values: Mapping[str, str]) -> None:
    rule = values["rule"].lower()
    windows = parse_windows_apart(values["windows"])
    if rule not in RULES:
        raise _bad("rule", N_("Must be week, holiday, workday or half."))
    if draft.code == OFFICIAL_CODE:
        _check_official(rule, values)
    _take_frame(draft, values)
    if rule == "week":
        draft.weeks.append(WeekRow(parse_days(values["days"]), windows, parse_span(values["date"])))
        return
    if values["days"]:
        raise _bad("days", N_("Only a week row has days; this one is about dates."))
    if rule == "holiday" and windows:
        raise _bad("windows", N_("A holiday has no windows; for some hours write half."))
    if rule == "half" and not windows:
        raise _bad("windows", N_("Needs the windows that are worked, such as 09:00-12:00."))
    first, last = parse_dates(values["date"].replace("T00:00:00", ""))
    draft.dates.append(DateRow(DATE_RULES[rule], first, last, windows, values["note"][:120]))


def _take_frame(draft: _Draft, values: Mapping[str, str]) -> None:
    zone, base = values["timezone"], values["base"]
    if zone:
        try:
            ZoneInfo(zone)
        except (OSError, ValueError, LookupError):
            raise _bad("timezone", N_("Must be a time zone such as Asia/Shanghai.")) from None
        if draft.zone not in (None, zone):
            raise _bad("timezone", N_("An earlier row of this calendar names another time zone."))
        draft.zone = zone
    if base:
        if base == draft.code:
            raise _bad("base", N_("A calendar can't stand on itself."))
        if draft.base not in (None, base):
            raise _bad("base", N_("An earlier row of this calendar names another base."))
        draft.base = base


def _check_official(rule: str, values: Mapping[str, str]) -> None:
    if rule not in ("holiday", "workday"):
        raise _bad("rule", N_("The official days are holiday and workday; hours belong to the calendars on them."))
    for column in ("windows", "timezone", "base"):
        if values[column]:
            raise _bad(column, N_("The official days are dates alone; leave this empty."))


def _official_days(draft: _Draft) -> list[tuple[date, str, str]]:
    return [
        (row.first + timedelta(days=offset), row.kind, row.note)
        for row in draft.dates
        for offset in range((row.last - row.first).days + 1)
    ]


def _refuse_circles(drafts: dict[str, _Draft], present: Mapping[str, CalendarDefinition], result: ImportResult) -> None:
    """A base must be there (in the file or before) and must not lead back."""
    for code, draft in drafts.items():
        seen, base = {code}, _base_code(code, drafts, present)
        while base and base != OFFICIAL_CODE:
            if base in seen:
                _refuse(draft, N_("The bases of these calendars lead in a circle."), result)
                break
            if base not in drafts and base not in present:
                _refuse(draft, N_("There is no such calendar to stand on."), result)
                break
            seen.add(base)
            base = _base_code(base, drafts, present)


def _base_code(code: str, drafts: Mapping[str, _Draft], present: Mapping[str, CalendarDefinition]) -> str | None:
    draft, before = drafts.get(code), present.get(code)
    if draft and (draft.base or draft.weeks or before is None):
        return draft.base
    return before.base.code if before and before.base else None


def _refuse(draft: _Draft, msgid: str, result: ImportResult) -> None:
    draft.is_bad = True
    result.refuse(draft.numbers[0], Text(msgid), "base")


def _build(
    code: str, drafts: Mapping[str, _Draft], present: Mapping[str, CalendarDefinition], official: CalendarDefinition
) -> CalendarDefinition | None:
    """The calendar with its base inside; None where a base of this file can't be taken."""
    if code == OFFICIAL_CODE:
        return official
    draft, before = drafts.get(code), present.get(code)
    if draft and draft.is_bad:
        return None
    base_code = _base_code(code, drafts, present)
    base = _build(base_code, drafts, present, official) if base_code else None
    if base_code and base is None:
        return None
    if draft is None:
        return replace(before, base=base) if before else None
    if draft.weeks or before is None:
        return CalendarDefinition(code, tuple(draft.weeks), tuple(draft.dates), draft.zone, base)
    return replace(before, dates=_with_dates(before, draft), zone=draft.zone or before.zone, base=base)


def _with_dates(before: CalendarDefinition, draft: _Draft) -> tuple[DateRow, ...]:
    """Rows that are there already (a file taken twice) don't pile up."""
    return (*before.dates, *draft.dates) if before.dates[-len(draft.dates) :] != tuple(draft.dates) else before.dates


def _is_usable(definition: CalendarDefinition, draft: _Draft, result: ImportResult) -> bool:
    try:
        if not Calendar(definition).goes_on():
            raise _bad(
                "windows",
                N_("Its working time runs out, or is less than a day a month; give it a week row that goes on."),
            )
    except Invalid as invalid:
        result.refuse_all(RowError.of_invalid(draft.numbers[0], invalid))
        return False
    return True


def _refuse_rest(draft: _Draft, result: ImportResult) -> None:
    blamed = {error.number for error in result.errors}
    for number in draft.numbers:
        if number not in blamed:
            text = Text(
                N_("Not taken: another row of the calendar %(code)s, or of its base, is wrong."), code=draft.code
            )
            result.refuse(number, text)


def _bad(field_name: str, msgid: str) -> Invalid:
    return Invalid({field_name: Text(msgid)})
