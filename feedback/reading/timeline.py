"""A ticket's history and its requests as one reader may see them, words and names loaded in bulk. Reads only.

The submitter sees every step, but no notes and no internal words; staff see no more of a protected submitter than an
alias; whoever works on it sees nothing of the verdict but that it was given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.people.models import Unit
from feedback.people.queries import units_by_id
from feedback.reading.views import UnitLabel, person_labels, unit_label
from feedback.routing.queries import categories_by_id
from feedback.tickets.attachments import FileView, files_by_entry, seen_files
from feedback.tickets.identity import Submitter, submitters
from feedback.tickets.lifecycle import RESOLVED
from feedback.tickets.models import Message, Ticket, TimelineEntry
from feedback.tickets.parts import seats_of
from feedback.tickets.sight import Sight, sight_of

NOTE = "note"
UNITS_IN_FACTS = ("lead", "unit", "from_unit", "area", "proposed_unit")
SHOWN_OF_ROUTING = ("reason", "words", "row_id", "row_version")


@dataclass(frozen=True)
class TimelineActor:
    """Who took a step: staff by name and unit, a submitter by name or alias, or the system."""

    role: str
    unit: UnitLabel | None
    name: str | None
    alias: str | None
    is_system: bool
    is_me: bool


@dataclass(frozen=True)
class TimelineItem:
    """One step. `text` and `facts` are empty where they are not for this reader; `version` is the ticket's after it."""

    version: int
    at: datetime
    action: str
    from_status: str | None
    to_status: str
    round: int
    actor: TimelineActor
    is_public: bool
    text: str | None
    is_edited: bool
    facts: dict[str, Any]
    files: tuple[FileView, ...] = ()


def list_timeline(session: Session, ticket: Ticket, actor: Actor, now: datetime) -> list[TimelineItem]:
    """The history of a ticket that this actor may see, from the receipt on, with a fixed number of queries."""
    sight = sight_of(session, actor, ticket, now)
    rows = [row for row in session.execute(_ENTRIES, {"id": ticket.id}) if _is_for(row.TimelineEntry, sight)]
    entries = [row.TimelineEntry for row in rows]
    names = _Names(session, ticket, entries, {row.TimelineEntry.version: row for row in rows if row.revision})
    return [_item(entry, names, sight, actor) for entry in entries]


def _is_for(entry: TimelineEntry, sight: Sight) -> bool:
    """Notes are for staff; a vote among several, while others are awaited, for its voter and for who oversees."""
    if entry.seat_id in sight.seat_ids:
        return True
    if entry.action == "confirm" and entry.to_status == RESOLVED:
        return sight.is_staff and not sight.works
    return sight.is_staff or entry.action != NOTE


_WORDS = and_(
    Message.ticket_id == TimelineEntry.ticket_id, Message.version == TimelineEntry.version, Message.is_current
)
_ENTRIES = (
    select(TimelineEntry, Message.body, Message.revision)
    .outerjoin(Message, _WORDS)
    .where(TimelineEntry.ticket_id == bindparam("id"))
    .order_by(TimelineEntry.version)
)


class _Names:
    """Everything that the entries refer to by id."""

    def __init__(
        self, session: Session, ticket: Ticket, entries: list[TimelineEntry], messages: Mapping[int, Any]
    ) -> None:
        self.messages = messages
        self.files = files_by_entry(session, ticket)
        facts = [entry.facts or {} for entry in entries]
        self.units: dict[int, Unit] = units_by_id(
            session, [*(entry.unit_id for entry in entries), *(i for f in facts for i in _unit_ids(f))]
        )
        self.people = person_labels(
            session, [*(entry.account_id for entry in entries), *(_whole(f.get("assignee")) for f in facts)]
        )
        wanted = {i for f in facts if (i := _whole(f.get("category"))) is not None}
        self.categories = {i: category.path for i, category in categories_by_id(session, wanted).items()}
        self.seats: dict[int, Submitter] = submitters(session, seats_of(session, (ticket.id,)))


def _whole(value: Any) -> int | None:
    return value if type(value) is int else None


def _unit_ids(facts: Mapping[str, Any]) -> Iterable[int | None]:
    yield from (_whole(facts.get(name)) for name in UNITS_IN_FACTS)
    yield from (_whole(i) for i in facts.get("assists") or ())


def _item(entry: TimelineEntry, names: _Names, sight: Sight, actor: Actor) -> TimelineItem:
    message = names.messages.get(entry.version)
    shows = sight.shows_words(is_public=entry.is_public, seat_id=entry.seat_id, action=entry.action)
    return TimelineItem(
        version=entry.version,
        at=entry.at,
        action=entry.action,
        from_status=entry.from_status,
        to_status=entry.to_status,
        round=entry.round,
        actor=_actor(entry, names, sight, actor),
        is_public=entry.is_public,
        text=message.body if message and shows else None,
        is_edited=bool(message and shows and message.revision > 1),
        facts=_facts(sight.cut_facts(entry.facts or {}, seat_id=entry.seat_id), names, sight) if shows else {},
        files=seen_files(entry, names.files.get(entry.id, ()), sight, actor),
    )


def _actor(entry: TimelineEntry, names: _Names, sight: Sight, reader: Actor) -> TimelineActor:
    if entry.seat_id is not None:
        is_me = entry.seat_id in sight.seat_ids
        shown = names.seats.get(entry.seat_id)
        may_know = is_me or sight.is_staff
        name = shown.name if shown and may_know else None
        alias = shown.alias if shown and may_know and not name else None
        return TimelineActor("submitter", None, name, alias, is_system=False, is_me=is_me)
    if entry.account_id is None:
        return TimelineActor(entry.role, None, None, None, is_system=True, is_me=False)
    account = names.people.get(entry.account_id)
    return TimelineActor(
        role=entry.role,
        unit=unit_label(names.units.get(entry.unit_id)) if entry.unit_id else None,
        name=account.name if account else None,
        alias=None,
        is_system=False,
        is_me=entry.account_id == reader.account_id,
    )


def _facts(facts: Mapping[str, Any], names: _Names, sight: Sight) -> dict[str, Any]:
    """The facts with codes, paths and logins in the place of ids."""
    shown: dict[str, Any] = {}
    for name, value in facts.items():
        if name in UNITS_IN_FACTS:
            shown[name] = _code(value, names)
        elif name == "assists":
            shown[name] = [_code(each, names) for each in value or ()]
        elif name == "assignee":
            account = names.people.get(value)
            shown[name] = account.login if account else None
        elif name == "category":
            shown[name] = names.categories.get(value)
        elif name == "routing" and isinstance(value, dict):
            shown[name] = _routing(value, sight)
        else:
            shown[name] = value
    return shown


def _routing(value: Mapping[str, Any], sight: Sight) -> dict[str, Any]:
    """Why it went there. The words that spoke to the model are pieces of the text itself: for staff alone."""
    shown = {key: value.get(key) for key in SHOWN_OF_ROUTING}
    model = value.get("model")
    if isinstance(model, dict) and model.get("is_sure"):
        words = model.get("words") if sight.is_staff else None
        shown["model"] = {"version": model.get("version"), "share": model.get("share"), "words": words or []}
    return shown


def _code(value: Any, names: _Names) -> Any:
    unit = names.units.get(value) if type(value) is int else None
    return unit.code if unit else None
