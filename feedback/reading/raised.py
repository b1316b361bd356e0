"""How many raised a ticket, what they said of the claim, and which tickets were joined with it; as one reader may see it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.tickets.models import Ticket, Verdict
from feedback.tickets.parts import seats_of
from feedback.tickets.seats import CONFIRMING
from feedback.tickets.sight import Sight
from feedback.tickets.visibility import visible


@dataclass(frozen=True)
class Raised:
    """`by`: how many hold a seat; `confirmed`: how many of them took the present claim, None for who works on it;

    `my_verdict`: the reader's own word of this round; `joined_into`: the elder, `joined`: the younger ones, by reference
    and only as far as the reader may see them.
    """

    by: int
    confirmed: int | None
    my_verdict: str | None
    joined_into: str | None
    joined: tuple[str, ...]


ALONE = Raised(1, 0, None, None, ())
VOTED = Raised(0, None, CONFIRMING[0], None, ())
"""Of a list, where it is known that the reader has taken the claim and not how many others have."""


def raised_of(session: Session, ticket: Ticket, actor: Actor, sight: Sight) -> Raised:
    """What is to be said of who raised this ticket; nothing is asked where one person raised it alone."""
    seats = [seat for seat in seats_of(session, (ticket.id,)) if seat.left_at is None]
    elder = None
    if ticket.joined_into_id is not None:
        elder = session.scalar(select(Ticket.reference).where(Ticket.id == ticket.joined_into_id, visible(actor)))
    if len(seats) < 2:
        return Raised(len(seats), 0, None, elder, ()) if elder else ALONE
    votes = select(Verdict.seat_id, Verdict.verdict).where(
        Verdict.ticket_id == ticket.id, Verdict.round == ticket.round
    )
    said = {row.seat_id: row.verdict for row in session.execute(votes)}
    younger = select(Ticket.reference).where(Ticket.joined_into_id == ticket.id, visible(actor)).order_by(Ticket.id)
    return Raised(
        by=len(seats),
        confirmed=None if sight.works else sum(said.get(seat.id) in CONFIRMING for seat in seats),
        my_verdict=next((said[seat_id] for seat_id in sight.seat_ids if seat_id in said), None),
        joined_into=elder,
        joined=tuple(session.scalars(younger)),
    )
