"""A request on a ticket comes about, is taken back, or has lost its point. Who decides it is in deciders.py."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from feedback.kernel.errors import Conflict
from feedback.kernel.text import N_, Text
from feedback.sla.extensions import reach_of
from feedback.tickets.deciders import pending_requests
from feedback.tickets.hold import Held
from feedback.tickets.models import TicketRequest

EXTENSIONS_A_TICKET = 2
"""Refused ones count too: asking until somebody yields is no way to more time."""


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


def times_decided(requests: Iterable[TicketRequest], kind: str) -> int:
    """How many of a ticket's requests of that kind were granted or refused, in any round."""
    return sum(request.kind == kind and request.state in ("granted", "refused") for request in requests)


def is_asked_by(request: TicketRequest, account_id: int | None, seat_id: int | None = None) -> bool:
    """Whether this seat, or else this account, made the request."""
    if seat_id is not None:
        return request.seat_id == seat_id
    return request.requested_by_id is not None and request.requested_by_id == account_id


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
