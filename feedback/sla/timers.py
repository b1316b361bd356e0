"""What a ticket's steps do to its clocks, inside the step's own transaction. It knows ids and facts, no ticket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.calendars.models import BusinessCalendar
from feedback.calendars.queries import calendar_of, calendar_row_for, find_calendar_row
from feedback.sla import clock as pure
from feedback.sla.amounts import parse_amount
from feedback.sla.laying import lay, record_reached, set_next_alarm
from feedback.sla.models import SlaClock, SlaPause, SlaPolicy
from feedback.sla.queries import Facts, list_pauses, match_policy, newest_resolution, open_clocks

__all__ = ["ClockStart", "Facts"]


@dataclass(frozen=True)
class ClockStart:
    """A clock to be started. `amount` names the policy's column (default: that of the kind); `unit_id` whose calendar counts
    (legs and signing; else the area's); `follows_resolution`: never due before the open resolution clock."""

    ticket_id: int
    kind: str
    at: datetime
    round: int = 1
    amount: str | None = None
    unit_id: int | None = None
    leg_id: int | None = None
    request_id: int | None = None
    fixed_due_at: datetime | None = None
    follows_resolution: bool = False


def policy_of(session: Session, ticket_id: int, facts: Facts) -> SlaPolicy:
    """The policy version the ticket runs under: that of its newest resolution clock, else the one that fits now."""
    resolution = newest_resolution(session, ticket_id)
    return session.get_one(SlaPolicy, resolution.policy_id) if resolution else match_policy(session, facts)


def _calendar_row(
    session: Session, policy: SlaPolicy, ticket_id: int, facts: Facts, unit_id: int | None
) -> BusinessCalendar:
    """The policy's calendar if it names one; a unit's for its own clocks; else the area's as it was at receipt."""
    named = find_calendar_row(session, policy.calendar_code) if policy.calendar_code else None
    if named:
        return named
    if unit_id is not None:
        return calendar_row_for(session, unit_id)
    resolution = newest_resolution(session, ticket_id)
    if resolution:
        at_receipt = session.get_one(BusinessCalendar, resolution.calendar_id)
        return find_calendar_row(session, at_receipt.code) or at_receipt
    return calendar_row_for(session, facts.area_id)


def start(session: Session, spec: ClockStart, facts: Facts) -> SlaClock | None:
    """Start a clock; None where the policy has no such amount and no date was set."""
    policy = policy_of(session, spec.ticket_id, facts)
    amount_name = spec.amount or spec.kind
    amount = policy.amounts.get(amount_name)
    if not amount:
        return None
    follows = newest_resolution(session, spec.ticket_id) if spec.follows_resolution else None
    clock = SlaClock(
        ticket_id=spec.ticket_id,
        kind=spec.kind,
        leg_id=spec.leg_id,
        request_id=spec.request_id,
        unit_id=spec.unit_id,
        round=spec.round,
        started_at=spec.at,
        amount_name=amount_name,
        amount=amount,
        calendar_id=_calendar_row(session, policy, spec.ticket_id, facts, spec.unit_id).id,
        policy_id=policy.id,
        follows_id=follows.id if follows and follows.is_open else None,
        fixed_due_at=spec.fixed_due_at,
        gaps=[],
        next_level=0,
    )
    lay(session, clock, policy, at=spec.at)
    session.add(clock)
    session.flush()
    return clock


def meet(
    session: Session,
    ticket_id: int,
    kind: str,
    *,
    at: datetime,
    leg_id: int | None = None,
    request_id: int | None = None,
) -> None:
    """End the running clocks of that kind as met; what was reached before `at` is recorded first. None running is fine."""
    for clock in open_clocks(session, ticket_id, kind, leg_id=leg_id, request_id=request_id):
        record_reached(session, clock, upto=at, now=at, is_end=True)
        clock.met_at = at
        set_next_alarm(clock)


def drop(
    session: Session,
    ticket_id: int,
    kind: str,
    *,
    at: datetime,
    leg_id: int | None = None,
    request_id: int | None = None,
) -> None:
    """End the running clocks of that kind without a verdict; a breach that was reached stays. None running is fine."""
    _drop(session, open_clocks(session, ticket_id, kind, leg_id=leg_id, request_id=request_id), at)


def _drop(session: Session, clocks: list[SlaClock], at: datetime) -> None:
    for clock in clocks:
        record_reached(session, clock, upto=at, now=at, is_end=True)
        clock.dropped_at = at
        set_next_alarm(clock)


def revive_leg(session: Session, leg_id: int, *, at: datetime) -> SlaClock | None:
    """Go on with the clock of a leg whose unit got the ticket back: the time it used counts, the time away does not."""
    clock = session.scalars(
        select(SlaClock)
        .where(SlaClock.leg_id == leg_id, SlaClock.kind == "leg", SlaClock.dropped_at.is_not(None))
        .order_by(SlaClock.id.desc())
        .limit(1)
    ).first()
    if clock is None or clock.dropped_at is None:
        return None
    clock.gaps = [*(clock.gaps or []), [clock.dropped_at.isoformat(), at.isoformat()]]
    clock.dropped_at = None
    resolution = newest_resolution(session, clock.ticket_id)
    clock.follows_id = resolution.id if resolution and resolution.is_open else None
    lay(session, clock, session.get_one(SlaPolicy, clock.policy_id), at=at)
    set_next_alarm(clock)
    return clock


def stop_all(session: Session, ticket_id: int, *, at: datetime) -> None:
    """End every running clock without a verdict, and an open pause with them."""
    end_pause(session, ticket_id, at=at)
    _drop(session, open_clocks(session, ticket_id), at)


def open_pause(session: Session, ticket_id: int, *, reason: str, at: datetime, wake_at: datetime, by: str) -> SlaPause:
    """Let the ticket's clocks stand still from `at` until they are woken, at the latest at `wake_at`."""
    for clock in open_clocks(session, ticket_id):
        record_reached(session, clock, upto=at, now=at, is_end=True)
    pause = SlaPause(ticket_id=ticket_id, reason=reason, started_at=at, wake_at=wake_at, opened_by=by)
    session.add(pause)
    session.flush()
    _lay_again(session, ticket_id, at)
    return pause


def end_pause(session: Session, ticket_id: int, *, at: datetime) -> None:
    """End the open pause, at its `wake_at` if that has passed, and work the running clocks out anew. None open is fine."""
    ended = False
    for pause in list_pauses(session, ticket_id):
        if pause.ended_at is None:
            pause.ended_at = min(at, pause.wake_at)
            ended = True
    if ended:
        session.flush()
        _lay_again(session, ticket_id, at)


def _lay_again(session: Session, ticket_id: int, at: datetime) -> None:
    for clock in open_clocks(session, ticket_id):
        lay(session, clock, session.get_one(SlaPolicy, clock.policy_id), at=at)
    session.flush()


def repolicy(session: Session, ticket_id: int, facts: Facts, *, at: datetime) -> None:
    """Choose the policy anew and work out every running clock from its own start, pauses re-applied. Verdicts stay."""
    policy = match_policy(session, facts)
    for clock in open_clocks(session, ticket_id):
        record_reached(session, clock, upto=at, now=at, is_end=True)
        amount = policy.amounts.get(clock.amount_name)
        if not amount:
            _drop(session, [clock], at)
            continue
        clock.policy_id, clock.amount, clock.ladder = policy.id, amount, []
        clock.calendar_id = _calendar_row(session, policy, ticket_id, facts, clock.unit_id).id
        session.flush()
        lay(session, clock, policy, at=at)
    session.flush()


def current_due(session: Session, ticket_id: int) -> datetime | None:
    """When the running resolution clock is due; None when none runs."""
    resolution = newest_resolution(session, ticket_id)
    return resolution.due_at if resolution and resolution.is_open else None


def after(session: Session, ticket_id: int, facts: Facts, amount_name: str, at: datetime) -> datetime | None:
    """`at` plus an amount of the ticket's policy (wait, urge, return_window) on the area's calendar; None without one."""
    policy = policy_of(session, ticket_id, facts)
    amount = parse_amount(policy.amounts.get(amount_name))
    if amount is None:
        return None
    return pure.due_at(at, amount, calendar_of(session, _calendar_row(session, policy, ticket_id, facts, None)))
