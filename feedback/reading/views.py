"""What of a ticket is shown to one reader: frozen rows with codes, names and instants, loaded in bulk. Reads only.

Whoever gets a row here was let through by visibility.py before; here only what they may see of it is picked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BindParameter, Row, Select, and_, bindparam, func, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.reference import kept
from feedback.people.models import Account, Unit
from feedback.people.queries import all_staff, all_units
from feedback.reading.search import LEGACY, RUNNING
from feedback.reading.snippets import Snippet
from feedback.routing.queries import categories_by_id
from feedback.tickets import lifecycle
from feedback.tickets.identity import Submitter, submitters
from feedback.tickets.models import Message, Ticket
from feedback.tickets.parts import legs_of, seats_of
from feedback.tickets.seats import words_of_own

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
    is_joined: bool = False


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


LISTED: tuple[Any, ...] = (
    Ticket.id,
    Ticket.reference,
    Ticket.origin,
    Ticket.status,
    Ticket.closure_reason,
    Ticket.kind,
    Ticket.category_id,
    Ticket.area_id,
    Ticket.place,
    Ticket.urgency,
    Ticket.requested_urgency,
    Ticket.privacy,
    Ticket.channel,
    Ticket.is_about,
    Ticket.due_at,
    Ticket.original_due_at,
    Ticket.lead_unit_id,
    Ticket.lead_leg_id,
    Ticket.assignee_id,
    Ticket.round,
    Ticket.reopen_count,
    Ticket.outcome,
    Ticket.planned_on,
    Ticket.submitted_at,
    Ticket.occurred_at,
    Ticket.first_dispatched_at,
    Ticket.first_responded_at,
    Ticket.resolved_at,
    Ticket.closed_at,
    Ticket.last_word_at,
    Ticket.routing,
    Ticket.version,
    func.coalesce(Message.title, "").label("title"),
    func.coalesce(func.substr(Message.body, 1, OPENING), "").label("opening"),
)
"""The columns of a ticket that `rows_of` takes; they come from `with_words`."""


def with_words(columns: Sequence[Any]) -> Select[Any]:
    """These columns of tickets with what was first said; a ticket without words is there too."""
    first = and_(Message.ticket_id == Ticket.id, Message.version == 1, Message.is_current)
    return select(*columns).select_from(Ticket).outerjoin(Message, first)


def rows_of(
    session: Session, tickets: Sequence[Row[Any]], actor: Actor, now: datetime, *, is_brief: bool = False
) -> list[TicketRow]:
    """Tickets, read as LISTED, as this reader may see them, in their order; the number of queries is the same for many.

    Brief rows name neither a submitter nor the units at work: for lists that show neither and belong to no submitter.
    """
    if not tickets:
        return []
    loaded = _Loaded(session, tickets, actor, is_brief=is_brief)
    return [_row(ticket, loaded, actor, now) for ticket in tickets]


def unit_label(unit: Unit | None) -> UnitLabel | None:
    """The label of a unit; None for none."""
    return UnitLabel(unit.code, unit.name, unit.name_en) if unit else None


def person_label(account: Account | None) -> PersonLabel | None:
    """The label of a member of staff; None for none."""
    return PersonLabel(account.login, account.name) if account else None


class _Loaded:
    """Everything that the rows of a page need beside the tickets themselves."""

    def __init__(self, session: Session, tickets: Sequence[Row[Any]], actor: Actor, *, is_brief: bool) -> None:
        ids = [ticket.id for ticket in tickets]
        self.shows_routing = any(grant.role == "dispatcher" for grant in actor.grants)
        self.seats = {} if is_brief else _shown_seats(session, ids, actor)
        self.submitters = {} if is_brief else _submitters(session, self.seats.values(), actor)
        self.own_words = _own_words(session, self.seats, actor)
        legs = [] if is_brief else [leg for leg in legs_of(session, ids) if leg.ended_at is None]
        self.legs: dict[int, list[Any]] = {}
        for leg in legs:
            self.legs.setdefault(leg.ticket_id, []).append(leg)
        self.units = unit_labels(session)
        self.people = person_labels(
            session, [*(ticket.assignee_id for ticket in tickets), *(leg.assignee_id for leg in legs)]
        )
        self.categories = categories_by_id(session, {t.category_id for t in tickets if t.category_id is not None})


_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_PEOPLE = select(Account.id, Account.login, Account.name).where(Account.id.in_(_IDS))


def person_labels(session: Session, ids: Iterable[int | None]) -> dict[int, PersonLabel]:
    """The labels of these members of staff, by id: from those kept of all staff, in one query at most for who has left."""
    staff = kept(session, "staff labels", _read_staff_labels)
    wanted = {i for i in ids if i is not None}
    gone = sorted(wanted - staff.keys())
    found = {i: staff[i] for i in wanted if i in staff}
    rows = session.execute(_PEOPLE, {"ids": gone}) if gone else ()
    return found | {i: PersonLabel(login, name) for i, login, name in rows}


def _read_staff_labels(session: Session) -> dict[int, PersonLabel]:
    return {one.account_id: PersonLabel(one.login, one.name) for one in all_staff(session)}


def unit_labels(session: Session) -> dict[int, UnitLabel]:
    """The labels of all units by id; to be read only."""
    return kept(
        session,
        "unit labels",
        lambda reading: {i: UnitLabel(u.code, u.name, u.name_en) for i, u in all_units(reading).items()},
    )


def _shown_seats(session: Session, ids: Sequence[int], actor: Actor) -> dict[int, Any]:
    """By ticket: the reader's own seat if they hold one (they see no other submitter then), else the first one's."""
    shown: dict[int, Any] = {}
    for seat in seats_of(session, ids):
        is_mine = bool(actor.submitter_key) and seat.submitter_key == actor.submitter_key and seat.left_at is None
        if is_mine or (seat.ticket_id not in shown and seat.origin_ticket_id == seat.ticket_id):
            shown[seat.ticket_id] = seat
    return shown


def _submitters(session: Session, seats: Iterable[Any], actor: Actor) -> dict[int, Submitter]:
    """What may be shown of whoever holds these seats. What is sealed of the reader's own need not be opened: it is they."""
    own: dict[int, Submitter] = {}
    others = []
    for seat in seats:
        if actor.submitter_key and seat.submitter_key == actor.submitter_key and seat.privacy == "named":
            own[seat.id] = Submitter(seat.alias, seat.town_id, actor.login, actor.name)
        else:
            others.append(seat)
    return own | submitters(session, others)


def _own_words(session: Session, seats: dict[int, Any], actor: Actor) -> dict[int, tuple[str, str]]:
    """By ticket that the reader joined: what they themselves wrote, which stands for it in their lists."""
    joined = [
        i for i, seat in seats.items() if seat.origin_ticket_id != i and seat.submitter_key == actor.submitter_key
    ]
    return words_of_own(session, actor.submitter_key, joined) if joined else {}


def _row(ticket: Row[Any], loaded: _Loaded, actor: Actor, now: datetime) -> TicketRow:
    category = loaded.categories.get(ticket.category_id) if ticket.category_id else None
    submitter = _submitter(ticket, loaded, actor)
    title, opening = loaded.own_words.get(ticket.id, (ticket.title, ticket.opening))
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
        area=loaded.units.get(ticket.area_id),
        place=ticket.place,
        urgency=ticket.urgency,
        requested_urgency=ticket.requested_urgency,
        title=title,
        opening=opening[:OPENING],
        privacy=ticket.privacy,
        channel=ticket.channel,
        is_about=ticket.is_about,
        is_overdue=ticket.status in RUNNING and ticket.due_at is not None and ticket.due_at < now,
        submitter=submitter,
        unit=loaded.units.get(ticket.lead_unit_id),
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
        routing=dict(ticket.routing or {}) if loaded.shows_routing else {},
        version=ticket.version,
        snippet=None,
    )


def _leg(leg: Any, loaded: _Loaded, *, shows_task: bool) -> LegView:
    return LegView(
        unit=loaded.units.get(leg.unit_id),
        role=leg.role,
        assignee=loaded.people.get(leg.assignee_id) if leg.assignee_id else None,
        task=leg.task if shows_task else None,
        started_at=leg.started_at,
        acknowledged_at=leg.acknowledged_at,
        acknowledged_by_system=leg.acknowledged_by_system,
        answered_at=leg.answered_at,
    )


def _submitter(ticket: Row[Any], loaded: _Loaded, actor: Actor) -> SubmitterView | None:
    seat = loaded.seats.get(ticket.id)
    if seat is None:
        return None
    shown = loaded.submitters[seat.id]
    return SubmitterView(
        alias=shown.alias,
        town=loaded.units.get(shown.town_id) if shown.town_id else None,
        login=shown.login,
        name=shown.name,
        is_protected=seat.privacy != "named",
        is_me=bool(actor.submitter_key) and seat.submitter_key == actor.submitter_key,
        is_joined=seat.origin_ticket_id != ticket.id,
    )
