"""Which of a few hits comes first: the number asked for, then words in the title, then open tickets, then newer ones. Reads only.

Where the hits are many no order by worth helps whoever pages through them; those lists stay the newest first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from feedback.tickets import lifecycle
from feedback.tickets.bigrams import Phrase, fold, phrases_of
from feedback.tickets.models import Message, Ticket

MOST_RANKED = 200

Worth = tuple[bool, int, bool, datetime, int]


def rank_hits(session: Session, query: str, narrowed: Sequence[ColumnElement[bool]]) -> list[int] | None:
    """The ids of the tickets under these conditions, the best first; None where they are more than 200."""
    hits = (
        select(Ticket.id, Ticket.reference, Ticket.status, Ticket.submitted_at, Message.title)
        .outerjoin(Message, (Message.ticket_id == Ticket.id) & (Message.version == 1) & Message.is_current)
        .where(*narrowed)
        .limit(MOST_RANKED + 1)
    )
    found = session.execute(hits).all()
    if len(found) > MOST_RANKED:
        return None
    phrases = phrases_of(query)
    wanted = _bare(query)
    return [row.id for row in sorted(found, key=lambda row: _worth(row, wanted, phrases), reverse=True)]


def _worth(row: Any, wanted: str, phrases: Sequence[Phrase]) -> Worth:
    title = fold(row.title or "")
    in_title = sum(bool(re.search(phrase.pattern(), title)) for phrase in phrases)
    return _bare(row.reference) == wanted, in_title, row.status in lifecycle.OPEN, row.submitted_at, row.id


def _bare(text: str) -> str:
    return "".join(text.split()).replace("-", "").casefold()
