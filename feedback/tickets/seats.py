"""Seats: the places of those who raised a ticket or joined it, and what each of them has said of the present claim."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.tickets.identity import new_alias, seal_again
from feedback.tickets.models import Message, Seat, Ticket, Verdict

CONFIRMING = ("solved", "partly", "accepted")
"""Verdicts that take the claim; the other one is `disputed`."""


def seats_held(session: Session, ticket_id: int) -> Sequence[Seat]:
    """The seats of a ticket that nobody has left, the eldest first."""
    held = select(Seat).where(Seat.ticket_id == ticket_id, Seat.left_at.is_(None)).order_by(Seat.id)
    return session.scalars(held).all()


def seats_that_confirmed(session: Session, ticket: Ticket) -> set[int]:
    """The seats that took the claim of the present round."""
    said = select(Verdict.seat_id).where(
        Verdict.ticket_id == ticket.id, Verdict.round == ticket.round, Verdict.verdict.in_(CONFIRMING)
    )
    return set(session.scalars(said))


def move_seats(session: Session, ticket: Ticket, elder: Ticket, now: datetime) -> int:
    """Whoever has a seat on a ticket gets one on the elder that it is joined to; how many seats that made.

    The ticket's own submitter keeps their seat on it; those who had joined it go on to the elder with their matter. Who
    has a seat there already gets no second one: one person, one vote.
    """
    made = 0
    there = {seat.submitter_key for seat in seats_held(session, elder.id)}
    for seat in seats_held(session, ticket.id):
        if seat.origin_ticket_id != ticket.id:
            seat.left_at = now
        if seat.submitter_key in there:
            continue
        there.add(seat.submitter_key)
        new = Seat(
            ticket_id=elder.id,
            origin_ticket_id=seat.origin_ticket_id,
            alias=new_alias(),
            town_id=seat.town_id,
            privacy=seat.privacy,
            submitter_key=seat.submitter_key,
            joined_at=now,
        )
        session.add(new)
        session.flush()
        seal_again(session, seat, new)
        made += 1
    return made


def leave_elder(session: Session, ticket: Ticket, elder: Ticket, now: datetime) -> int:
    """The seats that came to the elder with this ticket are left; how many there were."""
    left = [seat for seat in seats_held(session, elder.id) if seat.origin_ticket_id == ticket.id]
    for seat in left:
        seat.left_at = now
    session.flush()
    return len(left)


def words_of_own(session: Session, submitter_key: str, ticket_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """By ticket that the holder of this key joined: title and text of their own ticket, which stand there for them.

    What another submitter wrote is not theirs to read.
    """
    if not submitter_key or not ticket_ids:
        return {}
    rows = session.execute(
        select(Seat.ticket_id, Message.title, Message.body)
        .join(Message, Message.ticket_id == Seat.origin_ticket_id)
        .where(
            Seat.ticket_id.in_(ticket_ids),
            Seat.submitter_key == submitter_key,
            Seat.left_at.is_(None),
            Seat.origin_ticket_id != Seat.ticket_id,
            Message.version == 1,
            Message.is_current,
        )
    )
    return {ticket_id: (title or "", body) for ticket_id, title, body in rows}
