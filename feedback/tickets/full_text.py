"""A query as an SQL condition: which tickets speak of it, in words that this reader may read.

Whether they may see the ticket is visibility.py's; where no word of it is for them, no word of it finds it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true, union
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.tickets.bigrams import Phrase, phrases_of
from feedback.tickets.models import Leg, Seat, Ticket
from feedback.tickets.search_index import ALL, EVERYONE, SEATS, hits
from feedback.tickets.visibility import OVERSEEING_ROLES, WORKING_ROLES, is_own, sees_as_staff

MANY = 300
"""Hits that are looked at one by one without anybody noticing."""


def speaks_of(session: Session, actor: Actor, query: str) -> ColumnElement[bool]:
    """SQL: the ticket speaks of every word of the query; false for a query of signs alone.

    Staff find by all words; whoever holds a seat by the public ones, and by their own where nobody else ever sat there.
    """
    phrases = phrases_of(query)
    if not phrases:
        return false()
    dialect = session.get_bind().dialect.name
    is_common = dialect == "sqlite" and _has_many_hits(session, phrases)
    # SQLite can't guess how many hits there are. Where many, it must not begin with them: + 0 keeps it from that.
    ticket_id = Ticket.id + 0 if is_common else Ticket.id

    def stands_in(*columns: str) -> ColumnElement[bool]:
        return ticket_id.in_(hits(dialect, phrases, columns))

    if actor.is_system:
        return stands_in(*ALL)
    own = or_(stands_in(EVERYONE), and_(_is_only_theirs(actor), stands_in(EVERYONE, SEATS)))
    roles = {grant.role for grant in actor.grants}
    near = _is_near(actor) if is_common and roles.isdisjoint(OVERSEEING_ROLES) else true()
    if roles.isdisjoint((*WORKING_ROLES, *OVERSEEING_ROLES)):
        return and_(near, stands_in(EVERYONE, SEATS), own)
    return and_(near, stands_in(*ALL), or_(sees_as_staff(actor), own))


def _has_many_hits(session: Session, phrases: Sequence[Phrase]) -> bool:
    """Whether more tickets speak of it than are quickly looked at. A lone character is taken to be common: to ask is dear."""
    if all(phrase.is_begun and len(phrase.words[-1]) == 1 for phrase in phrases):
        return True
    found = hits(session.get_bind().dialect.name, phrases, ALL).limit(MANY + 1).subquery()
    return (session.scalar(select(func.count()).select_from(found)) or 0) > MANY


def _is_near(actor: Actor) -> ColumnElement[bool]:
    """SQL: all that the actor can see without an overseeing role, from the indexes of legs and seats."""
    units = {grant.unit_id for grant in actor.grants if grant.role in WORKING_ROLES}
    legs = select(Leg.ticket_id).where(Leg.unit_id.in_(units))
    seats = select(Seat.ticket_id).where(Seat.submitter_key == actor.submitter_key)
    return Ticket.id.in_(union(legs, seats))


def _is_only_theirs(actor: Actor) -> ColumnElement[bool]:
    """SQL: the actor holds a seat, and nobody else holds or ever held one: every submitter's word is their own."""
    others = select(Seat.id).where(Seat.ticket_id == Ticket.id, Seat.submitter_key != actor.submitter_key)
    return and_(is_own(actor), ~others.exists())
