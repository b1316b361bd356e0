"""Columns that a ticket keeps for speed, worked out anew from its timeline, legs, clocks and words; and set right on request.

Compared: version, round, reopen_count, instants of dispatch, response, resolution, closing and last word, lead, assignee,
due time, and what tickets/figures.py keeps. Status and closure reason are no counters: `check` looks at them, and nothing but a
step may set them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from feedback.kernel import audit
from feedback.kernel.transaction import transaction
from feedback.sla.models import SlaClock
from feedback.tickets.figures import KEPT
from feedback.tickets.models import Leg, Message, Ticket, TimelineEntry

BATCH = 500
INSTANTS = ("first_dispatched_at", "first_resolved_at", "resolved_at", "closed_at")


@dataclass(frozen=True)
class Difference:
    """One column of one ticket that does not say what the events say."""

    ticket_id: int
    reference: str
    column: str
    stored: Any
    counted: Any

    def __str__(self) -> str:
        return f"{self.reference} {self.column}: stored {_shown(self.stored)}, counted {_shown(self.counted)}"


def _shown(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def find_differences(session: Session) -> Iterator[Difference]:
    """Every column that differs, ticket by ticket, in batches of a few queries. Reads only."""
    last = 0
    while True:
        tickets = session.scalars(
            select(Ticket).where(Ticket.id > last, Ticket.origin == "loop").order_by(Ticket.id).limit(BATCH)
        ).all()
        if not tickets:
            return
        counted = _counted(session, [ticket.id for ticket in tickets])
        for ticket in tickets:
            for column, value in counted.get(ticket.id, {"version": 0}).items():
                stored = getattr(ticket, column)
                if stored != value:
                    yield Difference(ticket.id, ticket.reference, column, stored, value)
        last = tickets[-1].id


def set_right(*, now: datetime) -> list[Difference]:
    """Set every differing column to what the events say, with an audit entry for each ticket touched."""
    with transaction() as session:
        found = list(find_differences(session))
        by_ticket: dict[int, dict[str, Any]] = {}
        for difference in found:
            by_ticket.setdefault(difference.ticket_id, {})[difference.column] = difference.counted
        for ticket_id, columns in by_ticket.items():
            session.execute(update(Ticket).where(Ticket.id == ticket_id).values(columns))
            audit.record(
                session,
                f"ticket:{ticket_id}",
                actor="system",
                action="recount",
                now=now,
                facts={"fields": sorted(columns)},
            )
    return found


def _counted(session: Session, ids: list[int]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for part in (_from_timeline, _from_legs, _from_clocks, _from_words, _from_all):
        for ticket_id, columns in part(session, ids).items():
            found.setdefault(ticket_id, {}).update(columns)
    return found


def _from_timeline(session: Session, ids: list[int]) -> Mapping[int, dict[str, Any]]:
    """What the steps say. Their order is that of their versions: of two at once, the later one may have come in earlier."""
    entry = TimelineEntry
    moved = or_(entry.from_status.is_(None), entry.from_status != entry.to_status)

    def which(pick: Any, condition: Any) -> Any:
        return pick(case((condition, entry.version)))

    marks = (
        select(
            entry.ticket_id,
            func.max(entry.version).label("version"),
            func.sum(case((entry.action.in_(("dispute", "reopen")), 1), else_=0)).label("reopen_count"),
            which(func.min, entry.to_status == "dispatched").label("first_dispatched_at"),
            which(func.min, entry.action == "resolve").label("first_resolved_at"),
            which(func.max, entry.action == "resolve").label("resolved_at"),
            which(func.max, and_(entry.to_status.startswith("closed"), moved)).label("closed_at"),
        )
        .where(entry.ticket_id.in_(ids))
        .group_by(entry.ticket_id)
        .subquery()
    )
    last = aliased(TimelineEntry)
    query = select(marks.c.ticket_id, marks.c.version, marks.c.reopen_count, last.to_status.label("state")).join(
        last, and_(last.ticket_id == marks.c.ticket_id, last.version == marks.c.version)
    )
    for name in INSTANTS:
        step = aliased(TimelineEntry)
        query = query.add_columns(step.at.label(name)).outerjoin(
            step, and_(step.ticket_id == marks.c.ticket_id, step.version == marks.c[name])
        )
    found = {}
    for row in session.execute(query).mappings():
        reopened = int(row["reopen_count"])
        found[row["ticket_id"]] = {
            **{name: row[name] for name in INSTANTS},
            "closed_at": row["closed_at"] if row["state"].startswith("closed") else None,
            "version": row["version"],
            "reopen_count": reopened,
            "round": 1 + reopened,
        }
    return found


def _from_legs(session: Session, ids: list[int]) -> Mapping[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {
        ticket_id: {"lead_leg_id": None, "lead_unit_id": None, "assignee_id": None} for ticket_id in ids
    }
    legs = select(Leg).where(Leg.ticket_id.in_(ids), Leg.role == "lead", Leg.ended_at.is_(None)).order_by(Leg.id)
    for leg in session.scalars(legs):
        found[leg.ticket_id] = {"lead_leg_id": leg.id, "lead_unit_id": leg.unit_id, "assignee_id": leg.assignee_id}
    return found


def _from_clocks(session: Session, ids: list[int]) -> Mapping[int, dict[str, Any]]:
    """The due time is that of the open resolution clock of the newest round; the first response is when its clock was met."""
    found: dict[int, dict[str, Any]] = {ticket_id: {"due_at": None} for ticket_id in ids}
    clocks = (
        select(SlaClock)
        .where(SlaClock.ticket_id.in_(ids), SlaClock.kind.in_(("resolution", "first_response")))
        .order_by(SlaClock.round, SlaClock.id)
    )
    for clock in session.scalars(clocks):
        if clock.kind == "first_response":
            found[clock.ticket_id]["first_responded_at"] = clock.met_at
        elif clock.is_open:
            found[clock.ticket_id]["due_at"] = clock.due_at
    return found


def _from_words(session: Session, ids: list[int]) -> Mapping[int, dict[str, Any]]:
    """The last word is the newest public step that has words."""
    found: dict[int, dict[str, Any]] = {ticket_id: {"last_word_at": None} for ticket_id in ids}
    entry = TimelineEntry
    newest = (
        select(entry.ticket_id, func.max(entry.version).label("version"))
        .join(Message, and_(Message.ticket_id == entry.ticket_id, Message.version == entry.version))
        .where(entry.ticket_id.in_(ids), entry.is_public, Message.revision == 1)
        .group_by(entry.ticket_id)
        .subquery()
    )
    rows = session.execute(
        select(entry.ticket_id, entry.at).join(
            newest, and_(newest.c.ticket_id == entry.ticket_id, newest.c.version == entry.version)
        )
    )
    for ticket_id, at in rows:
        found[ticket_id]["last_word_at"] = at
    return found


def _from_all(session: Session, ids: list[int]) -> Mapping[int, dict[str, Any]]:
    """What the figures count."""
    rows = session.execute(
        select(Ticket.id, *(count.label(name) for name, count in KEPT.items())).where(Ticket.id.in_(ids))
    )
    return {row["id"]: {name: row[name] for name in KEPT} for row in rows.mappings()}
