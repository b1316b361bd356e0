"""What must hold whatever happened: whole tickets, legal histories, one audit entry and one event a step, clocks that fit.

`flask check` prints what does not hold. Reads only; a fault here means a defect or a hand in the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from feedback.kernel.audit import AuditEntry
from feedback.kernel.outbox import Outbox
from feedback.sla.models import SlaClock, SlaPause
from feedback.tickets import lifecycle
from feedback.tickets.models import Identity, Leg, Message, Seat, Ticket, TicketRequest, TimelineEntry
from feedback.tickets.search_index import count_missing

BATCH = 500
PAUSED = (lifecycle.WAITING, lifecycle.SUSPENDED)


@dataclass(frozen=True)
class Fault:
    """What does not hold, and where."""

    reference: str
    text: str

    def __str__(self) -> str:
        return f"{self.reference}: {self.text}"


def find_faults(session: Session) -> Iterator[Fault]:
    """Every fault of every ticket of the loop, and how many tickets (imported history too) no search finds."""
    missing = count_missing(session)
    if missing:
        yield Fault("search", f"{missing} tickets are in no index; run: flask search reindex")
    yield from _faulty_histories(session)
    for text, condition in _CONDITIONS.items():
        query: Select[str] = select(Ticket.reference).where(Ticket.origin == "loop", condition).order_by(Ticket.id)
        yield from (Fault(reference, text) for reference in session.scalars(query))


def count_tickets(session: Session) -> int:
    """How many tickets were looked at."""
    return session.scalar(select(func.count()).select_from(Ticket).where(Ticket.origin == "loop")) or 0


def walk_faults(steps: Sequence[TimelineEntry], state: str, version: int) -> Iterator[str]:
    """What is wrong with a history: gaps, steps that no line of the lifecycle has, an end that is not the ticket's state."""
    before = lifecycle.NEW
    for number, step in enumerate(steps, start=1):
        if step.version != number:
            yield f"timeline has no version {number}"
            return
        came_from = step.from_status or lifecycle.NEW
        if came_from != before:
            yield f"version {number} begins in {came_from}, but the step before ended in {before}"
        if not _is_legal(step, before):
            walked = f"{step.action} by {step.role} from {before} to {step.to_status}"
            yield f"version {number}: {walked} is in no line of the lifecycle"
        before = step.to_status
    if len(steps) != version:
        yield f"version is {version}, the timeline has {len(steps)} steps"
    if before != state:
        yield f"is {state}, but its history ended in {before}"


def _is_legal(step: TimelineEntry, before: str) -> bool:
    rules = [rule for rule in lifecycle.RULES if rule.action.split(":")[0] == step.action]
    return any(
        before in rule.states
        and step.role in {role for role, _relation in rule.who}
        and any(_leads_to(to, before, step.to_status) for to in (rule.to, rule.or_to) if to)
        for rule in rules
    )


def _leads_to(to: str, before: str, after: str) -> bool:
    if to == lifecycle.STAY:
        return after == before
    if to in (lifecycle.BACK, lifecycle.BEFORE):
        return after in lifecycle.OPEN
    return after == to


def _faulty_histories(session: Session) -> Iterator[Fault]:
    last = 0
    while True:
        tickets = session.execute(
            select(Ticket.id, Ticket.reference, Ticket.status, Ticket.closure_reason, Ticket.version)
            .where(Ticket.id > last, Ticket.origin == "loop")
            .order_by(Ticket.id)
            .limit(BATCH)
        ).all()
        if not tickets:
            return
        ids = [row.id for row in tickets]
        steps = _by_ticket(ids, session.scalars(select(TimelineEntry).where(TimelineEntry.ticket_id.in_(ids))))
        audited, told = _audited_versions(session, ids), _told_versions(session, ids)
        for row in tickets:
            history = sorted(steps[row.id], key=lambda step: step.version)
            state = lifecycle.state_of(row.status, row.closure_reason)
            yield from (Fault(row.reference, text) for text in walk_faults(history, state, row.version))
            versions = {step.version for step in history}
            for missing in sorted(versions - audited[row.id]):
                yield Fault(row.reference, f"version {missing} has no audit entry")
            for missing in sorted(versions - told[row.id]):
                yield Fault(row.reference, f"version {missing} has no event in the outbox")
        last = ids[-1]


def _by_ticket(ids: Sequence[int], steps: Iterable[TimelineEntry]) -> dict[int, list[TimelineEntry]]:
    found: dict[int, list[TimelineEntry]] = {ticket_id: [] for ticket_id in ids}
    for step in steps:
        found[step.ticket_id].append(step)
    return found


def _audited_versions(session: Session, ids: Sequence[int]) -> dict[int, set[int]]:
    """Versions of which the ticket's audit stream speaks."""
    streams = {f"ticket:{ticket_id}": ticket_id for ticket_id in ids}
    found: dict[int, set[int]] = {ticket_id: set() for ticket_id in ids}
    for stream, facts in session.execute(
        select(AuditEntry.stream, AuditEntry.facts).where(AuditEntry.stream.in_(streams))
    ):
        found[streams[stream]].add(facts.get("version", 0))
    return found


def _told_versions(session: Session, ids: Sequence[int]) -> dict[int, set[int]]:
    """Versions of which an event was published."""
    found: dict[int, set[int]] = {ticket_id: set() for ticket_id in ids}
    query = select(Outbox.ticket_id, Outbox.version).where(Outbox.ticket_id.in_(ids), Outbox.version.is_not(None))
    for ticket_id, version in session.execute(query):
        found[ticket_id or 0].add(version or 0)
    return found


def _open_clocks(*kinds: str) -> Select[int]:
    return select(SlaClock.id).where(
        SlaClock.ticket_id == Ticket.id,
        SlaClock.kind.in_(kinds),
        SlaClock.met_at.is_(None),
        SlaClock.dropped_at.is_(None),
    )


def _is_in(*statuses: str) -> ColumnElement[bool]:
    return Ticket.status.in_(statuses)


_HAS_OPEN_PAUSE = select(SlaPause.id).where(SlaPause.ticket_id == Ticket.id, SlaPause.ended_at.is_(None)).exists()
_OPEN_LEAD_LEG = select(Leg.id).where(
    Leg.id == Ticket.lead_leg_id, Leg.ended_at.is_(None), Leg.role == "lead", Leg.unit_id == Ticket.lead_unit_id
)
_SEATS = select(Seat.id).where(Seat.ticket_id == Ticket.id)

_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "is waiting or suspended, but nothing stands still": and_(_is_in(*PAUSED), ~_HAS_OPEN_PAUSE),
    "its clocks stand still, but it is neither waiting nor suspended": and_(~_is_in(*PAUSED), _HAS_OPEN_PAUSE),
    "is not open, but a clock of resolution, signing or dispatch runs": and_(
        ~_is_in(*lifecycle.OPEN), _open_clocks("resolution", "signing", "dispatch").exists()
    ),
    "is not resolved, but the confirmation's clock runs": and_(
        ~_is_in(lifecycle.RESOLVED), _open_clocks("confirmation").exists()
    ),
    "is not waiting for a signature, but the clock of signing runs": and_(
        ~_is_in(lifecycle.DISPATCHED), _open_clocks("signing").exists()
    ),
    "is with a unit, but has no open leg of it": and_(
        _is_in(lifecycle.DISPATCHED, lifecycle.IN_PROGRESS, lifecycle.SUSPENDED, lifecycle.RESOLVED),
        ~_OPEN_LEAD_LEG.exists(),
    ),
    "was dispatched, but has no original due date": and_(
        Ticket.first_dispatched_at.is_not(None), Ticket.original_due_at.is_(None)
    ),
    "a clock was met after its due time, but no breach is written": select(SlaClock.id)
    .where(SlaClock.ticket_id == Ticket.id, SlaClock.met_at > SlaClock.due_at, SlaClock.breached_at.is_(None))
    .exists(),
    "has no words of its submitter": ~select(Message.id)
    .where(Message.ticket_id == Ticket.id, Message.version == 1, Message.is_current)
    .exists(),
    "a step has two current wordings": select(Message.version)
    .where(Message.ticket_id == Ticket.id, Message.is_current)
    .group_by(Message.version)
    .having(func.count() > 1)
    .exists(),
    "has words that belong to no step": select(Message.id)
    .where(
        Message.ticket_id == Ticket.id,
        ~select(TimelineEntry.id)
        .where(TimelineEntry.ticket_id == Message.ticket_id, TimelineEntry.version == Message.version)
        .exists(),
    )
    .exists(),
    "nobody holds a seat on it": ~_SEATS.exists(),
    "a seat has no identity": _SEATS.where(
        ~select(Identity.seat_id).where(Identity.seat_id == Seat.id).exists()
    ).exists(),
    "two requests of a kind wait at once": select(TicketRequest.kind)
    .where(TicketRequest.ticket_id == Ticket.id, TicketRequest.state == "pending")
    .group_by(TicketRequest.kind)
    .having(func.count() > 1)
    .exists(),
}
"""What must never be, by the sentence that says so."""
