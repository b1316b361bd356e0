"""Clocks of a ticket that exists only as a number: for tests of the deadlines' own room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.kernel.outbox import Outbox
from feedback.kernel.transaction import transaction
from feedback.sla import timers
from feedback.sla.models import SlaAlarm, SlaClock
from tests.support.calendars import at
from tests.support.county import County


@dataclass
class Clocks:
    """Starts and moves the clocks of one ticket number, each call a transaction; instants are in China's time."""

    county: County
    ticket_id: int = 7
    facts: timers.Facts = field(init=False)

    def __post_init__(self) -> None:
        village = self.county.units["village"]
        codes = ("village", "town", "p1", "root")
        self.facts = timers.Facts("demand", "normal", "water/leak", codes, village.id)

    @property
    def session(self) -> Session:
        return self.county.session

    def start(self, kind: str, when: str, **more: Any) -> SlaClock | None:
        with transaction() as session:
            return timers.start(session, timers.ClockStart(self.ticket_id, kind, at(when), **more), self.facts)

    def begin(self, kind: str, when: str, **more: Any) -> SlaClock:
        clock = self.start(kind, when, **more)
        assert clock is not None
        return clock

    def meet(self, kind: str, when: str, **more: Any) -> None:
        with transaction() as session:
            timers.meet(session, self.ticket_id, kind, at=at(when), **more)

    def drop(self, kind: str, when: str, **more: Any) -> None:
        with transaction() as session:
            timers.drop(session, self.ticket_id, kind, at=at(when), **more)

    def stop(self, when: str) -> None:
        with transaction() as session:
            timers.stop_all(session, self.ticket_id, at=at(when))

    def pause(self, when: str, wake: str, reason: str = "wait") -> None:
        with transaction() as session:
            timers.open_pause(session, self.ticket_id, reason=reason, at=at(when), wake_at=at(wake), by="seat:1")

    def unpause(self, when: str) -> None:
        with transaction() as session:
            timers.end_pause(session, self.ticket_id, at=at(when))

    def change(self, when: str, **facts: Any) -> None:
        self.facts = replace(self.facts, **facts)
        with transaction() as session:
            timers.repolicy(session, self.ticket_id, self.facts, at=at(when))

    def revive(self, leg_id: int, when: str) -> SlaClock | None:
        with transaction() as session:
            return timers.revive_leg(session, leg_id, at=at(when))

    def get(self, kind: str) -> SlaClock:
        """The newest clock of that kind, read anew."""
        self.session.rollback()
        query = select(SlaClock).where(SlaClock.ticket_id == self.ticket_id, SlaClock.kind == kind)
        return self.session.scalars(query.order_by(SlaClock.id.desc())).first() or self._none(kind)

    def due(self, kind: str) -> datetime:
        return self.get(kind).due_at

    def alarms(self, kind: str) -> list[SlaAlarm]:
        clock = self.get(kind)
        return list(self.session.scalars(select(SlaAlarm).where(SlaAlarm.clock_id == clock.id).order_by(SlaAlarm.id)))

    def labels(self, kind: str) -> list[str]:
        return [alarm.label for alarm in self.alarms(kind)]

    def sent(self) -> Sequence[Outbox]:
        self.session.rollback()
        return self.session.scalars(select(Outbox).where(Outbox.event == "sla.alarm").order_by(Outbox.id)).all()

    def _none(self, kind: str) -> SlaClock:
        raise LookupError(kind)
