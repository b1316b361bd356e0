"""The people around one ticket, by group: its office, its workers, heads above them, deciders, seats. Reads only.

A group is a method named after it that gives account ids of staff and keys of seats.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select

from feedback.notifications.gathered import Gathered, News, Part
from feedback.people.models import Unit
from feedback.people.queries import colleagues, submitter_key
from feedback.sla.models import SlaClock
from feedback.tickets import lifecycle
from feedback.tickets.deciders import decider_standings, deciders
from feedback.tickets.models import Ticket, TicketRequest, TimelineEntry
from feedback.tickets.seats import seats_that_confirmed
from feedback.tickets.visibility import PROTECTED, office_of

Members = Sequence[int | str]


class Circle:
    """Whom an event of one ticket could concern at `now`."""

    def __init__(self, gathered: Gathered, row: News, ticket: Ticket) -> None:
        self.session, self.now, self.gathered = gathered.session, gathered.now, gathered
        self.ticket, self.row = ticket, row
        self.entry = gathered.step_of(row)
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
        return self.ticket.id in self.gathered.seen_by(account_id)

    def key_of(self, account_id: int) -> str:
        return submitter_key(account_id)

    def key_of_seat(self, seat_id: object) -> str | None:
        seat = self.gathered.seat(seat_id) if isinstance(seat_id, int) else None
        return seat.submitter_key if seat else None

    def deputies_of(self, accounts: Iterable[int]) -> list[int]:
        """Those who stand in for these accounts at this instant."""
        return self.gathered.deputies_of(list(accounts))

    def _request(self) -> TicketRequest | None:
        """The request that the event is about."""
        named = self.row.payload.get("request")
        request = self.session.get(TicketRequest, named) if isinstance(named, int) else None
        return request if request and request.ticket_id == self.ticket.id else None

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

    def _hands_of(self, leg: Part | None, unit_id: int | None) -> list[int]:
        """Who works for a unit: the one it is assigned to, else all its handlers, else its heads."""
        assignee = leg.assignee_id if leg else None
        if assignee and self.sees(assignee):
            return [assignee]
        return self._holders("handler", unit_id) or self._holders("unit_head", unit_id)

    def _workers(self) -> list[int]:
        """Whoever has the ticket on the desk: the lead's hands, before dispatch the office."""
        if self.ticket.lead_unit_id is None:
            return self._office()
        lead = next((leg for leg in self._legs() if leg.id == self.ticket.lead_leg_id), None)
        return self._hands_of(lead, self.ticket.lead_unit_id)

    def _legs(self) -> list[Part]:
        return self.gathered.legs_of(self.ticket.id)

    def _alarmed_handlers(self) -> list[int]:
        unit_id = self.row.payload.get("unit_id")
        if not isinstance(unit_id, int):
            return self._workers()
        mine = [leg for leg in self._legs() if leg.unit_id == unit_id and leg.ended_at is None]
        leg = mine[-1] if mine else None
        return self._hands_of(leg, unit_id)

    def _step_at(self) -> datetime:
        return self.entry.at if self.entry else self.row.created_at

    def _newcomers(self) -> list[int]:
        """Handlers and heads of the lead and of units that got their part by this step."""
        at = self._step_at()
        units = [leg.unit_id for leg in self._legs() if leg.started_at == at and leg.ended_at is None]
        if self.row.event != "leg.added" and self.ticket.lead_unit_id is not None:
            units.insert(0, self.ticket.lead_unit_id)
        return [a for unit_id in dict.fromkeys(units) for a in self._people_of(unit_id)]

    def _leavers(self) -> list[int]:
        """Handlers and heads of units whose part this step ended."""
        at = self._step_at()
        units = [leg.unit_id for leg in self._legs() if leg.ended_at == at]
        return [a for unit_id in dict.fromkeys(units) for a in self._people_of(unit_id)]

    def _people_of(self, unit_id: int) -> list[int]:
        return [*self._holders("handler", unit_id), *self._holders("unit_head", unit_id)]

    def _assignees(self) -> list[int]:
        """The one whom this step named; where the step doesn't say, whoever is assigned now."""
        named = self.entry.facts.get("assignee") if self.entry else None
        if isinstance(named, int):
            return [named]
        return [leg.assignee_id for leg in self._legs() if leg.ended_at is None and leg.assignee_id is not None]

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
        actor = self.gathered.actor(account_id)
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
        return list(dict.fromkeys(seat.submitter_key for seat in self.gathered.seats_of(self.ticket.id)))

    def _silent_seats(self) -> list[str]:
        """Those who raised it and have not confirmed this round: only they are reminded."""
        spoken = seats_that_confirmed(self.session, self.ticket)
        return [seat.submitter_key for seat in self.gathered.seats_of(self.ticket.id) if seat.id not in spoken]
