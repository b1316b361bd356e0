"""News for later: rows written in the same transaction as what they tell of, delivered afterwards by jobs. No sending here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, Session, mapped_column

from feedback.kernel.db import Base, Id, Instant

NEW, LEASED, DONE, DEAD = "new", "leased", "done", "dead"


class Outbox(Base):
    """One event that somebody may have to be told of. `payload` holds ids and codes, never texts or names."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_state_available_at", "state", "available_at"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    event: Mapped[str] = mapped_column(String(60))
    ticket_id: Mapped[int | None] = mapped_column(Id, index=True)
    version: Mapped[int | None]
    unique_key: Mapped[str | None] = mapped_column(String(120), unique=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(Instant)
    available_at: Mapped[datetime] = mapped_column(Instant)
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    attempts: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(10), default=NEW)
    last_error: Mapped[str | None] = mapped_column(String(300))


class Delivery(Base):
    """One message of an event to one recipient by one channel: written before it is sent, so that it has one id for ever."""

    __tablename__ = "delivery"
    __table_args__ = (UniqueConstraint("outbox_id", "recipient", "channel"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    outbox_id: Mapped[int] = mapped_column(ForeignKey("outbox.id"))
    recipient: Mapped[str] = mapped_column(String(80))
    channel: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10), default=NEW)
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None] = mapped_column(Instant)
    sent_at: Mapped[datetime | None] = mapped_column(Instant)
    last_error: Mapped[str | None] = mapped_column(String(300))


def publish(
    session: Session,
    event: str,
    *,
    now: datetime,
    ticket_id: int | None = None,
    version: int | None = None,
    payload: dict[str, Any] | None = None,
    unique_key: str | None = None,
    available_at: datetime | None = None,
) -> Outbox:
    """Add an event (past tense, such as `ticket.resolved`) to the present transaction."""
    row = Outbox(
        event=event,
        ticket_id=ticket_id,
        version=version,
        payload=payload or {},
        unique_key=unique_key,
        created_at=now,
        available_at=available_at or now,
        state=NEW,
        attempts=0,
    )
    session.add(row)
    session.info.setdefault("published", []).append(row)
    return row
