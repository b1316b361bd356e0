"""A ticket's story told in one line each: who does what, an hour after the last."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from feedback.intake.submission import submit_ticket
from feedback.supervision.escalation import SweepOutcome, run_sweep
from feedback.tickets.actions import TicketRef, run_action
from feedback.tickets.lifecycle import state_of
from feedback.tickets.models import Ticket, TimelineEntry
from tests.support.county import START, County

LEAK = "村口水管漏水三天了，麻烦来修一下。"
PLAIN = "希望村里的活动室晚上也能开门。"


@dataclass
class Story:
    """One ticket and the hour it is now."""

    county: County
    now: datetime = START
    reference: str = ""
    log: list[TicketRef] = field(default_factory=list)

    def submit(self, login: str = "s", text: str = LEAK, **fields: Any) -> Story:
        """Submit a ticket as `login` at the present hour."""
        ref = submit_ticket({"text": text, **fields}, actor=self.county.actor(login, self.now), now=self.now)
        self.reference = ref.reference
        self.log.append(ref)
        return self

    def act(self, login: str, name: str, *, hours: float = 1, version: int | None = None, **fields: Any) -> Story:
        """Do an action as `login`, `hours` later."""
        self.now += timedelta(hours=hours)
        actor = self.county.actor(login, self.now)
        self.log.append(run_action(name, self.reference, fields, actor=actor, now=self.now, version=version))
        return self

    def sweep(self, *, hours: float = 0, days: float = 0) -> SweepOutcome:
        """Let time pass, then sweep."""
        self.now += timedelta(hours=hours, days=days)
        return run_sweep(self.now, by="test")

    @property
    def ticket(self) -> Ticket:
        """The ticket as the database has it now."""
        self.county.session.expire_all()
        return self.county.session.scalars(select(Ticket).where(Ticket.reference == self.reference)).one()

    @property
    def state(self) -> str:
        ticket = self.ticket
        return state_of(ticket.status, ticket.closure_reason)

    def actions(self) -> list[str]:
        """The actions of the timeline, in order."""
        return list(
            self.county.session.scalars(
                select(TimelineEntry.action)
                .where(TimelineEntry.ticket_id == self.ticket.id)
                .order_by(TimelineEntry.version)
            )
        )

    def resolved(self, text: str = "已更换一段水管，现场试水不漏。") -> Story:
        """Take a fresh ticket of the water unit to `resolved`."""
        return self.submit().act("hw", "acknowledge").act("hw", "resolve", outcome="solved", text=text)
