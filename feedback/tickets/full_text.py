"""A query as an SQL condition: which tickets speak of it, in words that this reader may read.

Whether they may see the ticket is visibility.py's; where no word of it is for them, no word of it finds it.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.tickets.bigrams import phrases_of
from feedback.tickets.models import Seat, Ticket
from feedback.tickets.search_index import ALL, EVERYONE, SEATS, hits
from feedback.tickets.visibility import OVERSEEING_ROLES, WORKING_ROLES, is_own, sees_as_staff


def speaks_of(session: Session, actor: Actor, query: str) -> ColumnElement[bool]:
    """SQL: the ticket speaks of every word of the query; false for a query of signs alone.

    Staff find by all words; whoever holds a seat by the public ones, and by their own where nobody else ever sat there.
    """
    phrases = phrases_of(query)
    if not phrases:
        return false()
    dialect = session.get_bind().dialect.name

    def stands_in(*columns: str) -> ColumnElement[bool]:
        return Ticket.id.in_(hits(dialect, phrases, columns))

    if actor.is_system:
        return stands_in(*ALL)
    own = or_(stands_in(EVERYONE), and_(_is_only_theirs(actor), stands_in(EVERYONE, SEATS)))
    if not any(grant.role in (*WORKING_ROLES, *OVERSEEING_ROLES) for grant in actor.grants):
        return and_(stands_in(EVERYONE, SEATS), own)
    return and_(stands_in(*ALL), or_(sees_as_staff(actor), own))


def _is_only_theirs(actor: Actor) -> ColumnElement[bool]:
    """SQL: the actor holds a seat, and nobody else holds or ever held one: every submitter's word is their own."""
    others = select(Seat.id).where(Seat.ticket_id == Ticket.id, Seat.submitter_key != actor.submitter_key)
    return and_(is_own(actor), ~others.exists())
