"""The sweep: every level once, late or not, by one process or several, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from feedback.kernel.db import db
from feedback.kernel.outbox import Outbox
from feedback.kernel.transaction import transaction
from feedback.sla import timers
from feedback.sla.models import SlaAlarm, SlaClock
from feedback.sla.sweep import fire_due, give_time_after_lost_reminder, list_expired
from tests.support.calendars import at
from tests.support.clocks import Clocks
from tests.support.county import County


@pytest.fixture
def clocks(any_county: County) -> Clocks:
    return Clocks(any_county)


def test_each_level_rings_once_at_its_time(clocks: Clocks) -> None:
    clocks.begin("resolution", "2026-03-02 09:00")
    rung: list[tuple[str, datetime]] = []
    now = at("2026-03-02 09:00")
    while now < at("2026-03-12 09:00"):
        before = len(clocks.alarms("resolution"))
        fire_due(now, 50)
        rung += [(alarm.label, now) for alarm in clocks.alarms("resolution")[before:]]
        now += timedelta(hours=1)
    assert [label for label, _ in rung] == ["50%", "80%", "100%", "+1wd"]
    assert [when for _, when in rung][2:] == [at("2026-03-09 09:00"), at("2026-03-10 09:00")]
    assert len(clocks.sent()) == 4
    assert clocks.get("resolution").breached_at == at("2026-03-09 09:00")
    assert clocks.get("resolution").next_alarm_at is None


def test_sweeping_ten_times_changes_nothing_more(clocks: Clocks) -> None:
    clocks.begin("resolution", "2026-03-02 09:00")
    first = fire_due(at("2026-03-09 09:00"), 50)
    again = [fire_due(at("2026-03-09 09:00"), 50).alarms for _ in range(10)]
    assert first.alarms == 3
    assert again == [0] * 10
    assert clocks.labels("resolution") == ["50%", "80%", "100%"]


def test_outage_over_all_levels_records_them_and_sends_the_highest(clocks: Clocks) -> None:
    """Case 69."""
    clocks.begin("resolution", "2026-03-02 09:00")
    fire_due(at("2026-04-01 09:00"), 50)
    alarms = clocks.alarms("resolution")
    assert [(alarm.label, alarm.is_sent) for alarm in alarms] == [
        ("50%", False),
        ("80%", False),
        ("100%", False),
        ("+1wd", True),
    ]
    assert {alarm.fired_at for alarm in alarms} == {at("2026-04-01 09:00")}
    assert [alarm.due_at for alarm in alarms] == sorted(alarm.due_at for alarm in alarms)
    (sent,) = clocks.sent()
    assert sent.payload["label"] == "+1wd"
    assert sent.payload["is_breach"]
    assert clocks.get("resolution").breached_at == at("2026-03-09 09:00")


def test_deadline_that_moved_rings_at_its_new_time_only(clocks: Clocks) -> None:
    """Case 70."""
    clocks.begin("resolution", "2026-03-02 09:00")
    fire_due(at("2026-03-05 09:00"), 50)
    assert clocks.labels("resolution") == ["50%"]
    clocks.pause("2026-03-05 09:00", "2026-03-12 09:00")
    clocks.unpause("2026-03-11 09:00")
    assert clocks.due("resolution") == at("2026-03-12 18:00")
    assert fire_due(at("2026-03-11 09:00"), 50).alarms == 0, "the 50 % of the new time lay in the pause and has rung"
    fire_due(at("2026-03-13 09:00"), 50)
    assert clocks.labels("resolution") == ["50%", "80%", "100%"]
    assert clocks.get("resolution").breached_at == at("2026-03-12 18:00")


def test_level_rings_again_for_a_deadline_that_moved_away(clocks: Clocks) -> None:
    clocks.begin("resolution", "2026-03-02 09:00")
    fire_due(at("2026-03-06 17:00"), 50)
    assert clocks.labels("resolution") == ["50%", "80%"]
    clocks.change("2026-03-06 17:30", urgency="complex")
    assert clocks.due("resolution") == at("2026-03-23 09:00")
    fire_due(at("2026-03-19 17:00"), 50)
    assert clocks.labels("resolution") == ["50%", "80%", "50%", "80%"]
    assert len({outbox.unique_key for outbox in clocks.sent()}) == len(clocks.sent())


def test_nothing_rings_inside_a_pause_and_no_breach_happens_there(clocks: Clocks) -> None:
    clocks.begin("resolution", "2026-03-02 09:00")
    clocks.pause("2026-03-02 10:00", "2026-03-20 10:00")
    assert fire_due(at("2026-03-20 09:59"), 50).alarms == 0
    assert clocks.get("resolution").breached_at is None


def test_clock_that_was_met_rings_no_more(clocks: Clocks) -> None:
    clocks.begin("resolution", "2026-03-02 09:00")
    clocks.meet("resolution", "2026-03-02 10:00")
    assert fire_due(at("2026-04-20 09:59"), 50).alarms == 0


def test_bad_clock_is_left_and_stops_no_other(clocks: Clocks) -> None:
    broken = clocks.begin("resolution", "2026-03-02 09:00").id
    others = [Clocks(clocks.county, number) for number in (8, 9, 10)]
    for other in others:
        other.begin("resolution", "2026-03-02 09:00")
    with transaction() as session:
        session.get_one(SlaClock, broken).ladder = [{"level": 1, "label": "50%", "at": "never", "audience": "handler"}]
    result = fire_due(at("2026-03-09 09:00"), 50)
    assert result.failures == 1
    assert [other.labels("resolution") for other in others] == [["50%", "80%", "100%"]] * 3
    assert clocks.labels("resolution") == []


def test_batches_go_on_until_all_is_done(clocks: Clocks) -> None:
    for number in range(100, 123):
        Clocks(clocks.county, number).begin("resolution", "2026-03-02 09:00")
    assert fire_due(at("2026-03-09 09:00"), 5).alarms == 23 * 3


def test_several_sweeps_at_once_write_each_alarm_once(any_app: Flask, clocks: Clocks) -> None:
    """Case 67: four at a time, with whatever locks the database has."""
    for number in range(100, 160):
        Clocks(clocks.county, number).begin("resolution", "2026-03-02 09:00")
    clocks.session.rollback()
    start = threading.Barrier(4)
    written: list[int] = []

    def sweep() -> None:
        with any_app.app_context():
            start.wait()
            written.append(fire_due(at("2026-03-09 09:00"), 7).alarms)
            db.session.remove()

    threads = [threading.Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(written) == 60 * 3
    assert clocks.session.scalar(select(func.count()).select_from(SlaAlarm)) == 60 * 3
    assert clocks.session.scalar(select(func.count()).select_from(Outbox).where(Outbox.event == "sla.alarm")) == 60


def test_units_that_act_while_it_is_swept_get_no_error_and_no_second_alarm(any_app: Flask, clocks: Clocks) -> None:
    """Case 71: an act and the sweep meet at the same clock, over and over."""
    numbers = range(100, 180)
    for number in numbers:
        Clocks(clocks.county, number).begin("resolution", "2026-03-02 09:00")
    clocks.session.rollback()
    start = threading.Barrier(3)
    errors: list[BaseException] = []

    def work(act: Callable[[], None]) -> None:
        with any_app.app_context():
            start.wait()
            try:
                act()
            except BaseException as error:
                errors.append(error)
            db.session.remove()

    def meet_all() -> None:
        for number in numbers:
            with transaction() as session:
                timers.meet(session, number, "resolution", at=at("2026-03-09 09:01"))

    def pause_all() -> None:
        for number in reversed(numbers):
            with transaction() as session:
                when, wake = at("2026-03-09 09:01"), at("2026-03-10 09:01")
                timers.open_pause(session, number, reason="wait", at=when, wake_at=wake, by="seat:1")

    def sweep() -> None:
        for _ in range(20):
            fire_due(at("2026-03-09 09:00"), 3)

    threads = [threading.Thread(target=work, args=(act,)) for act in (meet_all, pause_all, sweep)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    clocks.session.rollback()
    late = select(func.count()).select_from(SlaClock).where(SlaClock.breached_at == at("2026-03-09 09:00"))
    assert clocks.session.scalar(late) == len(numbers)
    assert clocks.session.scalar(select(func.count()).select_from(SlaAlarm)) == 3 * len(numbers)


def test_confirmation_and_signing_that_end_are_listed_with_pauses_to_wake(clocks: Clocks) -> None:
    clocks.begin("signing", "2026-03-02 09:00")
    clocks.begin("confirmation", "2026-03-02 09:00")
    clocks.pause("2026-03-02 09:00", "2026-03-03 09:00")
    assert list_expired(at("2026-03-02 13:59"), 50) == []
    expired = list_expired(at("2026-03-09 09:00"), 50)
    assert [(each.kind, each.ticket_id, each.at) for each in expired] == [
        ("signing", 7, at("2026-03-02 14:00")),
        ("pause", 7, at("2026-03-03 09:00")),
        ("confirmation", 7, at("2026-03-09 09:00")),
    ]
    assert len(list_expired(at("2026-03-09 09:00"), 2)) == 2


def test_submitter_gets_a_day_more_once_where_reminders_were_lost(clocks: Clocks) -> None:
    clocks.begin("confirmation", "2026-03-02 09:00")
    now = at("2026-03-10 10:00")
    fire_due(now, 50)
    assert clocks.labels("confirmation") == ["50%", "80%"]
    assert give_time_after_lost_reminder(7, now)
    assert clocks.due("confirmation") == at("2026-03-11 10:00")
    assert list_expired(now, 50) == []
    later = at("2026-03-12 10:00")
    assert [each.kind for each in list_expired(later, 50)] == ["confirmation"]
    assert not give_time_after_lost_reminder(7, later)


def test_submitter_who_was_reminded_in_time_gets_no_day_more(clocks: Clocks) -> None:
    clocks.begin("confirmation", "2026-03-02 09:00")
    for when in ("2026-03-04 14:00", "2026-03-06 14:00", "2026-03-10 10:00"):
        fire_due(at(when), 50)
    assert not give_time_after_lost_reminder(7, at("2026-03-10 10:00"))
    assert not give_time_after_lost_reminder(8, at("2026-03-10 10:00"))


def test_idle_sweep_asks_the_index_of_next_alarms(sqlite_app: Flask) -> None:
    plan = db.session().execute(
        text(
            "EXPLAIN QUERY PLAN SELECT id FROM sla_clock WHERE next_alarm_at <= '2026' ORDER BY next_alarm_at, id LIMIT 5"
        )
    )
    assert "ix_sla_clock_next_alarm_at" in " ".join(str(row) for row in plan)
