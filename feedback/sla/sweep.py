"""The sweep: clocks whose next alarm has come, in batches, each effect exactly once because the database decides.

Every batch is a transaction that holds its clocks' rows; alarm rows and outbox rows have unique keys besides. What ends by
itself on a ticket (signing, confirmation, a pause) is only listed here: the ticket's own step is taken elsewhere.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from feedback.calendars.queries import calendar_by_id
from feedback.calendars.worktime import add_working_days
from feedback.kernel import outbox
from feedback.kernel.db import Base
from feedback.kernel.db import session as current_session
from feedback.kernel.transaction import transaction
from feedback.sla.laying import alarm_of, levels_reached, news_of, next_alarm_of, write_reached
from feedback.sla.models import SlaAlarm, SlaClock, SlaPause

MOST_BATCHES = 2_000
REMINDERS = ("50%", "80%")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SweepResult:
    """How many levels were written, and how many clocks could not be handled (they are logged and left for later)."""

    alarms: int
    failures: int


@dataclass(frozen=True)
class Expired:
    """Something of a ticket that is over: `signing` or `confirmation` past due, or a `pause` past its wake."""

    kind: str
    ticket_id: int
    at: datetime


def fire_due(now: datetime, limit: int) -> SweepResult:
    """Write and send what is due at `now`, `limit` clocks a batch. Late or not, `breached_at` is the due time.

    All levels missed are written, in order, and only the highest is sent. Safe in several processes at once.
    """
    alarms, failed = 0, set[int]()
    for _ in range(MOST_BATCHES):
        ids, written = _fire_batch(now, limit, failed)
        if not ids:
            break
        if written is None:
            for clock_id in ids:
                done = _fire_one(clock_id, now)
                if done is None:
                    failed.add(clock_id)
                alarms += done or 0
        else:
            alarms += written
    return SweepResult(alarms, len(failed))


def list_expired(now: datetime, limit: int) -> list[Expired]:
    """What is over at `now` and asks for a step of its ticket, the longest over first."""
    session = current_session()
    clocks = session.execute(
        select(SlaClock.kind, SlaClock.ticket_id, SlaClock.due_at)
        .where(
            SlaClock.kind.in_(("signing", "confirmation")),
            SlaClock.met_at.is_(None),
            SlaClock.dropped_at.is_(None),
            SlaClock.due_at <= now,
        )
        .order_by(SlaClock.due_at)
        .limit(limit)
    ).all()
    pauses = session.execute(
        select(SlaPause.ticket_id, SlaPause.wake_at)
        .where(SlaPause.ended_at.is_(None), SlaPause.wake_at <= now)
        .order_by(SlaPause.wake_at)
        .limit(limit)
    ).all()
    found = [Expired(kind, ticket_id, at) for kind, ticket_id, at in clocks]
    found += [Expired("pause", ticket_id, at) for ticket_id, at in pauses]
    return sorted(found, key=lambda each: each.at)[:limit]


def give_time_after_lost_reminder(ticket_id: int, now: datetime) -> bool:
    """Give a submitter one working day more where an outage swallowed a reminder, once a clock. Whether it was given.

    A reminder was swallowed if it was only written at or after the end of the time it should remind of.
    """
    with transaction() as session:
        clock = session.scalars(
            select(SlaClock)
            .where(
                SlaClock.ticket_id == ticket_id,
                SlaClock.kind == "confirmation",
                SlaClock.met_at.is_(None),
                SlaClock.dropped_at.is_(None),
            )
            .with_for_update()
        ).first()
        if clock is None or clock.fixed_due_at is not None or clock.due_at > now or not _lost_reminder(session, clock):
            return False
        clock.due_at = add_working_days(now, 1, calendar_by_id(session, clock.calendar_id))
        clock.fixed_due_at = clock.due_at
        clock.deadline_version += 1
        clock.ladder, clock.next_level, clock.next_alarm_at = [], 0, None
    return True


def _lost_reminder(session: Session, clock: SlaClock) -> bool:
    late = select(SlaAlarm.id).where(
        SlaAlarm.clock_id == clock.id,
        SlaAlarm.deadline_version == clock.deadline_version,
        SlaAlarm.label.in_(REMINDERS),
        SlaAlarm.fired_at >= clock.due_at,
    )
    return session.scalar(late.limit(1)) is not None


def _fire_batch(now: datetime, limit: int, failed: set[int]) -> tuple[list[int], int | None]:
    """The ids of a batch and how many levels it wrote; None where the batch failed as a whole (it is undone then)."""
    ids: list[int] = []
    try:
        with transaction() as session:
            query = select(*_COLUMNS).where(SlaClock.next_alarm_at <= now)
            if failed:
                query = query.where(SlaClock.id.not_in(failed))
            query = query.order_by(SlaClock.next_alarm_at, SlaClock.id).limit(limit)
            clocks = session.execute(query.with_for_update(skip_locked=True)).all()
            ids = [clock.id for clock in clocks]
            return ids, _fire_all(session, clocks, now)
    except Exception:
        if not ids:
            raise
        log.exception("sweep: a batch of %d clocks failed; trying them one by one", len(ids))
        return ids, None


_COLUMNS = (
    *(SlaClock.id, SlaClock.ticket_id, SlaClock.kind, SlaClock.unit_id, SlaClock.round, SlaClock.due_at),
    *(SlaClock.breached_at, SlaClock.met_at, SlaClock.dropped_at),
    *(SlaClock.ladder, SlaClock.next_level, SlaClock.deadline_version),
)
_TABLE = Base.metadata.tables["sla_clock"]


def _fire_all(session: Session, clocks: Sequence[Any], now: datetime) -> int:
    """As `_fire` for each of these rows, in three statements for all: escalating a county must not take minutes."""
    alarms: list[dict[str, Any]] = []
    news: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    for clock in clocks:
        if clock.met_at is not None or clock.dropped_at is not None:
            changes.append(_change(clock, clock.next_level, clock.breached_at, None))
            continue
        is_late = clock.due_at <= now and clock.kind != "confirmation"
        breached_at = clock.breached_at or (clock.due_at if is_late else None)
        reached = levels_reached(clock, now)
        alarms += [alarm_of(clock, level, now=now, is_sent=level is reached[-1]) for level in reached]
        news += [news_of(clock, level) for level in reached[-1:]]
        next_level = clock.next_level + len(reached)
        changes.append(_change(clock, next_level, breached_at, next_alarm_of(clock, next_level, breached_at)))
    if alarms:
        session.execute(insert(SlaAlarm), alarms)
    outbox.publish_many(session, news, now=now)
    if changes:
        changed: dict[str, Any] = {
            name: bindparam(f"new_{name}") for name in ("next_level", "breached_at", "next_alarm_at")
        }
        session.connection().execute(update(_TABLE).where(_TABLE.c.id == bindparam("of_id")).values(changed), changes)
    return len(alarms)


def _change(
    clock: Any, next_level: int, breached_at: datetime | None, next_alarm_at: datetime | None
) -> dict[str, Any]:
    return {
        "of_id": clock.id,
        "new_next_level": next_level,
        "new_breached_at": breached_at,
        "new_next_alarm_at": next_alarm_at,
    }


def _fire_one(clock_id: int, now: datetime) -> int | None:
    try:
        with transaction() as session:
            clock = session.get(SlaClock, clock_id, with_for_update=True)
            is_due = clock is not None and clock.next_alarm_at is not None and clock.next_alarm_at <= now
            return _fire(session, clock, now) if clock is not None and is_due else 0
    except Exception:
        log.exception("sweep: clock %d failed", clock_id)
        return None


def _fire(session: Session, clock: SlaClock, now: datetime) -> int:
    if not clock.is_open:
        clock.next_alarm_at = None
        return 0
    return write_reached(session, clock, now, now=now, sends=True)
