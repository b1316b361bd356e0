"""A ticket as a row of a dense list: short words, because a hundred rows are read one under the other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from feedback.reading.views import TicketRow
from feedback.web.present.cells import due_of, left_words, moment, name_of, ticket_url, unit_name, when_due, when_past
from feedback.web.present.status import tone_of
from feedback.web.present.words import SHORT_STATE_NAMES, URGENCY_NAMES
from feedback.web.translate import gettext as _

Cell = dict[str, Any]
Spans = Mapping[str, tuple[datetime, datetime]]
"""By reference: when a clock started and when it is due."""


def title_cell(row: TicketRow) -> Cell:
    """The title as a link, and how the text goes on where it says more than the title."""
    return {"text": row.title or row.reference, "url": ticket_url(row.reference), "excerpt": excerpt_of(row)}


def excerpt_of(row: TicketRow) -> str:
    """The text's beginning without what the title said already."""
    return text_after_title(row.title, " ".join(row.opening.split()))


def text_after_title(title: str, text: str) -> str:
    """How a text goes on where it begins as its title does; else the text."""
    stem = title.rstrip("…").strip()
    if stem and text.startswith(stem):
        return text[len(stem) :].lstrip("。．.,，;；:：!！?？ ")
    return text


def place_words(row: TicketRow) -> str | None:
    """Where it is: the town or village, and the place where one was named."""
    area = unit_name(row.area)
    return " · ".join(part for part in (area, row.place or "") if part) or None


def assignee_words(row: TicketRow) -> str:
    """Who has it in hand."""
    return row.assignee.name if row.assignee else _("nobody yet")


def short_status(row: TicketRow, now: datetime, signing: Spans) -> str:
    """Where it stands in a few words, with the next instant that counts for the unit."""
    if row.status == "dispatched" and row.reference in signing:
        return _("sign by %(at)s", at=moment(signing[row.reference][1], now))
    if row.status == "in_progress" and row.round > 1:
        return _("back for the %(num)s. time", num=row.reopen_count) if row.reopen_count > 1 else _("back: not solved")
    if row.status == "in_progress" and row.responded_at is None:
        return _("no first answer yet")
    return name_of(SHORT_STATE_NAMES, row.state)


def urgency_words(row: TicketRow) -> str | None:
    """The urgency where it is not the usual one."""
    return None if row.urgency == "normal" else name_of(URGENCY_NAMES, row.urgency)


def span_due(span: tuple[datetime, datetime] | None, now: datetime) -> Cell | None:
    """The time left of a clock given by start and due."""
    if span is None:
        return None
    started_at, due_at = span
    return {"tone": tone_of(due_at, started_at, now), "words": left_words(due_at, now), "at": when_due(due_at, now)}


def desk_row(row: TicketRow, now: datetime, signing: Spans) -> Cell:
    """A row of the desk."""
    return {
        "id": row.reference,
        "check": {"value": row.reference, "label": _("Choose %(title)s", title=row.title or row.reference)},
        "due": due_of(row, now),
        "title": title_cell(row),
        "urgency": urgency_words(row),
        "place": place_words(row),
        "status": short_status(row, now, signing),
        "assignee": assignee_words(row),
        "said": when_past(row.last_word_at or row.submitted_at, now),
    }
