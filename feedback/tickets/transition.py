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
from feedback.tickets.case import Case
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
    case: Case,
    *,
    text: str | None = None,
    title: str | None = None,
    facts: dict[str, Any] | None = None,
    legs: Sequence[NewLeg] = (),
    wait_until: datetime | None = None,
    is_public: bool | None = None,
) -> TimelineEntry:
    """Take the step that `case.rule` describes, in the open transaction.

    `facts` are codes and ids that the timeline shows (never names of a protected submitter); `legs` are units that get
    a part; `wait_until` bounds a pause. The guard was passed when the case was opened.
    """
    ticket, rule = case.ticket, case.rule
    before = lifecycle.state_of(ticket.status, ticket.closure_reason) if ticket.version else lifecycle.NEW
    _move(case, before)
    ticket.version += 1
    case.session.flush()
    _run_clocks(case, legs, wait_until)
    _overtake_requests(case)
    after = lifecycle.state_of(ticket.status, ticket.closure_reason)
    action = rule.action.split(":")[0]
    entry = _write_entry(case, action, before, after, facts or {}, rule.is_public if is_public is None else is_public)
    if text is not None:
        case.session.add(
            Message(ticket_id=ticket.id, version=ticket.version, title=title, body=text, written_at=case.now)
        )
    _record(case, action, before, after, text, facts or {})
    outbox.publish(
        case.session,
        rule.event,
        now=case.now,
        ticket_id=ticket.id,
        version=ticket.version,
        payload={"by_seat": case.standing.seat_id, "by_account": _account_id(case), "round": ticket.round},
        unique_key=f"ticket:{ticket.id}:{ticket.version}",
    )
    case.session.flush()
    return entry


def _account_id(case: Case) -> int | None:
    """The account that acted, or None for a seat (whose account no row may hold) and for the system."""
    return None if case.standing.relation == "own" else case.actor.account_id


def _move(case: Case, before: str) -> None:
    ticket, rule, now = case.ticket, case.rule, case.now
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


def _run_clocks(case: Case, legs: Sequence[NewLeg], wait_until: datetime | None) -> None:
    """Carry out the rule's effects in their order, then copy the due time that lists sort by."""
    session, ticket, now = case.session, case.ticket, case.now
    for effect in case.rule.clocks:
        verb, _, kind = effect.partition(" ")
        if effect == "start legs":
            _start_legs(case, legs)
        elif effect in ("end lead leg", "end other legs", "end leg"):
            _end_legs(case, effect, {leg.unit_id for leg in legs})
        elif effect == "start signing":
            _start(case, "signing", unit_id=ticket.lead_unit_id, leg_id=ticket.lead_leg_id)
        elif effect == "restart resolution":
            ticket.round += 1
            ticket.reopen_count += 1
            _start(case, "resolution", amount="rework")
        elif effect == "restart lead leg":
            _start_lead_clock(case)
        elif effect == "meet lead leg":
            timers.meet(session, ticket.id, "leg", at=now, leg_id=ticket.lead_leg_id)
        elif verb == "start":
            _start(case, kind, request_id=case.request.id if case.request else None)
        elif verb == "meet":
            _meet(case, kind)
        elif verb == "drop":
            timers.drop(session, ticket.id, kind, at=now, request_id=_request_id(case, kind))
        elif verb == "pause" and wait_until:
            timers.open_pause(session, ticket.id, reason=kind, at=now, wake_at=wait_until, by=_actor_name(case))
        elif verb == "unpause":
            timers.end_pause(session, ticket.id, at=now)
        elif verb == "stop":
            timers.stop_all(session, ticket.id, at=now)
        elif verb == "repolicy":
            timers.repolicy(session, ticket.id, case.facts(), at=now)
        else:
            raise RuntimeError(f"lifecycle: no such effect: {effect}")
    ticket.due_at = timers.current_due(session, ticket.id)
    _keep_original_due(case)


def _keep_original_due(case: Case) -> None:
    """The first resolution due as it stands at the first dispatch; raising the urgency may move it earlier, never later."""
    ticket = case.ticket
    if ticket.status == lifecycle.SUBMITTED or ticket.due_at is None or ticket.round > 1:
        return
    if ticket.first_dispatched_at is None:
        if ticket.lead_unit_id is None:
            return
        ticket.first_dispatched_at = case.now
        ticket.first_lead_unit_id, ticket.first_area_id = ticket.lead_unit_id, ticket.area_id
        ticket.first_category_id = ticket.category_id
        ticket.original_due_at = ticket.due_at
    elif case.rule.clocks == ("repolicy",) and ticket.original_due_at:
        ticket.original_due_at = min(ticket.original_due_at, ticket.due_at)


def _request_id(case: Case, kind: str) -> int | None:
    return case.request.id if case.request and kind in ("decision", "appeal") else None


def _start(case: Case, kind: str, **more: Any) -> None:
    spec = timers.ClockStart(ticket_id=case.ticket.id, kind=kind, at=case.now, round=case.ticket.round, **more)
    timers.start(case.session, spec, case.facts())


def _meet(case: Case, kind: str) -> None:
    timers.meet(case.session, case.ticket.id, kind, at=case.now, request_id=_request_id(case, kind))
    if kind == "first_response" and case.ticket.first_responded_at is None:
        case.ticket.first_responded_at = case.now
    if kind == "signing":
        leg = case.lead_leg()
        if leg and leg.acknowledged_at is None:
            leg.acknowledged_at, leg.acknowledged_by_system = case.now, case.actor.is_system


def _start_lead_clock(case: Case) -> None:
    if case.ticket.lead_leg_id:
        _start(
            case,
            "leg",
            amount="leg_floor",
            unit_id=case.ticket.lead_unit_id,
            leg_id=case.ticket.lead_leg_id,
            follows_resolution=True,
        )


def _start_legs(case: Case, new: Sequence[NewLeg]) -> None:
    session, ticket = case.session, case.ticket
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
                started_at=case.now,
            )
            session.add(leg)
        session.flush()
        case.touched_units.add(leg.unit_id)
        if wanted.role == "lead":
            ticket.lead_leg_id, ticket.lead_unit_id, ticket.assignee_id = leg.id, leg.unit_id, leg.assignee_id
            if not (leg is former and timers.revive_leg(session, leg.id, at=case.now)):
                _start_lead_clock(case)
        else:
            _start(case, "leg", amount="assist", unit_id=leg.unit_id, leg_id=leg.id, fixed_due_at=wanted.due_at)


def _end_legs(case: Case, effect: str, named: set[int]) -> None:
    """End the lead's leg, the legs of the units named, or (a ruling) all legs of units not named."""
    session, ticket = case.session, case.ticket
    for leg in case.open_legs():
        is_lead = leg.id == ticket.lead_leg_id
        ends = {"end lead leg": is_lead, "end other legs": leg.unit_id not in named, "end leg": leg.unit_id in named}
        if not ends[effect]:
            continue
        leg.ended_at, leg.end_reason = case.now, case.rule.action.split(":")[0]
        case.touched_units.add(leg.unit_id)
        timers.drop(session, ticket.id, "leg", at=case.now, leg_id=leg.id)
        if is_lead:
            ticket.lead_leg_id = ticket.lead_unit_id = ticket.assignee_id = None


def _overtake_requests(case: Case) -> None:
    """Mark pending requests that this step made pointless, and stop their clocks."""
    state = lifecycle.state_of(case.ticket.status, case.ticket.closure_reason)
    kept = [kind for kind, states in REQUEST_STATES.items() if state in states]
    gone = case.session.scalars(
        select(TicketRequest).where(
            TicketRequest.ticket_id == case.ticket.id,
            TicketRequest.state == "pending",
            TicketRequest.kind.not_in(kept),
        )
    ).all()
    for request in gone:
        case.session.execute(update(TicketRequest).where(TicketRequest.id == request.id).values(state="overtaken"))
        for kind in ("decision", "appeal"):
            timers.drop(case.session, case.ticket.id, kind, at=case.now, request_id=request.id)


def _actor_name(case: Case) -> str:
    standing = case.standing
    if standing.relation == "own":
        return f"seat:{standing.seat_id}"
    where = f" as {standing.role}@{standing.grant.unit_code}" if standing.grant else ""
    return case.actor.audit_name() + where


def _write_entry(
    case: Case, action: str, before: str, after: str, facts: dict[str, Any], is_public: bool
) -> TimelineEntry:
    standing, ticket = case.standing, case.ticket
    entry = TimelineEntry(
        ticket_id=ticket.id,
        version=ticket.version,
        action=action,
        from_status=None if before == lifecycle.NEW else before,
        to_status=after,
        round=ticket.round,
        seat_id=standing.seat_id,
        account_id=_account_id(case),
        role=standing.role,
        unit_id=standing.grant.unit_id if standing.grant and standing.relation != "own" else None,
        is_public=is_public,
        facts=facts,
        at=case.now,
    )
    case.session.add(entry)
    if is_public and standing.role not in (lifecycle.SYSTEM_ROLE,):
        ticket.last_word_at = case.now
    return entry


def _record(case: Case, action: str, before: str, after: str, text: str | None, facts: dict[str, Any]) -> None:
    recorded: dict[str, Any] = {
        "version": case.ticket.version,
        "from": before,
        "to": after,
        "fields": sorted(facts),
        "channel": case.actor.channel,
    }
    if text is not None:
        recorded["text"] = audit.digest(text)
    audit.record(
        case.session,
        f"ticket:{case.ticket.id}",
        actor=_actor_name(case),
        action=action,
        now=case.now,
        facts=recorded,
    )


def new_ticket(**columns: Any) -> Ticket:
    """A ticket about to be submitted, in its first status; `perform` with the submit rule takes its first step."""
    return Ticket(status=lifecycle.SUBMITTED, version=0, round=1, reopen_count=0, **columns)
