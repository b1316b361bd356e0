"""Edge cases of pauses and of the lifecycle that no other test names, told through the use-cases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from feedback.kernel.db import db
from feedback.kernel.errors import Conflict, Invalid
from feedback.kernel.transaction import transaction
from feedback.reports.period import ReportQuery
from feedback.reports.queries import closure_report
from feedback.sla.models import SlaAlarm, SlaClock
from feedback.sla.revival import resume_all
from feedback.sla.sweep import list_expired
from feedback.tickets.models import Leg, Verdict
from tests.edge.test_edge_calendars import clock_of
from tests.support.calendars import at
from tests.support.clocks import Clocks
from tests.support.county import START, County
from tests.support.story import PLAIN, Story


def leg_clock(story: Story, code: str) -> SlaClock:
    """The newest clock of that unit's leg."""
    ticket = story.ticket
    unit_id = story.county.units[code].id
    query = select(SlaClock).where(SlaClock.ticket_id == ticket.id, SlaClock.kind == "leg", SlaClock.unit_id == unit_id)
    return story.county.session.scalars(query.order_by(SlaClock.id.desc())).first() or pytest.fail(code)


def working(story: Story) -> Story:
    return story.submit().act("hw", "acknowledge")


def test_unit_that_waits_for_an_answer_can_not_resolve(county: County) -> None:
    """The list's case 41 is a conflict here."""
    story = working(Story(county)).act("hw", "ask_submitter", text="是哪一段水管？")
    with pytest.raises(Conflict) as refused:
        story.act("hw", "resolve", outcome="solved", text="已更换一段水管，试水不漏。")
    assert refused.value.code == "status_conflict"
    assert story.state == "waiting_for_submitter"


def test_clock_met_inside_a_pause_has_kept_its_time(county: County) -> None:
    """Case 41 for the engine alone."""
    clocks = Clocks(county)
    clocks.begin("resolution", "2026-03-02 09:00")
    clocks.pause("2026-03-06 09:00", "2026-03-13 09:00")
    clocks.meet("resolution", "2026-03-10 09:00")
    assert clocks.get("resolution").breached_at is None


def test_answer_after_the_question_wakes_the_clocks_at_that_instant(county: County) -> None:
    story = working(Story(county)).act("hw", "ask_submitter", text="是哪一段水管？")
    assert clock_of(story).due_at > at("2026-03-13 09:00"), "as if the wait lasted to its end"
    story.act("s", "answer", text="村委会门口那一段", hours=3)
    assert story.state == "in_progress"
    assert clock_of(story).due_at == at("2026-03-09 11:00"), "11:00 to 14:00 are two working hours"


def test_total_age_runs_on_through_a_pause(county: County) -> None:
    """From submission to confirmation, the day of waiting included."""
    story = working(Story(county)).act("hw", "ask_submitter", text="是哪一段水管？")
    story.act("s", "answer", text="村委会门口那一段", hours=24)
    story.act("hw", "resolve", outcome="solved", text="已更换一段水管，试水不漏。").act(
        "s", "confirm", verdict="solved"
    )
    now = START + timedelta(days=60)
    query = ReportQuery.parse({"from": "2026-03-01", "to": "2026-03-31", "by": "unit"})
    report = closure_report(db.session(), county.actor("lr", now), query, now=now)
    whole = {row.key: row for row in report.rows}["water"].times["whole"]
    assert whole.median_seconds == (story.now - START).total_seconds() == 28 * 3600


def test_dispute_opens_a_round_with_an_amount_of_its_own(county: County) -> None:
    story = Story(county).resolved().act("s", "dispute", reason="还在漏水")
    first, second = county.session.scalars(
        select(SlaClock)
        .where(SlaClock.ticket_id == story.ticket.id, SlaClock.kind == "resolution")
        .order_by(SlaClock.id)
    )
    assert (first.round, first.met_at) == (1, START + timedelta(hours=2))
    assert (second.round, second.started_at, second.due_at) == (2, story.now, at("2026-03-09 13:00"))
    assert story.ticket.original_due_at == first.due_at


def test_reopening_after_thirty_days_is_refused(county: County) -> None:
    story = Story(county).resolved().act("s", "confirm", verdict="solved")
    with pytest.raises(Conflict) as refused:
        story.act("s", "reopen", reason="又漏了", hours=24 * 30 + 1)
    assert refused.value.code == "window_over"


def test_each_round_keeps_its_own_verdict(county: County) -> None:
    story = Story(county).resolved().act("s", "confirm", verdict="solved")
    for _ in range(2):
        story.act("s", "reopen", reason="又漏了", hours=24)
        story.act("hw", "resolve", outcome="solved", text="再次更换接头，试水不漏。").act(
            "s", "confirm", verdict="partly"
        )
    verdicts = county.session.scalars(select(Verdict).order_by(Verdict.id)).all()
    assert [(v.round, v.verdict) for v in verdicts] == [(1, "solved"), (2, "partly"), (3, "partly")]
    rounds = select(SlaClock.round).where(SlaClock.kind == "resolution").order_by(SlaClock.round)
    assert county.session.scalars(rounds).all() == [1, 2, 3]


def test_word_after_silence_confirms_what_had_closed_unanswered(county: County) -> None:
    story = Story(county).resolved()
    while story.state == "resolved":
        story.sweep(hours=6)
    assert story.state == "closed.unanswered"
    story.act("s", "confirm", verdict="solved")
    assert story.state == "closed.confirmed"


def test_transfer_five_minutes_before_the_end_gives_the_new_unit_its_floor(county: County) -> None:
    story = working(Story(county))
    due = clock_of(story).due_at
    story.now = due - timedelta(minutes=5)
    story.act("dp1", "transfer", unit="roads", reason="是路面塌陷引起的", hours=0)
    assert clock_of(story).due_at == due
    assert leg_clock(story, "roads").due_at == at("2026-03-11 08:55") + timedelta(minutes=5), "two working days"


def test_unit_that_gets_it_back_has_the_time_it_had_left(county: County) -> None:
    story = working(Story(county))
    story.act("dp1", "transfer", unit="roads", reason="是路面塌陷引起的")
    story.act("dp1", "transfer", unit="water", reason="查明还是水管问题", hours=24 * 8)
    clock = leg_clock(story, "water")
    assert clock.started_at == START
    assert len(clock.gaps) == 1
    assert clock.due_at == at("2026-03-11 18:00"), "two working days of its own and six that were elsewhere"
    legs = county.session.scalars(select(Leg).where(Leg.ticket_id == story.ticket.id)).all()
    assert len(legs) == 2


def test_three_hops_leave_the_submitters_clock_alone(county: County) -> None:
    story = working(Story(county))
    before = clock_of(story)
    id_, due = before.id, before.due_at
    for unit in ("roads", "a", "b"):
        story.act("dp1", "transfer", unit=unit, reason="不属于本单位职责")
    after = clock_of(story)
    assert (after.id, after.due_at, after.started_at, after.deadline_version) == (id_, due, START, 1)


def test_late_assist_is_late_itself_and_its_lead_is_not(county: County) -> None:
    story = working(Story(county)).act("hw", "add_leg", unit="roads", task="先做围挡")
    assert leg_clock(story, "roads").due_at == at("2026-03-05 11:00")
    story.sweep(hours=24 * 3 + 3)
    assert leg_clock(story, "roads").breached_at == at("2026-03-05 11:00")
    assert leg_clock(story, "water").breached_at is None
    assert clock_of(story).breached_at is None


def test_assist_that_is_added_late_has_its_whole_time(county: County) -> None:
    story = working(Story(county))
    due = clock_of(story).due_at
    story.act("hw", "add_leg", unit="roads", task="先做围挡", hours=24 * 4)
    assert leg_clock(story, "roads").due_at == at("2026-03-11 10:00")
    assert clock_of(story).due_at == due


def test_joined_tickets_keep_the_eldest_receipt_and_each_submitter_confirms(county: County) -> None:
    elder = Story(county).submit()
    due = elder.ticket.due_at
    younger = Story(county, now=elder.now + timedelta(days=1)).submit("s2").act("dp1", "join", into=elder.reference)
    assert (younger.state, younger.ticket.due_at) == ("closed.joined", None)
    assert elder.ticket.due_at == due
    elder.now = younger.now
    elder.act("hw", "acknowledge").act("hw", "resolve", outcome="solved", text="已更换一段水管，试水不漏。")
    assert elder.act("s2", "confirm", verdict="solved").state == "resolved"
    assert elder.act("s", "confirm", verdict="solved").state == "closed.confirmed"


def test_ticket_that_parts_again_goes_on_with_its_own_clocks(county: County) -> None:
    """Joined in between: from its own receipt, the time joined as a pause."""
    clocks = Clocks(county)
    clocks.begin("resolution", "2026-03-02 09:00")
    clocks.begin("first_response", "2026-03-02 09:00")
    clocks.meet("first_response", "2026-03-02 10:00")
    clocks.stop("2026-03-03 09:00")
    with transaction() as session:
        resume_all(session, 7, closed_at=at("2026-03-03 09:00"), at=at("2026-03-05 09:00"), by="test")
    assert clocks.due("resolution") == at("2026-03-10 18:00")
    assert clocks.get("resolution").is_open
    assert not clocks.get("first_response").is_open


def test_exclusion_taken_back_after_a_breach_leaves_the_breach(county: County) -> None:
    """An appeal that is granted: clocks go on from the receipt, and what was late stays late."""
    clocks = Clocks(county)
    clocks.begin("resolution", "2026-03-02 09:00")
    clocks.stop("2026-03-10 09:00")
    assert clocks.get("resolution").breached_at == at("2026-03-09 09:00")
    with transaction() as session:
        resume_all(session, 7, closed_at=at("2026-03-10 09:00"), at=at("2026-03-20 09:00"), by="test")
    clock = clocks.get("resolution")
    assert (clock.is_open, clock.due_at, clock.breached_at) == (True, at("2026-03-09 09:00"), at("2026-03-09 09:00"))
    with pytest.raises(Invalid), transaction() as session:
        resume_all(session, 7, closed_at=at("2026-03-21 09:00"), at=at("2026-03-20 09:00"), by="test")


def test_withdrawn_ticket_has_no_clock_left_and_rings_no_more(county: County) -> None:
    story = working(Story(county)).act("s", "withdraw", reason="已经自己修好", asked_to=False)
    story.sweep(days=60)
    clocks = county.session.scalars(select(SlaClock).where(SlaClock.ticket_id == story.ticket.id)).all()
    assert all(clock.met_at or clock.dropped_at for clock in clocks)
    assert all(clock.breached_at is None and clock.next_alarm_at is None for clock in clocks)
    assert not county.session.scalars(select(SlaAlarm).where(SlaAlarm.fired_at > START + timedelta(days=1))).all()


def test_suspended_matter_wakes_by_itself_on_a_holiday(county: County) -> None:
    clocks = Clocks(county)
    clocks.begin("resolution", "2026-09-28 09:00")
    clocks.pause("2026-09-28 15:00", "2026-10-01 09:00", "suspension")
    assert list_expired(at("2026-10-01 08:59"), 50) == []
    assert [(e.kind, e.at) for e in list_expired(at("2026-10-01 09:00"), 50)] == [("pause", at("2026-10-01 09:00"))]
    clocks.unpause("2026-10-03 12:00")
    assert clocks.due("resolution") == at("2026-10-13 12:00"), "19 working hours stood still, none of them on a holiday"


def test_matter_noted_offline_starts_its_clocks_when_it_is_received(county: County) -> None:
    story = Story(county, now=START + timedelta(days=3))
    story.submit(text=PLAIN, occurred_at=START.isoformat())
    assert clock_of(story).started_at == story.ticket.received_at == START + timedelta(days=3)


def test_ticket_written_down_by_staff_starts_the_same_clocks(county: County) -> None:
    own, other = Story(county).submit(), Story(county).submit("dp1", on_behalf_of={"login": "s"})
    kinds = [
        {(c.kind, c.started_at) for c in county.session.scalars(select(SlaClock).where(SlaClock.ticket_id == i))}
        for i in (own.ticket.id, other.ticket.id)
    ]
    assert kinds[0] == kinds[1]
    assert ("resolution", START) in kinds[0]


@pytest.mark.parametrize("field", ["at", "now", "written_at", "first_responded_at"])
def test_reply_that_says_when_it_was_given_is_refused(county: County, field: str) -> None:
    story = working(Story(county))
    back_dated: dict[str, Any] = {"text": "已派人到现场查看", field: START.isoformat()}
    with pytest.raises(Invalid) as refused:
        story.act("hw", "reply", **back_dated)
    assert list(refused.value.errors) == [field]
    assert clock_of(story, "first_response").met_at is None
