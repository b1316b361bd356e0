"""More time: asked for before the due time, decided by somebody else, never a way out of a breach or of the first date."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from feedback.kernel.clock import local_day
from feedback.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from feedback.reading.clock_trace import explain_clock
from feedback.reading.queries import allowed_actions
from feedback.reading.requests import list_decidable, list_requests
from feedback.reports.period import ReportQuery
from feedback.reports.queries import closure_report
from feedback.sla.models import SlaAlarm, SlaClock
from feedback.tickets.models import TicketRequest
from tests.support.calendars import at
from tests.support.county import County
from tests.support.story import Story

DUE = "2026-03-09 09:00"
LATER = "2026-03-12 17:00"
PARTS = {"reason": "水泵要从省里调来", "interim": "每天送两车水"}


def begun(county: County) -> Story:
    """Raised Monday 2 March at 09:00, signed for an hour later; due Monday 9 March at 09:00."""
    story = Story(county).submit().act("hw", "acknowledge")
    assert story.ticket.due_at == at(DUE)
    return story


def ask(story: Story, until: str = LATER, login: str = "hw", *, hours: float = 1) -> Story:
    fields: dict[str, Any] = {**PARTS, "due_at": at(until).isoformat()}
    return story.act(login, "request_extension", hours=hours, **fields)


def newest(story: Story) -> TicketRequest:
    found = story.county.session.scalars(
        select(TicketRequest).where(TicketRequest.ticket_id == story.ticket.id).order_by(TicketRequest.id.desc())
    ).first()
    assert found is not None
    return found


def decide(story: Story, login: str, decision: str = "granted", *, hours: float = 1) -> Story:
    request = newest(story).id
    return story.act(login, "decide", hours=hours, request=request, decision=decision, text="情况属实")


def clock_of(story: Story, kind: str = "resolution") -> SlaClock:
    query = select(SlaClock).where(SlaClock.ticket_id == story.ticket.id, SlaClock.kind == kind)
    return story.county.session.scalars(query.order_by(SlaClock.id.desc())).first() or _none()


def _none() -> SlaClock:
    raise LookupError


def alarms_of(story: Story) -> list[tuple[str, int]]:
    rows = select(SlaAlarm.label, SlaAlarm.deadline_version).where(SlaAlarm.clock_id == clock_of(story).id)
    return [(label, version) for label, version in story.county.session.execute(rows.order_by(SlaAlarm.id))]


def go_to(story: Story, instant: str) -> Story:
    story.now = at(instant)
    return story


def test_extension_asked_before_due_moves_the_due_time_and_not_the_first_one(any_county: County) -> None:
    """The decision has a clock of its own, and alarms ring anew for the moved date."""
    story = go_to(begun(any_county), "2026-03-04 15:00")
    story.sweep()
    assert alarms_of(story) == [("50%", 1)]
    ask(story)
    assert story.ticket.due_at == at(DUE), "until it is decided the time runs as before"
    assert clock_of(story, "decision").due_at == at("2026-03-05 16:00")
    decide(story, "d")
    ticket, clock, leg = story.ticket, clock_of(story), clock_of(story, "leg")
    assert (ticket.due_at, clock.due_at, leg.due_at) == (at(LATER), at(LATER), at(LATER))
    assert (ticket.original_due_at, clock.original_due_at) == (at(DUE), at(DUE))
    assert clock.deadline_version == 2
    assert clock_of(story, "decision").met_at == story.now
    go_to(story, "2026-03-10 09:00").sweep()
    assert clock_of(story).breached_at is None
    go_to(story, "2026-03-12 17:00").sweep()
    assert clock_of(story).breached_at == at(LATER)
    assert alarms_of(story) == [("50%", 1), ("50%", 2), ("80%", 2), ("100%", 2)]


def test_extension_is_taken_before_the_due_time_and_refused_from_then_on(county: County) -> None:
    """Case 61."""
    story = ask(go_to(begun(county), "2026-03-09 08:59"), hours=0)
    story.act("hw", "withdraw_request", hours=0, request=newest(story).id)
    for instant in (DUE, "2026-03-09 09:30"):
        with pytest.raises(Conflict) as refused:
            ask(go_to(story, instant), hours=0)
        assert refused.value.code == "too_late"


def test_extension_not_decided_when_the_time_is_over_leaves_the_breach(any_county: County) -> None:
    """Whatever is decided afterwards, what was late stays late in every figure."""
    story = ask(go_to(begun(any_county), "2026-03-09 08:30"), hours=0)
    go_to(story, "2026-03-09 10:00").sweep()
    decide(story, "d")
    clock = clock_of(story)
    assert (clock.breached_at, clock.due_at) == (at(DUE), at(LATER))
    go_to(story, "2026-03-11 10:00").act("hw", "resolve", hours=0, outcome="solved", text="水泵已装好，试水正常。")
    assert clock_of(story).breached_at == at(DUE)
    query = ReportQuery.parse({"from": "2026-03-01", "to": "2026-03-31", "by": "unit"})
    total = closure_report(
        any_county.session, any_county.actor("lr", story.now), query, now=at("2026-04-20 10:00")
    ).total
    assert total.measures["on_time_extended"].numerator == 0
    assert total.hatches["extended"].numerator == 1


def test_extension_granted_in_time_counts_for_the_moved_date_and_never_for_the_first(county: County) -> None:
    story = decide(ask(go_to(begun(county), "2026-03-06 14:00")), "d")
    go_to(story, "2026-03-11 10:00").act("hw", "resolve", hours=0, outcome="solved", text="水泵已装好，试水正常。")
    query = ReportQuery.parse({"from": "2026-03-01", "to": "2026-03-31", "by": "unit"})
    total = closure_report(county.session, county.actor("lr", story.now), query, now=at("2026-04-20 10:00")).total
    assert (total.measures["on_time"].numerator, total.measures["on_time_extended"].numerator) == (0, 1)
    assert local_day(story.ticket.original_due_at or story.now) == local_day(at(DUE))


def test_refused_extension_changes_nothing(county: County) -> None:
    story = decide(ask(begun(county)), "d", "refused")
    assert newest(story).state == "refused"
    assert (story.ticket.due_at, clock_of(story).deadline_version) == (at(DUE), 1)


def test_second_extension_is_a_leaders_and_there_is_no_third(any_county: County) -> None:
    story = decide(ask(begun(any_county), "2026-03-10 09:00"), "d")
    ask(story, "2026-03-11 09:00")
    leader = any_county.actor("lr", story.now)
    assert list_decidable(any_county.session, any_county.actor("d", story.now), story.now) == []
    assert [each.kind for each in list_decidable(any_county.session, leader, story.now)] == ["extension"]
    with pytest.raises(Forbidden):
        decide(story, "d")
    decide(story, "lr", hours=0)
    assert story.ticket.due_at == at("2026-03-11 09:00")
    handler = any_county.actor("hw", story.now)
    assert "request_extension" not in allowed_actions(any_county.session, handler, story.ticket, story.now)
    with pytest.raises(Conflict) as refused:
        ask(story, "2026-03-12 09:00")
    assert refused.value.code == "limit_reached"


def test_refused_request_counts_as_one_of_the_two(county: County) -> None:
    story = ask(decide(ask(begun(county)), "d", "refused"))
    assert newest(story).payload["ordinal"] == 2
    with pytest.raises(Forbidden):
        decide(story, "d")


def test_date_that_is_no_extension_or_too_far_off_is_refused(county: County) -> None:
    story = begun(county)
    for until, word in (
        (DUE, "later"),
        ("2026-03-06 09:00", "later"),
        ("2026-03-16 09:01", "latest"),
        ("2027-03-16 09:00", "latest"),
    ):
        with pytest.raises(Invalid) as refused:
            ask(story, until, hours=0)
        assert list(refused.value.errors) == ["due_at"]
        assert word in refused.value.errors["due_at"].msgid


def test_time_may_be_doubled_but_for_no_more_than_ten_working_days(county: County) -> None:
    """A demand has 5 working days, a complex one 15."""
    story = ask(begun(county), "2026-03-16 09:00")
    assert newest(story).state == "pending"
    long = begun(county)
    long.act("dp1", "set_urgency", urgency="complex", reason="要重新铺管")
    long.act("su", "decide", request=newest(long).id, decision="granted", text="情况属实")
    assert long.ticket.due_at == at("2026-03-23 09:00")
    with pytest.raises(Invalid):
        ask(long, "2026-04-07 09:01")
    ask(long, "2026-04-07 09:00")  # ten working days; 4 to 6 April is Qingming


def test_request_without_its_parts_is_refused(county: County) -> None:
    story = begun(county)
    fields: dict[str, Any] = {**PARTS, "due_at": at(LATER).isoformat()}
    for missing in fields:
        with pytest.raises(Invalid) as refused:
            story.act("hw", "request_extension", hours=0, **{k: v for k, v in fields.items() if k != missing})
        assert list(refused.value.errors) == [missing]


def test_nobody_decides_their_own_and_only_one_waits_at_a_time(county: County) -> None:
    story = ask(begun(county))
    for login in ("hw", "hw2", "lw", "dp1", "su"):
        with pytest.raises(Forbidden):
            decide(story, login)
    with pytest.raises(Conflict) as refused:
        ask(story)
    assert refused.value.code == "request_pending"


def test_pause_after_the_grant_moves_the_granted_date_by_its_working_time(county: County) -> None:
    story = decide(ask(begun(county)), "d")
    story.act("hw", "ask_submitter", text="水表在哪一户？")
    story.act("s", "answer", hours=2, text="在老李家")
    # 13:00 to 15:00: two hours of working time after noon
    assert story.ticket.due_at == at("2026-03-13 10:00")


def test_raised_urgency_takes_the_extension_away_and_a_new_classification_does_not(county: County) -> None:
    story = decide(ask(begun(county)), "d")
    story.act("dp1", "reclassify", kind="question", reason="只是咨询")
    assert (story.ticket.due_at, story.ticket.original_due_at) == (at(LATER), at("2026-03-04 09:00"))
    story.act("dp1", "set_urgency", urgency="urgent", reason="有人摔伤")
    assert story.ticket.due_at == at("2026-03-03 09:00")


def test_request_that_has_lost_its_point_is_not_granted(county: County) -> None:
    story = ask(begun(county))
    story.act("dp1", "set_urgency", urgency="urgent", reason="有人摔伤")
    with pytest.raises(Conflict) as refused:
        decide(story, "d")
    assert refused.value.code == "pointless"
    decide(story, "d", "refused")


def test_granted_date_that_has_passed_is_not_granted_any_more(county: County) -> None:
    story = ask(begun(county))
    with pytest.raises(Conflict) as refused:
        decide(go_to(story, "2026-03-13 09:00"), "d")
    assert refused.value.code == "pointless"


def test_whoever_asked_takes_it_back_and_nobody_else(county: County) -> None:
    story = ask(begun(county))
    request = newest(story)
    assert "withdraw_request" in allowed_actions(county.session, county.actor("hw", story.now), story.ticket, story.now)
    for login in ("hw2", "lw"):
        with pytest.raises(Forbidden):
            story.act(login, "withdraw_request", request=request.id)
        assert "withdraw_request" not in allowed_actions(
            county.session, county.actor(login, story.now), story.ticket, story.now
        )
    with pytest.raises(NotFound):
        story.act("hw", "withdraw_request", request=10**30)
    story.act("hw", "withdraw_request", request=request.id)
    assert newest(story).state == "withdrawn"
    assert clock_of(story, "decision").dropped_at == story.now
    with pytest.raises(Conflict):
        story.act("hw", "withdraw_request", request=request.id)
    decide(ask(story), "d")  # what was taken back does not count
    assert story.ticket.due_at == at(LATER)


def test_dispatcher_takes_back_a_wish_that_the_submitter_never_saw(county: County) -> None:
    story = Story(county).submit(text="希望村里的活动室晚上也能开门。")
    story.act("dp1", "decline", reason_code="not_a_public_duty", instead="请找村委会")
    story.act("dp1", "withdraw_request", request=newest(story).id)
    assert newest(story).state == "withdrawn"
    seen = list_requests(county.session, story.ticket, county.actor("s", story.now), story.now)
    assert (seen[0].state, seen[0].reason, seen[0].wanted) == ("withdrawn", None, {})


def test_request_goes_with_the_ticket_when_it_is_transferred(county: County) -> None:
    story = ask(begun(county)).act("dp1", "transfer", unit="roads", reason="由道路部门办理")
    assert newest(story).state == "overtaken"
    assert clock_of(story, "decision").dropped_at == story.now


def test_trace_names_the_extension_and_the_pause_after_it(county: County) -> None:
    story = decide(ask(begun(county)), "d")
    story.act("hw", "ask_submitter", text="水表在哪一户？").act("s", "answer", hours=2, text="在老李家")
    told = explain_clock(county.session, story.ticket, clock_of(story).id).explanation
    assert told.due_at == story.ticket.due_at
    assert [step.kind for step in told.steps][-4:] == ["target", "extension", "pause", "due"]
    words = [str(step.text) for step in told.steps]
    assert "2026-03-12 17:00" in words[-3]
    assert "2026-03-13 10:00" in words[-2]
    assert told.steps[-1].ends == at("2026-03-13 10:00")
    leg = explain_clock(county.session, story.ticket, clock_of(story, "leg").id).explanation
    assert leg.due_at == story.ticket.due_at


def test_reader_of_the_request_sees_date_reason_and_what_is_done_until_then(county: County) -> None:
    story = ask(begun(county))
    (seen,) = list_requests(county.session, story.ticket, county.actor("s", story.now), story.now)
    assert seen.reason == "水泵要从省里调来"
    assert datetime.fromisoformat(seen.wanted["due_at"]) == at(LATER)
    assert seen.wanted["interim"] == "每天送两车水"
