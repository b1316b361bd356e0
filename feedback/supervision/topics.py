"""Hot topics: the tickets of the last days in groups that raise the same matter. What is alike is clustering.py's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from feedback.supervision.clustering import MOST_CHARACTERS, Said, cluster
from feedback.tickets.models import Message, Ticket

MOST_TICKETS = 6_000
"""The newest of a span that are held against each other: some twenty seconds of work and 350 MB at most."""
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
    rows = session.execute(
        select(Ticket.id, Ticket.reference, Message.title, func.substr(Message.body, 1, MOST_CHARACTERS).label("body"))
        .join(Message, (Message.ticket_id == Ticket.id) & (Message.version == 1) & Message.is_current)
        .where(Ticket.submitted_at >= now - timedelta(days=days), Ticket.joined_into_id.is_(None))
        .order_by(Ticket.submitted_at.desc(), Ticket.id.desc())
        .limit(MOST_TICKETS)
    ).all()
    session.rollback()  # what follows takes seconds, and nobody is to wait for it
    rows = sorted(rows, key=lambda row: row.id)
    groups = cluster([Said(row.title or "", row.body) for row in rows])
    return [_topic([(rows[at].id, rows[at].reference) for at in group]) for group in groups if len(group) >= smallest]


def _topic(tickets: Sequence[tuple[int, str]]) -> Topic:
    return Topic(tuple(one[0] for one in tickets), tuple(one[1] for one in tickets))
