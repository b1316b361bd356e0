"""What happens to files by itself: those that waited are cleaned, those that waited too long refused, orphans removed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.files.cleaning import Busy, clean_file
from feedback.files.kinds import KINDS
from feedback.files.refusals import UnfitFile
from feedback.files.store import Store
from feedback.files.uploads import CLEAN, PENDING, REFUSED, KeptFile, discard, keep
from feedback.kernel.transaction import transaction
from feedback.tickets.models import Attachment

STALE = timedelta(hours=24)
"""A file that nobody could clean for so long is refused."""
YOUNG = timedelta(hours=1)
"""A file without a row that is younger may be on its way into the database."""
BATCH = 50
WAIT = 8.0
"""Seconds for which a file waits for its turn in a job."""
LOOK_UP = 500

log = logging.getLogger(__name__)


def clean_waiting(session: Session, store: Store, *, now: datetime) -> int:
    """Clean the files that came when there was no time for it, the eldest first; gives how many were settled.

    The clean bytes are kept before the row names them and the others removed after, so that a crash leaves an orphan at most.
    """
    waiting = session.execute(
        select(Attachment.id, Attachment.storage_key, Attachment.content_type, Attachment.created_at)
        .where(Attachment.state == PENDING)
        .order_by(Attachment.id)
        .limit(BATCH)
    ).all()
    session.rollback()
    return sum(_settle(store, *row, now=now) for row in waiting)


def _settle(store: Store, attachment_id: int, key: str, content_type: str, came_at: datetime, *, now: datetime) -> bool:
    kind = next(kind for kind in KINDS.values() if kind.content_type == content_type)
    data = store.get(key)
    if data is None:
        return _refuse(store, attachment_id, key, "unchecked")
    try:
        kept = keep(store, clean_file(data, kind, wait=WAIT))
    except UnfitFile as unfit:
        return _refuse(store, attachment_id, key, unfit.reason)
    except Busy:
        return came_at < now - STALE and _refuse(store, attachment_id, key, "unchecked")
    if not _name(attachment_id, key, kept):
        discard(store, [kept])
        return False
    store.delete(key)
    return True


def _name(attachment_id: int, key: str, kept: KeptFile) -> bool:
    """Let the row name the clean bytes; False where another job was quicker."""
    with transaction() as session:
        row = session.get(Attachment, attachment_id, with_for_update=True)
        if row is None or row.storage_key != key or row.state != PENDING:
            return False
        row.state, row.storage_key = CLEAN, kept.key
        row.sha256, row.size, row.content_type = kept.sha256, kept.size, kept.kind.content_type
        row.name = f"{row.name.rpartition('.')[0]}.{kept.kind.ending}"
        return True


def _refuse(store: Store, attachment_id: int, key: str, problem: str) -> bool:
    with transaction() as session:
        row = session.get(Attachment, attachment_id, with_for_update=True)
        if row is None or row.storage_key != key or row.state != PENDING:
            return False
        row.state, row.problem, row.size = REFUSED, problem, 0
    store.delete(key)
    return True


def orphans(session: Session, store: Store, *, now: datetime) -> Iterator[str]:
    """Keys of files in the store that no row names and that are older than YOUNG."""
    old = [found.key for found in store.stored() if found.at < now - YOUNG]
    for start in range(0, len(old), LOOK_UP):
        keys = old[start : start + LOOK_UP]
        known = set(
            session.scalars(
                select(Attachment.storage_key).where(Attachment.storage_key.in_(keys), Attachment.state != REFUSED)
            )
        )
        yield from (key for key in keys if key not in known)


def remove_orphans(session: Session, store: Store, *, now: datetime) -> int:
    """Delete the files that no row names; gives how many."""
    found = list(orphans(session, store, now=now))
    session.rollback()
    for key in found:
        store.delete(key)
    if found:
        log.info("removed %d files that no ticket names", len(found))
    return len(found)


def missing_files(session: Session, store: Store) -> Iterator[tuple[int, str]]:
    """(ticket id, name) of files that a row names and the store has not."""
    there = {found.key for found in store.stored()}
    rows = session.execute(
        select(Attachment.ticket_id, Attachment.name, Attachment.storage_key)
        .where(Attachment.state != REFUSED)
        .order_by(Attachment.id)
    )
    yield from ((row.ticket_id, row.name) for row in rows if row.storage_key not in there)
