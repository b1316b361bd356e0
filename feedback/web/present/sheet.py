"""The official sheet of a ticket, for paper: number, matter, opinion, handling, result, dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from feedback.reading.queries import TicketView
from feedback.reading.timeline import TimelineItem
from feedback.web.present.labels import (
    category_name,
    leg_words,
    name_of,
    on_behalf_words,
    submitter_name,
    unit_name,
)
from feedback.web.present.time import exact
from feedback.web.present.timeline import title_of
from feedback.web.present.words import KIND_NAMES, OUTCOME_NAMES, STATE_NAMES, URGENCY_NAMES
from feedback.web.translate import gettext as _
from feedback.web.translate import listed

OPINIONS = ("dispatch", "transfer", "decide")
HANDLING = ("reply", "ask_submitter", "answer", "resolve")


def sheet_of(
    view: TicketView, items: Sequence[TimelineItem], now: datetime, units: Mapping[str, str]
) -> dict[str, Any]:
    """The sheet for the macro; it says no more than the reader sees on the page. `units` names unit codes."""
    behalf = on_behalf_words(view)
    submitter = submitter_name(view.submitter)
    pairs = [
        (_("Raised by"), _("%(name)s (%(how)s)", name=submitter, how=behalf) if behalf else submitter),
        (_("Raised"), exact(view.submitted_at)),
        (_("Kind"), name_of(KIND_NAMES, view.kind)),
        (_("Urgency"), name_of(URGENCY_NAMES, view.urgency)),
        (_("Category"), category_name(view)),
        (_("Place"), " ".join(part for part in (unit_name(view.area), view.place) if part)),
        (_("Lead"), leg_words(view.lead) if view.lead else unit_name(view.unit)),
        (_("Assists"), listed(leg_words(leg) for leg in view.assists)),
        (_("Due"), exact(view.due_at) if view.due_at else ""),
        (_("Closed"), exact(view.closed_at) if view.closed_at else ""),
    ]
    parts = [
        (_("Matter"), view.text),
        (_("Opinion"), _opinions(items, units)),
        (_("Handling"), _words(items, HANDLING)),
        (_("Result"), _result(view)),
    ]
    return {
        "title": _("Ticket sheet"),
        "reference": view.reference,
        "printed": exact(now),
        "pairs": [{"label": label, "text": text or "–"} for label, text in pairs],
        "parts": [{"label": label, "text": text or "–"} for label, text in parts],
        "signatures": [_("In charge"), _("Checked"), _("Date")],
    }


def _opinions(items: Sequence[TimelineItem], units: Mapping[str, str]) -> str:
    """To whom it was sent and what was decided, each with its time and the grounds given."""
    made = [item for item in items if item.action in OPINIONS and item.is_public]
    lines = [(exact(item.at), title_of(item, units), item.text or "") for item in made]
    return "\n".join("  ".join(part for part in line if part) for line in lines)


def _words(items: Sequence[TimelineItem], actions: Sequence[str]) -> str:
    """The public words of these actions, each with its time."""
    said = [
        f"{exact(item.at)}  {item.text}" for item in items if item.action in actions and item.text and item.is_public
    ]
    return "\n".join(said)


def _result(view: TicketView) -> str:
    state = name_of(STATE_NAMES, view.state)
    if not view.outcome:
        return state
    return _("%(outcome)s; %(state)s", outcome=name_of(OUTCOME_NAMES, view.outcome), state=state)
