"""What a ticket's steps do to its clocks: start, meet, drop, pause, choose the policy anew. Knows ids and facts, no ticket.

Every function works inside the caller's transaction. Before a clock stops or moves, what it had reached is written down:
each level passed becomes an alarm row, and `breached_at` its due time where that had passed. Nothing unwrites a breach.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.calendars.queries import ready
from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text
from feedback.sla.amounts import format_amount, parse_amount
from feedback.sla.clock import base_due_at, due_at
from feedback.sla.facts import ClockStart, Facts
from feedback.sla.laying import due_without_extension, lay, write_reached
from feedback.sla.models import PAUSED_KINDS, SlaClock, SlaPause, SlaPolicy
from feedback.sla.queries import (
    add_clock,
    add_pause,
    calendar_for_clock,
    calendar_for_unit,
    get_policy,
    held,
    hold_clocks,
    match_policy,
    open_resolution,
    pauses_of,
    policy_of_ticket,
    resolutions,
)

__all__ = [
    "ClockStart",
    "Facts",
    "after",
    "calendar_zone",
    "current_due",
    "drop",
    "end_pause",
    "lay_ticket",
    "meet",
    "open_pause",
    "pass_clocks",
    "repolicy",
    "revive_leg",
    "start",
    "stop_all",
    "use_policy",
]


def start(session: Session, spec: ClockStart, facts: Facts) -> SlaClock | None:
    """Start a clock; None where the policy has no amount for it and no fixed date is given.

    The policy is that of the ticket's newest resolution clock, else the one that fits the facts.
    """
    clocks = resolutions(session, spec.ticket_id)
    policy = policy_of_ticket(session, clocks, facts)
    if policy is None:
        return None
    column = spec.amount or spec.kind
    amount = parse_amount(policy.amounts.get(column))
    if amount is None and spec.fixed_due_at is None:
        return None
    row = calendar_for_clock(session, policy, spec.kind, clocks=clocks, area_id=facts.area_id, unit_id=spec.unit_id)
    fixed = spec.fixed_due_at
    if fixed and amount and fixed >= base_due_at(spec.at, amount, ready(row)):
        fixed = None
    followed = next((clock for clock in reversed(clocks) if clock.is_open), None) if spec.follows_resolution else None
    if followed is not None and followed in session.new:
        session.flush()  # its id is needed
    clock = SlaClock(
        ticket_id=spec.ticket_id,
        kind=spec.kind,
        leg_id=spec.leg_id,
        request_id=spec.request_id,
        unit_id=spec.unit_id,
        round=spec.round,
        started_at=spec.at,
        amount_name=column,
        amount=format_amount(amount) if amount else "",
        calendar_id=row.id,
        policy_id=policy.id,
        follows_id=followed.id if followed else None,
        fixed_due_at=fixed,
        gaps=[],
        deadline_version=1,
        next_level=0,
    )
    pauses = pauses_of(session, spec.ticket_id) if spec.kind in PAUSED_KINDS else []
    lay(session, clock, spec.at, pauses, is_new=True)
    clock.original_due_at = clock.due_at
    add_clock(session, clock)
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
    """The open clocks of that kind (and leg, and request) have kept or missed their time; none is fine."""
    for clock in hold_clocks(session, ticket_id, kind, leg_id=leg_id, request_id=request_id):
        _write_end(session, clock, at)
        clock.met_at, clock.next_alarm_at = at, None


def drop(
    session: Session,
    ticket_id: int,
    kind: str,
    *,
    at: datetime,
    leg_id: int | None = None,
    request_id: int | None = None,
) -> None:
    """The open clocks of that kind (and leg, and request) no longer count; none is fine."""
    for clock in hold_clocks(session, ticket_id, kind, leg_id=leg_id, request_id=request_id):
        _drop(session, clock, at)


def stop_all(session: Session, ticket_id: int, *, at: datetime) -> None:
    """Drop every open clock of the ticket, and end a pause that is open."""
    for clock in hold_clocks(session, ticket_id):
        _drop(session, clock, at)
    _end_open_pauses(session, ticket_id, at)
    session.flush()


def revive_leg(session: Session, leg_id: int, *, at: datetime) -> SlaClock | None:
    """A unit got its leg back: its clock goes on, the time without it a gap. None where there is no dropped clock.

    It goes on by the ticket's present policy and calendar, and is not due before the resolution that runs now.
    """
    query = select(SlaClock).where(SlaClock.leg_id == leg_id, SlaClock.kind == "leg").order_by(SlaClock.id.desc())
    clock = session.scalars(held(query.limit(1))).first()
    if clock is None or clock.dropped_at is None or clock.met_at is not None:
        return None
    clock.gaps = [*clock.gaps, [clock.dropped_at.isoformat(), at.isoformat()]]
    clock.dropped_at = None
    clocks = resolutions(session, clock.ticket_id)
    if clocks:
        policy = get_policy(session, clocks[-1].policy_id)
        if policy.amounts.get(clock.amount_name) or clock.fixed_due_at:
            use_policy(session, clock, policy, area_id=0, at=at)
        running = open_resolution(session, clock.ticket_id)
        clock.follows_id = running.id if clock.follows_id and running else clock.follows_id
    lay(session, clock, at, pauses_of(session, clock.ticket_id))
    session.flush()
    return clock


def open_pause(session: Session, ticket_id: int, *, reason: str, at: datetime, wake_at: datetime, by: str) -> SlaPause:
    """The ticket's clocks stand still from `at`, until `end_pause` or `wake_at`. Raises Invalid for a wake in the past."""
    if wake_at <= at:
        raise Invalid({"wake_at": Text(N_("A pause must end later than it begins."))})
    _write_passed(session, ticket_id, at)
    pause = SlaPause(ticket_id=ticket_id, reason=reason, started_at=at, wake_at=wake_at, opened_by=by[:120])
    add_pause(session, pause)
    _lay_open(session, ticket_id, at)
    return pause


def end_pause(session: Session, ticket_id: int, *, at: datetime) -> None:
    """The ticket's clocks go on from `at` (from `wake_at`, where that is earlier); no open pause is fine."""
    if _end_open_pauses(session, ticket_id, at):
        _lay_open(session, ticket_id, at)


def repolicy(session: Session, ticket_id: int, facts: Facts, *, at: datetime) -> None:
    """Choose the policy anew and lay every open clock from its own start, pauses re-applied; verdicts stay as they are.

    A clock for which the new policy has no amount is dropped. `original_due_at` may move earlier, never later.
    """
    policy = match_policy(session, facts)
    if policy is None:
        return

    def change() -> None:
        for clock in hold_clocks(session, ticket_id):
            use_policy(session, clock, policy, facts.area_id, at)

    lay_ticket(session, ticket_id, at, change)
    for clock in hold_clocks(session, ticket_id):
        clock.original_due_at = min(clock.original_due_at, due_without_extension(session, clock))
    session.flush()


def pass_clocks(session: Session, ticket_id: int, from_unit_id: int, to_unit_id: int) -> None:
    """The open clocks of one unit are another's from now on; start, due time, calendar and alarms stay as they are."""
    for clock in hold_clocks(session, ticket_id):
        if clock.unit_id == from_unit_id:
            clock.unit_id = to_unit_id


def use_policy(session: Session, clock: SlaClock, policy: SlaPolicy, area_id: int, at: datetime) -> None:
    """Let a clock run by this policy; it is laid anew by the caller. One without an amount there is dropped."""
    amount = parse_amount(policy.amounts.get(clock.amount_name))
    if amount is None and clock.fixed_due_at is None:
        _drop(session, clock, at)
        return
    clock.policy_id, clock.amount = policy.id, format_amount(amount) if amount else ""
    clock.calendar_id = calendar_for_clock(
        session,
        policy,
        clock.kind,
        clocks=resolutions(session, clock.ticket_id),
        area_id=area_id,
        unit_id=clock.unit_id,
    ).id


def current_due(session: Session, ticket_id: int) -> datetime | None:
    """When the open resolution clock of the newest round is due; None where none is open."""
    clock = open_resolution(session, ticket_id)
    return clock.due_at if clock else None


def after(session: Session, ticket_id: int, facts: Facts, amount_name: str, at: datetime) -> datetime | None:
    """`at` plus an amount of the ticket's policy (wait, urge, return_window), by the area's calendar; None: no such amount."""
    clocks = resolutions(session, ticket_id)
    policy = policy_of_ticket(session, clocks, facts)
    amount = parse_amount(policy.amounts.get(amount_name)) if policy else None
    if policy is None or amount is None:
        return None
    row = calendar_for_clock(session, policy, amount_name, clocks=clocks, area_id=facts.area_id, unit_id=None)
    return due_at(at, amount, ready(row))


def calendar_zone(session: Session, unit_id: int | None) -> ZoneInfo:
    """The zone of the calendar that counts at a unit: how due times are shown there."""
    return ready(calendar_for_unit(session, unit_id)).definition.time_zone


def lay_ticket(session: Session, ticket_id: int, at: datetime, change: Callable[[], None]) -> list[SlaClock]:
    """Write down what was reached, do `change`, then lay every open clock of the ticket anew.

    Returns those whose due time moved.
    """
    _write_passed(session, ticket_id, at)
    change()
    session.flush()
    return _lay_open(session, ticket_id, at)


def _write_passed(session: Session, ticket_id: int, at: datetime) -> None:
    for clock in hold_clocks(session, ticket_id):
        write_reached(session, clock, at, now=at, sends=True)


def _write_end(session: Session, clock: SlaClock, at: datetime) -> None:
    """What a clock had reached when it stopped. A reminder to those who have just acted is not sent; a breach is."""
    is_breach = clock.due_at < at and clock.kind != "confirmation"
    write_reached(session, clock, at, now=at, sends=is_breach, is_end=True)


def _drop(session: Session, clock: SlaClock, at: datetime) -> None:
    _write_end(session, clock, at)
    clock.dropped_at, clock.next_alarm_at = at, None


def _end_open_pauses(session: Session, ticket_id: int, at: datetime) -> bool:
    ended = [pause for pause in pauses_of(session, ticket_id) if pause.ended_at is None]
    for pause in ended:
        pause.ended_at = max(pause.started_at, min(at, pause.wake_at))
    session.flush()
    return bool(ended)


def _lay_open(session: Session, ticket_id: int, at: datetime) -> list[SlaClock]:
    pauses = pauses_of(session, ticket_id)
    moved = [clock for clock in hold_clocks(session, ticket_id) if lay(session, clock, at, pauses)]
    session.flush()
    return moved
