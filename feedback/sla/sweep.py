"""What is due, seen by comparing instants in the database: alarms in batches, and times whose end asks for a ticket's own step.

Any number of sweeps may run at once: rows are claimed under a lock, and every alarm and its news have a unique key.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.calendars.queries import get_calendar
from feedback.kernel.db import session as current_session
from feedback.kernel.transaction import transaction
from feedback.sla.amounts import need_amount
from feedback.sla.clock import due_at
from feedback.sla.laying import END, record_reached, set_next_alarm
from feedback.sla.models import SlaAlarm, SlaClock, SlaPause

ENDING_KINDS = ("signing", "confirmation")
"""Clocks at whose end the system takes a step of the ticket: it signs, or closes as unanswered."""
TIME_AFTER_LOST_REMINDER = "1wd"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SweepResult:
    """How many levels were recorded, and how many clocks could not be dealt with."""

    alarms: int
    failures: int


@dataclass(frozen=True)
class Expired:
    """A time that is over: of a `signing` or `confirmation` clock, or a `pause` to be ended. `at`: when it was over."""

    kind: str
    ticket_id: int
    at: datetime


def fire_due(now: datetime, limit: int) -> SweepResult:
    """Record every level reached by `now`, `limit` clocks a transaction. A clock that fails is logged and left for later."""
    alarms = 0
    failed: set[int] = set()
    while True:
        try:
            done, count = _fire_batch(now, limit, failed)
        except Exception:
            log.exception("sweep: a batch failed; its clocks are tried one by one")
            done, count = _fire_singly(now, limit, failed)
        alarms += count
        if done == 0:
            return SweepResult(alarms, len(failed))


def _due_clocks(session: Session, now: datetime, limit: int, failed: set[int]) -> list[SlaClock]:
    query = select(SlaClock).where(SlaClock.next_alarm_at <= now)
    if failed:
        query = query.where(SlaClock.id.not_in(failed))
    return list(session.scalars(query.order_by(SlaClock.next_alarm_at).limit(limit).with_for_update(skip_locked=True)))


def _fire_batch(now: datetime, limit: int, failed: set[int]) -> tuple[int, int]:
    """(clocks taken, levels recorded) of one transaction. An idle sweep is a read, so that it takes no write lock."""
    session = current_session()
    if session.scalar(select(SlaClock.id).where(SlaClock.next_alarm_at <= now).limit(1)) is None:
        session.rollback()
        return 0, 0
    with transaction() as session:
        clocks = _due_clocks(session, now, limit, failed)
        return len(clocks), sum(record_reached(session, clock, upto=now, now=now) for clock in clocks)


def _fire_singly(now: datetime, limit: int, failed: set[int]) -> tuple[int, int]:
    with transaction() as session:
        ids = [clock.id for clock in _due_clocks(session, now, limit, failed)]
    count = 0
    for clock_id in ids:
        try:
            with transaction() as session:
                clock = session.get_one(SlaClock, clock_id, with_for_update=True)
                count += record_reached(session, clock, upto=now, now=now)
        except Exception:
            failed.add(clock_id)
            log.exception("sweep: clock %s failed", clock_id)
    return len(ids), count


def list_expired(now: datetime, limit: int) -> list[Expired]:
    """Times over by `now` whose end is a step of the ticket, the eldest first; pauses before the clocks they held up."""
    session = current_session()
    pauses = session.execute(
        select(SlaPause.ticket_id, SlaPause.wake_at)
        .where(SlaPause.ended_at.is_(None), SlaPause.wake_at <= now)
        .order_by(SlaPause.wake_at)
        .limit(limit)
    ).all()
    clocks = session.execute(
        select(SlaClock.kind, SlaClock.ticket_id, SlaClock.due_at)
        .where(
            SlaClock.met_at.is_(None),
            SlaClock.dropped_at.is_(None),
            SlaClock.kind.in_(ENDING_KINDS),
            SlaClock.due_at <= now,
        )
        .order_by(SlaClock.due_at)
        .limit(limit)
    ).all()
    session.rollback()
    return [*(Expired("pause", *row) for row in pauses), *(Expired(*row) for row in clocks)]


def give_time_after_lost_reminder(ticket_id: int, now: datetime) -> bool:
    """Move the end of a confirmation to 1 working day after `now` where its last reminder came only at or after that end.

    An outage swallowed it; the submitter must have had the chance. Once a clock; True if it was moved.
    """
    with transaction() as session:
        clock = session.scalars(
            select(SlaClock)
            .where(SlaClock.ticket_id == ticket_id, SlaClock.kind == "confirmation")
            .where(SlaClock.met_at.is_(None), SlaClock.dropped_at.is_(None))
            .with_for_update()
        ).first()
        if clock is None or clock.fixed_due_at is not None:
            return False
        lost = session.scalar(
            select(SlaAlarm.id)
            .where(
                SlaAlarm.clock_id == clock.id,
                SlaAlarm.audience == "submitter",
                SlaAlarm.fired_at >= clock.due_at,
            )
            .limit(1)
        )
        if lost is None:
            return False
        moved = due_at(now, need_amount(TIME_AFTER_LOST_REMINDER), get_calendar(session, clock.calendar_id))
        clock.due_at = clock.fixed_due_at = moved
        clock.breached_at = None
        clock.deadline_version += 1
        clock.ladder = [{"level": 1, "label": END, "at": moved.isoformat(), "audience": ""}]
        clock.next_level = 0
        set_next_alarm(clock)
        return True
