"""Reports of a large site, kept in this process for a while: a leader with one minute does not wait for the same twice.

Whoever shows a kept report shows its `now` too: the figures are as of then. A small site's are counted anew each time.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from datetime import datetime, timedelta
from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.db import db
from feedback.reports.period import ReportQuery
from feedback.reports.queries import Report, closure_report
from feedback.tickets.models import Ticket

LARGE = 2_000
"""Tickets from which on a report is worth keeping."""
KEPT_FOR_EACH_SECOND = timedelta(minutes=1)
LONGEST = timedelta(minutes=5)
MOST = 64

Kept = OrderedDict[tuple[Actor, str], tuple[Report, datetime]]

_kept: WeakKeyDictionary[Engine, Kept] = WeakKeyDictionary()
_counting = Lock()


def recent_report(session: Session, actor: Actor, query: ReportQuery, *, now: datetime) -> Report:
    """`closure_report`, or what it gave this very actor for this query a short while ago. Raises as it does.

    What took long to count is given again the longer: a minute for each second, five at most. An actor whose roles
    changed is another one, so nobody is given what they may no longer read.
    """
    if (session.scalar(select(func.max(Ticket.id))) or 0) < LARGE:
        return closure_report(session, actor, query, now=now)
    kept = _kept.setdefault(db.engine, OrderedDict())
    key = (actor, query.model_dump_json())
    found = _find(kept, key, now)
    if found is not None:
        return found
    with _counting:  # one count at a time in a process: whoever waited finds it done
        found = _find(kept, key, now)
        if found is not None:
            return found
        began = time.monotonic()
        report = closure_report(session, actor, query, now=now)
        took = time.monotonic() - began
        kept[key] = report, now + min(LONGEST, KEPT_FOR_EACH_SECOND * took)
        while len(kept) > MOST:
            kept.popitem(last=False)
    return report


def _find(kept: Kept, key: tuple[Actor, str], now: datetime) -> Report | None:
    report, until = kept.get(key, (None, now))
    return report if report is not None and report.now <= now < until else None
