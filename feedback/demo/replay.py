"""Plays the demo's plots in the order of time, through the use-cases, with the sweeps that a running system would make."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from feedback.calendars.queries import get_calendar, ready
from feedback.calendars.usecases import SITE_CODE
from feedback.calendars.worktime import Calendar
from feedback.demo.cast import actor_of, pick_actor
from feedback.demo.plots import Plot, Step
from feedback.demo.texts import Story
from feedback.intake.submission import submit_ticket
from feedback.kernel.actor import Actor
from feedback.kernel.clock import site_zone
from feedback.kernel.errors import Throttled
from feedback.people.models import Account
from feedback.sla.amounts import parse_amount
from feedback.sla.clock import base_due_at
from feedback.sla.models import SlaClock, SlaPause
from feedback.supervision.escalation import run_sweep
from feedback.tickets.actions import run_action
from feedback.tickets.deciders import pending_requests
from feedback.tickets.models import Leg, Ticket
from feedback.tickets.summaries import JOINABLE
from feedback.tickets.visibility import visible

SWEEP_GRID = timedelta(minutes=30)
"""A running system sweeps every few seconds; for a history twice an hour is near enough."""
AWAKE = (7, 22)
LATER_DAYS = 75
ELDER = "@elder"


@dataclass
class Performance:
    """One ticket on its way: who raises it with which words, its plot, and where it has got to."""

    session: Session
    draw: Random
    story: Story
    lead: str
    plot: Plot
    begins: datetime
    submitter: str
    fields: dict[str, Any]
    writer: str | None = None
    reference: str = ""
    steps: Iterator[Step] = field(default_factory=lambda: iter(()))

    def ticket(self) -> Ticket:
        """The ticket as it stands in the database."""
        return self.session.scalars(select(Ticket).where(Ticket.reference == self.reference)).one()

    @property
    def status(self) -> str:
        return self.ticket().status

    @property
    def has_open_assist(self) -> bool:
        query = select(Leg.id).where(
            Leg.ticket_id == self.ticket().id, Leg.role == "assist", Leg.ended_at.is_(None), Leg.answered_at.is_(None)
        )
        return self.session.scalar(query.limit(1)) is not None

    @property
    def pending_request(self) -> int | None:
        return next((request.id for request in pending_requests(self.session, self.ticket())), None)


@dataclass
class Replay:
    """The stage: what happens next, and what was left out because the ticket stood otherwise by then."""

    session: Session
    now: datetime
    queue: list[tuple[datetime, int, Performance, Step | None]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)
    done: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, performance: Performance) -> None:
        heapq.heappush(self.queue, (performance.begins, next(self.numbers), performance, None))

    def play(self) -> Iterator[int]:
        """Play everything up to the present; yields the number of steps taken so far after each."""
        while self.queue:
            at, _number, performance, step = heapq.heappop(self.queue)
            self._sweep_until(at)
            if step is None:
                self._submit(performance, at)
            elif not self._take(performance, step, at):
                self.left_out[step.action] += 1
            self._call_next(performance, at)
            yield self.done.total()
        self._sweep_until(self.now)

    def _submit(self, performance: Performance, at: datetime) -> None:
        writer = actor_of(self.session, performance.writer or performance.submitter, at)
        performance.reference = submit_ticket(performance.fields, actor=writer, now=at).reference
        performance.steps = performance.plot(performance)
        self.done["submit"] += 1

    def _call_next(self, performance: Performance, at: datetime) -> None:
        step = next(performance.steps, None)
        if step is None:
            return
        due = self._instant(at, step)
        if due <= self.now:
            heapq.heappush(self.queue, (due, next(self.numbers), performance, step))

    def _instant(self, at: datetime, step: Step) -> datetime:
        amount = parse_amount(step.after)
        if amount is None:
            raise ValueError(f"no amount of time: {step.after!r}")
        due = base_due_at(at, amount, self._calendar())
        return awake(due) if step.by == "submitter" else due

    def _calendar(self) -> Calendar:
        return ready(get_calendar(self.session, SITE_CODE))

    def _take(self, performance: Performance, step: Step, at: datetime) -> bool:
        """Take the step; False where the ticket stands otherwise by now, or nobody is there to take it."""
        ticket = performance.ticket()
        if ticket.status not in step.states:
            return False
        actor = self._actor(performance, step, ticket, at)
        if actor is None:
            return False
        fields = self._filled(performance, step, ticket, at)
        if fields.get("into") == ELDER:
            elder = self._elder(ticket, actor)
            if elder is None:
                return False
            fields["into"] = elder
        try:
            run_action(step.action, performance.reference, fields, actor=actor, now=at)
        except Throttled:
            return False
        self.done[step.action] += 1
        return True

    def _actor(self, performance: Performance, step: Step, ticket: Ticket, at: datetime) -> Actor | None:
        if step.by == "submitter":
            return actor_of(self.session, performance.submitter, at) if performance.submitter else None
        return pick_actor(self.session, step.by, ticket, at, performance.draw)

    def _filled(self, performance: Performance, step: Step, ticket: Ticket, at: datetime) -> dict[str, Any]:
        fields = dict(step.fields)
        if fields.get("assignee") == "@handler":
            handler = pick_actor(self.session, "handlers", ticket, at, performance.draw)
            fields["assignee"] = handler.login if handler else ""
        if fields.get("planned_on") == "@later":
            fields["planned_on"] = later_day(at).isoformat()
        if fields.get("due_at") == "@two_days_more" and ticket.due_at:
            fields["due_at"] = (ticket.due_at + timedelta(days=2)).isoformat()
        if step.action == "decide":
            fields["request"] = performance.pending_request
        return fields

    def _elder(self, ticket: Ticket, actor: Actor) -> str | None:
        """The newest ticket before this one of the same category that this actor may join it to."""
        found = select(Ticket.reference).where(
            visible(actor),
            Ticket.status.in_(JOINABLE),
            Ticket.category_id == ticket.category_id,
            Ticket.received_at < ticket.received_at,
            ~Ticket.is_about,
        )
        return self.session.scalar(found.order_by(Ticket.received_at.desc(), Ticket.id).limit(1))

    def _sweep_until(self, at: datetime) -> None:
        """Sweep at each half hour up to `at` at which something is due."""
        while True:
            due = self._next_due()
            if due is None:
                return
            instant = on_grid(due)
            if instant > at:
                return
            run_sweep(instant, by="demo")
            after = self._next_due()
            if after is not None and after <= due:
                raise RuntimeError(f"a sweep at {instant.isoformat()} left what was due at {due.isoformat()}")

    def _next_due(self) -> datetime | None:
        """The earliest alarm, end of a time that asks for a step, or end of a pause."""
        open_clock = (SlaClock.met_at.is_(None), SlaClock.dropped_at.is_(None))
        found = (
            self.session.scalar(select(func.min(SlaClock.next_alarm_at)).where(*open_clock)),
            self.session.scalar(
                select(func.min(SlaClock.due_at)).where(*open_clock, SlaClock.kind.in_(("signing", "confirmation")))
            ),
            self.session.scalar(select(func.min(SlaPause.wake_at)).where(SlaPause.ended_at.is_(None))),
        )
        return min((instant for instant in found if instant), default=None)


def on_grid(instant: datetime) -> datetime:
    """The next sweep at or after an instant."""
    midnight = instant.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - ((midnight - instant) // SWEEP_GRID) * SWEEP_GRID


def awake(instant: datetime) -> datetime:
    """The instant itself by day; the next morning for one in the night."""
    local = instant.astimezone(site_zone())
    if AWAKE[0] <= local.hour < AWAKE[1]:
        return instant
    morning = local.replace(hour=AWAKE[0], minute=local.minute)
    return (morning if local.hour < AWAKE[0] else morning + timedelta(days=1)).astimezone(instant.tzinfo)


def later_day(instant: datetime) -> date:
    """The day for which something planned then is planned."""
    return instant.date() + timedelta(days=LATER_DAYS)


def known_logins(session: Session) -> set[str]:
    """The demo's logins."""
    return set(session.scalars(select(Account.login).where(Account.is_demo)))
