"""What a ticket's steps do to its clocks, on both databases. The site works 09:00-12:00 and 13:00-18:00 by China's days."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from feedback.kernel.errors import Invalid
from feedback.sla import timers
from feedback.sla.models import SlaClock
from tests.support.calendars import at
from tests.support.clocks import Clocks
from tests.support.county import County


@pytest.fixture
def clocks(any_county: County) -> Clocks:
    return Clocks(any_county)


def test_normal_demand_is_due_in_five_working_days(clocks: Clocks) -> None:
    clock = clocks.begin("resolution", "2026-03-02 09:30")
    assert clock.due_at == clock.original_due_at == at("2026-03-09 09:30")
    assert [level["label"] for level in clock.ladder] == ["50%", "80%", "100%", "+1wd"]
    assert clock.next_alarm_at == at("2026-03-04 14:30")
    assert clock.amount == "5wd"


def test_clocks_of_one_policy_run_each_in_their_own_time(clocks: Clocks) -> None:
    """Case 25: after hours on a Friday, an urgent demand."""
    clocks.change("2026-03-06 19:00", urgency="urgent")
    assert clocks.begin("resolution", "2026-03-06 19:00").due_at == at("2026-03-07 19:00")
    assert clocks.begin("confirmation", "2026-03-06 19:00").due_at == at("2026-03-09 19:00")
    assert clocks.begin("appeal", "2026-03-06 19:00").due_at == at("2026-03-16 09:00")


def test_no_amount_in_the_policy_means_no_clock(clocks: Clocks) -> None:
    """Case 28."""
    clocks.change("2026-03-02 09:00", urgency="critical")
    assert clocks.start("resolution", "2026-03-02 09:00", amount="return_window") is None


def test_policy_of_the_first_resolution_counts_for_later_clocks(clocks: Clocks) -> None:
    first = clocks.begin("resolution", "2026-03-02 09:00")
    clocks.facts = timers.Facts("question", "critical", None, ("root",), clocks.county.units["root"].id)
    assert clocks.begin("first_response", "2026-03-02 09:00").policy_id == first.policy_id


def test_clock_met_after_its_due_time_is_breached_at_its_due_time(clocks: Clocks) -> None:
    clocks.begin("first_response", "2026-03-02 09:00")
    clocks.meet("first_response", "2026-03-03 10:00")
    clock = clocks.get("first_response")
    assert (clock.breached_at, clock.met_at) == (at("2026-03-03 09:00"), at("2026-03-03 10:00"))
    assert clocks.labels("first_response") == ["50%", "80%", "100%"]
    assert [outbox.payload["label"] for outbox in clocks.sent()] == ["100%"]
    assert clock.next_alarm_at is None


def test_clock_met_exactly_when_due_has_kept_its_time(clocks: Clocks) -> None:
    """Case 71."""
    clocks.begin("first_response", "2026-03-02 09:00")
    clocks.meet("first_response", "2026-03-03 09:00")
    assert clocks.get("first_response").breached_at is None
    assert clocks.labels("first_response") == ["50%", "80%"]


def test_unit_that_has_just_answered_is_not_reminded_to_answer(clocks: Clocks) -> None:
    clocks.begin("first_response", "2026-03-02 09:00")
    clocks.meet("first_response", "2026-03-02 15:00")
    assert clocks.labels("first_response") == ["50%"]
    assert not clocks.sent()


def test_question_to_the_submitter_stops_some_clocks_and_not_others(clocks: Clocks) -> None:
    clocks.begin("resolution", "2026-03-02 09:00")
    clocks.begin("leg", "2026-03-02 09:00", amount="assist", leg_id=1, unit_id=clocks.county.units["a"].id)
    clocks.begin("signing", "2026-03-02 09:00")
    signing = clocks.due("signing")
    clocks.pause("2026-03-03 09:00", "2026-03-10 09:00")
    assert clocks.due("resolution") == at("2026-03-13 18:00"), "as if the wait lasted to its end"
    clocks.unpause("2026-03-04 10:00")
    assert clocks.due("resolution") == at("2026-03-10 10:00")
    assert clocks.due("leg") == at("2026-03-06 10:00")
    assert clocks.due("signing") == signing
    assert clocks.get("resolution").original_due_at == at("2026-03-09 09:00")
    assert clocks.get("resolution").deadline_version == 3


def test_wait_that_was_noticed_late_ends_when_it_was_over(clocks: Clocks) -> None:
    """Case 45."""
    clocks.begin("resolution", "2026-03-02 09:00")
    clocks.pause("2026-03-03 09:00", "2026-03-04 10:00")
    clocks.unpause("2026-03-06 15:00")
    assert clocks.due("resolution") == at("2026-03-10 10:00")


def test_pausing_twice_counts_once_and_a_closed_pause_stays(clocks: Clocks) -> None:
    """Cases 38 and 44."""
    clocks.begin("resolution", "2026-03-02 09:00")
    clocks.pause("2026-03-03 09:00", "2026-03-05 09:00")
    clocks.pause("2026-03-03 14:00", "2026-03-04 09:00", "suspension")
    clocks.unpause("2026-03-04 09:00")
    clocks.pause("2026-03-05 09:00", "2026-03-06 09:00")
    clocks.unpause("2026-03-05 10:00")
    assert clocks.due("resolution") == at("2026-03-10 10:00")


def test_pause_begun_after_the_breach_changes_nothing(clocks: Clocks) -> None:
    """Case 42."""
    clocks.begin("resolution", "2026-03-02 09:00")
    clocks.pause("2026-03-09 10:00", "2026-03-12 09:00")
    clock = clocks.get("resolution")
    assert (clock.due_at, clock.breached_at) == (at("2026-03-09 09:00"), at("2026-03-09 09:00"))


def test_pause_with_its_end_in_the_past_is_refused(clocks: Clocks) -> None:
    with pytest.raises(Invalid) as refused:
        clocks.pause("2026-03-03 09:00", "2026-03-03 09:00")
    assert list(refused.value.errors) == ["wake_at"]


def test_policy_changed_in_flight_keeps_the_pauses(clocks: Clocks) -> None:
    """Cases 32 and 33: raised and lowered again, from the receipt each time."""
    clocks.begin("resolution", "2026-03-02 09:00")
    clocks.pause("2026-03-02 10:00", "2026-03-06 10:00")
    clocks.unpause("2026-03-02 14:00")
    assert clocks.due("resolution") == at("2026-03-09 12:00")
    clocks.change("2026-03-02 15:00", urgency="urgent")
    assert clocks.due("resolution") == at("2026-03-03 13:00"), "24 hours and the four of the pause"
    assert clocks.get("resolution").original_due_at == at("2026-03-03 13:00")
    clocks.change("2026-03-02 16:00", urgency="normal")
    assert clocks.due("resolution") == at("2026-03-09 12:00")
    assert clocks.get("resolution").original_due_at == at("2026-03-03 13:00"), "never later again"


def test_urgency_raised_so_that_the_time_is_over_gives_one_breach(clocks: Clocks) -> None:
    """Case 36."""
    clocks.begin("resolution", "2026-03-02 09:00")
    clocks.change("2026-03-05 09:00", urgency="critical")
    clock = clocks.get("resolution")
    assert clock.due_at == at("2026-03-02 11:00")
    clocks.meet("resolution", "2026-03-05 10:00")
    assert clocks.get("resolution").breached_at == at("2026-03-02 11:00")
    assert len([outbox for outbox in clocks.sent() if outbox.payload["is_breach"]]) == 1


def test_breach_stays_when_the_policy_would_have_given_more_time(clocks: Clocks) -> None:
    clocks.begin("resolution", "2026-03-02 09:00")
    clocks.change("2026-03-10 09:00", urgency="complex")
    clock = clocks.get("resolution")
    assert clock.due_at == at("2026-03-23 09:00")
    assert clock.breached_at == at("2026-03-09 09:00")


def test_lead_leg_is_never_due_before_its_floor_nor_before_the_resolution(clocks: Clocks) -> None:
    """Case 52: a transfer shortly before the end."""
    water, a = clocks.county.units["water"].id, clocks.county.units["a"].id
    clocks.begin("resolution", "2026-03-02 09:00")
    early = clocks.begin(
        "leg", "2026-03-02 10:00", amount="leg_floor", leg_id=1, unit_id=water, follows_resolution=True
    )
    late = clocks.begin("leg", "2026-03-09 08:55", amount="leg_floor", leg_id=2, unit_id=a, follows_resolution=True)
    assert early.due_at == at("2026-03-09 09:00")
    assert late.due_at == at("2026-03-11 09:00")
    assert clocks.due("resolution") == at("2026-03-09 09:00")


def test_lead_leg_moves_with_the_resolution_it_follows(clocks: Clocks) -> None:
    water = clocks.county.units["water"].id
    clocks.begin("resolution", "2026-03-02 09:00")
    clocks.begin("leg", "2026-03-02 10:00", amount="leg_floor", leg_id=1, unit_id=water, follows_resolution=True)
    clocks.pause("2026-03-03 09:00", "2026-03-05 09:00")
    clocks.unpause("2026-03-04 10:00")
    assert clocks.due("leg") == clocks.due("resolution") == at("2026-03-10 10:00")


def test_unit_that_gets_it_back_goes_on_with_the_time_it_used(clocks: Clocks) -> None:
    """Case 53: half a day used, two days elsewhere, then the day and a half that is left."""
    water = clocks.county.units["water"].id
    clocks.begin("leg", "2026-03-02 09:00", amount="leg_floor", leg_id=1, unit_id=water)
    clocks.drop("leg", "2026-03-02 14:00", leg_id=1)
    revived = clocks.revive(1, "2026-03-04 14:00")
    assert revived is not None
    assert revived.is_open
    assert clocks.due("leg") == at("2026-03-05 18:00")
    assert clocks.revive(1, "2026-03-04 15:00") is None, "it runs"
    assert clocks.revive(2, "2026-03-04 15:00") is None, "there is none"


def test_assist_has_the_earlier_date_that_was_set_with_its_task(clocks: Clocks) -> None:
    unit = clocks.county.units["b"].id
    fixed = at("2026-03-03 12:00")
    clocks.begin("leg", "2026-03-02 09:00", amount="assist", leg_id=1, unit_id=unit, fixed_due_at=fixed)
    assert clocks.due("leg") == fixed
    later = at("2026-03-30 12:00")
    clocks.begin("leg", "2026-03-02 09:00", amount="assist", leg_id=2, unit_id=unit, fixed_due_at=later)
    assert clocks.due("leg") == at("2026-03-05 09:00")


def test_report_asked_for_by_a_date_has_a_clock_without_a_policy_amount(clocks: Clocks) -> None:
    clock = clocks.begin("supervision", "2026-03-02 09:00", fixed_due_at=at("2026-03-04 09:00"))
    assert clock.due_at == at("2026-03-04 09:00")
    assert clock.next_alarm_at == at("2026-03-03 09:00")


def test_everything_stops_when_the_ticket_closes(clocks: Clocks) -> None:
    for kind in ("resolution", "first_response", "dispatch"):
        clocks.begin(kind, "2026-03-02 09:00")
    clocks.pause("2026-03-02 10:00", "2026-03-09 10:00")
    clocks.stop("2026-03-02 11:00")
    open_ones = clocks.session.scalars(select(SlaClock).where(SlaClock.dropped_at.is_(None))).all()
    assert not open_ones
    assert timers.current_due(clocks.session, clocks.ticket_id) is None


def test_calendar_of_the_nearest_unit_upwards_counts_for_legs(clocks: Clocks) -> None:
    """Case 22: whoever works, works by their own hours; the submitter's clocks stay with the area's."""
    zone = timers.calendar_zone(clocks.session, clocks.county.units["village"].id)
    assert str(zone) == "Asia/Shanghai"
    after = timers.after(clocks.session, 99, clocks.facts, "urge", at("2026-03-02 17:00"))
    assert after == at("2026-03-03 17:00")
    assert timers.after(clocks.session, 99, clocks.facts, "no_such_amount", at("2026-03-02 17:00")) is None


def test_deadline_in_a_year_without_a_notice_is_provisional(clocks: Clocks) -> None:
    """Case 19."""
    assert clocks.begin("resolution", "2026-12-30 09:00").is_provisional
    assert not clocks.begin("resolution", "2026-11-30 09:00").is_provisional
