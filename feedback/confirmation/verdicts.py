"""Whoever raised a ticket judges it: confirms, disputes, reopens; or silence ends it, and is counted as silence."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import select

from feedback.kernel.command import Command, ShortText, Words
from feedback.kernel.errors import Conflict, Invalid
from feedback.kernel.text import N_, Text
from feedback.tickets import lifecycle
from feedback.tickets.actions import ticket_action
from feedback.tickets.hold import Held
from feedback.tickets.models import Verdict
from feedback.tickets.seats import seats_held, seats_that_confirmed
from feedback.tickets.transition import perform

SUBMITTER_WINDOW = timedelta(days=30)
SUPERVISOR_WINDOW = timedelta(days=365)


class ConfirmTicket(Command):
    """Solved, partly, or (where it was not possible or is planned) accepted; with a rating of 1 to 5 if they like."""

    verdict: Literal["solved", "partly", "accepted"]
    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    comment: ShortText | None = None
    pressed: bool | None = None


class GiveReason(Command):
    """Why."""

    reason: Words


class NothingMore(Command):
    """Nothing needs to be said."""


@ticket_action("confirm", ConfirmTicket)
def confirm_ticket(held: Held, command: ConfirmTicket) -> None:
    """Close a ticket as its submitter; where several raised it, the last of them closes it.

    Refuses `accepted` for a claim of solved, and a silence older than 30 days.
    """
    if held.ticket.status == lifecycle.CLOSED:
        _within(held, held.ticket.closed_at, SUBMITTER_WINDOW)
    if command.verdict == "accepted" and held.ticket.outcome not in ("not_possible", "planned"):
        raise Invalid({"verdict": Text(N_("Say whether it is solved or partly solved."))})
    _keep_verdict(held, command.verdict, command.rating, command.comment, command.pressed)
    facts = {"verdict": command.verdict}
    if held.ticket.status == lifecycle.RESOLVED and _is_awaited(held):
        perform(held, facts=facts, is_other_end=True, clocks=(), event="ticket.voted")
    else:
        perform(held, facts=facts)


@ticket_action("dispute", GiveReason)
def dispute_ticket(held: Held, command: GiveReason) -> None:
    """Say that it is not solved: a new round begins, the same unit works on, its time starts anew."""
    _keep_verdict(held, "disputed", None, None, None)
    perform(held, text=command.reason)


@ticket_action("lapse", NothingMore)
def lapse_ticket(held: Held, command: NothingMore) -> None:
    """The time to confirm is over and two reminders went out: the system closes it as unanswered.

    Where several raised it and one at least confirmed, that word counts, and it closes as confirmed.
    """
    if seats_that_confirmed(held.session, held.ticket) & _seat_ids(held):
        perform(held, is_other_end=True, event="ticket.confirmed")
    else:
        perform(held)


@ticket_action("reopen", GiveReason)
def reopen_ticket(held: Held, command: GiveReason) -> None:
    """Take up a closed ticket again: its submitter within 30 days (of the planned day), a supervisor within a year."""
    since = held.ticket.closed_at
    if held.standing.relation == "own":
        if held.ticket.outcome == "planned" and held.ticket.planned_on and since:
            since = max(since, datetime.combine(held.ticket.planned_on, time.max, UTC))
        _within(held, since, SUBMITTER_WINDOW)
    else:
        _within(held, since, SUPERVISOR_WINDOW)
    perform(held, text=command.reason)


def _seat_ids(held: Held) -> set[int]:
    return {seat.id for seat in seats_held(held.session, held.ticket.id)}


def _is_awaited(held: Held) -> bool:
    """Whether somebody else who raised it has not taken the claim yet."""
    held.session.flush()
    return bool(_seat_ids(held) - seats_that_confirmed(held.session, held.ticket))


def _within(held: Held, since: datetime | None, window: timedelta) -> None:
    if since is None or held.now > since + window:
        raise Conflict(
            Text(N_("The time for that is over (%(days)s days). Submit a new ticket instead."), days=window.days),
            code="window_over",
        )


def _keep_verdict(held: Held, verdict: str, rating: int | None, comment: str | None, pressed: bool | None) -> None:
    """One verdict a seat and round: what is said later in the same round replaces it."""
    seat_id = held.standing.seat_id
    if seat_id is None:
        raise RuntimeError("only who holds a seat may confirm or dispute")
    row = held.session.scalars(
        select(Verdict).where(Verdict.seat_id == seat_id, Verdict.round == held.ticket.round)
    ).first()
    if row is None:
        row = Verdict(seat_id=seat_id, ticket_id=held.ticket.id, round=held.ticket.round, verdict=verdict, at=held.now)
        held.session.add(row)
    row.verdict, row.rating, row.comment, row.pressed, row.at = verdict, rating, comment, pressed, held.now
