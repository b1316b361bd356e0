"""What of a ticket is shown to one reader: frozen rows with codes, names and instants, loaded in bulk. Reads only.

Whoever gets a row here was let through by visibility.py before; here only what they may see of it is picked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, func, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.people.models import Account, Unit
from feedback.people.queries import units_by_id
from feedback.reading.search import LEGACY, RUNNING
from feedback.reading.snippets import Snippet
from feedback.routing.queries import categories_by_id
from feedback.tickets import lifecycle
from feedback.tickets.identity import submitters
from feedback.tickets.models import Leg, Message, Seat, Ticket

OPENING = 160
"""How many characters of the text a list may show."""


@dataclass(frozen=True)
class UnitLabel:
    """A unit as pages and programs name it."""

    code: str
    name: str
    name_en: str | None


@dataclass(frozen=True)
class PersonLabel:
    """A member of staff."""

    login: str
    name: str


@dataclass(frozen=True)
class SubmitterView:
    """Who raised it, as far as this reader may know: login and name, or alias and town. `is_me`: the reader."""

    alias: str
    town: UnitLabel | None
    login: str | None
    name: str | None
    is_protected: bool
    is_me: bool


@dataclass(frozen=True)
class LegView:
    """A unit's present part in a ticket."""

    unit: UnitLabel | None
    role: str
    assignee: PersonLabel | None
    task: str | None
    started_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by_system: bool
    answered_at: datetime | None


@dataclass(frozen=True)
class TicketRow:
    """A ticket in a list. `state` is status with the closure reason; `unit` is the lead now, None before dispatch;

    `opening` is how the text begins; `snippet` where it speaks of what was searched for, in a list that was.
    """

    reference: str
    status: str
    closure_reason: str | None
    state: str
    origin: str
    kind: str
    category: str | None
    category_name: str | None
    category_name_en: str | None
    area: UnitLabel | None
    place: str | None
    urgency: str
    requested_urgency: str | None
    title: str
    opening: str
    privacy: str
    channel: str
    is_about: bool
    is_overdue: bool
    submitter: SubmitterView | None
    unit: UnitLabel | None
    assignee: PersonLabel | None
    lead: LegView | None
    assists: tuple[LegView, ...]
    round: int
    reopen_count: int
    outcome: str | None
    planned_on: date | None
    submitted_at: datetime
    occurred_at: datetime | None
    dispatched_at: datetime | None
    responded_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None
    due_at: datetime | None
    original_due_at: datetime | None
    last_word_at: datetime | None
    routing: dict[str, Any]
    version: int
    snippet: Snippet | None


def rows_of(
    session: Session, tickets: Sequence[Ticket], actor: Actor, now: datetime, *, with_submitters: bool = True
) -> list[TicketRow]:
    """The tickets as this reader may see them, in their order; the number of queries does not depend on how many.

    Without `with_submitters` no seat is read: for lists that neither name a submitter nor belong to one.
    """
    ids = [ticket.id for ticket in tickets]
    if not ids:
        return []
    loaded = _Loaded(session, tickets, actor, with_submitters=with_submitters)
    return [_row(ticket, loaded, actor, now) for ticket in tickets]


def unit_label(unit: Unit | None) -> UnitLabel | None:
    """The label of a unit; None for none."""
    return UnitLabel(unit.code, unit.name, unit.name_en) if unit else None


def person_label(account: Account | None) -> PersonLabel | None:
    """The label of a member of staff; None for none."""
    return PersonLabel(account.login, account.name) if account else None


class _Loaded:
    """Everything that the rows of a page need beside the tickets themselves."""

    def __init__(self, session: Session, tickets: Sequence[Ticket], actor: Actor, *, with_submitters: bool) -> None:
        ids = [ticket.id for ticket in tickets]
        self.words = _words(session, ids)
        self.seats = _shown_seats(session, ids, actor) if with_submitters else {}
        self.submitters = submitters(session, self.seats.values()) if with_submitters else {}
        self.legs: dict[int, list[Any]] = {}
        for leg in session.execute(_LEGS, {"ids": ids}):
            self.legs.setdefault(leg.ticket_id, []).append(leg)
        legs = [leg for group in self.legs.values() for leg in group]
        self.units = units_by_id(
            session,
            [
                *(ticket.area_id for ticket in tickets),
                *(ticket.lead_unit_id for ticket in tickets),
                *(leg.unit_id for leg in legs),
                *(seat.town_id for seat in self.seats.values()),
            ],
        )
        self.people = person_labels(
            session, [*(ticket.assignee_id for ticket in tickets), *(leg.assignee_id for leg in legs)]
        )
        self.categories = categories_by_id(session, {t.category_id for t in tickets if t.category_id is not None})


_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_LEGS = (
    select(
        Leg.id,
        Leg.ticket_id,
        Leg.unit_id,
        Leg.role,
        Leg.task,
        Leg.assignee_id,
        Leg.started_at,
        Leg.acknowledged_at,
        Leg.acknowledged_by_system,
        Leg.answered_at,
    )
    .where(Leg.ticket_id.in_(_IDS), Leg.ended_at.is_(None))
    .order_by(Leg.ticket_id, Leg.id)
)
_WORDS = select(Message.ticket_id, Message.title, func.substr(Message.body, 1, OPENING)).where(
    Message.ticket_id.in_(_IDS), Message.version == 1, Message.is_current
)
_PEOPLE = select(Account.id, Account.login, Account.name).where(Account.id.in_(_IDS))


def person_labels(session: Session, ids: Iterable[int | None]) -> dict[int, PersonLabel]:
    """The labels of these members of staff, by id, in one query at most."""
    wanted = {i for i in ids if i is not None}
    rows = session.execute(_PEOPLE, {"ids": sorted(wanted)}) if wanted else ()
    return {i: PersonLabel(login, name) for i, login, name in rows}


def _words(session: Session, ids: list[int]) -> dict[int, tuple[str, str]]:
    """By ticket: its title, and how its text begins."""
    rows = session.execute(_WORDS, {"ids": ids})
    return {ticket_id: (title or "", body or "") for ticket_id, title, body in rows}


def _shown_seats(session: Session, ids: list[int], actor: Actor) -> dict[int, Seat]:
    """By ticket: the reader's own seat if they hold one (they see no other submitter then), else the first one's."""
    shown: dict[int, Seat] = {}
    for seat in session.scalars(select(Seat).where(Seat.ticket_id.in_(ids)).order_by(Seat.id)):
        is_mine = bool(actor.submitter_key) and seat.submitter_key == actor.submitter_key and seat.left_at is None
        if is_mine or (seat.ticket_id not in shown and seat.origin_ticket_id == seat.ticket_id):
            shown[seat.ticket_id] = seat
    return shown


def _row(ticket: Ticket, loaded: _Loaded, actor: Actor, now: datetime) -> TicketRow:
    category = loaded.categories.get(ticket.category_id) if ticket.category_id else None
    submitter = _submitter(ticket, loaded, actor)
    title, opening = loaded.words.get(ticket.id, ("", ""))
    is_raiser = submitter is not None and submitter.is_me
    legs = [(leg, _leg(leg, loaded, shows_task=not is_raiser)) for leg in loaded.legs.get(ticket.id, ())]
    return TicketRow(
        reference=ticket.reference,
        status=LEGACY if ticket.origin == LEGACY else ticket.status,
        closure_reason=None if ticket.origin == LEGACY else ticket.closure_reason,
        state=lifecycle.state_of(ticket.status, ticket.closure_reason),
        origin=ticket.origin,
        kind=ticket.kind,
        category=category.path if category else None,
        category_name=category.name if category else None,
        category_name_en=category.name_en if category else None,
        area=unit_label(loaded.units.get(ticket.area_id)),
        place=ticket.place,
        urgency=ticket.urgency,
        requested_urgency=ticket.requested_urgency,
        title=title,
        opening=opening,
        privacy=ticket.privacy,
        channel=ticket.channel,
        is_about=ticket.is_about,
        is_overdue=ticket.status in RUNNING and ticket.due_at is not None and ticket.due_at < now,
        submitter=submitter,
        unit=unit_label(loaded.units.get(ticket.lead_unit_id)) if ticket.lead_unit_id else None,
        assignee=loaded.people.get(ticket.assignee_id) if ticket.assignee_id else None,
        lead=next((view for leg, view in legs if leg.id == ticket.lead_leg_id), None),
        assists=tuple(view for leg, view in legs if leg.id != ticket.lead_leg_id),
        round=ticket.round,
        reopen_count=ticket.reopen_count,
        outcome=ticket.outcome,
        planned_on=ticket.planned_on,
        submitted_at=ticket.submitted_at,
        occurred_at=ticket.occurred_at,
        dispatched_at=ticket.first_dispatched_at,
        responded_at=ticket.first_responded_at,
        resolved_at=ticket.resolved_at,
        closed_at=ticket.closed_at,
        due_at=ticket.due_at,
        original_due_at=ticket.original_due_at,
        last_word_at=ticket.last_word_at,
        routing=dict(ticket.routing or {}) if any(g.role == "dispatcher" for g in actor.grants) else {},
        version=ticket.version,
        snippet=None,
    )


def _leg(leg: Any, loaded: _Loaded, *, shows_task: bool) -> LegView:
    return LegView(
        unit=unit_label(loaded.units.get(leg.unit_id)),
        role=leg.role,
        assignee=loaded.people.get(leg.assignee_id) if leg.assignee_id else None,
        task=leg.task if shows_task else None,
        started_at=leg.started_at,
        acknowledged_at=leg.acknowledged_at,
        acknowledged_by_system=leg.acknowledged_by_system,
        answered_at=leg.answered_at,
    )


def _submitter(ticket: Ticket, loaded: _Loaded, actor: Actor) -> SubmitterView | None:
    seat = loaded.seats.get(ticket.id)
    if seat is None:
        return None
    shown = loaded.submitters[seat.id]
    return SubmitterView(
        alias=shown.alias,
        town=unit_label(loaded.units.get(shown.town_id)) if shown.town_id else None,
        login=shown.login,
        name=shown.name,
        is_protected=seat.privacy != "named",
        is_me=bool(actor.submitter_key) and seat.submitter_key == actor.submitter_key,
    )
