"""Requests that need a second person, as one reader may see them. Reads only; asking and deciding are use-cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.db import is_among
from feedback.people.queries import units_by_id
from feedback.reading.views import UnitLabel, unit_label
from feedback.tickets import lifecycle
from feedback.tickets.deciders import ROLES_THAT_DECIDE, decider_standings, read_board, standings_on
from feedback.tickets.models import Decision, Message, Ticket, TicketRequest
from feedback.tickets.parts import requests_of
from feedback.tickets.requests import EXTENSIONS_A_TICKET, is_asked_by, times_decided
from feedback.tickets.sight import sight_of
from feedback.tickets.visibility import SAME_ACTORS, Standing, visible

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
    is_own: bool
    """Whether this reader asked for it."""


def list_requests(session: Session, ticket: Ticket, actor: Actor, now: datetime) -> list[RequestView]:
    """The ticket's requests, the eldest first."""
    requests = requests_of(session, ticket)
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
                is_own=is_asked_by(request, actor.account_id),
            )
        )
    return views


def may_decide(session: Session, actor: Actor, ticket: Ticket, request: TicketRequest, now: datetime) -> bool:
    """Whether this actor may grant or refuse a request now."""
    if request.state != PENDING:
        return False
    return _admits(ticket, request, decider_standings(session, actor, ticket, request, now))


def pointless_actions(actor: Actor, ticket: Ticket, requests: Sequence[TicketRequest], now: datetime) -> set[str]:
    """What the table allows and the ticket's requests and time do not: taking back what one has not asked for, asking

    for more time when it is over, asked for already or was asked for as often as it may be.
    """
    pending = [request for request in requests if request.state == PENDING]
    found = set()
    if not any(is_asked_by(request, actor.account_id) for request in pending):
        found.add("withdraw_request")
    is_over = ticket.due_at is None or ticket.due_at <= now
    is_used_up = times_decided(requests, "extension") >= EXTENSIONS_A_TICKET
    if is_over or is_used_up or any(request.kind == "extension" for request in pending):
        found.add("request_extension")
    return found


def _admits(ticket: Ticket, request: TicketRequest, standings: tuple[Standing, ...]) -> bool:
    state = lifecycle.state_of(ticket.status, ticket.closure_reason)
    return any(lifecycle.find_rule(f"decide:{request.kind}:refused", state, *each.pair) for each in standings)


@dataclass(frozen=True)
class WaitingRequest:
    """A request that one reader may decide, with whose it is and what it is about."""

    reference: str
    title: str
    kind: str
    role: str
    unit: UnitLabel | None
    reason: str | None
    at: datetime


def list_decidable(session: Session, actor: Actor, now: datetime, limit: int = 50) -> list[WaitingRequest]:
    """The eldest requests, on tickets the actor may see, that wait for this actor's decision.

    Of the eldest `limit` that could be theirs by role; the number of queries does not depend on how many there are.
    """
    found = session.execute(_waiting(actor, limit)).all()
    if not found:
        return []
    board = read_board(session, [(ticket, request) for ticket, request, _ in found], now)
    units = units_by_id(session, (request.unit_id for _, request, _ in found))
    return [
        WaitingRequest(
            reference=ticket.reference,
            title=title or "",
            kind=request.kind,
            role=request.role,
            unit=unit_label(units.get(request.unit_id)) if request.unit_id else None,
            reason=next((str(request.payload[name]) for name in REASONS if request.payload.get(name)), None),
            at=request.requested_at,
        )
        for ticket, request, title in found
        if _admits(ticket, request, standings_on(board, actor, ticket, request))
    ]


@lru_cache(maxsize=SAME_ACTORS)
def _waiting(actor: Actor, limit: int) -> Select[Ticket, TicketRequest, str | None]:
    kinds = [
        kind
        for kind, roles in ROLES_THAT_DECIDE.items()
        if actor.has_role(*roles, "leader") and lifecycle.rules_for(f"decide:{kind}:refused")
    ]
    return (
        select(Ticket, TicketRequest, Message.title)
        .join(TicketRequest, TicketRequest.ticket_id == Ticket.id)
        .outerjoin(Message, and_(Message.ticket_id == Ticket.id, Message.version == 1, Message.is_current))
        .where(TicketRequest.state == PENDING, is_among(TicketRequest.kind, kinds), visible(actor))
        .order_by(TicketRequest.requested_at, TicketRequest.id)
        .limit(limit)
    )
