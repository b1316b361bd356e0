"""Hot topics: the tickets of the last days in groups that raise the same matter. What is alike is clustering.py's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from feedback.supervision.clustering import MOST_CHARACTERS, Said
from feedback.supervision.grouping import group
from feedback.tickets.models import Message, Ticket

MOST_TICKETS = 6_000
"""The newest of a span that are held against each other: some twenty seconds of work and 350 MB at most."""
AT_ONCE = 200
"""Read together."""
SMALLEST = 2


@dataclass(frozen=True)
class Topic:
    """Tickets that raise the same matter, by id and reference, the eldest first."""

    ticket_ids: tuple[int, ...]
    references: tuple[str, ...]

    @property
    def key(self) -> str:
        """What names it: the reference of the eldest, which stays the same while others come."""
        return self.references[0]

    @property
    def size(self) -> int:
        return len(self.ticket_ids)


def find_topics(session: Session, *, days: int, now: datetime, smallest: int = SMALLEST) -> list[Topic]:
    """The topics among the tickets that came in the last so many days, the largest first.

    What was joined to another ticket counts there; imported history counts by when it was raised.
    """
    newest = (
        select(Ticket.id)
        .where(Ticket.submitted_at >= now - timedelta(days=days), Ticket.joined_into_id.is_(None))
        .order_by(Ticket.submitted_at.desc(), Ticket.id.desc())
        .limit(MOST_TICKETS)
    )
    query = (
        select(Ticket.id, Ticket.reference, Message.title, func.substr(Message.body, 1, MOST_CHARACTERS).label("body"))
        .join(Message, (Message.ticket_id == Ticket.id) & (Message.version == 1) & Message.is_current)
        .where(Ticket.id.in_(newest.subquery().select()))
        .order_by(Ticket.id)
        .execution_options(yield_per=AT_ONCE)
    )
    tickets: list[tuple[int, str]] = []

    def texts() -> Iterator[Said]:
        for row in session.execute(query):
            tickets.append((row.id, row.reference))
            yield Said(row.title or "", row.body)
        session.rollback()  # what follows takes seconds, and nobody is to wait for it

    groups = group(texts())
    return [_topic([tickets[at] for at in one]) for one in groups if len(one) >= smallest]


def _topic(tickets: Sequence[tuple[int, str]]) -> Topic:
    return Topic(tuple(one[0] for one in tickets), tuple(one[1] for one in tickets))
