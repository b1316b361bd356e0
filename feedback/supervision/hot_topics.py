"""Keeps the topics that the leader's page shows: found anew by a job, under the same number while they are the same.

A burst is a topic that brings more in a week than its whole area and category usually do.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from feedback.kernel.db import session as current_session
from feedback.kernel.site import get_setting
from feedback.kernel.transaction import transaction
from feedback.people.models import Unit
from feedback.people.queries import all_units
from feedback.supervision.models import HotTopic, HotTopicTicket
from feedback.supervision.topics import Topic, find_topics
from feedback.tickets.models import Ticket

SMALLEST, MOST_TOPICS = 3, 200
WEEK = timedelta(days=7)
USUAL_WEEKS = 8
FEWEST_OF_BURST = 3

Weekly = Mapping[tuple[int, int | None], float]
"""Tickets of a usual week, by area and category."""


@dataclass(frozen=True)
class _Measured:
    topic: Topic
    area_id: int | None
    category_id: int | None
    recent: int
    usual: float

    @property
    def is_burst(self) -> bool:
        """More came in the last week than chance lets come of what is usual there."""
        return self.recent >= FEWEST_OF_BURST and self.recent > self.usual + 2 * math.sqrt(max(self.usual, 1.0))


def renew_topics(now: datetime) -> int:
    """Find the topics of the last `topic_days` anew and keep them; gives how many there are.

    It works without holding anything up, and writes at the end in one transaction.
    """
    session = current_session()
    found = find_topics(session, days=int(get_setting(session, "topic_days")), now=now, smallest=SMALLEST)
    measured = _measure(session, found[:MOST_TOPICS], now)
    with transaction() as session:
        _keep(session, measured, now)
    return len(measured)


def _measure(session: Session, topics: Sequence[Topic], now: datetime) -> list[_Measured]:
    units, usual = all_units(session), _usual_weeks(session, now)
    measured = []
    for topic in topics:
        query = select(Ticket.area_id, Ticket.category_id, Ticket.submitted_at)
        rows = session.execute(query.where(Ticket.id.in_(topic.ticket_ids))).all()
        area = _common_area([units[row.area_id] for row in rows if row.area_id in units])
        category_id, times = Counter(row.category_id for row in rows).most_common(1)[0]
        category_id = category_id if times * 2 > len(rows) else None
        measured.append(
            _Measured(
                topic=topic,
                area_id=area.id if area else None,
                category_id=category_id,
                recent=sum(row.submitted_at > now - WEEK for row in rows),
                usual=_usual_of(usual, units, area, category_id),
            )
        )
    return measured


def _usual_weeks(session: Session, now: datetime) -> Weekly:
    """What came in a week on average in the eight weeks before the last one."""
    query = (
        select(Ticket.area_id, Ticket.category_id, func.count())
        .where(Ticket.submitted_at > now - WEEK * (USUAL_WEEKS + 1), Ticket.submitted_at <= now - WEEK)
        .group_by(Ticket.area_id, Ticket.category_id)
    )
    return {(area, category): count / USUAL_WEEKS for area, category, count in session.execute(query)}


def _usual_of(usual: Weekly, units: Mapping[int, Unit], area: Unit | None, category_id: int | None) -> float:
    path = area.path if area else ""
    return sum(
        weekly
        for (area_id, category), weekly in usual.items()
        if units[area_id].path.startswith(path) and (category_id is None or category == category_id)
    )


def _common_area(areas: Sequence[Unit]) -> Unit | None:
    """The lowest unit under which all of them lie."""
    if not areas:
        return None
    lowest = min(areas, key=lambda unit: len(unit.path))
    above = {unit.id: unit for unit in areas}
    while not all(unit.path.startswith(lowest.path) for unit in above.values()):
        parent = all_units(current_session()).get(lowest.parent_id) if lowest.parent_id else None
        if parent is None:
            return None
        lowest = parent
    return lowest


def _keep(session: Session, measured: Sequence[_Measured], now: datetime) -> None:
    before: defaultdict[int, set[int]] = defaultdict(set)
    for ticket_id, topic_id in session.execute(select(HotTopicTicket.ticket_id, HotTopicTicket.topic_id)):
        before[topic_id].add(ticket_id)
    ids = _same_ids(before, [set(one.topic.ticket_ids) for one in measured])
    session.execute(delete(HotTopicTicket))
    session.execute(delete(HotTopic).where(HotTopic.id.not_in([i for i in ids if i is not None])))
    members: list[dict[str, Any]] = []
    for one, known in zip(measured, ids, strict=True):
        kept = session.get(HotTopic, known) if known is not None else None
        if kept is None:
            kept = HotTopic(found_at=now)
            session.add(kept)
        kept.area_id, kept.category_id, kept.size = one.area_id, one.category_id, one.topic.size
        kept.recent, kept.usual, kept.is_burst, kept.renewed_at = one.recent, one.usual, one.is_burst, now
        session.flush()
        members += [{"ticket_id": ticket_id, "topic_id": kept.id} for ticket_id in one.topic.ticket_ids]
    if members:
        session.execute(insert(HotTopicTicket), members)


def _same_ids(before: Mapping[int, set[int]], found: Sequence[set[int]]) -> list[int | None]:
    """For each group the number of the earlier one that it goes on: the one that shares the most tickets, each once."""
    topic_of = {ticket_id: topic_id for topic_id, ids in before.items() for ticket_id in ids}
    shared = [
        (times, place, topic_id)
        for place, ids in enumerate(found)
        for topic_id, times in Counter(topic_of[one] for one in ids if one in topic_of).items()
    ]
    ids: list[int | None] = [None] * len(found)
    taken: set[int] = set()
    for _, place, topic_id in sorted(shared, key=lambda each: (-each[0], each[1], each[2])):
        if ids[place] is None and topic_id not in taken:
            ids[place] = topic_id
            taken.add(topic_id)
    return ids
