"""The only place that changes a ticket's status. One call writes the whole step: row, timeline, clocks, audit, outbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from feedback.kernel import audit, outbox
from feedback.sla import timers
from feedback.tickets import lifecycle
from feedback.tickets.hold import Held
from feedback.tickets.models import Leg, Message, Ticket, TicketRequest, TimelineEntry

REQUEST_STATES: dict[str, tuple[str, ...]] = {
    kind: tuple(sorted({s for r in lifecycle.rules_for(f"decide:{kind}:granted") for s in r.states}))
    for kind in lifecycle.REQUEST_KINDS
}
"""In which states a request of a kind still has a point; elsewhere a pending one is overtaken."""


@dataclass(frozen=True)
class NewLeg:
    """A unit that gets a part of the ticket by this step."""

    unit_id: int
    role: str
    task: str | None = None
    due_at: datetime | None = None


def perform(
    held: Held,
    *,
    text: str | None = None,
    title: str | None = None,
    facts: dict[str, Any] | None = None,
    legs: Sequence[NewLeg] = (),
    wait_until: datetime | None = None,
    clocks: tuple[str, ...] | None = None,
    is_public: bool | None = None,
) -> TimelineEntry:
    """Take the step that `held.rule` describes, in the open transaction.

    `facts` are codes and ids that the timeline shows (never names of a protected submitter); `legs` are units that get
    a part; `wait_until` bounds a pause; `clocks` replaces the rule's effects where the step is only asked for. The guard was passed when the held was opened.
    """
    ticket, rule = held.ticket, held.rule
    before = lifecycle.state_of(ticket.status, ticket.closure_reason) if ticket.version else lifecycle.NEW
    _move(held, before)
    ticket.version += 1
    held.session.flush()
    _run_clocks(held, held.rule.clocks if clocks is None else clocks, legs, wait_until)
    _overtake_requests(held)
    after = lifecycle.state_of(ticket.status, ticket.closure_reason)
    action = rule.action.split(":")[0]
    entry = _write_entry(held, action, before, after, facts or {}, rule.is_public if is_public is None else is_public)
    if text is not None:
        held.session.add(
            Message(ticket_id=ticket.id, version=ticket.version, title=title, body=text, written_at=held.now)
        )
    _record(held, action, before, after, text, facts or {})
    outbox.publish(
        held.session,
        rule.event,
        now=held.now,
        ticket_id=ticket.id,
        version=ticket.version,
        payload={"by_seat": held.standing.seat_id, "by_account": _account_id(held), "round": ticket.round},
        unique_key=f"ticket:{ticket.id}:{ticket.version}",
    )
    held.session.flush()
    return entry


def _account_id(held: Held) -> int | None:
    """The account that acted, or None for a seat (whose account no row may hold) and for the system."""
    return None if held.standing.relation == "own" else held.actor.account_id


def _move(held: Held, before: str) -> None:
    ticket, rule, now = held.ticket, held.rule, held.now
    if rule.to == lifecycle.STAY:
        return
    if rule.to in (lifecycle.BACK, lifecycle.BEFORE):
        target = ticket.return_status or lifecycle.IN_PROGRESS
    else:
        target = rule.to
    status, reason = lifecycle.split_state(target)
    if status in (lifecycle.WAITING, lifecycle.SUSPENDED) or reason == "joined":
        ticket.return_status = before
    elif rule.to in (lifecycle.BACK, lifecycle.BEFORE):
        ticket.return_status = None
    ticket.status, ticket.closure_reason = status, reason
    if status == lifecycle.CLOSED:
        ticket.closed_at = now
    else:
        ticket.closed_at = None
    if status == lifecycle.RESOLVED:
        ticket.resolved_at = now
        ticket.first_resolved_at = ticket.first_resolved_at or now
        ticket.first_resolved_unit_id = ticket.first_resolved_unit_id or ticket.lead_unit_id


def _run_clocks(held: Held, effects: tuple[str, ...], legs: Sequence[NewLeg], wait_until: datetime | None) -> None:
    """Carry out the rule's effects in their order, then copy the due time that lists sort by."""
    session, ticket, now = held.session, held.ticket, held.now
    for effect in effects:
        verb, _, kind = effect.partition(" ")
        if effect == "start legs":
            _start_legs(held, legs)
        elif effect in ("end lead leg", "end other legs", "end leg"):
            _end_legs(held, effect, {leg.unit_id for leg in legs})
        elif effect == "start signing":
            _start(held, "signing", unit_id=ticket.lead_unit_id, leg_id=ticket.lead_leg_id)
        elif effect == "restart resolution":
            ticket.round += 1
            ticket.reopen_count += 1
            _start(held, "resolution", amount="rework")
        elif effect == "restart lead leg":
            _start_lead_clock(held)
        elif effect == "meet lead leg":
            timers.meet(session, ticket.id, "leg", at=now, leg_id=ticket.lead_leg_id)
        elif verb == "start":
            _start(held, kind, request_id=held.request.id if held.request else None)
        elif verb == "meet":
            _meet(held, kind)
        elif verb == "drop":
            timers.drop(session, ticket.id, kind, at=now, request_id=_request_id(held, kind))
        elif verb == "pause" and wait_until:
            timers.open_pause(session, ticket.id, reason=kind, at=now, wake_at=wait_until, by=_actor_name(held))
        elif verb == "unpause":
            timers.end_pause(session, ticket.id, at=now)
        elif verb == "stop":
            timers.stop_all(session, ticket.id, at=now)
        elif verb == "repolicy":
            timers.repolicy(session, ticket.id, held.facts(), at=now)
        else:
            raise RuntimeError(f"lifecycle: no such effect: {effect}")
    ticket.due_at = timers.current_due(session, ticket.id)
    _keep_original_due(held)


def _keep_original_due(held: Held) -> None:
    """The first resolution due as it stands at the first dispatch; raising the urgency may move it earlier, never later."""
    ticket = held.ticket
    if ticket.status == lifecycle.SUBMITTED or ticket.due_at is None or ticket.round > 1:
        return
    if ticket.first_dispatched_at is None:
        if ticket.lead_unit_id is None:
            return
        ticket.first_dispatched_at = held.now
        ticket.first_lead_unit_id, ticket.first_area_id = ticket.lead_unit_id, ticket.area_id
        ticket.first_category_id = ticket.category_id
        ticket.original_due_at = ticket.due_at
    elif held.rule.clocks == ("repolicy",) and ticket.original_due_at:
        ticket.original_due_at = min(ticket.original_due_at, ticket.due_at)


def _request_id(held: Held, kind: str) -> int | None:
    return held.request.id if held.request and kind in ("decision", "appeal") else None


def _start(held: Held, kind: str, **more: Any) -> None:
    spec = timers.ClockStart(ticket_id=held.ticket.id, kind=kind, at=held.now, round=held.ticket.round, **more)
    timers.start(held.session, spec, held.facts())


def _meet(held: Held, kind: str) -> None:
    timers.meet(held.session, held.ticket.id, kind, at=held.now, request_id=_request_id(held, kind))
    if kind == "first_response" and held.ticket.first_responded_at is None:
        held.ticket.first_responded_at = held.now
    if kind == "signing":
        leg = held.lead_leg()
        if leg and leg.acknowledged_at is None:
            leg.acknowledged_at, leg.acknowledged_by_system = held.now, held.actor.is_system


def _start_lead_clock(held: Held) -> None:
    if held.ticket.lead_leg_id:
        _start(
            held,
            "leg",
            amount="leg_floor",
            unit_id=held.ticket.lead_unit_id,
            leg_id=held.ticket.lead_leg_id,
            follows_resolution=True,
        )


def _start_legs(held: Held, new: Sequence[NewLeg]) -> None:
    session, ticket = held.session, held.ticket
    for wanted in new:
        former = session.scalars(
            select(Leg)
            .where(Leg.ticket_id == ticket.id, Leg.unit_id == wanted.unit_id, Leg.role == wanted.role)
            .where(Leg.ended_at.is_not(None))
            .order_by(Leg.id.desc())
        ).first()
        if former and wanted.role == "lead":
            former.ended_at = former.end_reason = former.acknowledged_at = None
            former.acknowledged_by_system = False
            leg = former
        else:
            leg = Leg(
                ticket_id=ticket.id,
                unit_id=wanted.unit_id,
                role=wanted.role,
                round=ticket.round,
                task=wanted.task,
                started_at=held.now,
            )
            session.add(leg)
        session.flush()
        held.touched_units.add(leg.unit_id)
        if wanted.role == "lead":
            ticket.lead_leg_id, ticket.lead_unit_id, ticket.assignee_id = leg.id, leg.unit_id, leg.assignee_id
            if not (leg is former and timers.revive_leg(session, leg.id, at=held.now)):
                _start_lead_clock(held)
        else:
            _start(held, "leg", amount="assist", unit_id=leg.unit_id, leg_id=leg.id, fixed_due_at=wanted.due_at)


def _end_legs(held: Held, effect: str, named: set[int]) -> None:
    """End the lead's leg, the legs of the units named, or (a ruling) all legs of units not named."""
    session, ticket = held.session, held.ticket
    for leg in held.open_legs():
        is_lead = leg.id == ticket.lead_leg_id
        ends = {"end lead leg": is_lead, "end other legs": leg.unit_id not in named, "end leg": leg.unit_id in named}
        if not ends[effect]:
            continue
        leg.ended_at, leg.end_reason = held.now, held.rule.action.split(":")[0]
        held.touched_units.add(leg.unit_id)
        timers.drop(session, ticket.id, "leg", at=held.now, leg_id=leg.id)
        if is_lead:
            ticket.lead_leg_id = ticket.lead_unit_id = ticket.assignee_id = None


def _overtake_requests(held: Held) -> None:
    """Mark pending requests that this step made pointless, and stop their clocks."""
    state = lifecycle.state_of(held.ticket.status, held.ticket.closure_reason)
    kept = [kind for kind, states in REQUEST_STATES.items() if state in states]
    gone = held.session.scalars(
        select(TicketRequest).where(
            TicketRequest.ticket_id == held.ticket.id,
            TicketRequest.state == "pending",
            TicketRequest.kind.not_in(kept),
        )
    ).all()
    for request in gone:
        held.session.execute(update(TicketRequest).where(TicketRequest.id == request.id).values(state="overtaken"))
        for kind in ("decision", "appeal"):
            timers.drop(held.session, held.ticket.id, kind, at=held.now, request_id=request.id)


def _actor_name(held: Held) -> str:
    standing = held.standing
    if standing.relation == "own":
        return f"seat:{standing.seat_id}"
    where = f" as {standing.role}@{standing.grant.unit_code}" if standing.grant else ""
    return held.actor.audit_name() + where


def _write_entry(
    held: Held, action: str, before: str, after: str, facts: dict[str, Any], is_public: bool
) -> TimelineEntry:
    standing, ticket = held.standing, held.ticket
    entry = TimelineEntry(
        ticket_id=ticket.id,
        version=ticket.version,
        action=action,
        from_status=None if before == lifecycle.NEW else before,
        to_status=after,
        round=ticket.round,
        seat_id=standing.seat_id,
        account_id=_account_id(held),
        role=standing.role,
        unit_id=standing.grant.unit_id if standing.grant and standing.relation != "own" else None,
        is_public=is_public,
        facts=facts,
        at=held.now,
    )
    held.session.add(entry)
    if is_public and standing.role not in (lifecycle.SYSTEM_ROLE,):
        ticket.last_word_at = held.now
    return entry


def _record(held: Held, action: str, before: str, after: str, text: str | None, facts: dict[str, Any]) -> None:
    recorded: dict[str, Any] = {
        "version": held.ticket.version,
        "from": before,
        "to": after,
        "fields": sorted(facts),
        "channel": held.actor.channel,
    }
    if text is not None:
        recorded["text"] = audit.digest(text)
    audit.record(
        held.session,
        f"ticket:{held.ticket.id}",
        actor=_actor_name(held),
        action=action,
        now=held.now,
        facts=recorded,
    )


def new_ticket(**columns: Any) -> Ticket:
    """A ticket about to be submitted, in its first status; `perform` with the submit rule takes its first step."""
    return Ticket(status=lifecycle.SUBMITTED, version=0, round=1, reopen_count=0, **columns)
