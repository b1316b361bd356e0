"""Which units may be given a part of a ticket, and the legs that stand for those parts. It checks fields, it moves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.kernel.command import Code, Command, InstantField, Words
from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text
from feedback.people.models import Unit
from feedback.people.queries import find_unit
from feedback.routing.decision import is_below
from feedback.routing.queries import lowest_level
from feedback.tickets.clockwork import NewLeg
from feedback.tickets.models import Ticket, TicketAbout

TOO_LOW = N_("The duty catalogue keeps this for a higher level than %(unit)s. Choose a unit of that level.")
NO_SUCH_UNIT = N_("There is no unit with the code %(code)s. Choose one from the list.")


class AssistPart(Command):
    """What one assisting unit is asked for, and by when if earlier than the policy says."""

    unit: Code
    task: Words | None = None
    due_at: InstantField | None = None


def unit_for_work(session: Session, ticket: Ticket, code: str, *, field: str, now: datetime) -> Unit:
    """The unit of that code, fit to be given this ticket. Raises Invalid naming `field`.

    A unit that the ticket is about, or that has been dissolved or merged, is not.
    """
    unit = find_unit(session, code)
    if unit is None:
        raise Invalid({field: Text(NO_SUCH_UNIT, code=code)})
    if (unit.valid_to and unit.valid_to <= now) or (unit.valid_from and unit.valid_from > now):
        raise Invalid({field: Text(N_("%(unit)s is not at work any more. Choose its successor."), unit=unit.name)})
    about = select(TicketAbout.id).where(TicketAbout.ticket_id == ticket.id, TicketAbout.unit_id == unit.id)
    if session.scalar(about.limit(1)) is not None:
        raise Invalid({field: Text(N_("The ticket is about %(unit)s, which therefore can't get it."), unit=unit.name)})
    return unit


def lead_for(session: Session, ticket: Ticket, code: str, *, field: str, now: datetime) -> Unit:
    """The unit of that code, fit to lead. Raises Invalid as `unit_for_work`, and for a level that the catalogue rules out.

    What the duty catalogue keeps for a higher level is not pushed down to a lower one.
    """
    unit = unit_for_work(session, ticket, code, field=field, now=now)
    if ticket.category_id is not None:
        area = session.get_one(Unit, ticket.area_id)
        lowest = lowest_level(session, category_id=ticket.category_id, area=area, now=now)
        if is_below(unit, lowest):
            raise Invalid({field: Text(TOO_LOW, unit=unit.name)})
    return unit


def assist_legs(
    session: Session, ticket: Ticket, parts: Sequence[AssistPart], lead_id: int | None, *, now: datetime
) -> list[NewLeg]:
    """A leg for each assisting unit. Raises Invalid for a unit named twice or the lead itself."""
    legs = []
    seen = {lead_id}
    for number, part in enumerate(parts):
        field = f"assists.{number}.unit"
        unit = unit_for_work(session, ticket, part.unit, field=field, now=now)
        if unit.id in seen:
            raise Invalid({field: Text(N_("%(unit)s is named twice. Name each unit once."), unit=unit.name)})
        if part.due_at and part.due_at <= now:
            raise Invalid({f"assists.{number}.due_at": Text(N_("Must lie in the future."))})
        seen.add(unit.id)
        legs.append(NewLeg(unit.id, "assist", task=part.task, due_at=part.due_at))
    return legs
