"""What whoever raised a ticket may do while it is on its way: add a word, answer a question, withdraw it."""

from __future__ import annotations

from feedback.kernel.command import Command, Words
from feedback.kernel.errors import Conflict, Invalid
from feedback.kernel.text import N_, Text
from feedback.tickets.actions import ticket_action
from feedback.tickets.hold import Held
from feedback.tickets.seats import seats_held
from feedback.tickets.transition import perform


class SayMore(Command):
    """Some words; they may be left out only where a file says it."""

    text: Words | None = None


class WithdrawTicket(Command):
    """Why; and, once a unit had it, whether anybody asked for that."""

    reason: Words
    asked_to: bool | None = None


class NothingMore(Command):
    """Nothing needs to be said."""


@ticket_action("comment", SayMore)
def comment_on_ticket(held: Held, command: SayMore) -> None:
    """Add a word or a file. While a question waits, this is its answer."""
    _say(held, command)


@ticket_action("answer", SayMore)
def answer_question(held: Held, command: SayMore) -> None:
    """Answer the question that was asked; the clocks go on at this instant."""
    _say(held, command)


def _say(held: Held, command: SayMore) -> None:
    if command.text is None and not held.files:
        raise Invalid({"text": Text(N_("This is needed."))})
    perform(held, text=command.text)


@ticket_action("wake", NothingMore)
def wake_ticket(held: Held, command: NothingMore) -> None:
    """Go on without an answer: the system does, when the wait is over."""
    perform(held)


@ticket_action("withdraw", WithdrawTicket)
def withdraw_ticket(held: Held, command: WithdrawTicket) -> None:
    """Take it back. After a dispatch it must be said whether somebody asked for that; handlers never see the answer.

    Conflict where others have joined it: it is their matter too, and goes on.
    """
    if len(seats_held(held.session, held.ticket.id)) > 1:
        raise Conflict(
            Text(N_("Others have raised the same and joined this ticket: it goes on for them.")), code="others_joined"
        )
    if held.ticket.first_dispatched_at and command.asked_to is None:
        raise Invalid({"asked_to": Text(N_("Did anybody ask you to withdraw it? Say yes or no."))})
    held.ticket.was_asked_to_withdraw = command.asked_to
    perform(held, text=command.reason)
