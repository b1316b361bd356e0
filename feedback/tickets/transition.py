"""The only place that changes a ticket's status. One call writes the whole step: row, clocks, timeline, audit, outbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from feedback.files.uploads import KeptFile
from feedback.kernel import audit, outbox
from feedback.kernel.db import flushed
from feedback.sla import timers
from feedback.tickets import lifecycle
from feedback.tickets.attachments import add_files
from feedback.tickets.clockwork import NewLeg, Step, run_effects
from feedback.tickets.figures import hold_matters, keep_figures, mark_elders, matter_of
from feedback.tickets.hold import Held
from feedback.tickets.models import Message, Ticket, TicketRequest, TimelineEntry
from feedback.tickets.search_index import index_again, index_new

CONFIRMED = f"{lifecycle.CLOSED}.confirmed"
REQUEST_STATES: dict[str, frozenset[str]] = {
    kind: frozenset(s for rule in lifecycle.rules_for(f"decide:{kind}:granted") for s in rule.states)
    for kind in lifecycle.REQUEST_KINDS
}
"""In which states a request of a kind still has a point."""

_PENDING = select(TicketRequest).where(TicketRequest.ticket_id == bindparam("id"), TicketRequest.state == "pending")


def new_ticket(**columns: Any) -> Ticket:
    """A ticket about to be submitted, in its first status; `perform` with the submit rule takes its first step."""
    return Ticket(status=lifecycle.SUBMITTED, version=0, round=1, reopen_count=0, **columns)


def legacy_ticket(**columns: Any) -> Ticket:
    """A ticket of imported history: the mark `legacy` instead of a status. It takes no step and has no clocks."""
    return Ticket(status="legacy", origin="legacy", version=1, round=1, reopen_count=0, **columns)


def perform(
    held: Held,
    *,
    text: str | None = None,
    title: str | None = None,
    facts: dict[str, Any] | None = None,
    legs: Sequence[NewLeg] = (),
    wait_until: datetime | None = None,
    clocks: tuple[str, ...] | None = None,
    event: str | None = None,
    is_public: bool | None = None,
    is_other_end: bool = False,
) -> TimelineEntry:
    """Take the step that `held.rule` describes, in the open transaction.

    `facts` are codes and ids that the timeline shows (never names of a protected submitter); `legs` are units that get
    a part; `wait_until` bounds a pause; `clocks`, `event` and `is_public` replace the rule's where a step is only asked
    for; `is_other_end`: it leads to the rule's `or_to`. The guard was passed when the ticket was taken in hand.
    """
    ticket, rule = held.ticket, held.rule
    before = lifecycle.state_of(ticket.status, ticket.closure_reason) if ticket.version else lifecycle.NEW
    was_closed_at = ticket.closed_at
    _move(held, before, rule.or_to if is_other_end else rule.to)
    ticket.version += 1
    run_effects(
        Step(held, legs, wait_until, actor_name(held), was_closed_at), rule.clocks if clocks is None else clocks
    )
    _overtake_requests(held)
    after = lifecycle.state_of(ticket.status, ticket.closure_reason)
    entry = TimelineEntry(
        ticket_id=ticket.id,
        version=ticket.version,
        action=rule.action.split(":")[0],
        from_status=None if before == lifecycle.NEW else before,
        to_status=after,
        round=ticket.round,
        seat_id=held.standing.seat_id,
        account_id=_account_id(held),
        role=held.standing.role,
        unit_id=_unit_id(held),
        is_public=rule.is_public if is_public is None else is_public,
        facts=facts or {},
        at=held.now,
    )
    held.session.add(entry)
    if text is not None:
        held.session.add(
            Message(ticket_id=ticket.id, version=ticket.version, title=title, body=text, written_at=held.now)
        )
        if entry.is_public:
            ticket.last_word_at = held.now
        if held.is_new:
            index_new(held.session, ticket, title or "", text)
        else:
            held.session.flush()
            index_again(held.session, ticket)
    files = held.files
    if files:
        held.session.flush()
        add_files(held.session, ticket, entry, files, actor=held.actor, now=held.now)
        held.files = ()
    _record(held, entry, text, files)
    outbox.publish(
        held.session,
        event or rule.event,
        now=held.now,
        ticket_id=ticket.id,
        version=ticket.version,
        payload={
            "by_seat": held.standing.seat_id,
            "by_account": entry.account_id,
            "round": ticket.round,
            "request": held.request.id if held.request else None,
        },
        unique_key=f"ticket:{ticket.id}:{ticket.version}",
    )
    if held.is_new:  # its own figures are none, as its columns say by themselves
        if ticket.version == 1:
            mark_elders(held.session, ticket)
        return entry
    held.session.flush()
    if after == CONFIRMED:
        hold_matters(held.session, matter_of(ticket))
    keep_figures(held.session, [ticket.id])
    return entry


def actor_name(held: Held) -> str:
    """How audit and pauses name who acted: `seat:4`, `account:12 as handler@water`, `system`."""
    if held.standing.seat_id is not None:
        return f"seat:{held.standing.seat_id}"
    grant = held.standing.grant
    return held.actor.audit_name() + (f" as {held.standing.role}@{grant.unit_code}" if grant else "")


def _account_id(held: Held) -> int | None:
    """The account that acted, or None for a seat (whose account no row may hold) and for the system."""
    return None if held.standing.seat_id is not None else held.actor.account_id


def _unit_id(held: Held) -> int | None:
    grant = held.standing.grant
    return grant.unit_id if grant and held.standing.seat_id is None else None


def _move(held: Held, before: str, to: str) -> None:
    """Set the status that the step leads to, with the instants that go with it.

    A ticket that is joined while it waits keeps where the wait began: there it is again when it is taken apart.
    """
    ticket = held.ticket
    if to == lifecycle.STAY:
        return
    goes_back = to in (lifecycle.BACK, lifecycle.BEFORE)
    target = (ticket.return_status or lifecycle.IN_PROGRESS) if goes_back else to
    status, reason = lifecycle.split_state(target)
    paused = (lifecycle.WAITING, lifecycle.SUSPENDED)
    if goes_back:
        ticket.return_status = None
    elif status in paused or (reason == "joined" and before not in paused):
        ticket.return_status = before
    ticket.status, ticket.closure_reason = status, reason
    ticket.closed_at = held.now if status == lifecycle.CLOSED else None
    if status == lifecycle.RESOLVED:
        ticket.resolved_at = held.now
        if ticket.first_resolved_at is None:
            ticket.first_resolved_at, ticket.first_resolved_unit_id = held.now, ticket.lead_unit_id


def _overtake_requests(held: Held) -> None:
    """Mark pending requests that this step made pointless, and stop their clocks.

    While a question waits for its answer or the matter is suspended, the ticket comes back: requests stay.
    """
    if held.ticket.status in (lifecycle.WAITING, lifecycle.SUSPENDED) or held.is_new:
        return
    state = lifecycle.state_of(held.ticket.status, held.ticket.closure_reason)
    with flushed(held.session, TicketRequest):
        pending = held.session.scalars(_PENDING, {"id": held.ticket.id}).all()
    for request in pending:
        if state not in REQUEST_STATES[request.kind]:
            request.state = "overtaken"
            for kind in ("decision", "appeal"):
                timers.drop(held.session, held.ticket.id, kind, at=held.now, request_id=request.id)


def _record(held: Held, entry: TimelineEntry, text: str | None, files: Sequence[KeptFile]) -> None:
    recorded: dict[str, Any] = {
        "version": entry.version,
        "from": entry.from_status,
        "to": entry.to_status,
        "fields": sorted(entry.facts),
        "channel": held.actor.channel,
    }
    if text is not None:
        recorded["text"] = audit.digest(text)
    if files:
        recorded["files"] = [file.sha256 for file in files]
    audit.record(
        held.session,
        f"ticket:{held.ticket.id}",
        actor=actor_name(held),
        action=entry.action,
        now=held.now,
        facts=recorded,
        is_first=entry.version == 1,
    )
