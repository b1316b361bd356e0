"""The end of a unit: dissolved, or merged into a successor. Its tickets go on (unit_tickets.py); nothing is deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.command import Code, Command
from feedback.kernel.errors import Conflict, Invalid
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction
from feedback.people.models import Account, RoleGrant, Unit
from feedback.people.queries import in_force
from feedback.people.rights import check_admin_of
from feedback.people.unit_changes import hold_unit, record_unit
from feedback.people.usecases import add_grant, check_keeps_own, end_grant, end_links, record
from feedback.routing.listing import count_rows_naming
from feedback.sla.queries import live_policies
from feedback.supervision.unit_tickets import pass_on_tickets
from feedback.tickets.lifecycle import CLOSED
from feedback.tickets.models import Leg, Ticket, TicketAbout


class EndUnit(Command):
    """Which unit ends, and which one has its people from then on (none: their roles there end)."""

    code: Code
    successor: Code | None = None
    seen: Annotated[str, Field(max_length=64)] | None = None


@dataclass(frozen=True)
class Leftovers:
    """What still hangs on a unit: each must be 0 before it can end, but tickets and roles, which go along or go back."""

    open_tickets: int
    open_parts: int
    units_below: int
    catalogue_rows: int
    policies: int
    roles: int


def leftovers_of(session: Session, unit: Unit, now: datetime) -> Leftovers:
    """What still hangs on it at `now`."""
    open_tickets = (
        select(func.count(Ticket.id.distinct()))
        .outerjoin(Leg, (Leg.ticket_id == Ticket.id) & Leg.ended_at.is_(None) & (Leg.unit_id == unit.id))
        .where(Ticket.status.not_in((CLOSED, "legacy")), or_(Leg.id.is_not(None), Ticket.area_id == unit.id))
    )
    parts = (
        select(func.count(Leg.id))
        .join(Ticket, Ticket.id == Leg.ticket_id)
        .where(Leg.unit_id == unit.id, Leg.ended_at.is_(None), Ticket.status.not_in((CLOSED, "legacy")))
    )
    below = select(func.count(Unit.id)).where(
        Unit.path.startswith(unit.path, autoescape=True),
        Unit.id != unit.id,
        in_force(Unit.valid_from, Unit.valid_to, now),
    )
    return Leftovers(
        open_tickets=session.scalar(open_tickets) or 0,
        open_parts=session.scalar(parts) or 0,
        units_below=session.scalar(below) or 0,
        catalogue_rows=count_rows_naming(session, unit.id),
        policies=sum(policy.unit_code == unit.code for policy in live_policies(session)),
        roles=len(_grants(session, unit, now)),
    )


def end_unit(cmd: EndUnit, *, actor: Actor, now: datetime) -> Leftovers:
    """End a unit at `now`; its people hold their roles at the successor, or hold them no longer.

    Its open parts of tickets go on there with their clocks; without a successor the tickets go back to the dispatcher.
    Raises NotFound, Forbidden, VersionConflict, Invalid (`successor`), Conflict that says what is left.
    """
    with transaction() as session:
        unit = hold_unit(session, cmd.code, actor=actor, seen=cmd.seen)
        successor = _successor(session, cmd.successor, unit, actor) if cmd.successor else None
        left = leftovers_of(session, unit, now)
        _refuse_leftovers(unit, left)
        for grant in _grants(session, unit, now):
            account = session.scalars(select(Account).where(Account.id == grant.account_id).with_for_update()).one()
            if successor is None:
                check_keeps_own(account, grant.role, actor=actor)
            end_grant(session, account, grant.role, unit, now=now)
            end_links(session, account, now=now)
            facts = {"role": grant.role, "unit": unit.id}
            record(session, account, "role.revoked", actor=actor, now=now, **facts)
            if successor is not None:
                add_grant(session, account, grant.role, successor)
                record(session, account, "role.granted", actor=actor, now=now, role=grant.role, unit=successor.id)
        unit.valid_to = now
        unit.succeeded_by_id = successor.id if successor else None
        if successor is not None:
            _keep_from(session, unit, successor)
        record_unit(session, unit, "unit.ended", actor=actor, now=now, successor=successor.id if successor else None)
    pass_on_tickets(now)
    return left


def _keep_from(session: Session, unit: Unit, successor: Unit) -> None:
    """Who came from the unit must not see at the successor what is about it."""
    named = select(TicketAbout.ticket_id).where(TicketAbout.unit_id == successor.id)
    about = select(TicketAbout.ticket_id).where(TicketAbout.unit_id == unit.id, TicketAbout.ticket_id.not_in(named))
    session.add_all(
        TicketAbout(ticket_id=ticket_id, unit_id=successor.id, is_derived=True)
        for ticket_id in session.scalars(about.distinct())
    )


def _grants(session: Session, unit: Unit, now: datetime) -> list[RoleGrant]:
    held = in_force(RoleGrant.valid_from, RoleGrant.valid_to, now)
    return list(session.scalars(select(RoleGrant).where(RoleGrant.unit_id == unit.id, held).order_by(RoleGrant.id)))


def _successor(session: Session, code: str, unit: Unit, actor: Actor) -> Unit:
    found = session.scalars(select(Unit).where(Unit.code == code, Unit.valid_to.is_(None)).with_for_update()).first()
    if found is None:
        raise Invalid({"successor": Text(N_("There is no unit with the code “%(code)s”."), code=code)})
    if found.id == unit.id:
        raise Invalid({"successor": Text(N_("A unit can't succeed itself."))})
    check_admin_of(actor, found)
    return found


def _refuse_leftovers(unit: Unit, left: Leftovers) -> None:
    if unit.parent_id is None:
        raise Conflict(Text(N_("The top of the tree can't end.")))
    if left.units_below:
        raise Conflict(Text(N_("%(number)s units stand below it. Move or end them first."), number=left.units_below))
    if left.catalogue_rows or left.policies:
        raise Conflict(
            Text(
                N_(
                    "%(rows)s rows of the duty catalogue and %(policies)s policies name it. "
                    "Bring in a catalogue and policies without it first."
                ),
                rows=left.catalogue_rows,
                policies=left.policies,
            )
        )
