"""A ticket that waits to be dispatched, as the dispatcher reads it: why it wasn't sent by itself, and who could have it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from feedback.people.models import Unit
from feedback.people.queries import units_by_id
from feedback.reading.requests import WaitingRequest
from feedback.reading.views import TicketRow
from feedback.routing.models import Category
from feedback.routing.queries import categories_by_id
from feedback.routing.reasons import REASON_TEXTS
from feedback.web.filters import either_name
from feedback.web.present.cells import (
    category_name,
    name_of,
    on_behalf_words,
    submitter_name,
    ticket_url,
    unit_name,
    when_past,
)
from feedback.web.present.desk import Spans, excerpt_of, place_words, span_due, urgency_words
from feedback.web.present.labels import share_words
from feedback.web.present.words import KIND_NAMES, REQUEST_NAMES, ROLE_NAMES
from feedback.web.translate import gettext as _

Part = dict[str, Any]


class Proposals:
    """The units and categories that the rows' proposals name, read in two queries."""

    def __init__(self, session: Session, rows: Sequence[TicketRow]) -> None:
        named = [proposal for row in rows for proposal in row.routing.get("proposals") or ()]
        self._units: dict[int, Unit] = units_by_id(session, [p.get("lead_id") for p in named])
        self._categories: dict[int, Category] = categories_by_id(
            session, {p["category_id"] for p in named if p.get("category_id") is not None}
        )

    def of(self, row: TicketRow) -> list[Part]:
        """Each unit proposed once: {code, name, why, category (path)}, the likeliest first."""
        found: dict[str, Part] = {}
        for proposal in row.routing.get("proposals") or ():
            unit = self._units.get(proposal.get("lead_id") or 0)
            if unit is not None:
                found.setdefault(unit.code, self._button(unit, proposal))
        return list(found.values())

    def unanswered(self, row: TicketRow) -> list[str]:
        """Categories that the text speaks for and nobody answers for here."""
        bare = [p for p in row.routing.get("proposals") or () if p.get("lead_id") is None]
        named = [self._categories.get(proposal.get("category_id") or 0) for proposal in bare]
        return [either_name(category.name, category.name_en) for category in named if category is not None]

    def _button(self, unit: Unit, proposal: Part) -> Part:
        category = self._categories.get(proposal.get("category_id") or 0)
        words = [str(word) for word in proposal.get("words") or ()]
        subject = either_name(category.name, category.name_en) if category else ""
        if subject and proposal.get("share") is not None:
            subject = _("%(category)s (%(share)s)", category=subject, share=share_words(proposal["share"]))
        spoke = _("”, “").join(words)
        why = _("%(category)s: “%(words)s”", category=subject, words=spoke) if words else subject
        path = category.path if category else ""
        return {"code": unit.code, "name": either_name(unit.name, unit.name_en), "why": why, "category": path}


def dispatch_row(row: TicketRow, now: datetime, spans: Spans, proposals: Proposals) -> Part:
    """A row of the dispatcher's page."""
    reason = REASON_TEXTS.get(str(row.routing.get("reason", "")))
    meta = [urgency_words(row), name_of(KIND_NAMES, row.kind), category_name(row), place_words(row)]
    who = [submitter_name(row.submitter), on_behalf_words(row)]
    return {
        "id": row.reference,
        "reference": row.reference,
        "title": row.title or row.reference,
        "url": ticket_url(row.reference),
        "opening": excerpt_of(row),
        "meta": [words for words in (*meta, *who) if words],
        "why": _(reason) if reason else _("It came back to be dispatched again."),
        "is_again": row.dispatched_at is not None,
        "unanswered": proposals.unanswered(row),
        "at": when_past(row.submitted_at, now),
        "due": span_due(spans.get(row.reference), now),
        "proposals": proposals.of(row),
        "version": row.version,
        "is_about": row.is_about,
    }


def request_row(request: WaitingRequest, now: datetime) -> Part:
    """A request that waits for this reader's decision."""
    who = name_of(ROLE_NAMES, request.role)
    unit = unit_name(request.unit)
    return {
        "id": request.reference,
        "title": {"text": request.title or request.reference, "url": f"{ticket_url(request.reference)}#do-decide"},
        "kind": name_of(REQUEST_NAMES, request.kind),
        "by": _("%(name)s (%(unit)s)", name=who, unit=unit) if unit else who,
        "at": when_past(request.at, now),
    }
