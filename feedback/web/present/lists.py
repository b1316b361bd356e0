"""Tickets in the lists of those who oversee: what needs a look, what is so now, and what a figure counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from feedback.reading.views import TicketRow
from feedback.reports.listing import Counted
from feedback.tickets.lifecycle import state_of
from feedback.web.present.cells import due_of, name_of, span, ticket_url, unit_name, when_due, when_past
from feedback.web.present.desk import assignee_words, place_words, title_cell
from feedback.web.present.words import SHORT_STATE_NAMES
from feedback.web.translate import gettext as _
from feedback.web.translate import ngettext

Cell = dict[str, Any]


def _why(name: str, row: TicketRow, now: datetime) -> Cell:
    if name == "late":
        return due_of(row, now) | {"at": None}
    if name == "disputed":
        words = ngettext("came back %(num)d time", "came back %(num)d times", row.reopen_count)
        return {"tone": "soon", "words": words}
    if name == "silent":
        return {
            "tone": "soon",
            "words": _("silent for %(span)s", span=span(now - (row.last_word_at or row.submitted_at))),
        }
    return {"tone": "info", "words": _("open for %(span)s", span=span(now - row.submitted_at))}


def exception_rows(name: str, rows: Sequence[TicketRow], now: datetime) -> list[Cell]:
    """Rows of the table of exceptions, each with the reason why it stands there."""
    return [
        {
            "id": f"{name}-{row.reference}",
            "why": _why(name, row, now),
            "title": title_cell(row) | {"excerpt": ""},
            "unit": unit_name(row.unit) or _("the dispatcher"),
            "status": name_of(SHORT_STATE_NAMES, row.state),
        }
        for row in rows
    ]


def lead_row(row: TicketRow, now: datetime) -> Cell:
    """A row of a list of what is so now."""
    return {
        "id": row.reference,
        "due": due_of(row, now),
        "title": title_cell(row),
        "unit": unit_name(row.unit) or _("the dispatcher"),
        "place": place_words(row),
        "status": name_of(SHORT_STATE_NAMES, row.state),
        "assignee": assignee_words(row),
        "back": str(row.reopen_count) if row.reopen_count else None,
        "at": when_past(row.submitted_at, now),
    }


def counted_row(ticket: Counted, units: Mapping[str, str], now: datetime) -> Cell:
    """A row of the list behind a figure; `counts` where it adds something else than one."""
    return {
        "id": ticket.reference,
        "title": {"text": ticket.title or ticket.reference, "url": ticket_url(ticket.reference)},
        "unit": units.get(ticket.unit or "", ticket.unit),
        "area": units.get(ticket.area or "", ticket.area),
        "status": name_of(SHORT_STATE_NAMES, state_of(ticket.status, ticket.closure_reason)),
        "submitted": when_past(ticket.submitted_at, now),
        "due": when_due(ticket.original_due_at, now) if ticket.original_due_at else None,
        "resolved": when_past(ticket.first_resolved_at, now) if ticket.first_resolved_at else None,
        "closed": when_past(ticket.closed_at, now) if ticket.closed_at else None,
        "counts": None if ticket.counts == 1 else f"{ticket.counts:g}",
    }
