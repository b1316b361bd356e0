"""What is read once for all the events that are told together: rows, tickets, steps, seats, legs, who sees what. Reads only.

All of it is of one instant and one snapshot: rights as they stand there. Each kind is read when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property, lru_cache

from sqlalchemy import BindParameter, Select, bindparam, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.db import Instant
from feedback.kernel.outbox import Outbox
from feedback.notifications.models import Notice
from feedback.people.models import Account, Deputy
from feedback.people.queries import active_staff, in_force, load_actor
from feedback.tickets.models import Leg, Seat, Ticket, TimelineEntry
from feedback.tickets.visibility import SAME_ACTORS, visible


def _some(name: str) -> BindParameter[Sequence[int]]:
    return bindparam(name, expanding=True)


_NOW: BindParameter[datetime] = bindparam("now", type_=Instant)
_ROWS = select(Outbox).where(Outbox.id.in_(_some("ids")))
_TICKETS = select(Ticket).where(Ticket.id.in_(_some("ids")))
_TOLD = select(Notice.outbox_id).where(Notice.outbox_id.in_(_some("ids"))).distinct()
_ENTRIES = select(TimelineEntry).where(
    TimelineEntry.ticket_id.in_(_some("ids")), TimelineEntry.version.in_(_some("versions"))
)
_SEATS = select(Seat).where(Seat.ticket_id.in_(_some("ids"))).order_by(Seat.id)
_LEGS = select(Leg).where(Leg.ticket_id.in_(_some("ids"))).order_by(Leg.id)
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
        self.rows = {row.id: row for row in session.scalars(_ROWS, {"ids": list(outbox_ids)})}
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

    def entry_of(self, row: Outbox) -> TimelineEntry | None:
        """The step of the history that an event tells of; an alarm tells of none."""
        return None if row.version is None else self._entries.get((row.ticket_id, row.version))

    @cached_property
    def _entries(self) -> dict[tuple[int | None, int], TimelineEntry]:
        versions = sorted({row.version for row in self.rows.values() if row.version is not None})
        asked = {"ids": self._ticket_ids, "versions": versions}
        return {(entry.ticket_id, entry.version): entry for entry in self.session.scalars(_ENTRIES, asked)}

    def seats_of(self, ticket_id: int) -> list[Seat]:
        """The seats of a ticket that nobody has left, the eldest first."""
        return [seat for seat in self._seats.values() if seat.ticket_id == ticket_id and seat.left_at is None]

    def seat(self, seat_id: int) -> Seat | None:
        """A seat by its id, also one that was left, or that is on a ticket joined to this one."""
        return self._seats.get(seat_id) or self.session.get(Seat, seat_id)

    @cached_property
    def _seats(self) -> dict[int, Seat]:
        return {seat.id: seat for seat in self.session.scalars(_SEATS, {"ids": self._ticket_ids})}

    def legs_of(self, ticket_id: int) -> list[Leg]:
        """The legs of a ticket, ended ones too, the eldest first."""
        return self._legs.get(ticket_id, [])

    @cached_property
    def _legs(self) -> dict[int, list[Leg]]:
        found: dict[int, list[Leg]] = {}
        for leg in self.session.scalars(_LEGS, {"ids": self._ticket_ids}):
            found.setdefault(leg.ticket_id, []).append(leg)
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
