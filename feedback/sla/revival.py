"""Clocks that go on where a closing is taken back: joined tickets that part again, appeals that are granted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text
from feedback.sla.models import SlaPause
from feedback.sla.queries import PAUSES_ALL, add_pause, clocks_of
from feedback.sla.timers import lay_ticket


def resume_all(session: Session, ticket_id: int, *, closed_at: datetime, at: datetime, by: str) -> None:
    """Every clock that `closed_at` stopped goes on from its own start, the time closed counted as a pause.

    What ended before stays ended, and a breach stays written. Raises Invalid where `at` is before `closed_at`.
    """
    if at < closed_at:
        raise Invalid({"at": Text(N_("A pause must end later than it begins."))})

    def revive() -> None:
        for clock in clocks_of(session, ticket_id):
            if clock.dropped_at == closed_at and clock.met_at is None:
                clock.dropped_at = None
        if at == closed_at:
            return
        pause = SlaPause(ticket_id=ticket_id, reason=PAUSES_ALL, started_at=closed_at, wake_at=at, opened_by=by[:120])
        pause.ended_at = at
        add_pause(session, pause)

    lay_ticket(session, ticket_id, at, revive)
