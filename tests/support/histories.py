"""Tickets with a past, written straight as rows: for figures over steps that no use-case makes yet, or not in that order."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from feedback.kernel.transaction import transaction
from feedback.sla.models import SlaClock
from feedback.tickets.figures import keep_figures, mark_elders
from feedback.tickets.models import Leg, Message, Seat, Ticket, TicketRequest, TimelineEntry, Verdict
from tests.support.calendars import at
from tests.support.county import County

LEADS_TO = {
    "dispatch": "dispatched",
    "transfer": "dispatched",
    "return": "submitted",
    "resolve": "resolved",
    "confirm": "closed.confirmed",
    "lapse": "closed.unanswered",
    "withdraw": "closed.withdrawn",
    "join": "closed.joined",
    "exclude": "closed.excluded",
    "decline": "closed.declined",
    "dispute": "in_progress",
    "reopen": "in_progress",
}
REQUESTS = {"return": "return", "exclude": "exclusion", "decline": "decline"}


class Histories:
    """Adds tickets to a county. A step is (`2026-03-05 10:00` in China's time, action, more): more is the unit of a

    transfer, or verdict and rating of a confirmation.
    """

    def __init__(self, county: County) -> None:
        self.county = county
        self.count = 0

    def add(
        self,
        lead: str | None,
        *steps: tuple[Any, ...],
        due: str = "2026-03-09 10:00",
        submitted: str = "2026-03-02 09:00",
        extended: str | None = None,
        responded: str | None = "2026-03-02 15:00",
        area: str = "village",
        category: str = "water",
        by_catalogue: bool = False,
        **columns: Any,
    ) -> Ticket:
        """One ticket, dispatched (unless `lead` is None) a quarter of an hour after it came in; first response due in a day."""
        self.count += 1
        begun = at(submitted)
        with transaction() as session:
            ticket = Ticket(
                **{
                    "reference": f"H{self.count:04d}",
                    "status": "submitted",
                    "version": 0,
                    "kind": "demand",
                    "urgency": "normal",
                    "privacy": "named",
                    "channel": "web",
                    "area_id": self.county.units[area].id,
                    "category_id": self.county.categories[category].id,
                    "submitted_at": begun,
                    "received_at": begun,
                    **columns,
                }
            )
            session.add(ticket)
            session.flush()
            self._step(session, ticket, begun, "submit")
            seat = _add_seat(session, ticket)
            if lead:
                self._step(session, ticket, begun + timedelta(minutes=15), "dispatch", lead, by_catalogue)
                ticket.original_due_at = ticket.due_at = at(due)
                _add_clock(session, ticket, "resolution", at(extended or due), None)
                _add_clock(session, ticket, "first_response", begun + timedelta(days=1), responded)
            for instant, action, *more in steps:
                if action in ("confirm", "dispute"):
                    _add_verdict(session, ticket, seat, at(instant), *(more if action == "confirm" else ["disputed"]))
                self._step(session, ticket, at(instant), action, *more)
            session.flush()
            keep_figures(session, [ticket.id])
            mark_elders(session, ticket)
        return ticket

    def _step(self, session: Session, ticket: Ticket, instant: datetime, action: str, *more: Any) -> None:
        status, _, reason = LEADS_TO.get(action, ticket.status).partition(".")
        ticket.version += 1
        ticket.status, ticket.closure_reason = status, reason or None
        ticket.closed_at = instant if reason else None
        if action in ("dispatch", "transfer"):
            ticket.lead_unit_id = self.county.units[more[0]].id
            _change_leg(session, ticket, instant)
        if action == "dispatch" and ticket.first_dispatched_at is None:
            ticket.first_dispatched_at, ticket.first_lead_unit_id = instant, ticket.lead_unit_id
            ticket.first_area_id, ticket.first_category_id = ticket.area_id, ticket.category_id
        if action == "return":
            ticket.lead_unit_id = None
            _change_leg(session, ticket, instant)
        if action == "resolve":
            ticket.resolved_at = instant
            ticket.first_resolved_at = ticket.first_resolved_at or instant
            ticket.first_resolved_unit_id = ticket.first_resolved_unit_id or ticket.lead_unit_id
        if action in ("dispute", "reopen"):
            ticket.round, ticket.reopen_count = ticket.round + 1, ticket.reopen_count + 1
        if action in REQUESTS:
            _add_request(session, ticket, REQUESTS[action], instant)
        is_by_office = action == "dispatch" and not (more[1:] and more[1])
        session.add(
            TimelineEntry(
                ticket_id=ticket.id,
                version=ticket.version,
                action="decide" if action in REQUESTS else action,
                to_status=LEADS_TO.get(action, ticket.status),
                round=ticket.round,
                role="dispatcher" if is_by_office else "system",
                unit_id=self.county.units["root"].id if is_by_office else None,
                is_public=True,
                at=instant,
            )
        )


def _add_seat(session: Session, ticket: Ticket) -> Seat:
    seat = Seat(
        ticket_id=ticket.id,
        origin_ticket_id=ticket.id,
        alias=f"S-{ticket.id}",
        privacy=ticket.privacy,
        submitter_key="",
        joined_at=ticket.submitted_at,
    )
    session.add(seat)
    session.add(
        Message(ticket_id=ticket.id, version=1, title="水管漏水", body="水管漏水", written_at=ticket.submitted_at)
    )
    session.flush()
    return seat


def _change_leg(session: Session, ticket: Ticket, instant: datetime) -> None:
    """End the leg that led, and open one of the unit that leads now."""
    former = session.get(Leg, ticket.lead_leg_id) if ticket.lead_leg_id else None
    if former:
        former.ended_at, former.end_reason = instant, "transfer"
    ticket.lead_leg_id = None
    if ticket.lead_unit_id:
        leg = Leg(ticket_id=ticket.id, unit_id=ticket.lead_unit_id, role="lead", round=ticket.round, started_at=instant)
        session.add(leg)
        session.flush()
        ticket.lead_leg_id = leg.id


def _add_clock(session: Session, ticket: Ticket, kind: str, due_at: datetime, met: str | None) -> None:
    met_at = at(met) if met else None
    is_late = met_at is not None and met_at > due_at
    session.add(
        SlaClock(
            ticket_id=ticket.id,
            kind=kind,
            started_at=ticket.submitted_at,
            amount_name=kind,
            amount="1wd",
            calendar_id=1,
            policy_id=1,
            due_at=due_at,
            original_due_at=due_at,
            met_at=met_at,
            breached_at=due_at if is_late else None,
        )
    )


def _add_verdict(
    session: Session, ticket: Ticket, seat: Seat, instant: datetime, verdict: str, rating: int | None = None
) -> None:
    session.add(
        Verdict(seat_id=seat.id, ticket_id=ticket.id, round=ticket.round, verdict=verdict, rating=rating, at=instant)
    )
    session.flush()


def _add_request(session: Session, ticket: Ticket, kind: str, instant: datetime) -> None:
    session.add(
        TicketRequest(
            ticket_id=ticket.id,
            kind=kind,
            state="granted",
            round=ticket.round,
            role="handler",
            requested_at=instant,
            decided_at=instant,
        )
    )
