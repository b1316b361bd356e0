"""Quiet hours: when a site's messages are held back. Facts and notices in the application never are."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

from sqlalchemy.orm import Session

from feedback.calendars.queries import ready
from feedback.calendars.worktime import Calendar
from feedback.kernel.clock import site_zone
from feedback.kernel.site import get_setting
from feedback.sla.queries import calendar_for_unit
from feedback.tickets.models import Ticket

NEVER_HELD = ("critical", "urgent")
LONGEST_HOLD = 31
"""For so many days off in a row a message waits at most."""
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def held_until(session: Session, ticket: Ticket, now: datetime) -> datetime:
    """When a message about this ticket may leave: `now`, or the end of the site's quiet hours and days off."""
    if ticket.urgency in NEVER_HELD:
        return now
    span = str(get_setting(session, "quiet_hours"))
    if not get_setting(session, "quiet_days_off"):
        return quiet_end(span, now)
    return opening_after(span, ready(calendar_for_unit(session, None)), now)


def opening_after(span: str, calendar: Calendar, now: datetime) -> datetime:
    """The first instant from `now` on that lies in no quiet hours and on no day without working time."""
    found = quiet_end(span, now)
    for _ in range(LONGEST_HOLD):
        local = found.astimezone(site_zone())
        if calendar.plan_on(local.toordinal()).windows:
            break
        midnight = datetime.combine(local.date() + timedelta(days=1), time(0), local.tzinfo)
        found = quiet_end(span, midnight.astimezone(now.tzinfo))
    return found


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
