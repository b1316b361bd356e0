"""A submitter urges: the unit is told that somebody waits. It moves no deadline."""

from __future__ import annotations

import math

from sqlalchemy import select

from feedback.kernel.command import Command
from feedback.kernel.errors import Throttled
from feedback.kernel.text import N_, Text
from feedback.sla import timers
from feedback.tickets.actions import ticket_action
from feedback.tickets.hold import Held
from feedback.tickets.models import TimelineEntry
from feedback.tickets.transition import perform


class UrgeTicket(Command):
    """Nothing needs to be said."""


@ticket_action("urge", UrgeTicket)
def urge_ticket(held: Held, command: UrgeTicket) -> None:
    """Remind the unit, once in the interval that the policy sets. Raises Throttled before that is over."""
    last = held.session.scalar(
        select(TimelineEntry.at)
        .where(TimelineEntry.ticket_id == held.ticket.id, TimelineEntry.action == "urge")
        .order_by(TimelineEntry.version.desc())
        .limit(1)
    )
    if last:
        again = timers.after(held.session, held.ticket.id, held.facts(), "urge", last)
        if again and again > held.now:
            seconds = math.ceil((again - held.now).total_seconds())
            raise Throttled(
                Text(N_("They were urged already. You can do so again later.")), retry_after=seconds, again_at=again
            )
    perform(held)
