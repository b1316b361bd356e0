"""What says the same, as the pages show it: a title, who has it since when, a way to read it and one to join."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from feedback.reading.look_alikes import LookAlike
from feedback.tickets.models import Ticket
from feedback.web.present.labels import name_of, unit_name
from feedback.web.present.ticket import ticket_url
from feedback.web.present.time import ago
from feedback.web.present.words import SHORT_STATE_NAMES
from feedback.web.translate import gettext as _

MOST_SHOWN = 4

Part = dict[str, Any]


def alike_of(found: Sequence[LookAlike], now: datetime, *, joining: Ticket | None = None) -> list[Part]:
    """[{title, meta, url, join}]; `url` is empty for a summary, `join` is what the join is sent with.

    With `joining`, the ticket that would join: `join` is empty for what is younger than it.
    """
    return [_part(one, now, joining) for one in found[:MOST_SHOWN]]


def _part(one: LookAlike, now: datetime, joining: Ticket | None) -> Part:
    if one.token is not None:
        words = _("Raised by somebody else in your area. You can join; more than this is not shown.")
        return {"title": one.title, "meta": words, "url": "", "join": one.token}
    meta = [
        one.reference or "",
        unit_name(one.unit) if one.unit else _("not sent on yet"),
        name_of(SHORT_STATE_NAMES, one.status),
        one.place or unit_name(one.area),
        ago(one.submitted_at, now) if one.submitted_at else "",
    ]
    is_elder = joining is None or not one.submitted_at or one.submitted_at <= joining.received_at
    return {
        "title": one.title,
        "meta": " · ".join(part for part in meta if part),
        "url": ticket_url(one.reference or ""),
        "join": one.reference if is_elder else "",
    }
