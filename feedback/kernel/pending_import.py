"""A file that somebody sent to be looked at first, kept for a day until they confirm it. What is in it, rooms know."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import LargeBinary, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from feedback.kernel.actor import Actor
from feedback.kernel.db import Base, Id, Instant
from feedback.kernel.errors import NotFound
from feedback.kernel.transaction import transaction

KEPT = timedelta(hours=24)
LONGEST_NAME = 120


class PendingImport(Base):
    """The bytes of one file of one person. A newer one of the same kind replaces it."""

    __tablename__ = "pending_import"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(Id, index=True)
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant)


def keep_file(kind: str, name: str, content: bytes, *, actor: Actor, now: datetime) -> int:
    """Keep a file of the actor's until it is confirmed; what they sent before of this kind goes. Gives its id."""
    with transaction() as session:
        session.execute(
            delete(PendingImport).where(PendingImport.account_id == actor.account_id, PendingImport.kind == kind)
        )
        row = PendingImport(
            account_id=actor.account_id, kind=kind, name=name[-LONGEST_NAME:], content=content, created_at=now
        )
        session.add(row)
        session.flush()
        return row.id


def get_file(session: Session, kind: str, file_id: int, *, actor: Actor, now: datetime) -> PendingImport:
    """The actor's own file of that id, within a day. Raises NotFound."""
    found = session.scalars(
        select(PendingImport).where(
            PendingImport.id == file_id,
            PendingImport.kind == kind,
            PendingImport.account_id == actor.account_id,
            PendingImport.created_at > now - KEPT,
        )
    ).first()
    if found is None:
        raise NotFound
    return found


def drop_file(file_id: int, *, actor: Actor) -> None:
    """Forget a file of the actor's; one that is gone is fine."""
    with transaction() as session:
        session.execute(
            delete(PendingImport).where(PendingImport.id == file_id, PendingImport.account_id == actor.account_id)
        )
