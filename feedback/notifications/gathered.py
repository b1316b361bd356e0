"""What is read once for all the events that are told together: rows, tickets, steps, seats, legs, who sees what. Reads only.

All of it is of one instant and one snapshot: rights as they stand there. Each kind is read when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Select, bindparam, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.db import Base, Instant
from feedback.kernel.outbox import Outbox
from feedback.notifications.models import Notice
from feedback.people.models import Account, Deputy
from feedback.people.queries import active_staff, in_force, load_actor
from feedback.tickets.models import Leg, Seat, Ticket, TimelineEntry
from feedback.tickets.visibility import SAME_ACTORS, visible


class News(NamedTuple):
    """An event: a row of the outbox."""

    id: int
    event: str
    ticket_id: int | None
    version: int | None
    payload: dict[str, Any]
    created_at: datetime


class StepTaken(NamedTuple):
    """A step of a ticket's history."""

    ticket_id: int
    version: int
    at: datetime
    facts: dict[str, Any]


class Place(NamedTuple):
    """A seat on a ticket."""

    id: int
    ticket_id: int
    submitter_key: str
    left_at: datetime | None


class Part(NamedTuple):
    """A leg of a ticket."""

    id: int
    ticket_id: int
    unit_id: int
    assignee_id: int | None
    started_at: datetime
    ended_at: datetime | None


def _some(name: str) -> BindParameter[Sequence[int]]:
    return bindparam(name, expanding=True)


def _columns(kind: type[News | StepTaken | Place | Part], of: type[Base]) -> Select[Any]:
    """SQL: what `kind` names. Columns, and no objects of the session: it would look after each of them at each rollback."""
    return select(*(getattr(of, name) for name in kind._fields))


_NOW: BindParameter[datetime] = bindparam("now", type_=Instant)
_NEWS = _columns(News, Outbox).where(Outbox.id.in_(_some("ids")))
_TICKETS = select(Ticket).where(Ticket.id.in_(_some("ids")))
_TOLD = select(Notice.outbox_id).where(Notice.outbox_id.in_(_some("ids"))).distinct()
_STEPS = _columns(StepTaken, TimelineEntry).where(
    TimelineEntry.ticket_id.in_(_some("ids")), TimelineEntry.version.in_(_some("versions"))
)
_PLACES = _columns(Place, Seat).where(Seat.ticket_id.in_(_some("ids"))).order_by(Seat.id)
_PLACE = _columns(Place, Seat).where(Seat.id == bindparam("id"))
_PARTS = _columns(Part, Leg).where(Leg.ticket_id.in_(_some("ids"))).order_by(Leg.id)
_DEPUTIES = (
    select(Deputy.account_id, Deputy.deputy_id)
    .where(Deputy.account_id.in_(_some("ids")), in_force(Deputy.valid_from, Deputy.valid_to, _NOW))
    .order_by(Deputy.id)
)


@lru_cache(maxsize=SAME_ACTORS)
def _seen_as_staff(actor: Actor) -> Select[int]:
    """SQL: those of these tickets that the actor sees by a role."""
    return select(Ticket.id).where(Ticket.id.in_(_some("ids")), visible(replace(actor, submitter_key="")))


class Gathered:
    """Some events, and what surrounds their tickets at `now`."""

    def __init__(self, session: Session, outbox_ids: Iterable[int], now: datetime) -> None:
        self.session, self.now = session, now
        self.rows = {row.id: News(*row) for row in session.execute(_NEWS, {"ids": list(outbox_ids)})}
        self._ticket_ids = sorted({row.ticket_id for row in self.rows.values() if row.ticket_id is not None})
        self._actors: dict[int, Actor | None] = {}
        self._seen: dict[int, frozenset[int]] = {}
        self._deputies: dict[int, list[int]] = {}

    @cached_property
    def tickets(self) -> dict[int, Ticket]:
        """The tickets that the events are of, by their ids."""
        return {ticket.id: ticket for ticket in self.session.scalars(_TICKETS, {"ids": self._ticket_ids})}

    @cached_property
    def already_told(self) -> frozenset[int]:
        """The events of which somebody has a notice (a replayed outbox)."""
        return frozenset(self.session.scalars(_TOLD, {"ids": list(self.rows)}))

    def step_of(self, row: News) -> StepTaken | None:
        """The step of the history that an event tells of; an alarm tells of none."""
        return None if row.version is None else self._steps.get((row.ticket_id, row.version))

    @cached_property
    def _steps(self) -> dict[tuple[int | None, int], StepTaken]:
        versions = sorted({row.version for row in self.rows.values() if row.version is not None})
        found = self.session.execute(_STEPS, {"ids": self._ticket_ids, "versions": versions})
        return {(row.ticket_id, row.version): StepTaken(*row) for row in found}

    def seats_of(self, ticket_id: int) -> list[Place]:
        """The seats of a ticket that nobody has left, the eldest first."""
        return [seat for seat in self._seats.values() if seat.ticket_id == ticket_id and seat.left_at is None]

    def seat(self, seat_id: int) -> Place | None:
        """A seat by its id, also one that was left, or that is on a ticket joined to this one."""
        if seat_id in self._seats:
            return self._seats[seat_id]
        row = self.session.execute(_PLACE, {"id": seat_id}).first()
        return Place(*row) if row else None

    @cached_property
    def _seats(self) -> dict[int, Place]:
        return {row.id: Place(*row) for row in self.session.execute(_PLACES, {"ids": self._ticket_ids})}

    def legs_of(self, ticket_id: int) -> list[Part]:
        """The legs of a ticket, ended ones too, the eldest first."""
        return self._legs.get(ticket_id, [])

    @cached_property
    def _legs(self) -> dict[int, list[Part]]:
        found: dict[int, list[Part]] = {}
        for row in self.session.execute(_PARTS, {"ids": self._ticket_ids}):
            found.setdefault(row.ticket_id, []).append(Part(*row))
        return found

    def actor(self, account_id: int) -> Actor | None:
        """The account with its roles of now; None where it is disabled."""
        if account_id not in self._actors:
            someone = active_staff(self.session).get(account_id) or self._active(account_id)
            self._actors[account_id] = load_actor(self.session, someone, now=self.now) if someone else None
        return self._actors[account_id]

    def _active(self, account_id: int) -> Account | None:
        account = self.session.get(Account, account_id)
        return account if account and account.is_active else None

    def seen_by(self, account_id: int) -> frozenset[int]:
        """Those of the tickets that this account may see as staff (a seat of its own doesn't count here)."""
        if account_id not in self._seen:
            actor = self.actor(account_id)
            asked = {"ids": self._ticket_ids}
            seen = self.session.scalars(_seen_as_staff(actor), asked) if actor else ()
            self._seen[account_id] = frozenset(seen)
        return self._seen[account_id]

    def deputies_of(self, accounts: Sequence[int]) -> list[int]:
        """Those who stand in for these accounts."""
        unknown = [each for each in accounts if each not in self._deputies]
        if unknown:
            self._deputies.update((each, []) for each in unknown)
            for account_id, deputy_id in self.session.execute(_DEPUTIES, {"ids": unknown, "now": self.now}):
                self._deputies[account_id].append(deputy_id)
        return [deputy for each in accounts for deputy in self._deputies[each]]
