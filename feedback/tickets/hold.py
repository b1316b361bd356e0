"""One ticket held for one act: found, seen, allowed and not stale, in the order in which every door refuses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from feedback.files.uploads import KeptFile
from feedback.kernel.actor import Actor
from feedback.kernel.errors import NotFound, VersionConflict
from feedback.kernel.text import N_, Text
from feedback.people.queries import all_units, ancestors
from feedback.routing.queries import categories_by_id
from feedback.sla.timers import Facts
from feedback.tickets import lifecycle
from feedback.tickets.deciders import decider_standings, pending_requests
from feedback.tickets.models import Leg, Ticket, TicketRequest
from feedback.tickets.visibility import Standing, get_ticket, standings

_OPEN_LEGS = select(Leg).where(Leg.ticket_id == bindparam("id"), Leg.ended_at.is_(None)).order_by(Leg.id)


@dataclass
class Held:
    """A ticket, held for writing, with the actor, the line of the table that lets them act, and the standing they use."""

    session: Session
    ticket: Ticket
    actor: Actor
    standing: Standing
    rule: lifecycle.Rule
    now: datetime
    request: TicketRequest | None = None
    is_new: bool = False
    """Made in this very transaction: nothing of it was there before, so nothing needs to be asked."""
    files: tuple[KeptFile, ...] = ()
    """What was sent along; the first step that is taken takes it."""

    @property
    def state(self) -> str:
        return lifecycle.state_of(self.ticket.status, self.ticket.closure_reason)

    def lead_leg(self) -> Leg | None:
        """The leg of the unit that leads now."""
        return self.session.get(Leg, self.ticket.lead_leg_id) if self.ticket.lead_leg_id else None

    def open_legs(self) -> list[Leg]:
        """Legs not ended, the eldest first."""
        return list(self.session.scalars(_OPEN_LEGS, {"id": self.ticket.id}))

    def facts(self) -> Facts:
        """What the ticket's SLA policy is chosen by."""
        return facts_of(self.session, self.ticket)


def facts_of(session: Session, ticket: Ticket) -> Facts:
    """What a ticket's SLA policy is chosen by, and whose calendar counts."""
    area = all_units(session)[ticket.area_id]
    category = categories_by_id(session, {ticket.category_id}).get(ticket.category_id) if ticket.category_id else None
    return Facts(
        kind=ticket.kind,
        urgency=ticket.urgency,
        category=category.path if category else None,
        area_codes=tuple(unit.code for unit in ancestors(session, area)),
        area_id=area.id,
    )


def check_version(ticket: Ticket, version: int | None) -> None:
    """Raise VersionConflict (with the version now) where the writer saw an older ticket; None is not checked."""
    if version is not None and version != ticket.version:
        raise VersionConflict(
            Text(N_("Somebody changed this ticket while you were writing. Look at it again, then send.")),
            version=ticket.version,
        )


def hold_ticket(
    session: Session, reference: str, action: str, *, actor: Actor, now: datetime, version: int | None = None
) -> Held:
    """Hold a ticket for an action of the table other than `decide`.

    Raises, in this order: NotFound (unknown or not visible), Forbidden, Conflict, VersionConflict.
    """
    ticket = get_ticket(session, actor, reference, lock=True)
    mine = standings(session, actor, ticket, now)
    state = lifecycle.state_of(ticket.status, ticket.closure_reason)
    rule, pair = lifecycle.judge(action, state, [s.pair for s in mine])
    check_version(ticket, version)
    standing = next(s for s in mine if s.pair == pair)
    return Held(session, ticket, actor, standing, rule, now)


def hold_for_decision(
    session: Session,
    reference: str,
    request_id: int | None,
    decision: str | None,
    *,
    actor: Actor,
    now: datetime,
    version: int | None = None,
) -> Held:
    """Hold a ticket to decide a pending request. Raises as `hold_ticket`; NotFound also for a request that is not there.

    Without a (known) request id or decision the right to decide any pending request is looked at, so that the refusal
    keeps its order; the command's own check then says which field is wrong.
    """
    ticket = get_ticket(session, actor, reference, lock=True)
    pending = pending_requests(session, ticket)
    chosen = next((r for r in pending if r.id == request_id), None)
    state = lifecycle.state_of(ticket.status, ticket.closure_reason)
    wanted = [chosen] if chosen else pending
    by_request = {r.id: decider_standings(session, actor, ticket, r, now) for r in wanted}
    request = next((r for r in wanted if by_request[r.id]), chosen or (pending[0] if pending else None))
    kind = request.kind if request else "decline"
    act = f"decide:{kind}:{decision if decision in ('granted', 'refused') else 'refused'}"
    mine = by_request.get(request.id, ()) if request else ()
    rule, pair = lifecycle.judge(act, state, [s.pair for s in mine])
    check_version(ticket, version)
    if request_id is not None and chosen is None:
        raise NotFound
    standing = next(s for s in mine if s.pair == pair)
    return Held(session, ticket, actor, standing, rule, now, request=request)
