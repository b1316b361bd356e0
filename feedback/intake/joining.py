"""One matter, raised by many: a younger ticket is joined to the elder, whose clocks stand; and taken apart again.

Whoever raised the younger one gets a seat on the elder, and with it a vote of their own.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from feedback.kernel.actor import SYSTEM, Actor
from feedback.kernel.command import Code, Command, Words
from feedback.kernel.errors import Conflict, Invalid
from feedback.kernel.text import N_, Text
from feedback.tickets import lifecycle
from feedback.tickets.actions import ticket_action
from feedback.tickets.hold import Held
from feedback.tickets.models import Ticket
from feedback.tickets.seats import leave_elder, move_seats, seats_held
from feedback.tickets.summaries import JOINABLE, find_ticket_to_join
from feedback.tickets.transition import perform
from feedback.tickets.visibility import Standing


class JoinTicket(Command):
    """The elder ticket on the same matter: its number, or the token of a summary published for it."""

    into: Code


class UnjoinTicket(Command):
    """Why it is another matter after all."""

    reason: Words


@ticket_action("join", JoinTicket)
def join_ticket(held: Held, command: JoinTicket) -> None:
    """Close a ticket as joined to an elder one on the same matter.

    Refuses (Invalid, `into`) what the actor may neither see nor join by its summary, the ticket itself, a younger one,
    and one that is about somebody; Conflict where the elder is closed, or was itself joined.
    """
    elder = find_ticket_to_join(held.session, held.actor, command.into, held.now)
    if elder is None:
        raise Invalid({"into": Text(N_("There is no such ticket that this one could join. Check the number."))})
    join_to(held, elder)


def join_to(held: Held, elder: Ticket) -> None:
    """Join the ticket held to an elder one that its actor may join. Raises as `join_ticket`."""
    ticket = held.ticket
    _check_elder(ticket, elder)
    _lock(held.session, elder)
    if elder.closure_reason == "joined":
        raise Conflict(
            Text(N_("That ticket was itself joined to an elder one. Join this one to that one.")), code="elder_joined"
        )
    if elder.status not in JOINABLE:
        raise Conflict(Text(N_("That ticket is closed. Nothing can be joined to it any more.")), code="elder_closed")
    seats = move_seats(held.session, ticket, elder, held.now)
    held.session.execute(
        update(Ticket).where(Ticket.joined_into_id == ticket.id).values(joined_into_id=elder.id),
        execution_options={"synchronize_session": "fetch"},
    )
    ticket.joined_into_id = elder.id
    perform(held, facts={"into": elder.reference})
    if seats:
        _step_of_elder(held, elder, "add_seat")


def join_at_intake(
    session: Session, ticket: Ticket, standing: Standing, actor: Actor, named: str, now: datetime
) -> bool:
    """Join a ticket that was submitted in this very transaction to the one its submitter was shown; whether it was.

    What can't be joined (closed meanwhile, no longer published, about somebody) stands on its own: nothing is refused.
    """
    if standing.relation != "own":
        return False
    session.flush()
    elder = find_ticket_to_join(session, actor, named, now)
    if elder is None:
        return False
    rule, _pair = lifecycle.judge("join", ticket.status, [standing.pair])
    try:
        join_to(Held(session, ticket, actor, standing, rule, now), elder)
    except (Conflict, Invalid):  # said before anything is written
        return False
    return True


@ticket_action("unjoin", UnjoinTicket)
def unjoin_ticket(held: Held, command: UnjoinTicket) -> None:
    """Take a joined ticket apart again: it goes on where it stood, by its own clocks; the seat on the elder is left.

    Those who had joined this ticket before stay with the elder: each of them may part as well.
    """
    ticket = held.ticket
    elder = held.session.get(Ticket, ticket.joined_into_id) if ticket.joined_into_id else None
    ticket.joined_into_id = None
    seats = 0
    if elder is not None:
        _lock(held.session, elder)
        seats = leave_elder(held.session, ticket, elder, held.now)
    perform(held, text=command.reason)
    if elder is not None and seats:
        _step_of_elder(held, elder, "drop_seat")


def _check_elder(ticket: Ticket, elder: Ticket) -> None:
    if elder.id == ticket.id:
        problem = Text(N_("This is the ticket itself. Give the number of the elder one."))
    elif elder.is_about or ticket.is_about:
        problem = Text(N_("A ticket about somebody is never joined: each is heard by itself."))
    elif elder.origin != "loop":
        problem = Text(N_("That is imported history: nothing can be joined to it."))
    elif (elder.received_at, elder.id) > (ticket.received_at, ticket.id):
        problem = Text(N_("That ticket is younger. Join it to this one instead: the elder one's time counts."))
    else:
        return
    raise Invalid({"into": problem})


def _lock(session: Session, elder: Ticket) -> None:
    """Hold the elder's row as it is now, so that two joins at once follow one another.

    Always the younger before the elder: two that lock each other's can't wait in a circle.
    """
    session.refresh(elder, with_for_update=True)


def _step_of_elder(held: Held, elder: Ticket, action: str) -> None:
    """Write into the elder's history that somebody more raises it, or one less."""
    rule, _pair = lifecycle.judge(
        action, lifecycle.state_of(elder.status, elder.closure_reason), [(lifecycle.SYSTEM_ROLE, "any")]
    )
    system = Standing(lifecycle.SYSTEM_ROLE, "any")
    facts = {"raised_by": len(seats_held(held.session, elder.id))}
    perform(Held(held.session, elder, SYSTEM, system, rule, held.now), facts=facts)
