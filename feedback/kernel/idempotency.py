"""Writes that a caller may safely send again: the same key and body is done once and answered alike, for 24 hours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import JSON, String, UniqueConstraint, bindparam, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from feedback.kernel.db import Base, Id, Instant
from feedback.kernel.errors import Invalid
from feedback.kernel.memo import remembered
from feedback.kernel.text import N_, Text

KEPT = timedelta(hours=24)

R = TypeVar("R")


class IdempotencyKey(Base):
    """A write that was made once. `caller_key` is a keyed digest of the caller, so the row names no account."""

    __tablename__ = "idempotency"
    __table_args__ = (UniqueConstraint("caller_key", "route", "key"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    caller_key: Mapped[str] = mapped_column(String(64))
    route: Mapped[str] = mapped_column(String(120))
    key: Mapped[str] = mapped_column(String(120))
    body_digest: Mapped[str] = mapped_column(String(64))
    reference: Mapped[str] = mapped_column(String(20))
    version: Mapped[int]
    answer: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(Instant, index=True)


@dataclass(frozen=True)
class Once:
    """A door's wish that this write be made once: who calls, on which route, with which key and body."""

    caller_key: str
    route: str
    key: str
    body_digest: str

    def find(self, session: Session, now: datetime) -> IdempotencyKey | None:
        """The earlier write with this key. Raises Invalid (field `Idempotency-Key`) if its body was another."""
        named = {"caller_key": self.caller_key, "route": self.route, "key": self.key}
        row = session.scalars(_EARLIER, named).first()
        is_over = row is not None and row.created_at <= now - KEPT
        remembered(session, ("is_over", self), lambda: is_over)
        if is_over:
            return None
        if row and row.body_digest != self.body_digest:
            raise Invalid({"Idempotency-Key": Text(N_("This key was used for another message. Take a new key."))})
        return row

    def keep(self, session: Session, reference: str, version: int, now: datetime) -> None:
        """Remember the write in its own transaction.

        Only a key that is over makes room: one that another transaction wrote meanwhile meets the unique constraint
        (IntegrityError), and whoever comes second finds it when they try again.
        """
        if remembered(session, ("is_over", self), lambda: True):
            self._make_room(session, now)
        session.add(
            IdempotencyKey(
                caller_key=self.caller_key,
                route=self.route,
                key=self.key,
                body_digest=self.body_digest,
                reference=reference,
                version=version,
                answer={},
                created_at=now,
            )
        )

    def _make_room(self, session: Session, now: datetime) -> None:
        session.execute(
            delete(IdempotencyKey).where(
                IdempotencyKey.caller_key == self.caller_key,
                IdempotencyKey.route == self.route,
                IdempotencyKey.key == self.key,
                IdempotencyKey.created_at <= now - KEPT,
            )
        )


_EARLIER = select(IdempotencyKey).where(
    IdempotencyKey.caller_key == bindparam("caller_key"),
    IdempotencyKey.route == bindparam("route"),
    IdempotencyKey.key == bindparam("key"),
)


def again_if_raced(once: Once | None, write: Callable[[], R]) -> R:
    """Run a write; where another with the same key got in between its look and its commit, look again and find that one."""
    if once is None:
        return write()
    try:
        return write()
    except IntegrityError:
        return write()
