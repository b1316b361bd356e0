"""Working out one clock's row: its due time, its ladder, its next alarm; and writing down what it has reached.

Everything here runs inside the caller's transaction, on a clock that the caller holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.calendars.queries import calendar_by_id
from feedback.calendars.worktime import Calendar, unknown_years
from feedback.kernel import outbox
from feedback.sla.amounts import Amount, parse_amount
from feedback.sla.clock import PauseSpan, base_due_at, count_pauses, extended_due_at, merge_pauses
from feedback.sla.ladder import Level, ladder, parse_ladder
from feedback.sla.models import SlaAlarm, SlaClock, SlaPause
from feedback.sla.queries import extensions_of, get_policy, pauses_of, spans_for

LADDERS = {
    "dispatch": "50%:dispatcher;100%:supervisor;+1wd:leader",
    "decision": "50%:dispatcher;100%:supervisor;+1wd:leader",
    "appeal": "50%:dispatcher;100%:supervisor;+1wd:leader",
    "adjudication": "50%:adjudicator;100%:supervisor;+1wd:leader",
    "supervision": "50%:unit_head;100%:supervisor;+1wd:leader",
    "confirmation": "50%:submitter;80%:submitter",
}
"""Kinds that don't follow the policy's alarms: those who decide are warned first; the submitter is only reminded."""

ROUND_THE_CLOCK = Amount(1, "min")
"""In whose time a clock runs that has only a fixed date: natural time."""


def amount_of(clock: SlaClock) -> Amount:
    """The clock's amount; for one with a fixed date alone, any natural amount (its kind of time)."""
    return parse_amount(clock.amount) or ROUND_THE_CLOCK


def lay(session: Session, clock: SlaClock, now: datetime, pauses: Sequence[SlaPause], *, is_new: bool = False) -> bool:
    """Work out due time and ladder from the clock's own start, every pause and gap applied. Whether the due time moved.

    What was reached before must have been written down by `write_reached`. A level that was recorded for this due time, or
    for an earlier one and would lie in the past, is not raised again; all others are armed anew.
    """
    calendar = calendar_by_id(session, clock.calendar_id)
    spans = spans_for(clock, pauses)
    due = work_out_due(session, clock, calendar, spans)
    has_moved = not is_new and due != clock.due_at
    if has_moved:
        clock.deadline_version += 1
    clock.due_at = due
    amount = amount_of(clock)
    clock.is_provisional = not amount.is_natural and bool(unknown_years(clock.started_at, due, calendar))
    policy = get_policy(session, clock.policy_id)
    rungs = parse_ladder(LADDERS.get(clock.kind, policy.alarms))
    still = merge_pauses(spans, clock.started_at)
    levels = [_out_of_pauses(level, still) for level in ladder(rungs, clock.started_at, due, amount, calendar)]
    done = {} if is_new else _recorded_levels(session, clock)
    clock.ladder = [
        _stored(level)
        for level in sorted(levels, key=lambda level: (level.at, level.level))
        if not ((level.level, clock.deadline_version) in done or (level.at <= now and level.label in done.values()))
    ]
    clock.next_level = 0
    arm(clock)
    return has_moved


def work_out_due(
    session: Session, clock: SlaClock, calendar: Calendar, spans: Sequence[PauseSpan], *, is_extended: bool = True
) -> datetime:
    """Due: the amount or the fixed date, moved by pauses and gaps, never before what an extension granted

    (unless `is_extended` is False) and never before the clock that this one follows.
    """
    amount = amount_of(clock)
    base = clock.fixed_due_at or base_due_at(clock.started_at, amount, calendar)
    counted = count_pauses(clock.started_at, base, amount, calendar, spans)
    due = counted[-1].due_at if counted else base
    if is_extended:
        due = extended_due_at(due, extensions_of(clock), amount, calendar, spans)
    followed = session.get(SlaClock, clock.follows_id) if clock.follows_id else None
    return max(due, followed.due_at) if followed else due


def due_without_extension(session: Session, clock: SlaClock) -> datetime:
    """When the clock would be due had nothing been granted."""
    if not clock.extensions:
        return clock.due_at
    spans = spans_for(clock, pauses_of(session, clock.ticket_id))
    return work_out_due(session, clock, calendar_by_id(session, clock.calendar_id), spans, is_extended=False)


def arm(clock: SlaClock) -> None:
    """Set when the sweep must look at this clock next."""
    clock.next_alarm_at = next_alarm_of(clock, clock.next_level, clock.breached_at) if clock.is_open else None


class Laid(Protocol):
    """What of a running clock says which levels it has reached: a clock, or a row with these columns."""

    @property
    def id(self) -> int: ...
    @property
    def ticket_id(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def unit_id(self) -> int | None: ...
    @property
    def round(self) -> int: ...
    @property
    def due_at(self) -> datetime: ...
    @property
    def ladder(self) -> list[dict[str, Any]]: ...
    @property
    def next_level(self) -> int: ...
    @property
    def deadline_version(self) -> int: ...


def next_alarm_of(clock: Laid, next_level: int, breached_at: datetime | None) -> datetime | None:
    """When an open clock asks to be looked at: at its next level, and at its due time while no breach is written.

    Of a confirmation only the reminders are alarms: its end is the ticket's own step.
    """
    instants = [datetime.fromisoformat(level["at"]) for level in clock.ladder[next_level : next_level + 1]]
    if breached_at is None and clock.kind != "confirmation":
        instants.append(clock.due_at)
    return min(instants, default=None)


def levels_reached(clock: Laid, up_to: datetime, *, is_end: bool = False) -> list[dict[str, Any]]:
    """The levels not yet recorded that are reached by `up_to` (before it, where the clock ends there), the lowest first."""
    reached = []
    for level in clock.ladder[clock.next_level :]:
        at = datetime.fromisoformat(level["at"])
        if at > up_to or (is_end and at == up_to):
            break
        reached.append(level)
    return reached


def alarm_of(clock: Laid, level: dict[str, Any], *, now: datetime, is_sent: bool) -> dict[str, Any]:
    """The columns of the alarm row of a level."""
    return {
        "clock_id": clock.id,
        "round": clock.round,
        "level": level["level"],
        "deadline_version": clock.deadline_version,
        "label": level["label"],
        "audience": level["audience"],
        "due_at": datetime.fromisoformat(level["at"]),
        "fired_at": now,
        "is_sent": is_sent,
    }


def news_of(clock: Laid, level: dict[str, Any]) -> dict[str, Any]:
    """What the outbox tells of a level that was reached: event, ticket, payload and unique key."""
    return {
        "event": "sla.alarm",
        "ticket_id": clock.ticket_id,
        "payload": {
            "clock_id": clock.id,
            "kind": clock.kind,
            "level": level["level"],
            "label": level["label"],
            "audience": level["audience"],
            "unit_id": clock.unit_id,
            "is_breach": datetime.fromisoformat(level["at"]) >= clock.due_at,
        },
        "unique_key": f"alarm:{clock.id}:{clock.round}:{level['level']}:{clock.deadline_version}",
    }


def write_reached(
    session: Session, clock: SlaClock, up_to: datetime, *, now: datetime, sends: bool, is_end: bool = False
) -> int:
    """Write down every level reached by `up_to` as an alarm row, and the breach if the due time has passed.

    With `sends`, the highest of them goes to the outbox (one row, by its unique key). With `is_end` the clock stops at
    `up_to`: a clock stopped exactly when it is due has kept its time. Returns the number of levels written.
    """
    is_late = clock.due_at < up_to if is_end else clock.due_at <= up_to
    if is_late and clock.breached_at is None and (is_end or clock.kind != "confirmation"):
        clock.breached_at = clock.due_at
    reached = levels_reached(clock, up_to, is_end=is_end)
    highest = reached[-1] if reached and sends else None
    if reached and clock in session.new:
        session.flush()  # its id is needed
    session.add_all(SlaAlarm(**alarm_of(clock, level, now=now, is_sent=level is highest)) for level in reached)
    if highest:
        outbox.publish(session, now=now, **news_of(clock, highest))
    clock.next_level += len(reached)
    arm(clock)
    return len(reached)


def _recorded_levels(session: Session, clock: SlaClock) -> dict[tuple[int, int], str]:
    """Labels of the levels written for this round, by level and deadline version."""
    rows = session.execute(
        select(SlaAlarm.level, SlaAlarm.deadline_version, SlaAlarm.label).where(
            SlaAlarm.clock_id == clock.id, SlaAlarm.round == clock.round
        )
    )
    return {(row.level, row.deadline_version): row.label for row in rows}


def _out_of_pauses(level: Level, spans: Sequence[PauseSpan]) -> Level:
    """A level that would ring inside a pause rings when the pause is over."""
    inside = next((span for span in spans if span.begins <= level.at < span.ends), None)
    return Level(level.level, level.label, inside.ends, level.audience) if inside else level


def _stored(level: Level) -> dict[str, Any]:
    return {"level": level.level, "label": level.label, "at": level.at.isoformat(), "audience": level.audience}
