"""From the outbox to the queues: at once after a commit, and from time to time for what was lost on the way."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy.orm import Session

from feedback.jobs.queues import EVENTS, MAIL, Queues
from feedback.kernel import outbox
from feedback.kernel.db import session as current_session
from feedback.settings import Settings

ENOUGH = 20
"""A queue as long as this is being worked off; more hints for the same rows would only make it longer."""
BATCH = 500
BURST = 1
"""Jobs that wait: whoever takes one tells whatever is due by then (tasks.deliver)."""
FRESH = timedelta(seconds=3)
"""Rows younger than this were just put on a queue by whoever wrote them."""
QUIET_SECONDS = 60.0

log = logging.getLogger(__name__)
_said = {"at": -QUIET_SECONDS}


def queues() -> Queues:
    """The queues of the present application."""
    found: Queues = current_app.extensions["queues"]
    return found


def kick(session: Session) -> None:
    """After a commit: put a job for the events that were published in it, unless a burst's jobs wait to find them anyway.

    Without Redis nothing happens, and quickly.
    """
    ids = [row.id for row in session.info.get("published", ()) if row.available_at <= row.created_at]
    if ids and not queues().put_where_room("deliver", ids, room=BURST):
        _say_once_in_a_while()


def kick_mails(delivery_ids: list[int]) -> None:
    """Put a job for each message that was written and may be sent now."""
    if delivery_ids:
        queues().put("send", delivery_ids)


def enqueue_due(now: datetime) -> int:
    """Put jobs for events and messages that are due and in nobody's hands; gives how many. Safe to run at any time."""
    session, found = current_session(), queues()
    waiting = found.waiting()
    if waiting is None:
        return 0
    put = 0
    if waiting[EVENTS] < ENOUGH:
        put += _put(found, "deliver", outbox.due_events(session, now, BATCH, but_not_since=now - FRESH))
    settings: Settings = current_app.config["SETTINGS"]
    if settings.smtp_url and waiting[MAIL] < ENOUGH:
        put += _put(found, "send", outbox.due_deliveries(session, now, BATCH, due_before=now - FRESH))
    session.rollback()
    return put


def _put(found: Queues, task: str, ids: list[int]) -> int:
    return len(ids) if ids and found.put(task, ids) else 0


def _say_once_in_a_while() -> None:
    if time.monotonic() - _said["at"] >= QUIET_SECONDS:
        _said["at"] = time.monotonic()
        log.warning("Redis is away: notices wait in the outbox until it is back")
