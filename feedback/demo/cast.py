"""Who takes a step of a demo ticket: the people whom the roles and the lifecycle would let take it."""

from __future__ import annotations

from datetime import datetime
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.people.models import Account
from feedback.people.queries import find_account, holders, load_actor, root_unit
from feedback.tickets.deciders import deciders, pending_requests
from feedback.tickets.models import Leg, Ticket
from feedback.tickets.visibility import office_of


def actor_of(session: Session, login: str, now: datetime) -> Actor:
    """The actor of a demo login at that instant. LookupError for one that is not there."""
    account = find_account(session, login)
    if account is None:
        raise LookupError(login)
    return load_actor(session, account, now=now)


def pick_actor(session: Session, by: str, ticket: Ticket, now: datetime, draw: Random) -> Actor | None:
    """Somebody who acts as `handler`, `head`, `assist`, `dispatcher`, `decider` or `supervisor` on this ticket; None: nobody."""
    return _first(session, _candidates(session, by, ticket, now), now, draw)


def _candidates(session: Session, by: str, ticket: Ticket, now: datetime) -> list[int]:
    if by == "handler" and ticket.assignee_id:
        return [ticket.assignee_id]
    if by in ("handler", "handlers", "head"):
        role = "unit_head" if by == "head" else "handler"
        return _holders(session, role, ticket.lead_unit_id, now)
    if by == "assist":
        unit_id = session.scalar(
            select(Leg.unit_id)
            .where(Leg.ticket_id == ticket.id, Leg.role == "assist", Leg.ended_at.is_(None), Leg.answered_at.is_(None))
            .order_by(Leg.id)
            .limit(1)
        )
        return _holders(session, "handler", unit_id, now)
    if by == "decider":
        places = [
            place for request in pending_requests(session, ticket) for place in deciders(session, ticket, request, now)
        ]
        asked = {request.requested_by_id for request in pending_requests(session, ticket)}
        found = [account for role, unit_id in places for account in _holders(session, role, unit_id, now)]
        return [account for account in found if account not in asked]
    if by == "supervisor":
        root = root_unit(session)
        return _holders(session, "supervisor", root.id if root else None, now)
    return _holders(session, "dispatcher", office_of(session, ticket, now), now)


def _holders(session: Session, role: str, unit_id: int | None, now: datetime) -> list[int]:
    return [] if unit_id is None else [grant.account_id for grant in holders(session, role, [unit_id], now)]


def _first(session: Session, account_ids: list[int], now: datetime, draw: Random) -> Actor | None:
    if not account_ids:
        return None
    account = session.get_one(Account, draw.choice(account_ids))
    return load_actor(session, account, now=now)
