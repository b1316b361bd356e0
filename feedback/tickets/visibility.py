"""Who sees which ticket: one SQL condition that objects, lists, counts, search, timelines, notices and reports start from.

It also names in which relation somebody stands to a ticket they see; what they may do then is lifecycle.py's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import ColumnElement, Select, and_, bindparam, false, or_, select, true
from sqlalchemy.orm import Session

from feedback.kernel.actor import ROLES, Actor, Grant
from feedback.kernel.db import is_among
from feedback.kernel.errors import NotFound
from feedback.kernel.memo import remembered
from feedback.kernel.site import get_setting
from feedback.people.models import Unit
from feedback.people.queries import office_ids
from feedback.tickets.lifecycle import SYSTEM_ROLE
from feedback.tickets.models import Leg, Seat, Ticket, TicketAbout
from feedback.tickets.parts import legs_of, seats_of

WORKING_ROLES = ("handler", "unit_head")
OVERSEEING_ROLES = ("dispatcher", "supervisor", "adjudicator", "leader")
PROTECTED = ("confidential", "anonymous")
SAME_ACTORS = 128
"""Of how many actors the conditions are kept: they say the same as long as an actor is the same, and are never changed."""


@dataclass(frozen=True)
class Standing:
    """In which role and relation somebody stands to a ticket, by which grant, seat or leg."""

    role: str
    relation: str
    grant: Grant | None = None
    seat_id: int | None = None
    leg_id: int | None = None

    @property
    def pair(self) -> tuple[str, str]:
        return self.role, self.relation


@lru_cache(maxsize=SAME_ACTORS)
def is_own(actor: Actor) -> ColumnElement[bool]:
    """SQL: the actor holds a seat on the ticket."""
    if not actor.submitter_key:
        return false()
    return (
        select(Seat.id)
        .where(Seat.ticket_id == Ticket.id, Seat.submitter_key == actor.submitter_key, Seat.left_at.is_(None))
        .exists()
    )


@lru_cache(maxsize=SAME_ACTORS)
def has_seat(actor: Actor) -> ColumnElement[bool]:
    """SQL: the same, put so that a list of one's own starts from one's seats."""
    if not actor.submitter_key:
        return false()
    return Ticket.id.in_(
        select(Seat.ticket_id).where(Seat.submitter_key == actor.submitter_key, Seat.left_at.is_(None))
    )


@lru_cache(maxsize=SAME_ACTORS)
def is_shut_out(actor: Actor) -> ColumnElement[bool]:
    """SQL: the ticket is about the actor, somebody they stand in for, or a unit in which they hold any role."""
    accounts = [a for a in (actor.account_id, *actor.stands_in_for) if a is not None]
    units = [g.unit_id for g in actor.grants if g.unit_id not in actor.exempt_unit_ids]
    about = select(TicketAbout.id).where(
        TicketAbout.ticket_id == Ticket.id,
        or_(is_among(TicketAbout.account_id, accounts), is_among(TicketAbout.unit_id, units)),
    )
    return and_(Ticket.is_about, about.exists())


@lru_cache(maxsize=SAME_ACTORS)
def works_or_worked(actor: Actor) -> ColumnElement[bool]:
    """SQL: a unit of a handler or head has a leg, or had one (then not if the submitter is protected)."""
    units = {g.unit_id for g in actor.grants if g.role in WORKING_ROLES}
    if not units:
        return false()
    return (
        select(Leg.id)
        .where(
            Leg.ticket_id == Ticket.id,
            is_among(Leg.unit_id, units),
            or_(Leg.ended_at.is_(None), ~is_among(Ticket.privacy, PROTECTED)),
        )
        .exists()
    )


def in_subtrees(paths: list[str]) -> ColumnElement[bool]:
    """SQL: the ticket's area or present lead lies in one of these subtrees."""
    if not paths:
        return false()
    below = select(Unit.id).where(or_(*(Unit.path.startswith(path, autoescape=True) for path in paths)))
    return or_(Ticket.area_id.in_(below), Ticket.lead_unit_id.in_(below))


@lru_cache(maxsize=SAME_ACTORS)
def oversees(actor: Actor, roles: tuple[str, ...] = OVERSEEING_ROLES) -> ColumnElement[bool]:
    """SQL: the ticket's area or lead lies under a unit at which the actor holds one of these roles."""
    paths = sorted({g.unit_path for g in actor.grants if g.role in roles})
    tops = [p for p in paths if not any(p != q and p.startswith(q) for q in paths)]
    return in_subtrees(tops)


@lru_cache(maxsize=SAME_ACTORS)
def visible(actor: Actor) -> ColumnElement[bool]:
    """SQL: the actor may see this ticket at all. The one rule from which everything that shows tickets starts.

    What is told by the ticket's own columns comes first: other tables are asked only where that did not settle it.
    """
    if actor.is_system:
        return true()
    return or_(sees_as_staff(actor), is_own(actor))


@lru_cache(maxsize=SAME_ACTORS)
def sees_as_staff(actor: Actor) -> ColumnElement[bool]:
    """SQL: the actor sees it by a role, so with its internal words, and not only by a seat of their own."""
    if actor.is_system:
        return true()
    return and_(or_(oversees(actor), works_or_worked(actor)), ~is_shut_out(actor))


def get_ticket(session: Session, actor: Actor, reference: str, *, lock: bool = False) -> Ticket:
    """The ticket of that reference if the actor may see it. Raises NotFound, the same as for one that does not exist."""
    ticket = session.scalars(_one_seen(actor, lock=lock), {"reference": reference.upper()}).first()
    if ticket is None:
        raise NotFound
    return ticket


@lru_cache(maxsize=SAME_ACTORS)
def _one_seen(actor: Actor, *, lock: bool) -> Select[Ticket]:
    query = select(Ticket).where(Ticket.reference == bindparam("reference"), visible(actor))
    return query.with_for_update(of=Ticket) if lock else query


def office_of(session: Session, ticket: Ticket, now: datetime) -> int | None:
    """The dispatching office that works a ticket: nearest upwards from its area, and neither at nor below a unit that it is about.

    At the root, where even that is what it is about, the root (its named dispatchers see it); with nobody named there an
    office below it that it is not about, lest it lie unseen. None without any office.
    """
    area = session.get_one(Unit, ticket.area_id)
    offices = office_ids(session, now)
    about = select(TicketAbout.unit_id).where(TicketAbout.ticket_id == ticket.id, TicketAbout.unit_id.is_not(None))
    shut = set(session.scalars(about) if ticket.is_about else ())
    upwards = area.ancestor_ids()
    has_named = has_root_dispatchers(session)
    for step, unit_id in enumerate(upwards):
        if unit_id in offices and shut.isdisjoint(upwards[step:] if has_named else [unit_id]):
            return unit_id
    return upwards[-1] if upwards[-1] in offices else None


def has_root_dispatchers(session: Session) -> bool:
    """Whether somebody is named for tickets that are about the root itself."""
    return bool(get_setting(session, "root_dispatchers"))


def standings(session: Session, actor: Actor, ticket: Ticket, now: datetime) -> tuple[Standing, ...]:
    """Every way in which the actor stands to a ticket that they see, in the order of ROLES."""
    if actor.is_system:
        return (Standing(SYSTEM_ROLE, "any"),)
    if session.info.get("writing"):
        return _standings(session, actor, ticket, now)
    key = ("standings", actor, ticket.id, ticket.version, now)
    return remembered(session, key, lambda: _standings(session, actor, ticket, now))


def _standings(session: Session, actor: Actor, ticket: Ticket, now: datetime) -> tuple[Standing, ...]:
    found: list[Standing] = []
    if actor.submitter_key and (actor.acting_as is None or actor.acting_as.role == "submitter"):
        own = (s for s in seats_of(session, (ticket.id,)) if s.submitter_key == actor.submitter_key)
        seat = next((s for s in own if s.left_at is None), None)
        if seat is not None:
            found.append(Standing("submitter", "own", seat_id=seat.id))
    if not _is_shut_out_of(session, actor, ticket):
        found += _working_standings(session, actor, ticket)
        found += _overseeing_standings(session, actor, ticket, now)
    taken = {s.grant for s in found}
    found += [Standing(g.role, "none", g) for g in actor.grants_for(*ROLES) if g not in taken]
    return tuple(sorted(found, key=lambda s: ROLES.index(s.role)))


def _is_shut_out_of(session: Session, actor: Actor, ticket: Ticket) -> bool:
    if not ticket.is_about:
        return False
    return session.scalar(select(Ticket.id).where(Ticket.id == ticket.id, is_shut_out(actor))) is not None


def _working_standings(session: Session, actor: Actor, ticket: Ticket) -> list[Standing]:
    grants = actor.grants_for(*WORKING_ROLES)
    if not grants:
        return []
    legs = legs_of(session, (ticket.id,))
    found = []
    for grant in grants:
        best: Standing | None = None
        for leg in legs:
            if leg.unit_id != grant.unit_id:
                continue
            held_now = "lead" if leg.id == ticket.lead_leg_id else "assist"
            relation = held_now if leg.ended_at is None else "past"
            if best is None or relation == "lead" or best.relation == "past":
                best = Standing(grant.role, relation, grant, leg_id=leg.id)
        if best:
            found.append(best)
    return found


def _overseeing_standings(session: Session, actor: Actor, ticket: Ticket, now: datetime) -> list[Standing]:
    grants = actor.grants_for(*OVERSEEING_ROLES)
    if not grants:
        return []
    ids = [i for i in (ticket.area_id, ticket.lead_unit_id) if i is not None]
    paths = session.scalars(select(Unit.path).where(Unit.id.in_(ids))).all()
    office = office_of(session, ticket, now) if any(g.role == "dispatcher" for g in grants) else None
    found = []
    for grant in grants:
        if grant.role == "dispatcher" and grant.unit_id == office:
            found.append(Standing(grant.role, "office", grant))
        elif any(path.startswith(grant.unit_path) for path in paths):
            found.append(Standing(grant.role, "scope", grant))
    return found
