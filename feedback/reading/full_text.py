"""A query as an SQL condition: which tickets speak of it, in words that this reader may read.

Whether they may see the ticket is visibility.py's; where no word of it is for them, no word of it finds it. There are four
ways to ask, and all find the same: what differs is where the database begins, so that a word that a fifth of the county's
tickets have costs no more on a large site than on a small one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import isqrt

from sqlalchemy import ColumnElement, Integer, Select, and_, bindparam, case, false, func, or_, select, true, union_all
from sqlalchemy.orm import Session, aliased

from feedback.kernel.actor import Actor
from feedback.kernel.memo import remembered
from feedback.people.models import Unit
from feedback.tickets.bigrams import Phrase, phrases_of
from feedback.tickets.models import Leg, Seat, Ticket
from feedback.tickets.search_index import ALL, EVERYONE, SEATS, hits, holds, is_one_of
from feedback.tickets.search_tables import TicketWords
from feedback.tickets.visibility import OVERSEEING_ROLES, SAME_ACTORS, WORKING_ROLES, is_own, is_shut_out, sees_as_staff

NAMED, NEAR, COMMON, LISTED = "named", "near", "common", "listed"
"""Begin with the hits, named one by one; with what the actor is near to; with the list, looking into the words of each
ticket until the page is full; with the hits, handed over as one list."""

MANY = 300
"""Hits up to here are named one by one."""
MOST_NEAR = 2_000
"""Who is near to so many tickets at most (on a large site to ten times the root of all) is searched for among those;
who only raises tickets, always."""
SAMPLE, PLACES, FEWEST_OF_SAMPLE = 300, 6, 6
"""A word is common that so many tickets of a sample have, read at some places from the first ticket to the newest."""


def way_of(session: Session, actor: Actor, query: str) -> str:
    """Where a search begins; found by looks that are bounded, once in a transaction."""
    return remembered(session, ("way", actor, query), lambda: _way_of(session, actor, query))


def _way_of(session: Session, actor: Actor, query: str) -> str:
    if _few_hits(session, query) is not None:
        return NAMED
    if not actor.is_system:
        if {grant.role for grant in actor.grants}.isdisjoint((*WORKING_ROLES, *OVERSEEING_ROLES)):
            return NEAR
        most = most_near(session)
        if (session.scalar(_count_of_near(actor), {"most": most + 1}) or 0) <= most:
            return NEAR
    return COMMON if _is_common(session, query) else LISTED


def most_near(session: Session) -> int:
    """To how many tickets somebody may be near to be searched for among those."""
    return max(MOST_NEAR, 10 * isqrt(_newest_id(session)))


def speaks_of(
    session: Session, actor: Actor, query: str, *, is_on_desk: bool = False, is_walked: bool = False
) -> ColumnElement[bool]:
    """SQL: the ticket speaks of every word of the query; false for a query of signs alone.

    Staff find by all words; whoever holds a seat by the public ones, and by their own where nobody else ever sat there.
    A list of what is on the desk of the actor's units has its place to begin, and is of tickets that they see as staff
    unless they are shut out: an index of the desk holds all that is asked. `is_walked`: this very list was looked into, and
    holds enough hits of a common word; else the list may be one that none of them is on.
    """
    phrases = phrases_of(query)
    if not phrases:
        return false()
    dialect = session.get_bind().dialect.name
    way = way_of(session, actor, query)
    if way == COMMON and not is_walked:
        way = LISTED
    found = _found(dialect, actor, phrases, way, is_on_desk)
    if way == LISTED:
        return and_(is_one_of(dialect, lambda: _listed(session, actor, query)), found)
    if way != NAMED:
        return found
    few = _few_hits(session, query)
    return and_(is_one_of(dialect, lambda: few), found) if few else false()


@lru_cache(maxsize=SAME_ACTORS)
def _found(dialect: str, actor: Actor, phrases: tuple[Phrase, ...], way: str, is_on_desk: bool) -> ColumnElement[bool]:
    """SQL: from where this way begins, what speaks of it in words that are for the actor."""
    roles = {grant.role for grant in actor.grants}
    speaks = holds(dialect, phrases, ALL)
    if way == NEAR and not is_on_desk:
        speaks = and_(Ticket.id.in_(near_ids(actor)), speaks)
    found = true() if way in (NAMED, LISTED) else speaks
    if actor.is_system:
        return found
    own = and_(
        _raised_by(actor),
        or_(
            holds(dialect, phrases, (EVERYONE,)),
            and_(_is_only_theirs(actor), holds(dialect, phrases, (EVERYONE, SEATS))),
        ),
    )
    if roles.isdisjoint((*WORKING_ROLES, *OVERSEEING_ROLES)):
        return and_(found, own)
    return and_(found, or_(~is_shut_out(actor) if is_on_desk else sees_as_staff(actor), own))


def is_bounded(actor: Actor) -> bool:
    """Whether all that the actor sees is what their units worked on or they raised, however large the county is."""
    return not actor.is_system and {grant.role for grant in actor.grants}.isdisjoint(OVERSEEING_ROLES)


def hold_all(session: Session, query: str, ids: Select[int]) -> Select[int]:
    """Those of these ids whose ticket holds every word of the query, whoever may read it: nothing else is asked of each."""
    one = ids.subquery()
    return select(one.c.id).where(holds(session.get_bind().dialect.name, phrases_of(query), ALL, of=one.c.id))


def count_of_hits(session: Session, query: str) -> int:
    """About how many tickets speak of a common word, by a sample of the table."""
    return _in_sample(session, query) * _newest_id(session) // SAMPLE


def _few_hits(session: Session, query: str) -> list[int] | None:
    """The tickets that speak of it where they are few: no database guesses that rightly. None where they are many.

    A lone character is taken to be in many, because only to ask is dear.
    """
    phrases = phrases_of(query)
    if all(phrase.is_begun and len(phrase.words[-1]) == 1 for phrase in phrases):
        return None

    def read() -> list[int] | None:
        found = list(session.scalars(hits(session.get_bind().dialect.name, phrases, ALL).limit(MANY + 1)))
        return found if len(found) <= MANY else None

    return remembered(session, ("hits", query), read)


def _listed(session: Session, actor: Actor, query: str) -> Sequence[int]:
    """All hits; for whoever answers for no place only those near to them, each told from an index by the ticket."""

    def read() -> Sequence[int]:
        dialect = session.get_bind().dialect.name
        asked = hits(dialect, phrases_of(query), ALL)
        if is_bounded(actor):
            hit = asked.offset(0).subquery("hit")
            asked = select(hit.c[0]).where(_is_near(dialect, actor, hit.c[0]))
        return session.scalars(asked).all()

    return remembered(session, ("listed", actor, query), read)


def _is_common(session: Session, query: str) -> bool:
    """Whether enough of the newest tickets speak of it, so that a list need not be walked far."""
    return _in_sample(session, query) >= FEWEST_OF_SAMPLE


def _in_sample(session: Session, query: str) -> int:
    def read() -> int:
        newest = _newest_id(session)
        bounds = {f"to{place}": newest * place // PLACES for place in range(PLACES + 1)}
        return session.scalar(_sampled(session.get_bind().dialect.name, phrases_of(query)), bounds) or 0

    return remembered(session, ("sample", query), read)


@lru_cache(maxsize=SAME_ACTORS)
def _sampled(dialect: str, phrases: tuple[Phrase, ...]) -> Select[int]:
    places = [
        select(TicketWords.ticket_id)
        .where(TicketWords.ticket_id > bindparam(f"to{place}"), TicketWords.ticket_id <= bindparam(f"to{place + 1}"))
        .order_by(TicketWords.ticket_id.desc())
        .limit(SAMPLE // PLACES)
        .subquery()
        for place in range(PLACES)
    ]
    sample = union_all(*(select(place.c.ticket_id) for place in places)).subquery("sample")
    return select(func.count(case((holds(dialect, phrases, ALL, of=sample.c.ticket_id), 1)))).select_from(sample)


def _newest_id(session: Session) -> int:
    return remembered(session, "newest words", lambda: session.scalar(_NEWEST) or 0)


_NEWEST = select(func.max(TicketWords.ticket_id))


_other = aliased(Ticket)
_PLACES = ((_other, _other.area_id), (_other, _other.lead_unit_id))
"""Not Ticket itself: in a condition it would be taken for the ticket at hand."""


@lru_cache(maxsize=SAME_ACTORS)
def _count_of_near(actor: Actor) -> Select[int]:
    return select(func.count()).select_from(near_ids(actor, bindparam("most", type_=Integer)).subquery())


def near_ids(actor: Actor, most: int | ColumnElement[int] | None = None) -> Select[int]:
    """The ids of all that the actor can see, and perhaps of more, each read from an index; `most` of them at most.

    Some may come twice.
    """
    working = {grant.unit_id for grant in actor.grants if grant.role in WORKING_ROLES}
    paths = sorted({grant.unit_path for grant in actor.grants if grant.role in OVERSEEING_ROLES})
    parts: list[Select[int]] = []
    if actor.submitter_key:
        parts.append(select(Seat.ticket_id.label("id")).where(Seat.submitter_key == actor.submitter_key))
    if working:
        parts.append(select(Leg.ticket_id.label("id")).where(Leg.unit_id.in_(working)))
    if paths:
        below = select(Unit.id).where(or_(*(Unit.path.startswith(path, autoescape=True) for path in paths)))
        parts += [select(one.id.label("id")).where(place.in_(below)) for one, place in _PLACES]
    if not parts:
        parts.append(select(_other.id.label("id")).where(false()))
    near = (union_all(*parts) if len(parts) > 1 else parts[0]).subquery("near")
    return select(near.c.id).limit(most)


def _is_near(dialect: str, actor: Actor, of: ColumnElement[int]) -> ColumnElement[bool]:
    """SQL: the ticket `of` is among `near_ids` of an actor who answers for no place (`is_bounded`)."""
    units = {grant.unit_id for grant in actor.grants if grant.role in WORKING_ROLES}
    ways = (
        select(Leg.id).where(Leg.ticket_id == of, Leg.unit_id.in_(units)),
        select(Seat.id).where(Seat.ticket_id == of, Seat.submitter_key == (actor.submitter_key or None)),
    )
    # OFFSET 0 keeps PostgreSQL from reading all that the units ever had and comparing the two.
    return or_(*((way.offset(0) if dialect == "postgresql" else way).exists() for way in ways))


def _raised_by(actor: Actor) -> ColumnElement[bool]:
    """SQL: the actor raised it themselves. Who only joined it finds their own ticket: these are another's words."""
    mine = (Seat.submitter_key == actor.submitter_key, Seat.origin_ticket_id == Seat.ticket_id)
    return select(Seat.id).where(Seat.ticket_id == Ticket.id, *mine, Seat.left_at.is_(None)).exists()


def _is_only_theirs(actor: Actor) -> ColumnElement[bool]:
    """SQL: the actor holds a seat, and nobody else holds or ever held one: every submitter's word is their own."""
    others = select(Seat.id).where(Seat.ticket_id == Ticket.id, Seat.submitter_key != actor.submitter_key)
    return and_(is_own(actor), ~others.exists())
