"""Who may decide a request: the nearest holder of the role upwards in the tree, never who asked, else the leader at the root."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from feedback.kernel.actor import Actor
from feedback.people.models import Deputy, RoleGrant, Unit
from feedback.people.queries import holders, in_force, units_by_id
from feedback.tickets.models import Ticket, TicketAbout, TicketRequest
from feedback.tickets.parts import requests_of
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
SECOND_TIME: dict[str, tuple[str, ...]] = {"extension": ("leader",)}
"""Who decides a request of these kinds when it is the second one on its ticket (`ordinal` in its payload)."""
ASKED_BY_OFFICE = ("decline", "lower_urgency")
"""Requests that an office makes: a second person of the same office may decide them."""


def roles_that_decide(request: TicketRequest) -> tuple[str, ...]:
    """The roles that decide this request; the leader at the root stands in for each."""
    is_second = (request.payload or {}).get("ordinal", 1) > 1
    return (
        SECOND_TIME.get(request.kind, ROLES_THAT_DECIDE[request.kind]) if is_second else ROLES_THAT_DECIDE[request.kind]
    )


def pending_requests(session: Session, ticket: Ticket) -> list[TicketRequest]:
    """The ticket's requests that wait for a decision, the eldest first."""
    return [request for request in requests_of(session, ticket) if request.state == "pending"]


@dataclass(frozen=True)
class Board:
    """What the rule looks at, read for any number of requests in a fixed number of queries (`read_board`)."""

    starts: dict[int, Unit]
    shut: dict[int, set[int]]
    barred: dict[int, set[int]]
    holders: dict[tuple[str, int], set[int]]


def read_board(session: Session, pairs: Sequence[tuple[Ticket, TicketRequest]], now: datetime) -> Board:
    """The board for these requests of these tickets."""
    units = units_by_id(session, (request.unit_id or ticket.area_id for ticket, request in pairs))
    upwards = {unit_id for unit in units.values() for unit_id in unit.ancestor_ids()}
    about: dict[int, set[int]] = {}
    named = select(TicketAbout.ticket_id, TicketAbout.unit_id).where(
        TicketAbout.ticket_id.in_({ticket.id for ticket, _ in pairs})
    )
    for ticket_id, unit_id in session.execute(named):
        if unit_id is not None:
            about.setdefault(ticket_id, set()).add(unit_id)
    roles = {role for _, request in pairs for role in (*roles_that_decide(request), "leader")}
    held: dict[tuple[str, int], set[int]] = {}
    for role in sorted(roles):
        for grant in holders(session, role, upwards, now):
            held.setdefault((role, grant.unit_id), set()).add(grant.account_id)
    barred = _barred_by_asker(session, {request.requested_by_id for _, request in pairs} - {None}, now)
    return Board(
        starts={request.id: units[request.unit_id or ticket.area_id] for ticket, request in pairs},
        shut={ticket.id: about.get(ticket.id, set()) for ticket, _ in pairs},
        barred={request.id: barred.get(request.requested_by_id, set()) for _, request in pairs},
        holders=held,
    )


def _barred_by_asker(session: Session, askers: set[int | None], now: datetime) -> dict[int | None, set[int]]:
    """For each requester: themselves, their deputies, whom they stand in for, and those who work under them."""
    barred: dict[int | None, set[int]] = {asker: {asker} for asker in askers if asker is not None}
    if not barred:
        return {}
    deputies = select(Deputy.account_id, Deputy.deputy_id).where(
        or_(Deputy.account_id.in_(barred), Deputy.deputy_id.in_(barred)),
        in_force(Deputy.valid_from, Deputy.valid_to, now),
    )
    for account_id, deputy_id in session.execute(deputies):
        for asker, other in ((account_id, deputy_id), (deputy_id, account_id)):
            if asker in barred:
                barred[asker].add(other)
    head, handler = aliased(RoleGrant), aliased(RoleGrant)
    under = (
        select(head.account_id, handler.account_id)
        .join(handler, handler.unit_id == head.unit_id)
        .where(head.role == "unit_head", handler.role == "handler", head.account_id.in_(barred))
    )
    for asker, subordinate in session.execute(under):
        barred[asker].add(subordinate)
    return barred


def _place(board: Board, ticket: Ticket, request: TicketRequest, role: str) -> tuple[str, int] | None:
    """(role, unit id) whose holders decide in this role; the root's leader where no unit upwards has one."""
    upwards = board.starts[request.id].ancestor_ids()
    for wanted, candidates in ((role, upwards), ("leader", upwards[-1:])):
        for unit_id in candidates:
            is_asking_unit = unit_id == request.unit_id and request.kind not in ASKED_BY_OFFICE
            if unit_id in board.shut[ticket.id] or is_asking_unit:
                continue
            if board.holders.get((wanted, unit_id), set()) - board.barred[request.id]:
                return wanted, unit_id
    return None


def standings_on(board: Board, actor: Actor, ticket: Ticket, request: TicketRequest) -> tuple[Standing, ...]:
    """The standings by which the actor may decide this request; none for whoever asked and theirs."""
    if actor.account_id is None or actor.account_id in board.barred[request.id]:
        return ()
    found = []
    for role in roles_that_decide(request):
        place = _place(board, ticket, request, role)
        if place:
            found += [Standing(g.role, "decider", g) for g in actor.grants_for(place[0]) if g.unit_id == place[1]]
    return tuple(dict.fromkeys(found))


def decider_standings(
    session: Session, actor: Actor, ticket: Ticket, request: TicketRequest, now: datetime
) -> tuple[Standing, ...]:
    """As `standings_on`, for one request."""
    return standings_on(read_board(session, [(ticket, request)], now), actor, ticket, request)


def deciders(session: Session, ticket: Ticket, request: TicketRequest, now: datetime) -> list[tuple[str, int]]:
    """The (role, unit id) pairs whose holders are told of a request."""
    board = read_board(session, [(ticket, request)], now)
    places = (_place(board, ticket, request, role) for role in roles_that_decide(request))
    return list(dict.fromkeys(place for place in places if place))
