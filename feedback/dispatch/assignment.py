"""A ticket gets its owner: dispatched to a lead (and assists), transferred to another, assigned to a person."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import select

from feedback.kernel.command import Code, Command, Words
from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text
from feedback.people.models import Account
from feedback.people.queries import find_account, holders
from feedback.routing.models import Category
from feedback.routing.queries import find_category
from feedback.tickets.actions import ticket_action
from feedback.tickets.clockwork import NewLeg
from feedback.tickets.figures import mark_elders, matter_of
from feedback.tickets.hold import Held
from feedback.tickets.models import Leg, TicketAbout
from feedback.tickets.transition import perform
from feedback.tickets.units import AssistPart, assist_legs, lead_for


class DispatchTicket(Command):
    """One lead, any assists; and a category (path) for a ticket that has none."""

    lead: Code
    category: Code | None = None
    assists: Annotated[list[AssistPart], Field(max_length=20)] | None = None


class TransferTicket(Command):
    """To which unit, and why."""

    unit: Code
    reason: Words


class AssignTicket(Command):
    """To whom of the unit, by login."""

    assignee: Code


@ticket_action("dispatch", DispatchTicket)
def dispatch_ticket(held: Held, command: DispatchTicket) -> None:
    """Give a submitted ticket to a lead and its assists. Refuses a unit that is unknown, gone, or that it is about.

    A category is taken where the ticket has none (`reclassify` corrects one); its policy is then chosen anew.
    """
    category, was = _first_category(held, command.category), matter_of(held.ticket)
    lead = lead_for(held.session, held.ticket, command.lead, field="lead", now=held.now)
    legs = assist_legs(held.session, held.ticket, command.assists or [], lead.id, now=held.now)
    facts: dict[str, Any] = {"lead": lead.id, "assists": [leg.unit_id for leg in legs]}
    clocks = held.rule.clocks
    if category is not None:
        held.ticket.category_id = facts["category"] = category.id
        clocks = ("repolicy", *clocks)
    perform(held, legs=[NewLeg(lead.id, "lead"), *legs], facts=facts, clocks=clocks)
    mark_elders(held.session, held.ticket, was)


def _first_category(held: Held, path: str | None) -> Category | None:
    """The category that a ticket without one gets; None where none is named or it has one. Raises Invalid."""
    if path is None or held.ticket.category_id is not None:
        return None
    category = find_category(held.session, path)
    if category is None:
        raise Invalid({"category": Text(N_("There is no category %(path)s. Choose one from the list."), path=path)})
    return category


@ticket_action("transfer", TransferTicket)
def transfer_ticket(held: Held, command: TransferTicket) -> None:
    """Give a ticket to another lead. The submitter's clocks run on; the new unit has a floor of its own."""
    unit = lead_for(held.session, held.ticket, command.unit, field="unit", now=held.now)
    if unit.id == held.ticket.lead_unit_id:
        raise Invalid({"unit": Text(N_("%(unit)s has it already. Choose another unit."), unit=unit.name)})
    former = held.ticket.lead_unit_id
    perform(held, text=command.reason, legs=[NewLeg(unit.id, "lead")], facts={"unit": unit.id, "from_unit": former})


@ticket_action("assign", AssignTicket)
def assign_ticket(held: Held, command: AssignTicket) -> None:
    """Put one's own unit's leg into the hands of one of its handlers."""
    leg = held.session.get_one(Leg, held.standing.leg_id)
    account = find_account(held.session, command.assignee.lower())
    if account is None or not _works_at(held, account, leg.unit_id):
        raise Invalid({"assignee": Text(N_("Nobody of your unit who works on tickets has this login."))})
    leg.assignee_id = account.id
    if leg.id == held.ticket.lead_leg_id:
        held.ticket.assignee_id = account.id
    perform(held, facts={"assignee": account.id, "unit": leg.unit_id})


def _works_at(held: Held, account: Account, unit_id: int) -> bool:
    """Whether the account is a handler or head there now and the ticket is not about it."""
    about = select(TicketAbout.id).where(TicketAbout.ticket_id == held.ticket.id, TicketAbout.account_id == account.id)
    if not account.is_active or held.session.scalar(about.limit(1)) is not None:
        return False
    return any(
        grant.account_id == account.id
        for role in ("handler", "unit_head")
        for grant in holders(held.session, role, [unit_id], held.now)
    )
