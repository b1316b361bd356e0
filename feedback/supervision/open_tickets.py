"""The ticket's side of a new policy or calendar: facts, references and the copied due time of tickets whose clocks move."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.people.models import Unit
from feedback.people.queries import units_by_id
from feedback.routing.queries import categories_by_id
from feedback.sla import timers
from feedback.tickets.models import Ticket


class OpenTickets:
    """What the clocks' room asks of tickets by their ids when it lays clocks anew (see sla/rollout.py)."""

    def hold(self, session: Session, ticket_ids: Sequence[int]) -> None:
        """Hold the tickets for writing, in the order of their ids, as whoever acts on one does."""
        query = select(Ticket.id).where(Ticket.id.in_(list(ticket_ids))).order_by(Ticket.id).with_for_update()
        session.execute(query).all()

    def facts(self, session: Session, ticket_ids: Sequence[int]) -> dict[int, timers.Facts]:
        """What each ticket's policy is chosen by, with a fixed number of queries."""
        tickets = _tickets(session, ticket_ids)
        areas = units_by_id(session, (ticket.area_id for ticket in tickets))
        above = units_by_id(session, {unit_id for area in areas.values() for unit_id in area.ancestor_ids()})
        categories = categories_by_id(session, {ticket.category_id for ticket in tickets if ticket.category_id})
        return {
            ticket.id: timers.Facts(
                kind=ticket.kind,
                urgency=ticket.urgency,
                category=categories[ticket.category_id].path if ticket.category_id else None,
                area_codes=_codes(areas[ticket.area_id], above),
                area_id=ticket.area_id,
            )
            for ticket in tickets
        }

    def references(self, session: Session, ticket_ids: Sequence[int]) -> dict[int, str]:
        """What people call each ticket."""
        return {ticket.id: ticket.reference for ticket in _tickets(session, ticket_ids)}

    def copy_due(self, session: Session, ticket_ids: Sequence[int]) -> None:
        """Take over the moved due times that lists sort by. The original due time stays."""
        for ticket in _tickets(session, ticket_ids):
            ticket.due_at = timers.current_due(session, ticket.id)
        session.flush()


def _tickets(session: Session, ticket_ids: Sequence[int]) -> Sequence[Ticket]:
    return session.scalars(select(Ticket).where(Ticket.id.in_(list(ticket_ids))).order_by(Ticket.id)).all()


def _codes(area: Unit, above: dict[int, Unit]) -> tuple[str, ...]:
    return tuple(above[unit_id].code for unit_id in area.ancestor_ids() if unit_id in above)
