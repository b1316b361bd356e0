"""Why a clock of a ticket is due when it is, for whoever may see the ticket. The arithmetic and its words are the sla room's.

By which version of which policy and calendar it was worked out stands right after the start.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from feedback.calendars.models import BusinessCalendar
from feedback.calendars.queries import calendar_by_id
from feedback.calendars.worktime import Calendar
from feedback.kernel.text import N_, Text
from feedback.reading.clocks import get_clock
from feedback.sla.laying import amount_of
from feedback.sla.models import SlaClock
from feedback.sla.queries import extensions_of, get_policy, pauses_of, spans_for
from feedback.sla.trace import Explanation, Step, explain
from feedback.tickets.models import Ticket


@dataclass(frozen=True)
class Version:
    """A policy by its name or a calendar by its code, and which version of it."""

    name: str
    version: int


@dataclass(frozen=True)
class ClockTrace:
    """How a due time came about, step by step, by which policy and calendar; times are told in that calendar's zone."""

    explanation: Explanation
    calendar: Calendar
    by_policy: Version
    by_calendar: Version


def explain_clock(session: Session, ticket: Ticket, clock_id: int) -> ClockTrace:
    """Why a clock of this ticket is due when it is. Raises NotFound."""
    clock = get_clock(session, ticket, clock_id)
    calendar = calendar_by_id(session, clock.calendar_id)
    spans = spans_for(clock, pauses_of(session, ticket.id))
    found = explain(clock.started_at, amount_of(clock), calendar, spans, extensions_of(clock))
    policy, row = get_policy(session, clock.policy_id), session.get_one(BusinessCalendar, clock.calendar_id)
    by_policy, by_calendar = Version(policy.name, policy.version), Version(row.code, row.version)
    steps = (found.steps[0], _rules_step(by_policy, by_calendar), *found.steps[1:])
    if found.due_at != clock.due_at:
        steps = (*steps[:-1], *_last_steps(clock, calendar))
    return ClockTrace(replace(found, due_at=clock.due_at, steps=steps), calendar, by_policy, by_calendar)


def _rules_step(policy: Version, calendar: Version) -> Step:
    return Step(
        "rules",
        Text(
            N_("By the policy “%(policy)s” (version %(one)s) and the calendar “%(calendar)s” (version %(two)s)."),
            policy=policy.name,
            one=policy.version,
            calendar=calendar.name,
            two=calendar.version,
        ),
    )


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
