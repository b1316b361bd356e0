"""Who may decide a request: the nearest holder of the role upwards in the tree, never who asked, else the leader at the root."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.people.models import Deputy, RoleGrant, Unit
from feedback.people.queries import holders, in_force
from feedback.tickets.models import Ticket, TicketAbout, TicketRequest
from feedback.tickets.visibility import Standing

ROLES_THAT_DECIDE: dict[str, tuple[str, ...]] = {
    "decline": ("dispatcher", "supervisor"),
    "lower_urgency": ("supervisor",),
    "return": ("dispatcher",),
    "extension": ("dispatcher",),
    "suspension": ("leader",),
    "exclusion": ("dispatcher", "supervisor", "leader"),
    "appeal": ("dispatcher",),
}
ASKED_BY_OFFICE = ("decline", "lower_urgency")
"""Requests that an office makes: a second person of the same office may decide them."""


def pending_requests(session: Session, ticket: Ticket) -> list[TicketRequest]:
    """The ticket's requests that wait for a decision, the eldest first."""
    return list(
        session.scalars(
            select(TicketRequest)
            .where(TicketRequest.ticket_id == ticket.id, TicketRequest.state == "pending")
            .order_by(TicketRequest.id)
        )
    )


def _barred_accounts(session: Session, request: TicketRequest, now: datetime) -> set[int]:
    """The requester, their deputies, whom they stand in for, and those who work under them."""
    asker = request.requested_by_id
    if asker is None:
        return set()
    barred = {asker}
    pairs = session.execute(
        select(Deputy.account_id, Deputy.deputy_id).where(
            or_(Deputy.account_id == asker, Deputy.deputy_id == asker),
            in_force(Deputy.valid_from, Deputy.valid_to, now),
        )
    )
    for pair in pairs:
        barred.update(pair)
    headed = select(RoleGrant.unit_id).where(RoleGrant.account_id == asker, RoleGrant.role == "unit_head")
    barred.update(
        session.scalars(select(RoleGrant.account_id).where(RoleGrant.role == "handler", RoleGrant.unit_id.in_(headed)))
    )
    return barred


def deciding_unit(
    session: Session, ticket: Ticket, request: TicketRequest, role: str, now: datetime
) -> tuple[str, int] | None:
    """(role, unit id) whose holders decide in this role; the root's leader where no unit upwards has one."""
    start = session.get_one(Unit, request.unit_id or ticket.area_id)
    upwards = start.ancestor_ids()
    shut = set(
        session.scalars(
            select(TicketAbout.unit_id).where(TicketAbout.ticket_id == ticket.id, TicketAbout.unit_id.is_not(None))
        )
    )
    barred = _barred_accounts(session, request, now)
    for wanted, candidates in ((role, upwards), ("leader", upwards[-1:])):
        for unit_id in candidates:
            if unit_id in shut or (unit_id == request.unit_id and request.kind not in ASKED_BY_OFFICE):
                continue
            if any(g.account_id not in barred for g in holders(session, wanted, [unit_id], now)):
                return wanted, unit_id
    return None


def decider_standings(
    session: Session, actor: Actor, ticket: Ticket, request: TicketRequest, now: datetime
) -> tuple[Standing, ...]:
    """The standings by which the actor may decide this request; none for whoever asked and theirs."""
    if actor.account_id is None or actor.account_id in _barred_accounts(session, request, now):
        return ()
    found = []
    for role in ROLES_THAT_DECIDE[request.kind]:
        place = deciding_unit(session, ticket, request, role, now)
        if place:
            found += [Standing(g.role, "decider", g) for g in actor.grants_for(place[0]) if g.unit_id == place[1]]
    return tuple(dict.fromkeys(found))


def deciders(session: Session, ticket: Ticket, request: TicketRequest, now: datetime) -> list[tuple[str, int]]:
    """The (role, unit id) pairs whose holders are told of a request."""
    places = (deciding_unit(session, ticket, request, role, now) for role in ROLES_THAT_DECIDE[request.kind])
    return list(dict.fromkeys(place for place in places if place))
