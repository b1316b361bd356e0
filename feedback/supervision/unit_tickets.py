"""Tickets of a unit that has ended: its open parts go on at the successor, clocks and all; without one a lead's ticket

goes back to the dispatcher as if a return had been granted, and an assist's part ends.
"""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import SYSTEM
from feedback.kernel.command import Command
from feedback.kernel.db import session as current_session
from feedback.kernel.errors import Conflict
from feedback.kernel.text import N_, Text
from feedback.people.models import Unit
from feedback.people.queries import all_units, holds_at, in_force_now
from feedback.sla import timers
from feedback.tickets.actions import run_action, ticket_action
from feedback.tickets.clockwork import NewLeg
from feedback.tickets.deciders import pending_requests
from feedback.tickets.hold import Held
from feedback.tickets.lifecycle import RESOLVED, rules_for
from feedback.tickets.models import Leg, Ticket, TicketAbout
from feedback.tickets.transition import perform

HELD_IN = sorted({state for rule in rules_for("hand_over") for state in rule.states})

log = logging.getLogger(__name__)


class PartOfEndedUnit(Command):
    """Which part has lost its unit."""

    leg: int


@ticket_action("hand_over", PartOfEndedUnit)
def hand_over(held: Held, command: PartOfEndedUnit) -> None:
    """Pass a part to the successor of its unit: the leg, who has it in hand and every clock go on as they are.

    Where the successor has a part of its own one of the two ends: the lead stays. An assist without a successor ends.
    Raises Conflict for a part whose unit goes on, and for a lead's without a successor.
    """
    leg, unit = _left_part(held, command.leg)
    heir = heir_of(held.session, held.ticket, unit, held.now)
    is_lead = leg.id == held.ticket.lead_leg_id
    if heir is None:
        if is_lead:
            raise Conflict(Text(N_("Nobody follows the unit that led.")))
        _end_part(held, unit.id, {"from_unit": unit.id})
        return
    facts = {"from_unit": unit.id, "unit": heir.id}
    has_part = any(other.unit_id == heir.id for other in held.open_legs())
    if has_part and not is_lead:
        _end_part(held, unit.id, facts)
        return
    if has_part:
        _end_part(held, heir.id, facts)
    else:
        perform(held, facts=facts)
    leg.unit_id = heir.id
    if is_lead:
        held.ticket.lead_unit_id = heir.id
    for request in pending_requests(held.session, held.ticket):
        request.unit_id = heir.id if request.unit_id == unit.id else request.unit_id
    timers.pass_clocks(held.session, held.ticket.id, unit.id, heir.id)


@ticket_action("give_back", PartOfEndedUnit)
def give_back(held: Held, command: PartOfEndedUnit) -> None:
    """Return a ticket to the dispatcher because its lead has ended and nobody follows it; its own clocks run on.

    Raises Conflict for a part whose unit goes on or has a successor.
    """
    leg, unit = _left_part(held, command.leg)
    if leg.id != held.ticket.lead_leg_id or heir_of(held.session, held.ticket, unit, held.now):
        raise Conflict(Text(N_("Somebody goes on with this part.")))
    held.ticket.return_status = None
    perform(held, facts={"from_unit": unit.id})


def _left_part(held: Held, leg_id: int) -> tuple[Leg, Unit]:
    leg = next((each for each in held.open_legs() if each.id == leg_id), None)
    unit = all_units(held.session).get(leg.unit_id) if leg else None
    if leg is None or unit is None or holds_at(unit.valid_from, unit.valid_to, held.now):
        raise Conflict(Text(N_("Somebody goes on with this part.")))
    return leg, unit


def _end_part(held: Held, unit_id: int, facts: dict[str, int]) -> None:
    perform(held, facts=facts, clocks=("end leg",), legs=[NewLeg(unit_id, "assist")])


def heir_of(session: Session, ticket: Ticket, unit: Unit, now: datetime) -> Unit | None:
    """The unit that follows this one now, or what follows that; None where there is none or the ticket is about it."""
    found = in_force_now(all_units(session), unit.id, now)
    if found is None or found.id == unit.id:
        return None
    about = select(TicketAbout.id).where(TicketAbout.ticket_id == ticket.id, TicketAbout.unit_id == found.id)
    return found if session.scalar(about.limit(1)) is None else None


def pass_on_tickets(now: datetime) -> int:
    """Hand over or give back every open part of units that have ended, each in its own transaction; how many.

    Whoever ends a unit calls this; a daily chore finds what was cut short, and what a dispute brings back to work.
    """
    passed = 0
    for leg_id, reference, is_led, status in current_session().execute(_left_parts(now)).all():
        steps = ("hand_over", "give_back") if is_led and status != RESOLVED else ("hand_over",)
        for step in steps:
            try:
                run_action(step, reference, {"leg": leg_id}, actor=SYSTEM, now=now)
                passed += 1
                break
            except Conflict:
                continue  # it moved on meanwhile, or nobody follows
            except Exception:
                log.exception("%s of ticket %s failed", step, reference)
                break
    return passed


def _left_parts(now: datetime) -> Select[int, str, bool, str]:
    return (
        select(Leg.id, Ticket.reference, Leg.id == Ticket.lead_leg_id, Ticket.status)
        .join(Ticket, Ticket.id == Leg.ticket_id)
        .join(Unit, Unit.id == Leg.unit_id)
        .where(Leg.ended_at.is_(None), Unit.valid_to <= now, Ticket.status.in_(HELD_IN))
        .order_by(Leg.ticket_id, (Leg.id == Ticket.lead_leg_id).desc(), Leg.id)
    )
