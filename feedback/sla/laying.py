"""A clock's due time and ladder, worked out and kept in its row; and what of the ladder has been reached, recorded once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from feedback.calendars.queries import get_calendar
from feedback.calendars.worktime import Calendar, unknown_years
from feedback.kernel import outbox
from feedback.sla import clock as pure
from feedback.sla.amounts import need_amount
from feedback.sla.ladder import Rung, ladder, parse_ladder
from feedback.sla.models import PAUSED_KINDS, SlaAlarm, SlaClock, SlaPause, SlaPolicy
from feedback.sla.queries import list_pauses

OFFICE_LADDER = "50%:dispatcher;80%:dispatcher;100%:supervisor;+1wd:leader"
RULING_LADDER = "50%:adjudicator;80%:adjudicator;100%:supervisor;+1wd:leader"
REMINDERS = "50%:submitter;80%:submitter"
END = "end"
"""The label of the due instant itself where the ladder has no 100 % level: a fact, told to nobody."""


def rungs_of(policy: SlaPolicy, kind: str) -> tuple[Rung, ...]:
    """The ladder of a clock of this kind: the policy's own, but dispatchers, adjudicators and submitters have theirs."""
    fixed = {
        "dispatch": OFFICE_LADDER,
        "decision": OFFICE_LADDER,
        "appeal": OFFICE_LADDER,
        "adjudication": RULING_LADDER,
        "confirmation": REMINDERS,
    }
    return parse_ladder(fixed.get(kind, policy.alarms))


def pauses_of(session: Session, clock: SlaClock) -> list[pure.PauseSpan]:
    """The intervals in which this clock stood (or stands) still."""
    spans = []
    if clock.kind in PAUSED_KINDS:
        spans = [_span(pause) for pause in list_pauses(session, clock.ticket_id)]
    gaps = [
        pure.PauseSpan(datetime.fromisoformat(begins), datetime.fromisoformat(ends), ("elsewhere",))
        for begins, ends in clock.gaps or []
    ]
    return [*spans, *gaps]


def _span(pause: SlaPause) -> pure.PauseSpan:
    return pure.PauseSpan(pause.started_at, pause.ended_at or pause.wake_at, (pause.reason,))


def lay(session: Session, clock: SlaClock, policy: SlaPolicy, *, at: datetime) -> None:
    """Work out due time and ladder at `at`. A due time that moves gets a new deadline version; a breach stays a breach."""
    calendar = get_calendar(session, clock.calendar_id)
    pauses = pauses_of(session, clock)
    due = _due(session, clock, calendar, pauses)
    is_new = clock.due_at is None
    if is_new:
        clock.original_due_at = due
        clock.deadline_version = 1
    elif due != clock.due_at:
        clock.deadline_version += 1
    elif clock.ladder:
        return
    clock.due_at = due
    clock.ladder = _ladder(clock, policy, calendar, pauses)
    clock.is_provisional = bool(unknown_years(clock.started_at, due, calendar))
    if due <= at and clock.breached_at is None and not is_new:
        clock.next_level = 0
    else:
        reached = [n for n, level in enumerate(clock.ladder) if _at(level) <= at and not is_new]
        clock.next_level = len(reached)
    set_next_alarm(clock)


def _due(session: Session, clock: SlaClock, calendar: Calendar, pauses: list[pure.PauseSpan]) -> datetime:
    due = pure.due_at(clock.started_at, need_amount(clock.amount), calendar, pauses)
    if clock.fixed_due_at:
        due = clock.fixed_due_at if clock.kind == "confirmation" else min(due, clock.fixed_due_at)
    if clock.follows_id:
        due = max(due, session.get_one(SlaClock, clock.follows_id).due_at)
    return due


def _ladder(
    clock: SlaClock, policy: SlaPolicy, calendar: Calendar, pauses: list[pure.PauseSpan]
) -> list[dict[str, Any]]:
    amount = need_amount(clock.amount)
    levels = ladder(rungs_of(policy, clock.kind), clock.started_at, clock.due_at, amount, calendar)
    laid: list[dict[str, Any]] = [
        {"level": level.level, "label": level.label, "at": _out_of_pause(level.at, pauses), "audience": level.audience}
        for level in levels
    ]
    if not any(level["at"] == clock.due_at for level in laid):
        laid.append({"level": len(laid) + 1, "label": END, "at": clock.due_at, "audience": ""})
    laid.sort(key=lambda level: (level["at"], level["level"]))
    return [{**level, "at": level["at"].isoformat()} for level in laid]


def _out_of_pause(at: datetime, pauses: list[pure.PauseSpan]) -> datetime:
    """The instant itself, or the end of the pause it lies in: nothing rings while the clock stands still."""
    for pause in sorted(pauses, key=lambda p: p.begins):
        if pause.begins <= at < pause.ends:
            at = pause.ends
    return at


def _at(level: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(level["at"])


def set_next_alarm(clock: SlaClock) -> None:
    """Copy the instant of the next level into the indexed column; None for a clock that has ended or run out of levels."""
    levels = clock.ladder[clock.next_level :]
    clock.next_alarm_at = _at(levels[0]) if levels and clock.is_open else None


def record_reached(session: Session, clock: SlaClock, *, upto: datetime, now: datetime, is_end: bool = False) -> int:
    """Write an alarm row for each level reached at `upto`, the breach at its due instant, and news of the highest level.

    `is_end`: the clock ends at `upto`; then what is met exactly at its due time was in time. Returns how many levels.
    """
    reached: list[dict[str, Any]] = []
    while clock.next_level < len(clock.ladder):
        level = clock.ladder[clock.next_level]
        at = _at(level)
        if at > upto or (is_end and at == upto):
            break
        reached.append(level)
        clock.next_level += 1
    is_late = clock.due_at < upto or (clock.due_at == upto and not is_end)
    is_breach = is_late and clock.breached_at is None
    if is_breach:
        clock.breached_at = clock.due_at
    told = [level for level in reached if level["audience"]]
    for level in reached:
        session.add(
            SlaAlarm(
                clock_id=clock.id,
                round=clock.round,
                level=level["level"],
                deadline_version=clock.deadline_version,
                label=level["label"],
                audience=level["audience"],
                due_at=_at(level),
                fired_at=now,
                is_sent=bool(told) and level is told[-1],
            )
        )
    if told:
        highest = told[-1]
        outbox.publish(
            session,
            "sla.alarm",
            now=now,
            ticket_id=clock.ticket_id,
            payload={
                "clock_id": clock.id,
                "kind": clock.kind,
                "level": highest["level"],
                "label": highest["label"],
                "audience": highest["audience"],
                "unit_id": clock.unit_id,
                "is_breach": clock.breached_at is not None,
            },
            unique_key=f"alarm:{clock.id}:{clock.round}:{highest['level']}:{clock.deadline_version}",
        )
    set_next_alarm(clock)
    return len(reached)
