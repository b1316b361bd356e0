"""The clocks of a ticket as its readers see them: what is due when, what was kept and what was not. Reads only.

How an instant came about is told by the sla room; here clocks get the names of units, policies and calendars.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BindParameter, bindparam, or_, select
from sqlalchemy.orm import Session

from feedback.calendars.queries import calendar_version
from feedback.kernel.db import Instant, read_columns
from feedback.kernel.errors import NotFound
from feedback.people.queries import units_by_id
from feedback.reading.views import UnitLabel, unit_label
from feedback.sla.models import PAUSED_KINDS, SlaClock, SlaPause
from feedback.sla.queries import get_policy
from feedback.tickets.models import Ticket


@dataclass(frozen=True)
class ClockView:
    """One time limit. `is_paused`: it stands still now; `is_open`: neither met nor dropped."""

    id: int
    kind: str
    unit: UnitLabel | None
    round: int
    started_at: datetime
    due_at: datetime
    original_due_at: datetime
    met_at: datetime | None
    breached_at: datetime | None
    dropped_at: datetime | None
    is_open: bool
    is_paused: bool
    is_provisional: bool
    policy: str | None
    policy_version: int | None
    calendar: str | None
    calendar_version: int | None


def list_clocks(session: Session, ticket: Ticket, now: datetime) -> list[ClockView]:
    """Every clock of the ticket and its legs, the eldest first, with a fixed number of queries."""
    clocks = read_columns(session, _CLOCKS, {"id": ticket.id}).all()
    if not clocks:
        return []
    units = units_by_id(session, (clock.unit_id for clock in clocks))
    policies = {policy_id: get_policy(session, policy_id) for policy_id in {clock.policy_id for clock in clocks}}
    calendars = {i: calendar_version(session, i) for i in {clock.calendar_id for clock in clocks}}
    is_still = _stands_still(session, ticket, now)
    views = []
    for clock in clocks:
        is_open = clock.met_at is None and clock.dropped_at is None
        policy, calendar = policies.get(clock.policy_id), calendars.get(clock.calendar_id)
        views.append(
            ClockView(
                id=clock.id,
                kind=clock.kind,
                unit=unit_label(units.get(clock.unit_id)) if clock.unit_id else None,
                round=clock.round,
                started_at=clock.started_at,
                due_at=clock.due_at,
                original_due_at=clock.original_due_at,
                met_at=clock.met_at,
                breached_at=clock.breached_at,
                dropped_at=clock.dropped_at,
                is_open=is_open,
                is_paused=is_still and is_open and clock.kind in PAUSED_KINDS,
                is_provisional=clock.is_provisional,
                policy=policy.name if policy else None,
                policy_version=policy.version if policy else None,
                calendar=calendar[0] if calendar else None,
                calendar_version=calendar[1] if calendar else None,
            )
        )
    return views


def open_spans(session: Session, references: Sequence[str], kind: str) -> dict[str, tuple[datetime, datetime]]:
    """By reference: when the running clock of a kind started and when it is due; one query for a whole list."""
    if not references:
        return {}
    rows = session.execute(
        select(Ticket.reference, SlaClock.started_at, SlaClock.due_at)
        .join(Ticket, Ticket.id == SlaClock.ticket_id)
        .where(
            Ticket.reference.in_(references),
            SlaClock.kind == kind,
            SlaClock.met_at.is_(None),
            SlaClock.dropped_at.is_(None),
        )
        .order_by(SlaClock.id)
    )
    return {reference: (started_at, due_at) for reference, started_at, due_at in rows}


def get_clock(session: Session, ticket: Ticket, clock_id: int) -> SlaClock:
    """The clock of that id on this ticket. Raises NotFound, for a clock of another ticket too."""
    clock = session.get(SlaClock, clock_id)
    if clock is None or clock.ticket_id != ticket.id:
        raise NotFound
    return clock


def _stands_still(session: Session, ticket: Ticket, now: datetime) -> bool:
    return session.scalar(_PAUSE, {"id": ticket.id, "now": now}) is not None


_NOW: BindParameter[datetime] = bindparam("now", type_=Instant)
_CLOCKS = (
    select(
        SlaClock.id,
        SlaClock.kind,
        SlaClock.unit_id,
        SlaClock.round,
        SlaClock.started_at,
        SlaClock.due_at,
        SlaClock.original_due_at,
        SlaClock.met_at,
        SlaClock.breached_at,
        SlaClock.dropped_at,
        SlaClock.is_provisional,
        SlaClock.policy_id,
        SlaClock.calendar_id,
    )
    .where(SlaClock.ticket_id == bindparam("id"))
    .order_by(SlaClock.started_at, SlaClock.id)
)
_PAUSE = (
    select(SlaPause.id)
    .where(
        SlaPause.ticket_id == bindparam("id"),
        SlaPause.started_at <= _NOW,
        or_(SlaPause.ended_at.is_(None), SlaPause.ended_at > _NOW),
        or_(SlaPause.ended_at.is_not(None), SlaPause.wake_at > _NOW),
    )
    .limit(1)
)
