"""Edge cases of calendars and policies that no other test names, through the imports and the use-cases."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select

from feedback.calendars.worktime import add_working_days, add_working_time
from feedback.kernel.actor import SYSTEM
from feedback.kernel.errors import Invalid
from feedback.sla.amounts import parse_amount
from feedback.sla.calendar_import import import_calendars
from feedback.sla.models import SlaClock, SlaPolicy
from feedback.sla.policy_import import import_policies
from feedback.sla.rollout import Rollout
from feedback.supervision.open_tickets import OpenTickets
from feedback.tickets.models import TicketRequest
from tests.support.calendars import CHINA, at, calendar, dated, week
from tests.support.county import County
from tests.support.story import PLAIN, Story

HOURS = "site,week,mon;tue;wed;thu;fri,,09:00-12:00;13:00-18:00,,cn,\n"


def take_calendars(rows: str, now: datetime) -> Rollout:
    raw = f"calendar,rule,days,date,windows,timezone,base,note\n{rows}".encode()
    return import_calendars(raw, "calendars.csv", actor=SYSTEM, now=now, tickets=OpenTickets())


def take_policies(rows: str, now: datetime) -> Rollout:
    raw = f"name,order,kind,urgency,first_response,resolution\n{rows}".encode()
    return import_policies(raw, "p.csv", actor=SYSTEM, now=now, tickets=OpenTickets(), apply_to_open=True)


def clock_of(story: Story, kind: str = "resolution") -> SlaClock:
    """The newest clock of that kind on the story's ticket, read anew."""
    ticket = story.ticket
    query = select(SlaClock).where(SlaClock.ticket_id == ticket.id, SlaClock.kind == kind)
    return story.county.session.scalars(query.order_by(SlaClock.id.desc())).first() or pytest.fail(kind)


def test_holiday_that_is_taken_back_gives_its_day_again(county: County) -> None:
    story = Story(county).submit()
    plain = clock_of(story).due_at
    take_calendars(HOURS + "site,holiday,,2026-03-04,,,,\n", story.now)
    assert clock_of(story).due_at > plain
    take_calendars(HOURS, story.now)
    assert clock_of(story).due_at == plain


def test_holiday_announced_after_the_due_time_was_worked_out_moves_it(county: County) -> None:
    story = Story(county).submit()
    assert clock_of(story).due_at == at("2026-03-09 09:00")
    take_calendars("site,holiday,,2026-03-04,,,,\n", story.now)
    assert clock_of(story).due_at == at("2026-03-10 09:00")
    assert clock_of(story).original_due_at == at("2026-03-09 09:00")


def test_leap_day_counts_as_the_working_day_that_it_is() -> None:
    town = calendar(week(), base=CHINA)
    assert add_working_days(at("2028-02-28 10:00"), 2, town) == at("2028-03-01 10:00")


def test_working_day_is_not_stretched_to_the_end_of_its_day() -> None:
    """The list's end-of-day snap falls away: the same time of day on the Nth working day after."""
    town = calendar(week(), dated("half", "2026-10-14", "09:00-11:00"))
    assert add_working_days(at("2026-10-12 10:15"), 1, town) == at("2026-10-13 10:15")
    assert add_working_days(at("2026-10-12 15:00"), 2, town) == at("2026-10-14 11:00")


def test_touching_windows_are_one_window() -> None:
    one, two = calendar(week("09:00-17:00")), calendar(week("09:00-12:00;12:00-17:00"))
    hour = at("2026-10-12 12:00") - at("2026-10-12 11:00")
    assert add_working_time(at("2026-10-12 11:30"), hour, two) == add_working_time(at("2026-10-12 11:30"), hour, one)


def test_no_amount_is_no_clock_and_zero_is_refused(county: County) -> None:
    assert parse_amount("") is None
    outcome = take_policies("x,1,demand,normal,0min,2wd\n", Story(county).now)
    assert [error.column for error in outcome.result.errors] == ["first_response"]
    take_policies("x,1,demand,normal,,2wd\n", Story(county).now)
    story = Story(county).submit(text=PLAIN)
    kinds = county.session.scalars(select(SlaClock.kind).where(SlaClock.ticket_id == story.ticket.id)).all()
    assert kinds == ["resolution"]


def test_response_later_than_the_resolution_is_refused_where_it_is_saved(county: County) -> None:
    outcome = take_policies("x,1,demand,normal,3wd,2wd\n", Story(county).now)
    (error,) = outcome.result.errors
    assert (error.column, error.number) == ("first_response", 2)
    assert "later than the resolution" in str(error.text)


def test_urgency_raised_and_lowered_again_gives_the_first_due_time_back(county: County) -> None:
    story = Story(county).submit(text=PLAIN)
    normal = clock_of(story).due_at
    story.act("dp1", "set_urgency", urgency="urgent", reason="老人出行受影响")
    assert clock_of(story).due_at == at("2026-03-03 09:00")
    story.act("dp1", "set_urgency", urgency="normal", reason="已有临时措施")
    request = county.session.scalars(select(TicketRequest)).one()
    story.act("su", "decide", request=request.id, decision="granted", text="情况属实")
    assert clock_of(story).due_at == normal
    assert clock_of(story).breached_at is None
    assert clock_of(story).original_due_at == at("2026-03-03 09:00"), "what was promised once is never later again"


def test_edit_of_a_calendar_moves_open_clocks_only(county: County) -> None:
    late, running = Story(county).submit(), Story(county).submit()
    late.act("hw", "acknowledge").act(
        "hw", "resolve", outcome="solved", text="已更换一段水管，试水不漏。", hours=24 * 9
    )
    due, breached = clock_of(late).due_at, clock_of(late).breached_at
    assert breached == due
    outcome = take_calendars("site,holiday,,2026-03-03/2026-03-13,,,,\n", late.now)
    assert {move.reference for move in outcome.moves if move.kind == "resolution"} == {running.reference}
    assert (clock_of(late).due_at, clock_of(late).breached_at) == (due, breached)


def test_policy_that_is_no_longer_in_force_still_times_the_clocks_it_started(county: County) -> None:
    story = Story(county).submit(text=PLAIN)
    raw = b"name,order,kind,urgency,first_response,resolution\nnormal demand,1080,demand,normal,1wd,1wd\n"
    import_policies(raw, "p.csv", actor=SYSTEM, now=story.now, tickets=OpenTickets())
    old = county.session.get_one(SlaPolicy, clock_of(story).policy_id)
    assert old.superseded_at == story.now
    story.act("dp1", "dispatch", lead="a").act("ha", "acknowledge")
    story.act("ha", "ask_submitter", text="是哪一天的事？")
    story.act("s", "answer", text="上周三下午", hours=2)
    assert clock_of(story).due_at == at("2026-03-09 10:00"), "5 working days and the hour of the question after noon"


def test_calendar_without_working_time_is_refused_where_it_is_saved(county: County) -> None:
    outcome = take_calendars("empty,week,mon,,,,,\n", Story(county).now)
    assert [error.column for error in outcome.result.errors] == ["windows"]
    with pytest.raises(Invalid):
        calendar(week(""))
