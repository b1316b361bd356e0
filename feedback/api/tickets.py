"""Tickets over HTTP: submit, list, open, act, and what hangs on one. Each view calls one query or one use-case."""

from __future__ import annotations

import re

from flask import Response, request
from flask_babel import force_locale, gettext

from feedback.api import render, schemas
from feedback.api.access import OWN_LIST, VISIBLE, WRITE, endpoint
from feedback.api.auth import caller
from feedback.api.body import read_body
from feedback.api.locale import reader_locale
from feedback.api.writes import answer_once, document_of
from feedback.intake.particulars import SubmitTicket
from feedback.intake.submission import submit_ticket
from feedback.kernel.db import session
from feedback.kernel.errors import Invalid, NotFound
from feedback.kernel.text import N_, Text
from feedback.reading.clock_trace import explain_clock
from feedback.reading.clocks import list_clocks
from feedback.reading.queries import BY_DUE, DEFAULT_LIMIT, list_tickets
from feedback.reading.requests import list_requests
from feedback.reading.search import TicketFilters
from feedback.reading.timeline import list_timeline
from feedback.sla.trace import to_json
from feedback.tickets.actions import run_action
from feedback.tickets.models import Ticket
from feedback.tickets.visibility import get_ticket

LARGEST_ID = 2**63 - 1
PAGING = ("sort", "limit", "cursor")
_REFERENCE = re.compile(r"[0-9A-Za-z-]{1,20}")


@endpoint(
    "POST",
    "/v1/tickets",
    answer=schemas.Ticket,
    status=201,
    body=SubmitTicket,
    scope=WRITE,
    who=("submitter", "handler", "dispatcher"),
    is_repeatable=True,
    summary=N_("Submit a ticket; only the text is needed."),
    rule=N_("Submitters; handlers and dispatchers on behalf of somebody."),
)
def submit() -> Response:
    """Take in a ticket."""
    who, body = caller(), read_body()
    return answer_once(
        "POST /tickets", body, lambda once: submit_ticket(body.fields, actor=who.actor, now=who.now, once=once), 201
    )


@endpoint(
    "GET",
    "/v1/tickets",
    answer=schemas.TicketList,
    has_filters=True,
    summary=N_("List tickets, by what is due first or the newest first."),
    rule=OWN_LIST,
)
def tickets() -> Response:
    """A page of what the caller may see."""
    who = caller()
    asked = {name: value for name, value in request.args.items() if value}
    page = list_tickets(
        session(),
        who.actor,
        TicketFilters.parse({name: value for name, value in asked.items() if name not in PAGING}),
        now=who.now,
        sort=asked.get("sort", BY_DUE),
        limit=limit_asked(),
        cursor=asked.get("cursor"),
    )
    return render.answer({"items": [render.ticket_found(row) for row in page.items], "next": page.next})


@endpoint("GET", "/v1/tickets/<reference>", answer=schemas.Ticket, summary=N_("Open a ticket."), rule=VISIBLE)
def ticket(reference: str) -> Response:
    """One ticket, with what the caller may see and do."""
    who = caller()
    return render.answer(document_of(seen(reference), who))


@endpoint(
    "POST",
    "/v1/tickets/<reference>/<action>",
    answer=schemas.Ticket,
    scope=WRITE,
    is_repeatable=True,
    summary=N_("Take a step of the lifecycle."),
    rule=N_("Whoever may see the ticket and holds the role that the lifecycle's table names for the action."),
)
def act(reference: str, action: str) -> Response:
    """One action of the lifecycle on one ticket."""
    who, body = caller(), read_body(takes_version=True)
    known = known_reference(reference)
    return answer_once(
        "POST /tickets/{reference}/{action}",
        body,
        lambda once: run_action(
            action, known, body.fields, actor=who.actor, now=who.now, version=body.version, once=once
        ),
        200,
    )


@endpoint(
    "GET",
    "/v1/tickets/<reference>/timeline",
    answer=schemas.Timeline,
    summary=N_("The history of a ticket."),
    rule=VISIBLE,
)
def timeline(reference: str) -> Response:
    """Every step that the caller may see."""
    who = caller()
    items = list_timeline(session(), seen(reference), who.actor, who.now)
    return render.answer(render.whole_list(render.timeline_item(item) for item in items))


@endpoint(
    "GET",
    "/v1/tickets/<reference>/requests",
    answer=schemas.Requests,
    summary=N_("What was asked of a second person on this ticket."),
    rule=VISIBLE,
)
def requests(reference: str) -> Response:
    """All requests on a ticket."""
    who = caller()
    views = list_requests(session(), seen(reference), who.actor, who.now)
    return render.answer(render.whole_list(render.request_made(view) for view in views))


@endpoint(
    "GET",
    "/v1/tickets/<reference>/clocks",
    answer=schemas.Clocks,
    summary=N_("Every time limit of a ticket."),
    rule=VISIBLE,
)
def clocks(reference: str) -> Response:
    """All clocks of a ticket and its legs."""
    views = list_clocks(session(), seen(reference), caller().now)
    return render.answer(render.whole_list(render.clock(view) for view in views))


@endpoint(
    "GET",
    "/v1/tickets/<reference>/clocks/<int:clock_id>/trace",
    answer=schemas.Trace,
    summary=N_("Why a clock is due when it is."),
    rule=VISIBLE,
)
def trace(reference: str, clock_id: int) -> Response:
    """The steps that lead to a due time."""
    if clock_id > LARGEST_ID:
        raise NotFound
    found = explain_clock(session(), seen(reference), clock_id)
    with force_locale(reader_locale()):
        steps = to_json(found.explanation, found.calendar, gettext)
    return render.answer(
        {
            "due_at": found.calendar.local(found.explanation.due_at).isoformat(),
            "provisional": found.explanation.is_provisional,
            "policy": {"name": found.by_policy.name, "version": found.by_policy.version},
            "calendar": {"name": found.by_calendar.name, "version": found.by_calendar.version},
            "trace": steps,
        }
    )


def seen(reference: str) -> Ticket:
    """The ticket of that reference if the caller may see it. Raises NotFound."""
    return get_ticket(session(), caller().actor, known_reference(reference))


def known_reference(reference: str) -> str:
    """The reference itself. Raises NotFound for what can be none, before a database is asked."""
    if not _REFERENCE.fullmatch(reference):
        raise NotFound
    return reference


def limit_asked() -> int:
    """`limit` of the address. Raises Invalid for what is no whole number; its bounds are paging's."""
    text = request.args.get("limit") or str(DEFAULT_LIMIT)
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Invalid({"limit": Text(N_("Must be a whole number from 1 to %(most)s."), most=200)})
    return int(text)
