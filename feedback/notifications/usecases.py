"""Writes on notices by whoever they are addressed to: they have read them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from feedback.kernel.actor import Actor
from feedback.kernel.errors import NotFound
from feedback.kernel.transaction import transaction
from feedback.notifications.models import Notice
from feedback.notifications.queries import addresses_of, mine
from feedback.tickets.models import Ticket


def read_notice(notice_id: int, *, actor: Actor, now: datetime) -> str:
    """Note that the actor has read a notice; the first time counts. Gives the reference of the ticket it is about.

    Raises NotFound for one that is not theirs.
    """
    with transaction() as session:
        row = session.execute(
            select(Notice, Ticket.reference)
            .join(Ticket, Ticket.id == Notice.ticket_id)
            .where(Notice.id == notice_id, mine(actor))
        ).first()
        if row is None:
            raise NotFound
        notice, reference = row
        notice.read_at = notice.read_at or now
        return str(reference)


def read_ticket_notices(ticket_id: int, *, actor: Actor, now: datetime) -> int:
    """Note that the actor has seen all that a ticket's notices told them; how many were unread. Refuses nothing."""
    return _read(actor, now, ticket_id)


def read_all_notices(*, actor: Actor, now: datetime) -> int:
    """Note that the actor has read every notice of theirs; how many were unread. Refuses nothing."""
    return _read(actor, now, None)


def _read(actor: Actor, now: datetime, ticket_id: int | None) -> int:
    with transaction() as session:
        unread = select(Notice.id).where(Notice.recipient.in_(addresses_of(actor)), Notice.read_at.is_(None))
        if ticket_id is not None:
            unread = unread.where(Notice.ticket_id == ticket_id)
        ids = list(session.scalars(unread))
        if ids:
            session.execute(update(Notice).where(Notice.id.in_(ids)).values(read_at=now))
        return len(ids)
