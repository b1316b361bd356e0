"""What waits for whoever raised it: questions to answer and claims to confirm, with the words and until when. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.db import read_columns
from feedback.reading.queries import list_tickets
from feedback.reading.search import TicketFilters
from feedback.reading.views import TicketRow
from feedback.sla.models import SlaClock, SlaPause
from feedback.tickets import lifecycle
from feedback.tickets.models import Message, Seat, Ticket, TimelineEntry, Verdict

ASKING = ("ask_submitter", "resolve")
MOST = 20


@dataclass(frozen=True)
class Need:
    """A ticket that waits for its submitter: the question or claim in full, and by when a word is asked for."""

    row: TicketRow
    text: str
    until: datetime | None


@dataclass(frozen=True)
class Waiting:
    """What waits for its submitter, and what they have taken already while others who raised the same have not spoken."""

    needs: list[Need]
    voted: list[TicketRow]


def list_waiting(session: Session, actor: Actor, now: datetime) -> Waiting:
    """The actor's own tickets that wait for a word, what is due first in front, at most 20; a fixed number of queries."""
    filters = TicketFilters(status=(lifecycle.WAITING, lifecycle.RESOLVED), mine=True)
    rows = list_tickets(session, actor, filters, now=now, limit=MOST).items
    spoken = _spoken(session, actor, [row.reference for row in rows if row.status == lifecycle.RESOLVED])
    waiting = [row for row in rows if row.reference not in spoken]
    references = [row.reference for row in waiting]
    words = _last_words(session, references)
    until = _until(session, references)
    needs = [Need(row, words.get(row.reference, ""), until.get(row.reference)) for row in waiting]
    return Waiting(
        sorted(needs, key=lambda need: (need.until is None, need.until)),
        [row for row in rows if row.reference in spoken],
    )


_REFERENCES: BindParameter[Any] = bindparam("references", expanding=True)
_SPOKEN = (
    select(Ticket.reference)
    .join(Verdict, (Verdict.ticket_id == Ticket.id) & (Verdict.round == Ticket.round))
    .join(Seat, Seat.id == Verdict.seat_id)
    .where(Ticket.reference.in_(_REFERENCES), Seat.submitter_key == bindparam("key"), Seat.left_at.is_(None))
)
_LAST_WORDS = (
    select(Ticket.reference, Message.body)
    .join(TimelineEntry, TimelineEntry.ticket_id == Ticket.id)
    .join(
        Message,
        (Message.ticket_id == TimelineEntry.ticket_id)
        & (Message.version == TimelineEntry.version)
        & Message.is_current.is_(True),
    )
    .where(Ticket.reference.in_(_REFERENCES), TimelineEntry.action.in_(ASKING))
    .order_by(TimelineEntry.version)
)
# A ticket's pauses are few; asked by their end, SQLite would look at all the county's open ones.
_PAUSES = (
    select(Ticket.reference, SlaPause.wake_at.label("at"), SlaPause.ended_at)
    .join(SlaPause, SlaPause.ticket_id == Ticket.id)
    .where(Ticket.reference.in_(_REFERENCES), Ticket.status == lifecycle.WAITING)
)
_CLOCKS = (
    select(Ticket.reference, SlaClock.due_at.label("at"))
    .join(SlaClock, SlaClock.ticket_id == Ticket.id)
    .where(
        Ticket.reference.in_(_REFERENCES),
        SlaClock.kind == "confirmation",
        SlaClock.met_at.is_(None),
        SlaClock.dropped_at.is_(None),
    )
)


def _spoken(session: Session, actor: Actor, references: list[str]) -> set[str]:
    """Which of these claims the actor has taken already, while others who raised the same have not spoken."""
    if not references:
        return set()
    asked = {"references": references, "key": actor.submitter_key}
    return {row.reference for row in read_columns(session, _SPOKEN, asked)}


def _last_words(session: Session, references: list[str]) -> dict[str, str]:
    """By reference, the newest question or claim."""
    rows = read_columns(session, _LAST_WORDS, {"references": references})
    return {row.reference: row.body for row in rows}


def _until(session: Session, references: list[str]) -> dict[str, datetime]:
    """By reference, when the wait for an answer or the time to confirm ends."""
    pauses = read_columns(session, _PAUSES, {"references": references})
    waits = [row for row in pauses if row.ended_at is None]
    return {row.reference: row.at for row in (*waits, *read_columns(session, _CLOCKS, {"references": references}))}
