"""Figures of a large site, kept in this process for a while: a leader with one minute does not wait for the same twice.

Whoever shows kept figures shows as of when they are. In the second half of their time a thread counts them anew while
readers are still given them, so that only the first in a long while waits. A small site's are counted anew each time.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import Lock, Thread
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.memo import remembered
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

log = logging.getLogger(__name__)
T = TypeVar("T")
Key = tuple[Actor, str]
Count = Callable[[Session], T]
Kept = OrderedDict[Key, tuple[Any, datetime, datetime]]
"""By reader and question: the answer, as of when it is, and until when it is given again."""

_kept: WeakKeyDictionary[Engine, Kept] = WeakKeyDictionary()
_counting = Lock()


def recent_report(session: Session, actor: Actor, query: ReportQuery, *, now: datetime) -> Report:
    """`closure_report` without times, or what it gave this very actor for this query a short while ago. Raises as it does."""

    def count(reading: Session) -> Report:
        return closure_report(reading, actor, query, now=now, with_times=False)

    return _recent(session, (actor, query.model_dump_json()), count, now)[0]


def recent_counts(
    session: Session, actor: Actor, parts: Mapping[str, TicketFilters], *, now: datetime
) -> tuple[dict[str, int], datetime]:
    """`count_each`, or what it gave this very actor for these lists a short while ago; and as of when that is."""
    asked = repr(sorted((name, filters.model_dump_json()) for name, filters in parts.items()))
    return _recent(session, (actor, asked), lambda reading: count_each(reading, actor, parts, now=now), now)


def _recent(session: Session, key: Key, count: Count[T], now: datetime) -> tuple[T, datetime]:
    """What was counted for this very actor a short while ago, or counted now; and as of when it is.

    What took long to count is given again the longer: a minute for each second, five at most. An actor whose roles
    changed is another one, so nobody is given what they may no longer read.
    """
    if remembered(session, "newest ticket", lambda: session.scalar(_NEWEST) or 0) < LARGE:
        return count(session), now
    engine = session.get_bind().engine
    kept = _kept.setdefault(engine, OrderedDict())
    found = _find(kept, key, now)
    if found is not None:
        _, at, until = found
        if now - at > (until - at) / 2 and not _counting.locked():
            Thread(target=_count_beside, args=(engine, kept, key, count, now), name="figures", daemon=True).start()
        return found[:2]
    with _counting:  # one count at a time in a process: whoever waited finds it done
        found = _find(kept, key, now)
        return found[:2] if found is not None else (_count(session, kept, key, count, now), now)


_NEWEST = select(func.max(Ticket.id))


def _count_beside(engine: Engine, kept: Kept, key: Key, count: Count[Any], now: datetime) -> None:
    """Count anew on a connection of its own, unless something is being counted: then the next reader asks for it again."""
    if not _counting.acquire(blocking=False):
        return
    try:
        with Session(engine) as session:
            _count(session, kept, key, count, now)
    except Exception:
        log.exception("figures could not be counted beside; the next reader counts them")
    finally:
        _counting.release()


def _count(session: Session, kept: Kept, key: Key, count: Count[T], now: datetime) -> T:
    began = time.monotonic()
    counted = count(session)
    took = time.monotonic() - began
    kept[key] = counted, now, now + min(LONGEST, KEPT_FOR_EACH_SECOND * took)
    while len(kept) > MOST:
        kept.popitem(last=False)
    return counted


def _find(kept: Kept, key: Key, now: datetime) -> tuple[Any, datetime, datetime] | None:
    counted, at, until = kept.get(key, (None, now, now))
    return (counted, at, until) if at <= now < until else None
