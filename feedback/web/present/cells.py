"""Where page doors find the words and shapes for tickets: one name for each, made in the present_* modules beside it."""

from __future__ import annotations

from feedback.web.present.clocks import clocks_of
from feedback.web.present.labels import (
    category_name,
    leg_words,
    name_of,
    on_behalf_words,
    person_or_unit,
    submitter_name,
    unit_name,
)
from feedback.web.present.receipt import Receipt, receipt_of
from feedback.web.present.status import claim_words, row_tone, status_of, tone_of
from feedback.web.present.ticket import card_of, due_of, meta_of, steps_of, ticket_url
from feedback.web.present.time import (
    ago,
    day_words,
    exact,
    left_words,
    moment,
    span,
    when_day,
    when_due,
    when_past,
)
from feedback.web.present.timeline import entries_of, unit_codes

__all__ = [
    "Receipt",
    "ago",
    "card_of",
    "category_name",
    "claim_words",
    "clocks_of",
    "day_words",
    "due_of",
    "entries_of",
    "exact",
    "left_words",
    "leg_words",
    "meta_of",
    "moment",
    "name_of",
    "on_behalf_words",
    "person_or_unit",
    "receipt_of",
    "row_tone",
    "span",
    "status_of",
    "steps_of",
    "submitter_name",
    "ticket_url",
    "tone_of",
    "unit_codes",
    "unit_name",
    "when_day",
    "when_due",
    "when_past",
]
