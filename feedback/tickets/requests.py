"""Requests that need a second person, as one reader may see them. Reads only; asking and deciding are use-cases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.people.queries import units_by_id
from feedback.tickets import lifecycle
from feedback.tickets.deciders import decider_standings
from feedback.tickets.models import Decision, Ticket, TicketRequest
from feedback.tickets.sight import sight_of
from feedback.tickets.views import UnitLabel, unit_label

PENDING = "pending"
OFFICE_ONLY = ("decline", "lower_urgency")
"""Kinds whose reasons the submitter does not read while nothing is decided."""
REASONS = ("reason", "reason_code")
BASES = ("basis", "instead", "grounds")


@dataclass(frozen=True)
class DecisionView:
    """One person's answer, by role and unit."""

    role: str
    unit: UnitLabel | None
    decision: str
    text: str
    at: datetime


@dataclass(frozen=True)
class RequestView:
    """A request; `reason`, `basis` and `wanted` are empty where they are not for this reader yet."""

    id: int
    kind: str
    state: str
    role: str
    unit: UnitLabel | None
    at: datetime
    reason: str | None
    basis: str | None
    wanted: dict[str, Any]
    decided_at: datetime | None
    decisions: tuple[DecisionView, ...]
    may_decide: bool


def list_requests(session: Session, ticket: Ticket, actor: Actor, now: datetime) -> list[RequestView]:
    """The ticket's requests, the eldest first."""
    requests = list(
        session.scalars(select(TicketRequest).where(TicketRequest.ticket_id == ticket.id).order_by(TicketRequest.id))
    )
    if not requests:
        return []
    sight = sight_of(session, actor, ticket, now)
    decisions = list(
        session.scalars(select(Decision).where(Decision.request_id.in_([r.id for r in requests])).order_by(Decision.id))
    )
    units = units_by_id(session, [*(r.unit_id for r in requests), *(d.unit_id for d in decisions)])
    labels = {unit_id: unit_label(unit) for unit_id, unit in units.items()}
    views = []
    for request in requests:
        is_shown = sight.is_staff or request.kind not in OFFICE_ONLY or request.state == "granted"
        payload = dict(request.payload or {}) if is_shown else {}
        views.append(
            RequestView(
                id=request.id,
                kind=request.kind,
                state=request.state,
                role=request.role,
                unit=labels.get(request.unit_id) if request.unit_id else None,
                at=request.requested_at,
                reason=next((str(payload[name]) for name in REASONS if payload.get(name)), None),
                basis=next((str(payload[name]) for name in BASES if payload.get(name)), None),
                wanted={name: value for name, value in payload.items() if name not in (*REASONS, *BASES)},
                decided_at=request.decided_at,
                decisions=tuple(
                    DecisionView(d.role, labels.get(d.unit_id), d.decision, d.text, d.at)
                    for d in decisions
                    if d.request_id == request.id
                ),
                may_decide=may_decide(session, actor, ticket, request, now),
            )
        )
    return views


def may_decide(session: Session, actor: Actor, ticket: Ticket, request: TicketRequest, now: datetime) -> bool:
    """Whether this actor may grant or refuse a request now."""
    if request.state != PENDING:
        return False
    state = lifecycle.state_of(ticket.status, ticket.closure_reason)
    return any(
        lifecycle.find_rule(f"decide:{request.kind}:refused", state, *standing.pair)
        for standing in decider_standings(session, actor, ticket, request, now)
    )
