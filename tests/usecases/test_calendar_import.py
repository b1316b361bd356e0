"""Calendars from files: what is taken, what is refused and why, versions, and the open clocks that move."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.calendars.definition import CalendarDefinition, from_json
from feedback.calendars.models import BusinessCalendar
from feedback.calendars.queries import find_calendar, get_calendar, missing_official_years, ready
from feedback.calendars.usecases import install_site_calendar
from feedback.calendars.worktime import add_working_time, next_opening
from feedback.kernel.actor import SYSTEM
from feedback.kernel.errors import Forbidden, Invalid
from feedback.kernel.transaction import transaction
from feedback.sla.calendar_import import import_calendars
from feedback.sla.models import SlaClock
from feedback.sla.rollout import Rollout
from feedback.supervision.open_tickets import OpenTickets
from feedback.tickets.models import Ticket
from tests.support.calendars import at, on
from tests.support.county import START, County
from tests.support.story import Story

HEADER = "calendar,rule,days,date,windows,timezone,base,note\n"
TOWN = "town,week,mon;tue;wed;thu;fri,,09:00-12:00;14:00-17:30,Asia/Shanghai,cn,\n"


def take(rows: str, name: str = "calendars.csv", *, is_dry_run: bool = False, now: datetime = START) -> Rollout:
    raw = (rows if name.endswith(".yaml") else HEADER + rows).encode()
    return import_calendars(raw, name, actor=SYSTEM, now=now, tickets=OpenTickets(), is_dry_run=is_dry_run)


def opening(session: Session, code: str, when: str) -> datetime:
    return next_opening(at(when), ready(get_calendar(session, code)))


def test_admin_imports_a_calendar_on_the_official_days(session: Session) -> None:
    outcome = take(TOWN + "town,half,,2026-03-04,09:00-11:00,,,test\n")
    assert (outcome.result.added, outcome.result.is_clean) == (2, True)
    assert opening(session, "town", "2026-02-28 00:00") == at("2026-02-28 09:00"), "a make-up Saturday"
    assert opening(session, "town", "2026-03-04 11:00") == at("2026-03-05 09:00")
    assert opening(session, "town", "2026-10-01 00:00") == at("2026-10-08 09:00")


def test_importing_the_same_again_makes_no_version(session: Session) -> None:
    take(TOWN)
    again = take(TOWN)
    assert (again.result.unchanged, again.result.updated, again.result.added) == (1, 0, 0)
    assert get_calendar(session, "town").version == 1


def test_changed_calendar_is_a_new_version_and_the_old_one_stays(session: Session) -> None:
    take(TOWN)
    old = get_calendar(session, "town")
    changed = take(TOWN.replace("09:00-12:00", "08:00-12:00"))
    assert changed.result.updated == 1
    new = get_calendar(session, "town")
    assert (old.version, new.version) == (1, 2)
    assert "08:00" in str(from_json(new.definition).weeks[0].windows[0])
    assert "09:00" in str(from_json(session.get_one(BusinessCalendar, old.id).definition).weeks[0].windows[0])


def test_rows_of_dates_alone_are_added_to_the_calendar_that_is_there(session: Session) -> None:
    """Cases 13 and 14: a holiday is added, taken twice, and removed by importing the calendar without it."""
    take(TOWN)
    assert take("town,holiday,,2026-03-04,,,,\n").result.updated == 1
    assert opening(session, "town", "2026-03-04 00:00") == at("2026-03-05 09:00")
    assert take("town,holiday,,2026-03-04,,,,\n").result.unchanged == 1
    take(TOWN)
    assert opening(session, "town", "2026-03-04 00:00") == at("2026-03-04 09:00")


def test_overlay_follows_its_base_when_that_changes(session: Session) -> None:
    take("county,week,mon;tue;wed;thu;fri,,09:00-17:00,,cn,\ntown,week,mon;tue,,08:00-12:00,,county,\n")
    assert opening(session, "town", "2026-03-04 00:00") == at("2026-03-04 09:00")
    take("county,holiday,,2026-03-04,,,,\n")
    assert get_calendar(session, "town").version == 2
    assert opening(session, "town", "2026-03-04 00:00") == at("2026-03-05 09:00")


def test_official_notice_of_a_new_year_reaches_every_calendar_on_it(session: Session) -> None:
    """Case 19: no release is needed for a new year."""
    take(TOWN)
    assert missing_official_years(session, on("2026-10-31")) == ()
    assert missing_official_years(session, on("2026-11-01")) == (2027,)
    assert opening(session, "town", "2027-01-01 00:00") == at("2027-01-01 09:00")
    notice = take("cn,holiday,,2027-01-01/2027-01-03,,,,元旦\ncn,workday,,2027-01-09,,,,元旦\n")
    assert (notice.result.updated, notice.result.is_clean) == (2, True)
    assert opening(session, "town", "2027-01-01 00:00") == at("2027-01-04 09:00")
    assert opening(session, "town", "2027-01-09 00:00") == at("2027-01-09 09:00")
    assert missing_official_years(session, on("2026-11-01")) == ()
    assert get_calendar(session, "site").version == 2


@pytest.mark.parametrize(
    ("rows", "column"),
    [
        ("town,week,mon,,17:00-09:00,,,\n", "windows"),
        ("town,week,mon,,09:00-25:00,,,\n", "windows"),
        ("town,week,mon,,morning,,,\n", "windows"),
        ("town,week,,,09:00-17:00,,,\n", "days"),
        ("town,week,monday,,09:00-17:00,,,\n", "days"),
        ("town,week,mon,06-31/09-30,09:00-17:00,,,\n", "date"),
        ("town,week,mon,2026-09-30/2026-06-01,09:00-17:00,,,\n", "date"),
        ("town,week,mon,,09:00-17:00,Mars/Base,,\n", "timezone"),
        ("town,week,mon,,09:00-17:00,,nowhere,\n", "base"),
        ("town,week,mon,,09:00-17:00,,town,\n", "base"),
        ("town,week,mon,,,,,\n", "windows"),
        ("town,week,mon,,09:00-12:00;11:00-17:00,,,\n", "windows"),
        ("town,week,mon,,09:00-12:00;09:00-12:00,,,\n", "windows"),
        ("town,half,,2026-03-04,09:00-12:00;11:30-14:00,,,\n", "windows"),
        ("town,week,mon;tue,2026-01-01/2026-12-31,09:00-17:00,,,\n", "windows"),
        ("town,half,,2026-03-04,09:00-12:00,,cn,\n", "windows"),
        ("town,week,mon,01-01/01-07,09:00-17:00,,,\n", "windows"),
        ("town,holiday,,2026-02-30,,,,\n", "date"),
        ("town,half,,2026-03-04,,,,\n", "windows"),
        ("town,holiday,,2026-03-04,09:00-12:00,,,\n", "windows"),
        ("town,feast,,2026-03-04,,,,\n", "rule"),
        ("cn,week,mon,,09:00-17:00,,,\n", "rule"),
        ("cn,holiday,,2027-01-01,,Asia/Shanghai,,\n", "timezone"),
        ("a town,week,mon,,09:00-17:00,,,\n", "calendar"),
    ],
)
def test_wrong_row_is_refused_with_its_column_and_its_calendar_is_not_made(
    session: Session, rows: str, column: str
) -> None:
    """Case 15 among them: a calendar without working time."""
    outcome = take(rows)
    assert [(error.number, error.column) for error in outcome.result.errors] == [(2, column)]
    assert str(outcome.result.errors[0].text)
    assert find_calendar(session, "town") is None


def test_windows_that_touch_are_taken_as_one(session: Session) -> None:
    assert take("town,week,mon;tue,,12:00-17:00;09:00-12:00,,,\n").result.is_clean
    assert str(from_json(get_calendar(session, "town").definition).weeks[0].windows[0]) == "09:00-17:00"


def test_wrong_calendar_loses_no_good_one_and_half_of_it_is_not_taken(session: Session) -> None:
    outcome = take(
        "bad,week,mon,,09:00-17:00,,,\nbad,holiday,,someday,,,,\n" + TOWN + "on,week,sun,,09:00-10:00,,bad,\n"
    )
    assert find_calendar(session, "town") is not None
    assert find_calendar(session, "bad") is None
    assert find_calendar(session, "on") is None
    assert [(error.number, error.column) for error in sorted(outcome.result.errors, key=lambda e: e.number)] == [
        (2, None),
        (3, "date"),
        (5, None),
    ]
    assert outcome.result.added == 1


def test_bases_in_a_circle_are_refused(session: Session) -> None:
    outcome = take("one,week,mon,,09:00-17:00,,two,\ntwo,week,tue,,09:00-17:00,,one,\n")
    assert {error.column for error in outcome.result.errors} == {"base"}
    assert find_calendar(session, "one") is None


def test_yaml_says_the_same_as_csv(session: Session) -> None:
    outcome = take(
        """
calendars:
  - {calendar: town, rule: week, days: [mon, tue], windows: ["09:00-12:00", "14:00-17:30"], base: cn, colour: red}
  - {calendar: town, rule: holiday, date: 2026-03-03}
""",
        "calendars.yaml",
    )
    assert (outcome.result.added, outcome.result.ignored) == (2, ("colour",))
    assert opening(session, "town", "2026-03-02 17:30") == at("2026-03-09 09:00")
    for broken in ("just words", "{", "[]", ""):
        with pytest.raises(Invalid):
            take(broken, "calendars.yaml")
    assert [error.number for error in take("- [1, 2]", "calendars.yaml").result.errors] == [1]


def test_only_an_admin_may_import(county: County) -> None:
    with pytest.raises(Forbidden):
        import_calendars(b"", "x.csv", actor=county.actor("d"), now=START)


def test_open_clock_moves_and_one_that_was_met_does_not(any_county: County) -> None:
    """Cases 14 and 34."""
    story = Story(any_county).submit()
    story.act("hw", "acknowledge")
    session = any_county.session
    before = {clock.kind: clock.due_at for clock in session.scalars(select(SlaClock))}
    holiday = "site,holiday,,2026-03-03,,,,\n"
    tried = take(holiday, is_dry_run=True, now=story.now)
    session.rollback()
    assert {clock.kind: clock.due_at for clock in session.scalars(select(SlaClock))} == before
    assert get_calendar(session, "site").version == 1
    done = take(holiday, now=story.now)
    assert [move.as_json() for move in tried.moves] == [move.as_json() for move in done.moves]
    assert {move.kind for move in done.moves} == {"resolution", "leg", "first_response"}
    assert all(
        move.due_after == move.due_before + timedelta(days=1) for move in done.moves if move.kind != "resolution"
    )
    session.rollback()
    after = {clock.kind: clock for clock in session.scalars(select(SlaClock))}
    assert after["signing"].due_at == before["signing"]
    assert after["resolution"].due_at > before["resolution"]
    assert after["resolution"].original_due_at == before["resolution"]
    ticket = session.scalars(select(Ticket)).one()
    assert ticket.due_at == after["resolution"].due_at
    assert ticket.original_due_at == before["resolution"]


def test_half_done_move_is_finished_by_importing_again(county: County) -> None:
    story = Story(county).submit()
    with transaction() as session:
        row = session.get_one(BusinessCalendar, get_calendar(session, "site").id)
        row.superseded_at = story.now
        session.add(
            BusinessCalendar(
                code="site",
                version=2,
                definition={**row.definition, "dates": [_holiday("2026-03-03")]},
                created_at=story.now,
            )
        )
    outcome = take("site,holiday,,2026-03-03,,,,\n", now=story.now)
    assert outcome.result.unchanged == 1
    assert {move.kind for move in outcome.moves} >= {"resolution", "leg"}


def _holiday(day: str) -> dict[str, object]:
    return {"kind": "holiday", "first": day, "last": day, "windows": [], "note": ""}


def test_installing_again_changes_nothing_and_follows_what_libraries_learnt(session: Session) -> None:
    with transaction() as writing:
        assert install_site_calendar(writing, now=START) == {}
    row = get_calendar(session, "site")
    with transaction() as writing:
        stale = writing.get_one(BusinessCalendar, row.id)
        stale.definition = {**row.definition, "base": {**row.definition["base"], "official_through": 2025}}
    with transaction() as writing:
        assert list(install_site_calendar(writing, now=START)) == [row.id]
    assert add_working_time(at("2026-10-01 09:00"), timedelta(hours=1), ready(get_calendar(session, "site"))) == at(
        "2026-10-08 10:00"
    )


def test_site_calendar_has_eight_hours_a_day_on_the_official_days(session: Session) -> None:
    site = from_json(get_calendar(session, "site").definition)
    assert isinstance(site.base, CalendarDefinition)
    assert (site.base.code, site.base.official) == ("cn", True)
    assert sum(window.closes - window.opens for window in site.weeks[0].windows) == 480
