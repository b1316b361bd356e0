"""What readers may see (tickets/views.py and its kin) as plain JSON members. Nothing is left out or added by right here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from flask import Response

from feedback.api.errors import to_json
from feedback.kernel.text import Text
from feedback.reading.clocks import ClockView
from feedback.reading.queries import TicketView
from feedback.reading.requests import RequestView
from feedback.reading.timeline import TimelineItem
from feedback.reading.views import LegView, PersonLabel, SubmitterView, TicketRow, UnitLabel
from feedback.tickets.attachments import FileView

Json = dict[str, Any]


def answer(document: Json, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer. It is nobody else's to keep."""
    response = Response(to_json(document), status=status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    response.headers.extend(headers or {})
    return response


def whole_list(items: Iterable[Json]) -> Json:
    """A list without further pages."""
    return {"items": list(items), "next": None}


def ticket_in_list(row: TicketRow) -> Json:
    """Members of schemas.TicketInList."""
    return {
        "reference": row.reference,
        "status": row.status,
        "closure_reason": row.closure_reason,
        "kind": row.kind,
        "category": row.category,
        "area": _code(row.area),
        "place": row.place,
        "urgency": row.urgency,
        "title": row.title,
        "privacy": row.privacy,
        "channel": row.channel,
        "submitter": _submitter(row.submitter),
        "unit": _code(row.unit),
        "lead": {"unit": _code(row.unit), "assignee": _login(row.assignee)} if row.unit else None,
        "assists": [_assist(leg) for leg in row.assists],
        "round": row.round,
        "reopen_count": row.reopen_count,
        "outcome": row.outcome,
        "planned_on": row.planned_on.isoformat() if row.planned_on else None,
        "occurred_at": _at(row.occurred_at),
        "submitted_at": _at(row.submitted_at),
        "dispatched_at": _at(row.dispatched_at),
        "resolved_at": _at(row.resolved_at),
        "closed_at": _at(row.closed_at),
        "due_at": _at(row.due_at),
        "original_due_at": _at(row.original_due_at),
        "overdue": row.is_overdue,
        "version": row.version,
    }


def ticket_found(row: TicketRow) -> Json:
    """Members of schemas.TicketFound."""
    return {**ticket_in_list(row), "snippet": str(row.snippet) if row.snippet else None}


def ticket(view: TicketView, files: Iterable[FileView]) -> Json:
    """Members of schemas.Ticket."""
    return {
        **ticket_in_list(view),
        "text": view.text,
        "raised_by": view.raised.by,
        "joined_into": view.raised.joined_into,
        "joined": list(view.raised.joined),
        "clocks": [clock(each) for each in view.clocks],
        "attachments": [attachment(file) for file in files],
        "allowed_actions": list(view.allowed_actions),
    }


def attachment(file: FileView) -> Json:
    """Members of schemas.Attachment."""
    return {
        "id": file.id,
        "name": file.name,
        "type": file.content_type,
        "size": file.size,
        "sha256": file.sha256,
        "state": file.state,
        "at": _at(file.at),
        "version": file.version,
    }


def clock(view: ClockView) -> Json:
    """Members of schemas.Clock."""
    return {
        "id": view.id,
        "kind": view.kind,
        "unit": _code(view.unit),
        "round": view.round,
        "started_at": _at(view.started_at),
        "due_at": _at(view.due_at),
        "original_due_at": _at(view.original_due_at),
        "met_at": _at(view.met_at),
        "breached_at": _at(view.breached_at),
        "dropped_at": _at(view.dropped_at),
        "paused": view.is_paused,
        "provisional": view.is_provisional,
        "policy": view.policy,
        "policy_version": view.policy_version,
        "calendar": view.calendar,
        "calendar_version": view.calendar_version,
    }


def timeline_item(item: TimelineItem) -> Json:
    """Members of schemas.TimelineItem."""
    actor = item.actor
    return {
        "at": _at(item.at),
        "action": item.action,
        "from": item.from_status,
        "to": item.to_status,
        "round": item.round,
        "actor": {
            "role": actor.role,
            "unit": _code(actor.unit),
            "name": actor.name,
            "alias": actor.alias,
            "system": actor.is_system,
        },
        "public": item.is_public,
        "text": item.text,
        "edited": item.is_edited,
        "facts": {name: _plain(value) for name, value in item.facts.items()},
        "attachments": [attachment(file) for file in item.files],
        "version": item.version,
    }


def request_made(view: RequestView) -> Json:
    """Members of schemas.Request; `decided_by` and `text` are the last decision's."""
    last = view.decisions[-1] if view.decisions else None
    return {
        "id": view.id,
        "kind": view.kind,
        "state": view.state,
        "by": {"role": view.role, "unit": _code(view.unit)},
        "at": _at(view.at),
        "reason": view.reason,
        "basis": view.basis,
        "wanted": view.wanted,
        "decided_by": {"role": last.role, "unit": _code(last.unit)} if last else None,
        "decided_at": _at(view.decided_at),
        "text": last.text if last else None,
    }


def _submitter(view: SubmitterView | None) -> Json | None:
    if view is None:
        return None
    if view.name is not None:
        return {"login": view.login, "name": view.name}
    return {"alias": view.alias, "town": _code(view.town)}


def _assist(leg: LegView) -> Json:
    return {"unit": _code(leg.unit), "assignee": _login(leg.assignee), "answered_at": _at(leg.answered_at)}


def _code(unit: UnitLabel | None) -> str | None:
    return unit.code if unit else None


def _login(person: PersonLabel | None) -> str | None:
    return person.login if person else None


def _at(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Text) else value
