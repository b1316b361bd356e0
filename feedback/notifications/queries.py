"""Reads of notices, for whoever they are addressed to, and of what could not be delivered. Never writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.db import is_among
from feedback.kernel.errors import Invalid
from feedback.kernel.outbox import DEAD, LEASED, NEW, Delivery, Outbox
from feedback.kernel.paging import Page, check_limit, cut_page, decode_cursor
from feedback.kernel.text import N_, Text
from feedback.notifications.models import Notice
from feedback.notifications.words import sentence
from feedback.tickets.models import Message, Ticket
from feedback.tickets.seats import words_of_own
from feedback.tickets.visibility import SAME_ACTORS, visible

MOST_COUNTED = 100
DEFAULT_LIMIT = 25
LARGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class NoticeView:
    """One notice as its reader sees it; `text` is rendered in their language at the door. `title` is the ticket's."""

    id: int
    event: str
    reference: str
    title: str
    text: Text
    due_at: datetime | None
    created_at: datetime
    read_at: datetime | None


@dataclass(frozen=True)
class DeadLetter:
    """Something that was given up: an event that could not be told, or a message that could not be sent."""

    kind: str
    id: int
    event: str
    reference: str | None
    channel: str | None
    attempts: int
    error: str | None


def is_seat(recipient: str) -> bool:
    """Whether a recipient is somebody who raised or joined the ticket, not staff."""
    return recipient.startswith("seat:")


def addresses_of(actor: Actor) -> list[str]:
    """Under which names notices reach somebody: as staff and as a submitter."""
    found = [f"account:{actor.account_id}"] if actor.account_id is not None else []
    return [*found, f"seat:{actor.submitter_key}"] if actor.submitter_key else found


def mine(actor: Actor) -> ColumnElement[bool]:
    """SQL over notice and ticket: addressed to the actor, about a ticket that they may see at this instant."""
    return and_(is_among(Notice.recipient, addresses_of(actor)), visible(actor))


def list_notices(
    session: Session,
    actor: Actor,
    *,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
    unread_only: bool = False,
) -> Page[NoticeView]:
    """The actor's notices, the newest first. Raises Invalid (limit or cursor)."""
    query = (
        select(Notice, Ticket.reference, Message.title)
        .join(Ticket, Ticket.id == Notice.ticket_id)
        .outerjoin(Message, and_(Message.ticket_id == Ticket.id, Message.version == 1, Message.is_current))
        .where(mine(actor))
        .order_by(Notice.created_at.desc(), Notice.id.desc())
        .limit(check_limit(limit) + 1)
    )
    if unread_only:
        query = query.where(Notice.read_at.is_(None))
    if cursor:
        query = query.where(_after(decode_cursor(cursor, 2)))
    found = session.execute(query).all()
    own = words_of_own(session, actor.submitter_key, [notice.ticket_id for notice, *_more in found if notice.ticket_id])
    views = [
        _view(notice, reference, own.get(notice.ticket_id or 0, (title or "", ""))[0])
        for notice, reference, title in found
    ]
    return cut_page(views, limit, lambda view: (view.created_at.isoformat(), view.id))


def _after(key: list[Any]) -> ColumnElement[bool]:
    """SQL: what comes after the row of this cursor. Raises Invalid for a key that no page of ours gave out."""
    at, last_id = key
    try:
        instant: datetime | None = datetime.fromisoformat(at)
    except (TypeError, ValueError):
        instant = None
    if instant is None or instant.tzinfo is None or not isinstance(last_id, int) or not 0 < last_id <= LARGEST_ID:
        raise Invalid({"cursor": Text(N_("This cursor was not made here. Start from the first page."))})
    return or_(Notice.created_at < instant, and_(Notice.created_at == instant, Notice.id < last_id))


def _view(notice: Notice, reference: str, title: str) -> NoticeView:
    facts: Mapping[str, Any] = notice.facts or {}
    due = facts.get("due_at")
    return NoticeView(
        id=notice.id,
        event=notice.event,
        reference=reference,
        title=title,
        text=sentence(notice.event, facts, for_submitter=is_seat(notice.recipient)),
        due_at=datetime.fromisoformat(due) if due else None,
        created_at=notice.created_at,
        read_at=notice.read_at,
    )


def unread_count(session: Session, actor: Actor) -> int:
    """How many unread notices the actor has, counted up to 100 (which a page shows as 99+)."""
    return session.scalar(unread_of(actor)) or 0


@lru_cache(maxsize=SAME_ACTORS)
def unread_of(actor: Actor) -> Select[int]:
    """SQL: `unread_count`, for a statement that asks more."""
    some = (
        select(Notice.id)
        .join(Ticket, Ticket.id == Notice.ticket_id)
        .where(mine(actor), Notice.read_at.is_(None))
        .limit(MOST_COUNTED)
    )
    return select(func.count()).select_from(some.subquery())


def count_by_state(session: Session) -> dict[str, dict[str, int]]:
    """How many events and messages stand in each state."""
    found: dict[str, dict[str, int]] = {}
    for name, table in (("events", Outbox), ("messages", Delivery)):
        counted = session.execute(select(table.state, func.count()).group_by(table.state))
        found[name] = {row[0]: row[1] for row in counted}
    return found


def count_undelivered(session: Session) -> tuple[int, int]:
    """(waiting, dead): events and messages that are not yet, and that never will be delivered."""
    states = count_by_state(session).values()
    waiting = sum(counted.get(NEW, 0) + counted.get(LEASED, 0) for counted in states)
    return waiting, sum(counted.get(DEAD, 0) for counted in states)


def oldest_waiting_at(session: Session, now: datetime) -> datetime | None:
    """Since when the eldest event waits that nobody has taken yet; one put off after a failure waits from its next try."""
    return session.scalar(select(func.min(Outbox.available_at)).where(Outbox.state == NEW, Outbox.available_at <= now))


def list_dead(session: Session, limit: int = 100) -> list[DeadLetter]:
    """What was given up, the newest first. It says neither to whom nor what."""
    events = session.execute(
        select(Outbox, Ticket.reference)
        .outerjoin(Ticket, Ticket.id == Outbox.ticket_id)
        .where(Outbox.state == DEAD)
        .order_by(Outbox.id.desc())
        .limit(limit)
    )
    messages = session.execute(
        select(Delivery, Outbox.event, Ticket.reference)
        .join(Outbox, Outbox.id == Delivery.outbox_id)
        .outerjoin(Ticket, Ticket.id == Outbox.ticket_id)
        .where(Delivery.state == DEAD)
        .order_by(Delivery.id.desc())
        .limit(limit)
    )
    found = [
        DeadLetter("event", row.id, row.event, reference, None, row.attempts, row.last_error)
        for row, reference in events
    ]
    found += [
        DeadLetter("message", row.id, event, reference, row.channel, row.attempts, row.last_error)
        for row, event, reference in messages
    ]
    return found
