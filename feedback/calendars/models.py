"""Tables of business calendars: versions that are never changed once made, and imported official days."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from feedback.kernel.db import Base, Id, Instant
from feedback.kernel.reference import watch


class BusinessCalendar(Base):
    """One version of a calendar; the present one has `superseded_at` None. `definition` is calendars/definition.py's JSON."""

    __tablename__ = "business_calendar"
    __table_args__ = (UniqueConstraint("code", "version"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(60), index=True)
    version: Mapped[int]
    definition: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(Instant)
    superseded_at: Mapped[datetime | None] = mapped_column(Instant)


class CalendarDay(Base):
    """An official day from an imported notice; it overrides what the library says. kind: holiday or workday."""

    __tablename__ = "calendar_day"

    on: Mapped[date] = mapped_column("on_date", primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    source: Mapped[str] = mapped_column(String(60), default="")
    note: Mapped[str] = mapped_column(String(120), default="")


watch(BusinessCalendar.__table__)
