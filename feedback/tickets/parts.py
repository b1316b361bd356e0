"""Rows that hang on tickets and that one page asks for at several places: seats, legs, requests.

While somebody only reads they are read once; inside a write each time anew.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.orm import Session

from feedback.kernel.db import read_columns
from feedback.kernel.memo import remembered
from feedback.tickets.models import Leg, Seat, Ticket, TicketRequest

T = TypeVar("T")
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_LEGS = (
    select(
        Leg.id,
        Leg.ticket_id,
        Leg.unit_id,
        Leg.role,
        Leg.task,
        Leg.assignee_id,
        Leg.started_at,
        Leg.acknowledged_at,
        Leg.acknowledged_by_system,
        Leg.answered_at,
        Leg.ended_at,
    )
    .where(Leg.ticket_id.in_(_IDS))
    .order_by(Leg.ticket_id, Leg.id)
)
_SEATS = (
    select(
        Seat.id,
        Seat.ticket_id,
        Seat.origin_ticket_id,
        Seat.alias,
        Seat.town_id,
        Seat.privacy,
        Seat.submitter_key,
        Seat.left_at,
    )
    .where(Seat.ticket_id.in_(_IDS))
    .order_by(Seat.id)
)
_REQUESTS = select(TicketRequest).where(TicketRequest.ticket_id == bindparam("id")).order_by(TicketRequest.id)


def legs_of(session: Session, ids: Sequence[int]) -> Sequence[Any]:
    """Every unit's part in these tickets, ended ones too, by ticket and in the order in which they began."""
    return _once(session, ("legs", *ids), lambda: read_columns(session, _LEGS, {"ids": ids}).all())


def seats_of(session: Session, ids: Sequence[int]) -> Sequence[Any]:
    """Every seat of these tickets, the eldest first, those that were left too."""
    return _once(session, ("seats", *ids), lambda: read_columns(session, _SEATS, {"ids": ids}).all())


def requests_of(session: Session, ticket: Ticket) -> Sequence[TicketRequest]:
    """The ticket's requests, the eldest first, decided ones too."""
    return _once(session, ("requests", ticket.id), lambda: session.scalars(_REQUESTS, {"id": ticket.id}).all())


def _once(session: Session, key: Hashable, read: Callable[[], T]) -> T:
    return read() if session.info.get("writing") else remembered(session, key, read)
