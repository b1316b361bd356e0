"""The answer that a write was first given, kept beside its Idempotency-Key, so that a repeat is answered alike."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from feedback.kernel.idempotency import Once
from feedback.kernel.transaction import transaction


def find_answer(session: Session, once: Once, now: datetime) -> dict[str, Any] | None:
    """The first answer to this key, if it was kept. Raises Invalid where the key came with another body before."""
    row = once.find(session, now)
    return dict(row.answer) if row and row.answer else None


def keep_answer(once: Once, answer: dict[str, Any], *, now: datetime) -> None:
    """Keep what was answered. The write itself is done; without a row for the key (it is too old) nothing is kept."""
    with transaction() as session:
        row = once.find(session, now)
        if row is not None and not row.answer:
            row.answer = answer
