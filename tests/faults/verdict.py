"""What the database holds, beside what the ledger says clients were told: lost, double and half tickets. Reads only."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from feedback.kernel.audit import AuditEntry
from feedback.kernel.db import Base
from feedback.kernel.idempotency import IdempotencyKey
from feedback.kernel.outbox import Outbox
from feedback.sla.models import SlaClock
from feedback.tickets.models import Identity, Leg, Message, Seat, Ticket, TimelineEntry
from tests.faults.ledger import Ledger

KEY = re.compile(r"key=(\S+)\.")
SUBMITTING = ("POST /tickets", "page:submit")
LANDED_SHARE = 0.9
"""A run with fewer kills inside active work says nothing."""


@dataclass
class Verdict:
    """How one fault ended. `is_counted`: enough kills landed inside an active request or job."""

    fault: str
    database: str
    seed: int
    dose: dict[str, Any] = field(default_factory=dict)
    kills: int = 0
    landed: int = 0
    lost: int = 0
    double: int = 0
    half: int = 0
    check: str = ""
    audit: str = ""
    seconds: float = 0.0
    figures: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    @property
    def is_counted(self) -> bool:
        return self.landed >= LANDED_SHARE * self.kills

    @property
    def holds(self) -> bool:
        return not (self.lost or self.double or self.half or self.check or self.audit)

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "is_counted": self.is_counted, "holds": self.holds}

    def note(self, what: str, faults: list[str]) -> None:
        """Count faults of a kind (lost, double, half) and keep the first few of them in words."""
        setattr(self, what, getattr(self, what) + len(faults))
        self.remarks += [f"{what}: {each}" for each in faults[:10]]


def judge_intake(session: Session, ledger: Ledger, verdict: Verdict) -> None:
    """Each answered key is one whole ticket under the reference that was told; no key is two tickets; nothing is half."""
    keys = keys_of_tickets(session)
    tickets = {row.id: row for row in session.execute(select(Ticket.id, Ticket.reference, Ticket.version))}
    references = {keys.get(row.id, ""): row.reference for row in tickets.values()}
    told = ledger.told()
    missing = [f"{key} was told {given}" for key, given in told.items() if references.get(key) not in given]
    verdict.note("lost", missing)
    verdict.note("lost", [f"{key} is no ticket" for key in ledger.asked() if key not in references and key not in told])
    wrong = [f"{key} was told {sorted(given)}" for key, given in told.items() if len(given) > 1]
    counted = Counter(keys.values())
    verdict.note("double", wrong + [f"{key} is {count} tickets" for key, count in counted.items() if count > 1])
    verdict.note("double", [f"{row.reference} was asked by nobody" for row in tickets.values() if row.id not in keys])
    verdict.note("half", list(_halves(session, tickets)))
    submitted = session.scalar(
        select(func.count()).where(AuditEntry.stream.like("ticket:%"), AuditEntry.facts["version"].as_integer() == 1)
    )
    if submitted != len(set(ledger.asked())):
        verdict.note("half", [f"the audit trail knows {submitted} submissions, the ledger {len(set(ledger.asked()))}"])


def keys_of_tickets(session: Session) -> dict[int, str]:
    """The key that a client wrote into the text of each ticket."""
    said = session.execute(select(Message.ticket_id, Message.body).where(Message.version == 1, Message.is_current))
    return {ticket_id: found.group(1) for ticket_id, body in said if (found := KEY.search(body))}


def _halves(session: Session, tickets: dict[int, Any]) -> list[str]:
    steps = _sets(session, TimelineEntry.ticket_id, TimelineEntry.version)
    told = _sets(session, Outbox.ticket_id, Outbox.version)
    clocks = _sets(session, SlaClock.ticket_id, SlaClock.id)
    legs = _sets(session, Leg.ticket_id, Leg.id)
    seats = _sets(session, Seat.ticket_id, Seat.id)
    sealed = set(session.scalars(select(Identity.seat_id)))
    keys = Counter(session.scalars(select(IdempotencyKey.reference).where(IdempotencyKey.route.in_(SUBMITTING))))
    audited: dict[int, set[int]] = {}
    query = select(AuditEntry.stream, AuditEntry.facts).where(AuditEntry.stream.like("ticket:%"))
    for stream, facts in session.execute(query):
        audited.setdefault(int(stream.partition(":")[2]), set()).add(facts.get("version", 0))
    found = []
    for row in tickets.values():
        versions = set(range(1, row.version + 1))
        whole = {
            "timeline": steps.get(row.id, set()) == versions,
            "audit": versions <= audited.get(row.id, set()),
            "outbox": versions <= told.get(row.id, set()),
            "clocks": bool(clocks.get(row.id)),
            "seat": bool(seats.get(row.id)) and seats.get(row.id, set()) <= sealed,
            "key": keys[row.reference] == 1,
        }
        found += [f"{row.reference} has not all of its {part}" for part, is_there in whole.items() if not is_there]
    for name, rows in (("timeline", steps), ("outbox", told), ("clocks", clocks), ("legs", legs), ("audit", audited)):
        found += [f"{name} of ticket {ticket_id}, which is not there" for ticket_id in rows if ticket_id not in tickets]
    there = {row.reference for row in tickets.values()}
    return found + [f"a key of {reference}, which is not there" for reference in keys if reference not in there]


def _sets(session: Session, owner: Any, what: Any) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for ticket_id, value in session.execute(select(owner, what).where(owner.is_not(None))):
        if value is not None:
            found.setdefault(ticket_id, set()).add(value)
    return found


def count_rows(session: Session) -> dict[str, int]:
    """Rows by table, for the report."""
    names = ("ticket", "timeline", "sla_clock", "sla_alarm", "audit_entry", "outbox", "notice", "delivery")
    tables = Base.metadata.tables
    return {name: session.scalar(select(func.count()).select_from(tables[name])) or 0 for name in names}
