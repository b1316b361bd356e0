"""On whose desk a ticket lies now, as SQL: of a unit that has a running part in it, of the office that dispatches it."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from sqlalchemy import ColumnElement, Select, and_, false, or_, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.db import is_among
from feedback.people.models import Unit
from feedback.people.queries import office_ids
from feedback.tickets.models import Leg, Ticket, TicketAbout
from feedback.tickets.visibility import SAME_ACTORS, WORKING_ROLES, has_root_dispatchers, is_own, is_shut_out


def is_on_units_desk(actor: Actor) -> ColumnElement[bool]:
    """SQL: a unit in which the actor is handler or head has a part that has not ended, as lead or assist."""
    return or_(*desk_parts(actor))


@lru_cache(maxsize=SAME_ACTORS)
def desk_parts(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    """SQL: `is_on_units_desk` cut into parts that share no ticket, each answered by an index of its own."""
    units = {grant.unit_id for grant in actor.grants_for(*WORKING_ROLES)}
    if not units:
        return (false(),)
    assisted = select(Leg.ticket_id).where(is_among(Leg.unit_id, units), Leg.role == "assist", Leg.ended_at.is_(None))
    leads = and_(is_among(Ticket.lead_unit_id, units), Ticket.lead_leg_id.is_not(None))
    only_assists = or_(Ticket.lead_unit_id.is_(None), ~is_among(Ticket.lead_unit_id, units))
    return leads, and_(Ticket.id.in_(assisted), only_assists)


def helps_nobody(session: Session, actor: Actor) -> bool:
    """Whether no unit of theirs assists in any ticket now: then the second of `desk_parts` is empty."""
    return session.scalar(_helping(actor)) is None


@lru_cache(maxsize=SAME_ACTORS)
def _helping(actor: Actor) -> Select[int]:
    units = {grant.unit_id for grant in actor.grants_for(*WORKING_ROLES)}
    return select(Leg.id).where(Leg.unit_id.in_(units), Leg.role == "assist", Leg.ended_at.is_(None)).limit(1)


@lru_cache(maxsize=SAME_ACTORS)
def may_see_own(actor: Actor) -> ColumnElement[bool]:
    """SQL: what `visible` leaves to be asked of a ticket with a unit of theirs, or below one that they answer for."""
    return or_(~is_shut_out(actor), is_own(actor))


def is_at_office(session: Session, actor: Actor, now: datetime) -> ColumnElement[bool]:
    """SQL: `visibility.office_of` gives an office at which the actor is dispatcher; that rule, said for all tickets at once.

    Three queries, whatever the number of tickets.
    """
    own = {grant.unit_id: grant.unit_path for grant in actor.grants_for("dispatcher")}
    if not own:
        return false()
    offices = office_ids(session, now)
    paths = {unit.id: unit.path for unit in session.scalars(select(Unit).where(Unit.id.in_(offices | set(own))))}
    has_named = has_root_dispatchers(session)
    is_shut = {unit_id: _is_about(_ids(path) if has_named else [unit_id]) for unit_id, path in paths.items()}
    return or_(*(_is_worked_by(unit_id, paths, offices, is_shut) for unit_id in own if unit_id in offices), false())


def _is_worked_by(
    office: int, paths: dict[int, str], offices: set[int], is_shut: dict[int, ColumnElement[bool]]
) -> ColumnElement[bool]:
    path = paths[office]
    nearer = [other for other in offices if other != office and paths[other].startswith(path)]
    is_root = path.count("/") == 2
    return and_(
        _lies_below(path),
        *(or_(~_lies_below(paths[other]), is_shut[other]) for other in sorted(nearer)),
        *(() if is_root else (~is_shut[office],)),
    )


def _lies_below(path: str) -> ColumnElement[bool]:
    return Ticket.area_id.in_(select(Unit.id).where(Unit.path.startswith(path, autoescape=True)))


def _ids(path: str) -> list[int]:
    return [int(part) for part in path.strip("/").split("/")]


def _is_about(unit_ids: list[int]) -> ColumnElement[bool]:
    about = select(TicketAbout.id).where(TicketAbout.ticket_id == Ticket.id, TicketAbout.unit_id.in_(unit_ids))
    return and_(Ticket.is_about, about.exists())
