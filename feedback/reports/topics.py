"""The kept topics as one reader may see them: how many, since when, week by week, and the tickets behind them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.reading.views import UnitLabel, unit_labels
from feedback.reports.suppression import FEWEST, Cell
from feedback.routing.queries import categories_by_id
from feedback.supervision.models import HotTopic, HotTopicTicket
from feedback.tickets.lifecycle import state_of
from feedback.tickets.models import Message, Ticket
from feedback.tickets.visibility import PROTECTED, sees_as_staff

WEEKS = 8
SMALLEST = 3


@dataclass(frozen=True)
class TopicTicket:
    """A ticket of a topic that the reader may see; `state` is its status with the reason where it is closed."""

    reference: str
    title: str
    status: str
    state: str
    submitted_at: datetime


@dataclass(frozen=True)
class TopicView:
    """A topic as far as the reader sees its tickets. `weeks`: how many came, the last week at the end; None where that

    would single somebody out. `usual` is a usual week's number of the same area and category; None as for `weeks`.
    """

    id: int
    title: str
    area: UnitLabel | None
    category: str | None
    category_en: str | None
    size: int
    weeks: tuple[int, ...] | None
    usual: float
    is_burst: bool
    renewed_at: datetime
    tickets: tuple[TopicTicket, ...]


def list_topics(session: Session, actor: Actor, *, now: datetime) -> list[TopicView]:
    """The topics of which the reader sees three tickets or more: bursts first, then what brought the most last week.

    One with a ticket raised in confidence is left out below five tickets.
    """
    seen = _seen(session, actor)
    topics = {topic.id: topic for topic in session.scalars(select(HotTopic).where(HotTopic.id.in_(list(seen))))}
    labels = unit_labels(session)
    categories = categories_by_id(session, {topic.category_id for topic in topics.values() if topic.category_id})
    views = []
    for topic_id, rows in seen.items():
        protected = sum(row.privacy in PROTECTED for row in rows)
        if len(rows) < SMALLEST or Cell(len(rows), protected).is_telling:
            continue
        topic = topics[topic_id]
        category = categories.get(topic.category_id) if topic.category_id else None
        weeks = _weeks(rows, now)
        views.append(
            TopicView(
                id=topic_id,
                title=_title(rows),
                area=labels.get(topic.area_id) if topic.area_id else None,
                category=category.name if category else None,
                category_en=category.name_en if category else None,
                size=len(rows),
                weeks=None if protected and any(0 < week < FEWEST for week in weeks) else weeks,
                usual=topic.usual,
                is_burst=topic.is_burst,
                renewed_at=topic.renewed_at,
                tickets=tuple(_ticket(row) for row in rows),
            )
        )
    return sorted(views, key=lambda view: (not view.is_burst, -(view.weeks or (0,))[-1], -view.size, view.id))


def _seen(session: Session, actor: Actor) -> dict[int, list[Any]]:
    """By topic its tickets that the reader sees as staff, the eldest first."""
    query = (
        select(
            HotTopicTicket.topic_id,
            Ticket.reference,
            Ticket.status,
            Ticket.closure_reason,
            Ticket.privacy,
            Ticket.submitted_at,
            Message.title,
        )
        .join(Ticket, Ticket.id == HotTopicTicket.ticket_id)
        .join(Message, (Message.ticket_id == Ticket.id) & (Message.version == 1) & Message.is_current)
        .where(sees_as_staff(actor))
        .order_by(Ticket.id)
    )
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for row in session.execute(query):
        found[row.topic_id].append(row)
    return dict(found)


def _ticket(row: Any) -> TopicTicket:
    state = state_of(row.status, row.closure_reason)
    return TopicTicket(row.reference, row.title or "", row.status, state, row.submitted_at)


def _weeks(rows: Sequence[Any], now: datetime) -> tuple[int, ...]:
    counts = [0] * WEEKS
    for row in rows:
        back = (now - row.submitted_at).days // 7
        if 0 <= back < WEEKS:
            counts[WEEKS - 1 - back] += 1
    return tuple(counts)


def _title(rows: Sequence[Any]) -> str:
    """What the topic is called: the title of its eldest ticket that is not protected, if there is one."""
    named = [row.title for row in rows if row.privacy not in PROTECTED and row.title]
    return str((named or [row.title or "" for row in rows])[0])
