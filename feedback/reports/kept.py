"""Figures of a large site, kept in this process for a while: a leader with one minute does not wait for the same twice.

Whoever shows kept figures shows as of when they are. A small site's are counted anew each time.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.db import db
from feedback.reading.queries import count_each
from feedback.reading.search import TicketFilters
from feedback.reports.period import ReportQuery
from feedback.reports.queries import Report, closure_report
from feedback.tickets.models import Ticket

LARGE = 2_000
"""Tickets from which on a report is worth keeping."""
KEPT_FOR_EACH_SECOND = timedelta(minutes=1)
LONGEST = timedelta(minutes=5)
MOST = 64

T = TypeVar("T")
Kept = OrderedDict[tuple[Actor, str], tuple[Any, datetime, datetime]]
"""By reader and question: the answer, as of when it is, and until when it is given again."""

_kept: WeakKeyDictionary[Engine, Kept] = WeakKeyDictionary()
_counting = Lock()


def recent_report(session: Session, actor: Actor, query: ReportQuery, *, now: datetime) -> Report:
    """`closure_report` without times, or what it gave this very actor for this query a short while ago. Raises as it does."""
    asked = query.model_dump_json()
    return _recent(
        session, actor, asked, lambda: closure_report(session, actor, query, now=now, with_times=False), now
    )[0]


def recent_counts(
    session: Session, actor: Actor, parts: Mapping[str, TicketFilters], *, now: datetime
) -> tuple[dict[str, int], datetime]:
    """`count_each`, or what it gave this very actor for these lists a short while ago; and as of when that is."""
    asked = repr(sorted((name, filters.model_dump_json()) for name, filters in parts.items()))
    return _recent(session, actor, asked, lambda: count_each(session, actor, parts, now=now), now)


def _recent(session: Session, actor: Actor, asked: str, count: Callable[[], T], now: datetime) -> tuple[T, datetime]:
    """What was counted for this very actor a short while ago, or counted now; and as of when it is.

    What took long to count is given again the longer: a minute for each second, five at most. An actor whose roles
    changed is another one, so nobody is given what they may no longer read.
    """
    if (session.scalar(select(func.max(Ticket.id))) or 0) < LARGE:
        return count(), now
    kept = _kept.setdefault(db.engine, OrderedDict())
    key = (actor, asked)
    found = _find(kept, key, now)
    if found is not None:
        return found
    with _counting:  # one count at a time in a process: whoever waited finds it done
        found = _find(kept, key, now)
        if found is not None:
            return found
        began = time.monotonic()
        counted = count()
        took = time.monotonic() - began
        kept[key] = counted, now, now + min(LONGEST, KEPT_FOR_EACH_SECOND * took)
        while len(kept) > MOST:
            kept.popitem(last=False)
    return counted, now


def _find(kept: Kept, key: tuple[Actor, str], now: datetime) -> tuple[Any, datetime] | None:
    counted, at, until = kept.get(key, (None, now, now))
    return (counted, at) if at <= now < until else None
