"""Imported history: tickets of an older system, kept and shown apart, with no clocks, no alarms and no actions.

What has no column of its own (department, who raised it, on time as published) is kept in ticket.routing["legacy"].
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.intake.particulars import Particulars, Person
from feedback.intake.submission import made_title, new_reference, new_seat
from feedback.intake.ticket_rows import LEGACY, Key
from feedback.kernel import audit
from feedback.kernel.command import Code, Command, InstantField, LongText
from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text
from feedback.people.models import REGION, Unit
from feedback.people.queries import submitter_key
from feedback.routing.models import Category
from feedback.routing.queries import normal_path
from feedback.tickets.lifecycle import SYSTEM_ROLE
from feedback.tickets.models import TITLE_LIMIT, Leg, Message, Ticket, TimelineEntry
from feedback.tickets.search_index import index_tickets
from feedback.tickets.transition import legacy_ticket

OUTCOMES = ("solved", "partly", "not_possible", "planned")


class LegacyTicket(Command):
    """A row of history. Words of former times (category, area, outcome) that the site doesn't know are kept as words."""

    text: LongText
    unit: Code
    created_at: InstantField
    title: Annotated[str, Field(max_length=TITLE_LIMIT)] | None = None
    kind: Literal["demand", "suggestion", "question", "burden_lead"] = "demand"
    category: Code | None = None
    area: Code | None = None
    urgency: Literal["critical", "urgent", "normal", "complex"] = "normal"
    privacy: Literal["named", "confidential", "anonymous"] = "named"
    place: Annotated[str, Field(max_length=200)] | None = None
    occurred_at: InstantField | None = None
    due_at: InstantField | None = None
    first_response_at: InstantField | None = None
    resolved_at: InstantField | None = None
    outcome: Code | None = None
    department: Code | None = None
    raised_by: Literal["self", "staff", "phone", "other"] | None = None
    on_time: Literal["yes", "no"] | None = None


@dataclass(frozen=True)
class _Place:
    """What is kept of a unit through many transactions."""

    id: int
    code: str
    kind: str
    ancestor_ids: tuple[int, ...]


@dataclass(frozen=True)
class History:
    """A row whose words were looked up: ready to be written."""

    key: Key
    command: LegacyTicket
    unit_id: int
    area_id: int
    area_code: str
    category_id: int | None
    account_id: int | None

    def facts(self) -> dict[str, Any]:
        """What is kept in ticket.routing."""
        said = self.command
        kept = {"department": said.department, "raised_by": said.raised_by, "on_time": said.on_time}
        if said.outcome not in OUTCOMES:
            kept["outcome"] = said.outcome
        if self.category_id is None:
            kept["category"] = said.category
        if said.area and said.area != self.area_code:
            kept["area"] = said.area
        return {LEGACY: {name: value for name, value in kept.items() if value is not None}}


class Archive:
    """The units and categories that rows of history name, read once; dissolved units and renamed categories too."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.now = now
        places = [_Place(u.id, u.code, u.kind, tuple(u.ancestor_ids())) for u in session.scalars(select(Unit))]
        self.units = {place.code: place for place in places}
        self.by_id = {place.id: place for place in places}
        self.categories = {found.path: found.succeeded_by_id or found.id for found in session.scalars(select(Category))}

    def look_up(self, key: Key, fields: dict[str, Any], account_id: int | None) -> History:
        """The row with what it names. Raises Invalid naming each bad field."""
        command = LegacyTicket.parse(fields)
        errors: dict[str, Text] = {}
        unit = self.units.get(command.unit)
        if unit is None:
            errors["unit"] = Text(N_("There is no unit %(code)s. Import the units first."), code=command.unit)
        for name in ("created_at", "first_response_at", "resolved_at"):
            at = getattr(command, name)
            if at is not None and at > self.now:
                errors[name] = Text(N_("Can't lie in the future."))
        for name in ("first_response_at", "resolved_at"):
            at = getattr(command, name)
            if at is not None and at < command.created_at:
                errors[name] = Text(N_("Can't lie before created_at."))
        if errors or unit is None:
            raise Invalid(errors)
        area = self.units.get(command.area or "") or self._region(unit)
        category_id = self.categories.get(normal_path(command.category)) if command.category else None
        return History(key, command, unit.id, area.id, area.code, category_id, account_id)

    def _region(self, unit: _Place) -> _Place:
        return next((above for i in unit.ancestor_ids if (above := self.by_id[i]).kind == REGION), unit)


def write_history(session: Session, rows: Iterable[History], now: datetime) -> None:
    """Write rows of history in the open transaction. IntegrityError where one is there already."""
    ids = [_write(session, row, now) for row in rows]
    session.flush()
    index_tickets(session, ids)


def _write(session: Session, row: History, now: datetime) -> int:
    said = row.command
    ticket = legacy_ticket(
        reference=new_reference(session),
        kind=said.kind,
        category_id=row.category_id,
        area_id=row.area_id,
        place=said.place,
        urgency=said.urgency,
        privacy=said.privacy,
        channel="import",
        outcome=said.outcome if said.outcome in OUTCOMES else None,
        submitted_at=said.created_at,
        received_at=said.created_at,
        occurred_at=said.occurred_at,
        first_responded_at=said.first_response_at,
        first_resolved_at=said.resolved_at,
        first_resolved_unit_id=row.unit_id if said.resolved_at else None,
        resolved_at=said.resolved_at,
        due_at=said.due_at,
        original_due_at=said.due_at,
        first_lead_unit_id=row.unit_id,
        first_area_id=row.area_id,
        first_category_id=row.category_id,
        lead_unit_id=row.unit_id,
        last_word_at=said.created_at,
        routing=row.facts(),
        source=row.key[0],
        source_id=row.key[1],
    )
    session.add(ticket)
    session.flush()
    _write_parts(session, ticket, row)
    audit.record(
        session,
        f"ticket:{ticket.id}",
        actor="system",
        action="import",
        now=now,
        facts={"version": 1, "to": LEGACY, "channel": "import", "text": audit.digest(said.text)},
    )
    return ticket.id


def _write_parts(session: Session, ticket: Ticket, row: History) -> None:
    """The leg of the unit that had it, what was said, the one entry of its history, and the seat of who raised it."""
    said = row.command
    leg = Leg(
        ticket_id=ticket.id,
        unit_id=row.unit_id,
        role="lead",
        round=1,
        started_at=said.created_at,
        answered_at=said.resolved_at,
        ended_at=said.resolved_at or said.created_at,
        end_reason=LEGACY,
    )
    session.add(leg)
    seat_id = None
    if row.account_id is not None:
        area = session.get_one(Unit, row.area_id)
        person = Person(row.account_id, submitter_key(row.account_id), area)
        seat_id = new_seat(session, ticket, Particulars(person, area, None, [], {}), said.created_at).id
    session.add(
        Message(
            ticket_id=ticket.id,
            version=1,
            title=said.title or made_title(said.text),
            body=said.text,
            written_at=said.created_at,
        )
    )
    session.add(
        TimelineEntry(
            ticket_id=ticket.id,
            version=1,
            action="submit",
            to_status=LEGACY,
            round=1,
            seat_id=seat_id,
            role=SYSTEM_ROLE,
            is_public=True,
            facts={},
            at=said.created_at,
        )
    )
