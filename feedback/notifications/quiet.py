"""Quiet hours: when a site's messages are held back. Facts and notices in the application never are."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

from sqlalchemy.orm import Session

from feedback.kernel.clock import site_zone
from feedback.kernel.site import get_setting
from feedback.tickets.models import Ticket

NEVER_HELD = ("critical", "urgent")
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def held_until(session: Session, ticket: Ticket, now: datetime) -> datetime:
    """When a message about this ticket may leave: `now`, or the end of the site's quiet hours."""
    if ticket.urgency in NEVER_HELD:
        return now
    return quiet_end(str(get_setting(session, "quiet_hours")), now)


def is_span(text: str) -> bool:
    """Whether it is written as `22:00-07:00`."""
    return _SPAN.fullmatch(text) is not None


def quiet_end(span: str, now: datetime) -> datetime:
    """The end of the quiet hours that `now` lies in, else `now`; `22:00-07:00` is in the site's zone, empty is never.

    A span that can't be read holds nothing back: a message too early is better than one that never leaves.
    """
    match = _SPAN.fullmatch(span)
    if match is None:
        return now
    hours = [int(part) for part in match.groups()]
    begin, end = time(hours[0], hours[1]), time(hours[2], hours[3])
    local = now.astimezone(site_zone())
    clock = local.time()
    is_quiet = begin <= clock < end if begin <= end else clock >= begin or clock < end
    if not is_quiet:
        return now
    day = local.date() + timedelta(days=1 if clock >= end else 0)
    return datetime.combine(day, end, local.tzinfo).astimezone(now.tzinfo)
