"""A query as an SQL condition: which tickets speak of it, in words that this reader may read.

Whether they may see the ticket is visibility.py's; where no word of it is for them, no word of it finds it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, false, or_, select, union
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.memo import remembered
from feedback.tickets.bigrams import Phrase, phrases_of
from feedback.tickets.models import Leg, Seat, Ticket
from feedback.tickets.search_index import ALL, EVERYONE, SEATS, hits, speaks_in
from feedback.tickets.visibility import OVERSEEING_ROLES, WORKING_ROLES, is_own, sees_as_staff

MANY = 300
"""Hits up to here are named one by one; past it the statement begins with a list, and asks of each whether it speaks of it."""


def speaks_of(session: Session, actor: Actor, query: str) -> ColumnElement[bool]:
    """SQL: the ticket speaks of every word of the query; false for a query of signs alone.

    Staff find by all words; whoever holds a seat by the public ones, and by their own where nobody else ever sat there.
    """
    phrases = phrases_of(query)
    if not phrases:
        return false()
    dialect = session.get_bind().dialect.name
    few = remembered(session, ("hits", query), lambda: _few_hits(session, dialect, phrases))
    roles = {grant.role for grant in actor.grants}

    def stands_in(*columns: str) -> ColumnElement[bool]:
        return speaks_in(dialect, phrases, columns)

    found: ColumnElement[bool]
    if few is not None:
        found = Ticket.id.in_(few) if few else false()
    elif roles.isdisjoint(OVERSEEING_ROLES) and not actor.is_system:
        found = and_(_is_near(actor), speaks_in(dialect, phrases, ALL, one_by_one=True))
    else:
        found = stands_in(*ALL)
    if actor.is_system:
        return found
    own = and_(_raised_by(actor), or_(stands_in(EVERYONE), and_(_is_only_theirs(actor), stands_in(EVERYONE, SEATS))))
    if roles.isdisjoint((*WORKING_ROLES, *OVERSEEING_ROLES)):
        return and_(found, own)
    return and_(found, or_(sees_as_staff(actor), own))


def _few_hits(session: Session, dialect: str, phrases: Sequence[Phrase]) -> list[int] | None:
    """The tickets that speak of it where they are few: no database guesses that rightly. None where they are many.

    A lone character is taken to be common, because only to ask is dear.
    """
    if all(phrase.is_begun and len(phrase.words[-1]) == 1 for phrase in phrases):
        return None
    found = list(session.scalars(hits(dialect, phrases, ALL).limit(MANY + 1)))
    return found if len(found) <= MANY else None


def _is_near(actor: Actor) -> ColumnElement[bool]:
    """SQL: all that the actor can see without an overseeing role, from the indexes of legs and seats."""
    units = {grant.unit_id for grant in actor.grants if grant.role in WORKING_ROLES}
    legs = select(Leg.ticket_id).where(Leg.unit_id.in_(units))
    seats = select(Seat.ticket_id).where(Seat.submitter_key == actor.submitter_key)
    return Ticket.id.in_(union(legs, seats))


def _raised_by(actor: Actor) -> ColumnElement[bool]:
    """SQL: the actor raised it themselves. Who only joined it finds their own ticket: these are another's words."""
    mine = (Seat.submitter_key == actor.submitter_key, Seat.origin_ticket_id == Seat.ticket_id)
    return select(Seat.id).where(Seat.ticket_id == Ticket.id, *mine, Seat.left_at.is_(None)).exists()


def _is_only_theirs(actor: Actor) -> ColumnElement[bool]:
    """SQL: the actor holds a seat, and nobody else holds or ever held one: every submitter's word is their own."""
    others = select(Seat.id).where(Seat.ticket_id == Ticket.id, Seat.submitter_key != actor.submitter_key)
    return and_(is_own(actor), ~others.exists())
