"""What the system keeps for a while only, and how long: keys of repeated writes, sign-ins long over, sweeps of last week."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from feedback.kernel.db import Base
from feedback.kernel.idempotency import KEPT, IdempotencyKey
from feedback.kernel.pending_import import KEPT as FILES_KEPT
from feedback.kernel.pending_import import PendingImport
from feedback.kernel.transaction import transaction
from feedback.people import throttle
from feedback.people.models import PasswordLink, SignInAttempt, UserSession
from feedback.sla.models import SweepRun

SESSIONS_KEPT = timedelta(days=7)
SWEEPS_KEPT = timedelta(days=7)


def purge_expired(*, now: datetime) -> int:
    """Delete what is past its time, a table a transaction; gives the number of rows."""
    over = now - SESSIONS_KEPT
    return sum(
        _purge(table, condition)
        for table, condition in (
            (IdempotencyKey, IdempotencyKey.created_at < now - KEPT),
            (SignInAttempt, SignInAttempt.at < now - throttle.KEPT),
            (UserSession, or_(UserSession.expires_at < over, UserSession.revoked_at < over)),
            (PasswordLink, PasswordLink.expires_at < over),
            (PendingImport, PendingImport.created_at < now - FILES_KEPT),
            (SweepRun, SweepRun.finished_at < now - SWEEPS_KEPT),
        )
    )


def _purge(table: type[Base], condition: ColumnElement[bool]) -> int:
    with transaction() as session:
        return _deleted(session, table, condition)


def _deleted(session: Session, table: type[Base], condition: ColumnElement[bool]) -> int:
    result = session.execute(delete(table).where(condition).execution_options(synchronize_session=False))
    return result.rowcount if isinstance(result, CursorResult) else 0
