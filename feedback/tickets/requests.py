"""A request on a ticket comes about, is taken back, or has lost its point. Who decides it is in deciders.py."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from feedback.kernel.errors import Conflict
from feedback.kernel.text import N_, Text
from feedback.sla.extensions import reach_of
from feedback.tickets.deciders import pending_requests
from feedback.tickets.hold import Held
from feedback.tickets.models import TicketRequest


def make_request(held: Held, kind: str, payload: dict[str, Any]) -> TicketRequest:
    """A pending request of that kind. Raises Conflict (`request_pending`) where one waits already."""
    if any(request.kind == kind for request in pending_requests(held.session, held.ticket)):
        raise Conflict(Text(N_("This was asked for already and waits for a decision.")), code="request_pending")
    grant = held.standing.grant
    request = TicketRequest(
        ticket_id=held.ticket.id,
        kind=kind,
        state="pending",
        round=held.ticket.round,
        requested_by_id=held.actor.account_id,
        role=held.standing.role,
        unit_id=grant.unit_id if grant else None,
        payload=payload,
        requested_at=held.now,
    )
    held.session.add(request)
    held.session.flush()
    return request


def count_decided(held: Held, kind: str) -> int:
    """How many requests of that kind were granted or refused on this ticket, in any round."""
    query = select(func.count(TicketRequest.id)).where(
        TicketRequest.ticket_id == held.ticket.id,
        TicketRequest.kind == kind,
        TicketRequest.state.in_(("granted", "refused")),
    )
    return held.session.scalar(query) or 0


def refuse_pointless(held: Held, request: TicketRequest) -> None:
    """Raise Conflict (`pointless`) where a request can't be granted any more as it was asked for.

    An extension: its date has passed, the due time has moved past it, or it is further off than may be granted now.
    """
    if request.kind != "extension":
        return
    wanted, reach = datetime.fromisoformat(request.payload["due_at"]), reach_of(held.session, held.ticket.id)
    if reach is None or wanted <= max(held.now, reach.due_at) or wanted > reach.latest:
        raise Conflict(
            Text(N_("The date asked for no longer fits this ticket. Refuse it; the unit can ask for another one.")),
            code="pointless",
        )
