"""Tickets whose assignee is gone (shut, or no longer at the unit) fall back to the unit's list, so that none lies forgotten."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import SYSTEM
from feedback.kernel.command import Command
from feedback.kernel.db import session as current_session
from feedback.kernel.errors import Conflict
from feedback.kernel.text import N_, Text
from feedback.people.models import Account, RoleGrant
from feedback.people.queries import in_force
from feedback.tickets.actions import run_action, ticket_action
from feedback.tickets.hold import Held
from feedback.tickets.lifecycle import rules_for
from feedback.tickets.models import Leg, Ticket
from feedback.tickets.transition import perform
from feedback.tickets.visibility import WORKING_ROLES

STATUSES = sorted({state for rule in rules_for("unassign") for state in rule.states})


class FreeLeg(Command):
    """Which unit's part of the ticket nobody has in hand any more."""

    leg: int


@ticket_action("unassign", FreeLeg)
def free_leg(held: Held, command: FreeLeg) -> None:
    """Take a leg out of the hands of whoever is gone; its unit's list has it again. Refuses a leg that is in good hands."""
    leg = held.session.get(Leg, command.leg)
    left = held.session.scalar(select(Leg.id).where(Leg.id == command.leg, _is_left(held.now)).limit(1))
    if leg is None or left is None or leg.ticket_id != held.ticket.id:
        raise Conflict(Text(N_("Somebody of the unit has this ticket in hand.")))
    leg.assignee_id = None
    if leg.id == held.ticket.lead_leg_id:
        held.ticket.assignee_id = None
    perform(held, facts={"unit": leg.unit_id})


def count_in_hand(session: Session, account_id: int) -> int:
    """How many open tickets somebody has in hand: what falls back when they go."""
    query = select(func.count(Leg.ticket_id.distinct())).join(Ticket, Ticket.id == Leg.ticket_id)
    return session.scalar(query.where(_is_open(), Leg.assignee_id == account_id)) or 0


def free_left_tickets(now: datetime, *, account_id: int | None = None) -> int:
    """Let tickets fall back whose assignee (this account, or anybody) is gone, each in its own transaction; how many.

    Whoever shuts or moves an account calls this; a daily chore finds what was cut short, or came about by a file.
    """
    query = (
        select(Leg.id, Ticket.reference)
        .join(Ticket, Ticket.id == Leg.ticket_id)
        .where(_is_open(), _is_left(now))
        .order_by(Leg.ticket_id, Leg.id)
    )
    if account_id is not None:
        query = query.where(Leg.assignee_id == account_id)
    freed = 0
    for leg_id, reference in current_session().execute(query).all():
        try:
            run_action("unassign", reference, {"leg": leg_id}, actor=SYSTEM, now=now)
            freed += 1
        except Conflict:
            continue  # it moved on, or somebody came back, meanwhile
    return freed


def _is_open() -> ColumnElement[bool]:
    return Leg.ended_at.is_(None) & Leg.assignee_id.is_not(None) & Ticket.status.in_(STATUSES)


def _is_left(now: datetime) -> ColumnElement[bool]:
    """SQL on Leg: it is in the hands of somebody who is shut out or holds no working role at its unit."""
    at_work = (
        select(RoleGrant.id)
        .join(Account, Account.id == RoleGrant.account_id)
        .where(
            RoleGrant.account_id == Leg.assignee_id,
            RoleGrant.unit_id == Leg.unit_id,
            RoleGrant.role.in_(WORKING_ROLES),
            Account.is_active,
            in_force(RoleGrant.valid_from, RoleGrant.valid_to, now),
        )
    )
    return Leg.assignee_id.is_not(None) & ~at_work.exists()
