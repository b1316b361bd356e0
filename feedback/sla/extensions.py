"""More time for a ticket's resolution: how far it may go, and granting it. Who may ask and decide is not known here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from feedback.calendars.queries import calendar_by_id
from feedback.sla.amounts import Amount
from feedback.sla.clock import offset_at
from feedback.sla.laying import amount_of, due_without_extension
from feedback.sla.queries import open_resolution
from feedback.sla.timers import lay_ticket

MOST = Amount(10, "wd")
"""However long the time was at first, an extension adds no more than this."""


@dataclass(frozen=True)
class Reach:
    """When a ticket is due now, and the latest instant to which one extension may move that."""

    due_at: datetime
    latest: datetime


def reach_of(session: Session, ticket_id: int) -> Reach | None:
    """How far the open resolution may be extended: by its own amount once more, and by `MOST`. None where none runs."""
    clock = open_resolution(session, ticket_id)
    if clock is None:
        return None
    calendar = calendar_by_id(session, clock.calendar_id)
    latest = min(offset_at(clock.due_at, amount, calendar) for amount in (amount_of(clock), MOST))
    return Reach(clock.due_at, latest)


def extend(session: Session, ticket_id: int, *, until: datetime, at: datetime) -> None:
    """Move the open resolution's due time to `until`, and what follows it; its alarms are armed anew.

    What was reached by `at` is written down first: a breach stays. `original_due_at` stays as it is.
    """
    clock = open_resolution(session, ticket_id)
    if clock is None:
        return

    def grant() -> None:
        clock.extensions = [*(clock.extensions or ()), [at.isoformat(), until.isoformat()]]

    lay_ticket(session, ticket_id, at, grant)


def forget(session: Session, ticket_id: int) -> None:
    """Nothing that was granted counts any more; whoever calls lays the clocks anew."""
    clock = open_resolution(session, ticket_id)
    if clock is not None:
        clock.extensions = None


def due_before_extension(session: Session, ticket_id: int) -> datetime | None:
    """When the open resolution would be due had nothing been granted; None where none runs."""
    clock = open_resolution(session, ticket_id)
    return due_without_extension(session, clock) if clock else None
