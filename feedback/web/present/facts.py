"""What stands beside a ticket: its particulars, the people and units that have a part, and the requests made on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from feedback.reading.queries import TicketView
from feedback.reading.requests import RequestView
from feedback.reading.views import LegView
from feedback.web.forms.base import option
from feedback.web.present.labels import category_name, leg_words, name_of, on_behalf_words, submitter_name, unit_name
from feedback.web.present.time import moment, when_past
from feedback.web.present.words import (
    DECISION_NAMES,
    DECLINE_REASON_NAMES,
    KIND_NAMES,
    PRIVACY_NAMES,
    REQUEST_NAMES,
    REQUEST_STATES,
    ROLE_NAMES,
    URGENCY_NAMES,
)
from feedback.web.translate import gettext as _

Part = dict[str, Any]
LAMPS = {"pending": "soon", "granted": "ok", "refused": "ok", "withdrawn": "wait", "overtaken": "wait"}


def facts_of(view: TicketView, now: datetime) -> list[Part]:
    """Reference, what it is, where, when and from whom, as far as the reader may know."""
    found: list[Part | None] = [
        {"label": _("Reference"), "text": view.reference},
        _fact(_("Raised by"), submitter_name(view.submitter)),
        _fact(_("Raised together"), _("%(count)s people", count=view.raised.by) if view.raised.by > 1 else ""),
        _fact(_("Written"), on_behalf_words(view)),
        {"label": _("Raised"), "when": when_past(view.submitted_at, now)},
        _fact(_("Kind"), name_of(KIND_NAMES, view.kind)),
        _fact(_("Category"), category_name(view)),
        _fact(_("Urgency"), name_of(URGENCY_NAMES, view.urgency)),
        _fact(_("Place"), view.place or ""),
        _fact(_("Area"), unit_name(view.area)),
        {"label": _("Happened"), "when": when_past(view.occurred_at, now)} if view.occurred_at else None,
        _fact(_("Privacy"), name_of(PRIVACY_NAMES, view.privacy)),
        _fact(_("About"), _("a person or an office; they can't see it") if view.is_about else ""),
        _fact(_("Round"), str(view.round) if view.round > 1 else ""),
    ]
    return [fact for fact in found if fact]


def _fact(label: str, text: str) -> Part | None:
    return {"label": label, "text": text} if text else None


def people_of(view: TicketView) -> list[Part]:
    """The lead and the assisting units, with who has it in hand; empty before dispatch."""
    found: list[Part] = []
    if view.lead:
        found.append({"label": _("Lead"), "text": leg_words(view.lead)})
    elif view.unit:
        found.append({"label": _("Lead"), "text": unit_name(view.unit)})
    return [*found, *({"label": _("Assists"), "text": _assist_words(leg)} for leg in view.assists)]


def _assist_words(leg: LegView) -> str:
    said = _("has answered") if leg.answered_at else _("not answered yet")
    words = _("%(unit)s: %(said)s", unit=leg_words(leg), said=said)
    return _("%(part)s (%(task)s)", part=words, task=leg.task) if leg.task else words


def requests_of(requests: Sequence[RequestView], now: datetime) -> list[Part]:
    """Each request: {id, title, tone, state, at, lines, decisions}, the newest first."""
    return [_request(request, now) for request in reversed(requests)]


def _request(request: RequestView, now: datetime) -> Part:
    by = _("%(role)s, %(unit)s", role=name_of(ROLE_NAMES, request.role), unit=unit_name(request.unit))
    wanted, due, interim = (request.wanted.get(name) for name in ("urgency", "due_at", "interim"))
    lines = [
        _("Asked by: %(who)s", who=by if request.unit else name_of(ROLE_NAMES, request.role)),
        _("Wanted: %(what)s", what=name_of(URGENCY_NAMES, wanted)) if wanted else "",
        _("Wanted: due %(at)s", at=moment(datetime.fromisoformat(due), now)) if due else "",
        _("Reason: %(reason)s", reason=name_of(DECLINE_REASON_NAMES, request.reason)) if request.reason else "",
        request.basis or "",
        _("Until then: %(what)s", what=interim) if interim else "",
    ]
    return {
        "id": request.id,
        "title": name_of(REQUEST_NAMES, request.kind),
        "tone": LAMPS.get(request.state, "ok"),
        "state": name_of(REQUEST_STATES, request.state),
        "at": when_past(request.at, now),
        "lines": [line for line in lines if line],
        "decisions": [
            {
                "who": _("%(role)s, %(unit)s", role=name_of(ROLE_NAMES, made.role), unit=unit_name(made.unit)),
                "decision": name_of(DECISION_NAMES, made.decision),
                "text": made.text,
                "at": when_past(made.at, now),
            }
            for made in request.decisions
        ],
    }


def own_requests(requests: Sequence[RequestView]) -> list[Any]:
    """The reader's own requests that wait, as options to take back."""
    mine = [request for request in requests if request.is_own and request.state == "pending"]
    return [option(str(request.id), name_of(REQUEST_NAMES, request.kind)) for request in mine]
