"""Letting a new policy or calendar reach clocks that run already, in batches, or only telling what would move.

This room knows no ticket: whoever calls hands in the ticket's side (facts, references, the due time it keeps a copy of).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from feedback.calendars.models import BusinessCalendar
from feedback.kernel.imports import ImportResult
from feedback.kernel.transaction import transaction
from feedback.sla.facts import Facts
from feedback.sla.models import SlaClock, SlaPolicy
from feedback.sla.queries import choose_policy, hold_clocks, live_policies
from feedback.sla.timers import lay_ticket, use_policy

BATCH = 200


class TicketSide(Protocol):
    """What the rooms above know of tickets by their ids."""

    def hold(self, session: Session, ticket_ids: Sequence[int]) -> None:
        """Hold the tickets for writing, in the order of their ids, as whoever acts on one does."""

    def facts(self, session: Session, ticket_ids: Sequence[int]) -> dict[int, Facts]:
        """What each ticket's policy is chosen by."""

    def references(self, session: Session, ticket_ids: Sequence[int]) -> dict[int, str]:
        """What people call each ticket."""

    def copy_due(self, session: Session, ticket_ids: Sequence[int]) -> None:
        """Take over the moved due times that the tickets keep copies of."""


@dataclass(frozen=True)
class Move:
    """A clock that moves (or would move): from when to when, and whether it is late by its new due time."""

    reference: str
    kind: str
    due_before: datetime
    due_after: datetime
    is_breach: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "reference": self.reference,
            "kind": self.kind,
            "from": self.due_before.isoformat(),
            "to": self.due_after.isoformat(),
            "breach": self.is_breach,
        }


@dataclass
class Rollout:
    """The outcome: what the file's rows did, and which open clocks moved."""

    result: ImportResult
    moves: list[Move] = field(default_factory=list)
    is_dry_run: bool = False


class _Undo(Exception):
    """Rolls a dry run back."""


class Change(Protocol):
    """How open clocks come under the new rules."""

    def concerned(self, session: Session) -> list[int]:
        """Ids of the tickets whose open clocks could move."""

    def load(self, session: Session, ticket_ids: Sequence[int]) -> None:
        """Read what `apply` needs for these tickets."""

    def apply(self, session: Session, ticket_id: int, now: datetime) -> None:
        """Put the ticket's open clocks under the new rules; they are laid anew afterwards."""


Save = Callable[[Session], ImportResult]


def roll_out(
    save: Save, change: Change | None, *, tickets: TicketSide | None, now: datetime, is_dry_run: bool
) -> Rollout:
    """Save the new rules, then bring open clocks under them (none without `change`), in batches of a transaction each.

    What was cut short is finished by doing it again. A dry run undoes each batch, so it tells exactly what would be.
    """
    if is_dry_run:
        return _try_out(save, change, tickets, now)
    with transaction() as session:
        outcome = Rollout(save(session))
        ids = change.concerned(session) if change and tickets else []
    for batch in _batches(ids):
        with transaction() as session:
            if change and tickets:
                outcome.moves += _move(session, batch, change, tickets, now)
    return outcome


def _try_out(save: Save, change: Change | None, tickets: TicketSide | None, now: datetime) -> Rollout:
    outcome: Rollout | None = None
    waiting: list[int] = []
    while outcome is None or waiting:
        try:
            with transaction() as session:
                result = save(session)
                if outcome is None:
                    outcome = Rollout(result, is_dry_run=True)
                    waiting = change.concerned(session) if change and tickets else []
                batch, waiting = waiting[:BATCH], waiting[BATCH:]
                if change and tickets:
                    outcome.moves += _move(session, batch, change, tickets, now)
                raise _Undo
        except _Undo:
            continue
    return outcome


class PolicyChange:
    """Every open clock under the policy that fits its ticket now."""

    def __init__(self, tickets: TicketSide) -> None:
        self._tickets = tickets
        self._policies: list[SlaPolicy] = []
        self._facts: dict[int, Facts] = {}

    def concerned(self, session: Session) -> list[int]:
        return _ticket_ids(session)

    def load(self, session: Session, ticket_ids: Sequence[int]) -> None:
        self._policies = live_policies(session)
        self._facts = self._tickets.facts(session, ticket_ids)

    def apply(self, session: Session, ticket_id: int, now: datetime) -> None:
        facts = self._facts.get(ticket_id)
        policy = choose_policy(self._policies, facts) if facts else None
        if facts is None or policy is None:
            return
        for clock in hold_clocks(session, ticket_id):
            if clock.policy_id != policy.id:
                use_policy(session, clock, policy, facts.area_id, now)


class CalendarChange:
    """Every open clock by the version in force of its calendar."""

    def __init__(self) -> None:
        self._newer: dict[int, int] = {}

    def concerned(self, session: Session) -> list[int]:
        self.load(session, [])
        return _ticket_ids(session, calendar_ids=list(self._newer))

    def load(self, session: Session, ticket_ids: Sequence[int]) -> None:
        old, new = aliased(BusinessCalendar), aliased(BusinessCalendar)
        pairs = select(old.id, new.id).join(new, new.code == old.code)
        pairs = pairs.where(old.superseded_at.is_not(None), new.superseded_at.is_(None))
        self._newer = {pair[0]: pair[1] for pair in session.execute(pairs)}

    def apply(self, session: Session, ticket_id: int, now: datetime) -> None:
        for clock in hold_clocks(session, ticket_id):
            clock.calendar_id = self._newer.get(clock.calendar_id, clock.calendar_id)


def _ticket_ids(session: Session, *, calendar_ids: list[int] | None = None) -> list[int]:
    query = select(SlaClock.ticket_id).where(SlaClock.met_at.is_(None), SlaClock.dropped_at.is_(None))
    if calendar_ids is not None:
        query = query.where(SlaClock.calendar_id.in_(calendar_ids))
    return list(session.scalars(query.distinct().order_by(SlaClock.ticket_id)))


def _move(session: Session, batch: Sequence[int], change: Change, tickets: TicketSide, now: datetime) -> list[Move]:
    tickets.hold(session, batch)
    change.load(session, batch)
    moved: list[tuple[SlaClock, datetime]] = []
    for ticket_id in batch:
        before = {clock.id: clock.due_at for clock in hold_clocks(session, ticket_id)}
        anew = lay_ticket(session, ticket_id, now, partial(change.apply, session, ticket_id, now))
        moved += [(clock, before[clock.id]) for clock in anew]
    concerned = sorted({clock.ticket_id for clock, _ in moved})
    if not concerned:
        return []
    tickets.copy_due(session, concerned)
    references = tickets.references(session, concerned)
    return [
        Move(references.get(clock.ticket_id, ""), clock.kind, due, clock.due_at, clock.due_at <= now)
        for clock, due in moved
    ]


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for place in range(0, len(ids), BATCH):
        yield ids[place : place + BATCH]
