"""Tables of notices shown in the application."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from feedback.kernel.db import Base, Id, Instant


class Notice(Base):
    """One thing somebody should know. `recipient` is `account:12` for staff, `seat:<submitter_key>` for submitters,

    so that no row ties an account to a protected ticket.
    """

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("outbox_id", "recipient"),
        Index("ix_notice_recipient_read_at", "recipient", "read_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    outbox_id: Mapped[int] = mapped_column(Id)
    recipient: Mapped[str] = mapped_column(String(80))
    ticket_id: Mapped[int | None] = mapped_column(Id, index=True)
    event: Mapped[str] = mapped_column(String(60))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(Instant)
    read_at: Mapped[datetime | None] = mapped_column(Instant)
