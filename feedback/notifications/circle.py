"""The people around one ticket, by group: its office, its workers, heads above them, deciders, seats. Reads only.

A group is a method named after it that gives account ids of staff and keys of seats.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from sqlalchemy import BindParameter, Select, bindparam, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.db import Instant
from feedback.kernel.outbox import Outbox
from feedback.people.models import Account, Deputy, Unit
from feedback.people.queries import colleagues, in_force, load_actor, submitter_key
from feedback.sla.models import SlaClock
from feedback.tickets import lifecycle
from feedback.tickets.deciders import decider_standings, deciders
from feedback.tickets.models import Leg, Seat, Ticket, TicketRequest, TimelineEntry
from feedback.tickets.seats import seats_held, seats_that_confirmed
from feedback.tickets.visibility import PROTECTED, SAME_ACTORS, office_of, visible

Members = Sequence[int | str]


_NOW: BindParameter[datetime] = bindparam("now", type_=Instant)
_DEPUTIES = (
    select(Deputy.deputy_id)
    .where(Deputy.account_id.in_(bindparam("ids", expanding=True)), in_force(Deputy.valid_from, Deputy.valid_to, _NOW))
    .order_by(Deputy.id)
)
_ENTRY = select(TimelineEntry).where(
    TimelineEntry.ticket_id == bindparam("id"), TimelineEntry.version == bindparam("version")
)


@lru_cache(maxsize=SAME_ACTORS)
def _seen_as_staff(actor: Actor) -> Select[int]:
    """SQL: the ticket of this id, if the actor sees it by a role."""
    return select(Ticket.id).where(Ticket.id == bindparam("id"), visible(replace(actor, submitter_key="")))


class Circle:
    """Whom an event of one ticket could concern at `now`."""

    def __init__(self, session: Session, ticket: Ticket, row: Outbox, now: datetime) -> None:
        self.session, self.ticket, self.row, self.now = session, ticket, row, now
        self.entry = self._find_entry()
        self._actors: dict[int, Actor | None] = {}
        self._groups = {
            "waiting_office": self._waiting_office,
            "workers": self._workers,
            "heads": lambda: self._holders("unit_head", ticket.lead_unit_id),
            "newcomers": self._newcomers,
            "leavers": self._leavers,
            "assignees": self._assignees,
            "adjudicators": lambda: self._nearest("adjudicator"),
            "supervising": self._supervising,
            "deciders": self._deciders,
            "asker": self._asker,
            "seats": self._seats,
            "alarm_handler": self._alarmed_handlers,
            "alarm_unit_head": lambda: self._nearest("unit_head"),
            "alarm_dispatcher": self._alarmed_deciders,
            "alarm_adjudicator": lambda: self._nearest("adjudicator"),
            "alarm_supervisor": lambda: self._nearest("supervisor"),
            "alarm_leader": lambda: self._nearest("leader"),
            "alarm_submitter": self._silent_seats,
        }

    @property
    def is_protected(self) -> bool:
        return self.ticket.privacy in PROTECTED

    def members(self, group: str) -> Members:
        """Account ids and seat keys of a group; empty for one that is unknown."""
        return self._groups.get(group, tuple)()

    def sees(self, account_id: int) -> bool:
        """Whether this account, as staff, may see the ticket at this instant (a seat of its own doesn't count here)."""
        actor = self._actor(account_id)
        if actor is None:
            return False
        return self.session.scalar(_seen_as_staff(actor), {"id": self.ticket.id}) is not None

    def key_of(self, account_id: int) -> str:
        return submitter_key(account_id)

    def key_of_seat(self, seat_id: object) -> str | None:
        seat = self.session.get(Seat, seat_id) if isinstance(seat_id, int) else None
        return seat.submitter_key if seat else None

    def deputies_of(self, accounts: Iterable[int]) -> list[int]:
        """Those who stand in for these accounts at this instant."""
        absent = list(accounts)
        if not absent:
            return []
        return list(self.session.scalars(_DEPUTIES, {"ids": absent, "now": self.now}))

    def _find_entry(self) -> TimelineEntry | None:
        """The step of the history that the event tells of; an alarm tells of none."""
        return self.session.scalars(_ENTRY, {"id": self.ticket.id, "version": self.row.version}).first()

    def _request(self) -> TicketRequest | None:
        """The request that the event is about."""
        named = self.row.payload.get("request")
        request = self.session.get(TicketRequest, named) if isinstance(named, int) else None
        return request if request and request.ticket_id == self.ticket.id else None

    def _actor(self, account_id: int) -> Actor | None:
        """The account with its roles of now; None where it is disabled."""
        if account_id not in self._actors:
            account = self.session.get(Account, account_id)
            is_there = account is not None and account.is_active
            self._actors[account_id] = load_actor(self.session, account, now=self.now) if account and is_there else None
        return self._actors[account_id]

    def _holders(self, role: str, unit_id: int | None) -> list[int]:
        if unit_id is None:
            return []
        return [one.account_id for one in colleagues(self.session, [unit_id], [role], self.now)]

    def _nearest(self, role: str) -> list[int]:
        """Holders of a role at the first unit upwards, from the unit concerned, where one of them sees the ticket."""
        start = self.session.get(Unit, self._unit_id() or self.ticket.area_id)
        for unit_id in start.ancestor_ids() if start else []:
            found = [a for a in self._holders(role, unit_id) if self.sees(a)]
            if found:
                return found
        return []

    def _unit_id(self) -> int | None:
        """The unit that the event names, else the lead's."""
        named = self.row.payload.get("unit_id")
        return named if isinstance(named, int) else self.ticket.lead_unit_id

    def _office(self) -> list[int]:
        return self._holders("dispatcher", office_of(self.session, self.ticket, self.now))

    def _waiting_office(self) -> list[int]:
        """The office, while the ticket waits for it."""
        return self._office() if self.ticket.status == lifecycle.SUBMITTED else []

    def _hands_of(self, leg: Leg | None, unit_id: int | None) -> list[int]:
        """Who works for a unit: the one it is assigned to, else all its handlers, else its heads."""
        assignee = leg.assignee_id if leg else None
        if assignee and self.sees(assignee):
            return [assignee]
        return self._holders("handler", unit_id) or self._holders("unit_head", unit_id)

    def _workers(self) -> list[int]:
        """Whoever has the ticket on the desk: the lead's hands, before dispatch the office."""
        if self.ticket.lead_unit_id is None:
            return self._office()
        leg = self.session.get(Leg, self.ticket.lead_leg_id) if self.ticket.lead_leg_id else None
        return self._hands_of(leg, self.ticket.lead_unit_id)

    def _alarmed_handlers(self) -> list[int]:
        unit_id = self.row.payload.get("unit_id")
        if not isinstance(unit_id, int):
            return self._workers()
        leg = self.session.scalars(
            select(Leg)
            .where(Leg.ticket_id == self.ticket.id, Leg.unit_id == unit_id, Leg.ended_at.is_(None))
            .order_by(Leg.id.desc())
        ).first()
        return self._hands_of(leg, unit_id)

    def _step_at(self) -> datetime:
        return self.entry.at if self.entry else self.row.created_at

    def _newcomers(self) -> list[int]:
        """Handlers and heads of the lead and of units that got their part by this step."""
        at = self._step_at()
        units = list(
            self.session.scalars(
                select(Leg.unit_id).where(Leg.ticket_id == self.ticket.id, Leg.started_at == at, Leg.ended_at.is_(None))
            )
        )
        if self.row.event != "leg.added" and self.ticket.lead_unit_id is not None:
            units.insert(0, self.ticket.lead_unit_id)
        return [a for unit_id in dict.fromkeys(units) for a in self._people_of(unit_id)]

    def _leavers(self) -> list[int]:
        """Handlers and heads of units whose part this step ended."""
        units = self.session.scalars(
            select(Leg.unit_id).where(Leg.ticket_id == self.ticket.id, Leg.ended_at == self._step_at())
        )
        return [a for unit_id in dict.fromkeys(units) for a in self._people_of(unit_id)]

    def _people_of(self, unit_id: int) -> list[int]:
        return [*self._holders("handler", unit_id), *self._holders("unit_head", unit_id)]

    def _assignees(self) -> list[int]:
        """The one whom this step named; where the step doesn't say, whoever is assigned now."""
        named = self.entry.facts.get("assignee") if self.entry else None
        if isinstance(named, int):
            return [named]
        legs = self.session.scalars(
            select(Leg.assignee_id).where(
                Leg.ticket_id == self.ticket.id, Leg.ended_at.is_(None), Leg.assignee_id.is_not(None)
            )
        )
        return [a for a in legs if a is not None]

    def _supervising(self) -> list[int]:
        """Whoever asked last for a report on it."""
        asked = self.session.scalars(
            select(TimelineEntry.account_id)
            .where(TimelineEntry.ticket_id == self.ticket.id, TimelineEntry.action == "supervise")
            .order_by(TimelineEntry.version.desc())
        ).first()
        return [asked] if asked else []

    def _deciders(self) -> list[int]:
        """Those who may decide the request while it waits; none once it is decided."""
        return self._who_may_decide(self._request())

    def _alarmed_deciders(self) -> list[int]:
        """Those who may decide the request whose time runs out; the office for every other clock."""
        is_decision = self.row.payload.get("kind") == "decision"
        clock = self.session.get(SlaClock, self.row.payload.get("clock_id")) if is_decision else None
        request = self.session.get(TicketRequest, clock.request_id) if clock and clock.request_id else None
        return self._who_may_decide(request) if request else self._office()

    def _who_may_decide(self, request: TicketRequest | None) -> list[int]:
        if request is None or request.state != "pending":
            return []
        return [a for a in self._asked_to_decide(request) if self._may_decide(a, request)]

    def _asked_to_decide(self, request: TicketRequest) -> list[int]:
        places = deciders(self.session, self.ticket, request, self.now)
        return [a for role, unit_id in places for a in self._holders(role, unit_id)]

    def _may_decide(self, account_id: int, request: TicketRequest) -> bool:
        actor = self._actor(account_id)
        return actor is not None and bool(decider_standings(self.session, actor, self.ticket, request, self.now))

    def _asker(self) -> Members:
        """Who made the request that was decided: staff by account, a submitter by their seat."""
        request = self._request()
        if request is None:
            return []
        if request.requested_by_id is not None:
            return [request.requested_by_id]
        key = self.key_of_seat(request.seat_id)
        return [key] if key else []

    def _seats(self) -> list[str]:
        return list(dict.fromkeys(seat.submitter_key for seat in seats_held(self.session, self.ticket.id)))

    def _silent_seats(self) -> list[str]:
        """Those who raised it and have not confirmed this round: only they are reminded."""
        spoken = seats_that_confirmed(self.session, self.ticket)
        return [seat.submitter_key for seat in seats_held(self.session, self.ticket.id) if seat.id not in spoken]
