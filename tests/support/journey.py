"""Tickets driven to a state by the use-cases alone, step by step, as the people of the small county would.

A ticket lies in the village, whose office is p1 (dp1); water leads it; roads assists where asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from feedback.files.uploads import KeptFile
from feedback.intake.submission import submit_ticket
from feedback.kernel.actor import SYSTEM
from feedback.kernel.clock import utc_now
from feedback.tickets.actions import TicketRef, run_action
from feedback.tickets.models import Ticket, TicketRequest
from tests.support.county import County

STEP = timedelta(seconds=1)
REACHED = (
    "submitted",
    "dispatched",
    "in_progress",
    "waiting_for_submitter",
    "resolved",
    "closed.confirmed",
    "closed.unanswered",
    "closed.declined",
    "closed.withdrawn",
    "closed.joined",
)
"""The states that the actions of today lead to."""


@dataclass
class Journey:
    """Acts on tickets at `now`, which moves on by a second with every step."""

    county: County
    now: datetime = field(default_factory=lambda: utc_now() - timedelta(hours=1))

    def submit(
        self,
        by: str = "s",
        text: str = "The square is dark at night",
        files: tuple[KeptFile, ...] = (),
        **fields: Any,
    ) -> str:
        """A ticket of the village that no catalogue word routes, so that it waits for p1's dispatcher."""
        said = {"text": text, "area": "village", **fields}
        return submit_ticket(said, actor=self.county.actor(by, self.now), now=self._tick(), files=files).reference

    def submit_elder(self, by: str = "s2", **fields: Any) -> str:
        """A ticket on the same matter that somebody else had raised two hours before."""
        said = {"text": "No lamp burns on the square", "area": "village", **fields}
        actor = self.county.actor(by, self.now)
        return submit_ticket(said, actor=actor, now=self.now - timedelta(hours=2)).reference

    def act(self, reference: str, action: str, by: str, **fields: Any) -> TicketRef:
        """One step by a person of the county, or by `system`."""
        actor = SYSTEM if by == "system" else self.county.actor(by, self.now)
        return run_action(action, reference, fields, actor=actor, now=self._tick())

    def to(self, state: str, *, assist: bool = False, **fields: Any) -> str:
        """A new ticket in this state. KeyError for one that today's actions don't reach."""
        reference = self.submit(**fields)
        _PATHS[state](self, reference, assist)
        found = self.ticket(reference)
        assert state == (f"{found.status}.{found.closure_reason}" if found.closure_reason else found.status)
        return reference

    def ticket(self, reference: str) -> Ticket:
        """The row as it is now."""
        self.county.session.rollback()
        return self.county.session.query(Ticket).filter_by(reference=reference).one()

    def pending(self, reference: str) -> int:
        """The id of the newest request that waits for a decision on this ticket."""
        ticket_id = self.ticket(reference).id
        rows = self.county.session.query(TicketRequest).filter_by(ticket_id=ticket_id, state="pending")
        newest = rows.order_by(TicketRequest.id.desc()).first()
        assert newest is not None, "nothing waits for a decision"
        return newest.id

    def _tick(self) -> datetime:
        self.now += STEP
        return self.now


def _stay(journey: Journey, reference: str, assist: bool) -> None:
    """Nothing more: it was submitted."""


def _dispatch(journey: Journey, reference: str, assist: bool) -> None:
    assists = [{"unit": "roads", "task": "Look at the kerb"}] if assist else None
    journey.act(reference, "dispatch", "dp1", lead="water", assists=assists)


def _begin(journey: Journey, reference: str, assist: bool) -> None:
    _dispatch(journey, reference, assist)
    journey.act(reference, "acknowledge", "hw")


def _ask(journey: Journey, reference: str, assist: bool) -> None:
    _begin(journey, reference, assist)
    journey.act(reference, "ask_submitter", "hw", text="Which lamp is it?")


def _resolve(journey: Journey, reference: str, assist: bool) -> None:
    _begin(journey, reference, assist)
    if assist:
        journey.act(reference, "answer_leg", "hr", text="The kerb is sound")
    journey.act(reference, "resolve", "hw", outcome="solved", text="A new lamp was put in")


def _confirm(journey: Journey, reference: str, assist: bool) -> None:
    _resolve(journey, reference, assist)
    journey.act(reference, "confirm", "s", verdict="solved", rating=5, comment="A fine bright lamp", pressed=False)


def _lapse(journey: Journey, reference: str, assist: bool) -> None:
    _resolve(journey, reference, assist)
    journey.act(reference, "lapse", "system")


def _decline(journey: Journey, reference: str, assist: bool) -> None:
    journey.act(reference, "decline", "dp1", reason_code="not_a_public_duty", instead="Please ask the court")
    journey.act(reference, "decide", "d", request=journey.pending(reference), decision="granted", text="It is so")


def _withdraw(journey: Journey, reference: str, assist: bool) -> None:
    journey.act(reference, "withdraw", "s", reason="It was repaired by itself")


def _join(journey: Journey, reference: str, assist: bool) -> None:
    """Dispatched, and joined by the dispatcher to an elder ticket of somebody else."""
    elder = journey.submit_elder()
    _dispatch(journey, reference, assist)
    journey.act(reference, "join", "dp1", into=elder)


_PATHS: dict[str, Callable[[Journey, str, bool], None]] = {
    "submitted": _stay,
    "dispatched": _dispatch,
    "in_progress": _begin,
    "waiting_for_submitter": _ask,
    "resolved": _resolve,
    "closed.confirmed": _confirm,
    "closed.unanswered": _lapse,
    "closed.declined": _decline,
    "closed.withdrawn": _withdraw,
    "closed.joined": _join,
}
