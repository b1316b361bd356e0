"""A ticket in the shapes that the macros take: due, five-step line, card. Words of its status are present_status's."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from flask import url_for

from feedback.reading.raised import ALONE, Raised
from feedback.reading.views import TicketRow
from feedback.web.addresses import fixed_address
from feedback.web.present.labels import category_name, name_of, on_behalf_words, unit_name
from feedback.web.present.status import RUNNING, row_tone, status_of
from feedback.web.present.time import left_words, when_day_of, when_due, when_past
from feedback.web.present.words import KIND_NAMES, STATE_NAMES, URGENCY_NAMES
from feedback.web.translate import gettext as _

Part = dict[str, Any]


def ticket_url(reference: str) -> str:
    """The address of a ticket's page. A list has dozens, and most need nothing but to be put behind the path."""
    if _PLAIN.fullmatch(reference):
        return fixed_address("ticket.show", reference="-").removesuffix("-") + reference
    return url_for("ticket.show", reference=reference)


_PLAIN = re.compile(r"[0-9A-Za-z-]+")


def due_of(row: TicketRow, now: datetime) -> Part:
    """{tone, words, at?}: the time left of a running ticket; where no time runs, what it waits for."""
    if row.status in RUNNING and row.due_at:
        return {"tone": row_tone(row, now), "words": left_words(row.due_at, now), "at": when_due(row.due_at, now)}
    if row.status in ("waiting_for_submitter", "suspended"):
        return {"tone": "wait", "words": _("stands still")}
    if row.status == "resolved":
        return {"tone": "wait", "words": _("with the submitter")}
    return {"tone": "done" if row.state == "closed.confirmed" else "ok", "words": name_of(STATE_NAMES, row.state)}


def steps_of(row: TicketRow, now: datetime) -> list[Part]:
    """The five-step line: raised, sent on, in work, answered, confirmed."""
    signed_at = row.lead.acknowledged_at if row.lead else None
    reached = {
        "submitted": 1,
        "dispatched": 2,
        "in_progress": 2,
        "waiting_for_submitter": 2,
        "suspended": 2,
        "resolved": 4,
    }
    is_closed = row.status == "closed"
    place = reached.get(row.status, 5)
    if row.status == "waiting_for_submitter" and row.unit is None:
        place = 1
    instants = (row.submitted_at, row.dispatched_at, signed_at, row.resolved_at, row.closed_at)
    steps: list[Part] = []
    for number, instant in enumerate(instants):
        is_answered_before = number == 3 and place < 3
        if is_closed and number == 4:
            step: Part = _last_step(row)
        elif number < place and (instant or not is_closed):
            step = {"state": "done"}
        elif is_closed:
            step = {"state": "skipped"}
        else:
            step = {"state": "now" if number == place else "todo"}
        if instant and step["state"] != "todo" and not is_answered_before:
            step["when"] = when_day_of(instant, now)
        steps.append(step)
    return steps


def _last_step(row: TicketRow) -> Part:
    if row.closure_reason == "confirmed":
        return {"state": "closed"}
    return {"state": "skipped", "label": _("Closed")}


def card_of(row: TicketRow, now: datetime, until: datetime | None = None, raised: Raised = ALONE) -> Part:
    """A ticket as a card: title, status sentence, five-step line."""
    return {
        "title": row.title,
        "url": ticket_url(row.reference),
        "status": status_of(row, now, until=until, raised=raised),
        "steps": steps_of(row, now),
        "reference": row.reference,
        "meta": meta_of(row),
        "at": when_past(row.submitted_at, now),
    }


def meta_of(row: TicketRow) -> list[str]:
    """What it is and where, in a few short words: kind, urgency unless normal, category, place, on behalf."""
    urgency = "" if row.urgency == "normal" else name_of(URGENCY_NAMES, row.urgency)
    place = row.place or unit_name(row.area)
    found = [urgency, name_of(KIND_NAMES, row.kind), category_name(row), place, on_behalf_words(row)]
    return [words for words in found if words]
