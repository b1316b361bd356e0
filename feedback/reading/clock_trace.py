"""Why a clock of a ticket is due when it is, for whoever may see the ticket. The arithmetic and its words are the sla room's."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from feedback.calendars.queries import calendar_by_id
from feedback.calendars.worktime import Calendar
from feedback.kernel.text import N_, Text
from feedback.reading.clocks import get_clock
from feedback.sla.laying import amount_of
from feedback.sla.models import SlaClock
from feedback.sla.queries import pauses_of, spans_for
from feedback.sla.trace import Explanation, Step, explain
from feedback.tickets.models import Ticket


def explain_clock(session: Session, ticket: Ticket, clock_id: int) -> tuple[Explanation, Calendar]:
    """How the due time came about, step by step, and the calendar in whose zone it is told. Raises NotFound."""
    clock = get_clock(session, ticket, clock_id)
    calendar = calendar_by_id(session, clock.calendar_id)
    spans = spans_for(clock, pauses_of(session, ticket.id))
    found = explain(clock.started_at, amount_of(clock), calendar, spans)
    if found.due_at == clock.due_at:
        return found, calendar
    return replace(found, due_at=clock.due_at, steps=(*found.steps[:-1], *_last_steps(clock, calendar))), calendar


def _last_steps(clock: SlaClock, calendar: Calendar) -> tuple[Step, ...]:
    """What is said where the amount alone does not give the due time."""
    due = calendar.local(clock.due_at).strftime("%Y-%m-%d %H:%M")
    if clock.fixed_due_at:
        why = Text(N_("A date was set with the task."))
    elif clock.follows_id:
        why = Text(N_("The unit's own part is never due before the ticket itself."))
    else:
        why = Text(N_("The date was moved by a decision."))
    return (
        Step("moved", why, clock.due_at, clock.due_at),
        Step("due", Text(N_("Due at %(at)s."), at=due), clock.due_at, clock.due_at),
    )
