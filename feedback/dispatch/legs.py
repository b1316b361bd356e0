"""Units that help the lead: added, answering to it, dropped."""

from __future__ import annotations

from sqlalchemy import select

from feedback.kernel.command import Code, Command, InstantField, Words
from feedback.kernel.errors import Forbidden, Invalid
from feedback.kernel.text import N_, Text
from feedback.people.queries import find_unit
from feedback.tickets.actions import ticket_action
from feedback.tickets.clockwork import NewLeg
from feedback.tickets.hold import Held
from feedback.tickets.models import Leg, TimelineEntry
from feedback.tickets.transition import perform
from feedback.tickets.units import NO_SUCH_UNIT, AssistPart, assist_legs


class AddLeg(Command):
    """Which unit is to help, with what, and by when if earlier than the policy says."""

    unit: Code
    task: Words | None = None
    due_at: InstantField | None = None


class DropLeg(Command):
    """Which assisting unit is no longer needed (unless there is one only), and why."""

    reason: Words
    unit: Code | None = None


class AnswerLeg(Command):
    """What the assisting unit found or did, for the lead."""

    text: Words


@ticket_action("add_leg", AddLeg)
def add_leg(held: Held, command: AddLeg) -> None:
    """Ask a further unit to assist."""
    part = AssistPart(unit=command.unit, task=command.task, due_at=command.due_at)
    try:
        new = assist_legs(held.session, held.ticket, [part], held.ticket.lead_unit_id, now=held.now)
    except Invalid as error:
        raise Invalid({name.replace("assists.0.", ""): text for name, text in error.errors.items()}) from error
    if any(leg.unit_id == new[0].unit_id for leg in held.open_legs()):
        raise Invalid({"unit": Text(N_("This unit assists already."))})
    perform(held, legs=new, facts={"unit": new[0].unit_id})


@ticket_action("drop_leg", DropLeg)
def drop_leg(held: Held, command: DropLeg) -> None:
    """End an assisting unit's part. A lead may end only those it asked for itself."""
    assisting = [leg for leg in held.open_legs() if leg.id != held.ticket.lead_leg_id]
    if command.unit is None:
        chosen = assisting[0] if len(assisting) == 1 else None
        if chosen is None:
            raise Invalid({"unit": Text(N_("Say which assisting unit."))})
    else:
        unit = find_unit(held.session, command.unit)
        chosen = next((leg for leg in assisting if unit and leg.unit_id == unit.id), None)
        if chosen is None:
            raise Invalid({"unit": Text(NO_SUCH_UNIT, code=command.unit)})
    if held.standing.relation == "lead" and not _asked_by_lead(held, chosen):
        raise Forbidden(Text(N_("The dispatcher asked this unit to assist; only the dispatcher can end that.")))
    perform(held, text=command.reason, legs=[NewLeg(chosen.unit_id, "assist")], facts={"unit": chosen.unit_id})


def _asked_by_lead(held: Held, leg: Leg) -> bool:
    """Whether the lead's own unit added this leg."""
    entries = held.session.scalars(
        select(TimelineEntry).where(TimelineEntry.ticket_id == held.ticket.id, TimelineEntry.action == "add_leg")
    )
    return any(
        entry.facts.get("unit") == leg.unit_id and entry.unit_id == held.ticket.lead_unit_id for entry in entries
    )


@ticket_action("answer_leg", AnswerLeg)
def answer_leg(held: Held, command: AnswerLeg) -> None:
    """Answer the lead on an assisting unit's part; the lead composes the reply to the submitter."""
    leg = held.session.get_one(Leg, held.standing.leg_id)
    leg.answered_at = held.now
    perform(held, text=command.text, facts={"unit": leg.unit_id})
