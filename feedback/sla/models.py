"""Tables of deadlines. A clock's due time and alarms are kept ready in its row, so that a sweep only compares instants."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from feedback.kernel.db import Base, Id, Instant
from feedback.kernel.reference import watch

CLOCK_KINDS = (
    "resolution",
    "first_response",
    "dispatch",
    "signing",
    "leg",
    "confirmation",
    "decision",
    "adjudication",
    "appeal",
    "supervision",
)
PAUSED_KINDS = frozenset({"dispatch", "resolution", "leg"})
"""Kinds that stand still while a question waits or the matter is suspended; the others never pause."""


class SlaPolicy(Base):
    """One version of a policy; the present one has `superseded_at` None. Amounts are texts such as `4wh`; None: no clock."""

    __tablename__ = "sla_policy"
    __table_args__ = (UniqueConstraint("name", "version"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    version: Mapped[int]
    order: Mapped[int] = mapped_column("order_no")
    kind: Mapped[str | None] = mapped_column(String(20))
    urgency: Mapped[str | None] = mapped_column(String(20))
    category: Mapped[str | None] = mapped_column(String(200))
    unit_code: Mapped[str | None] = mapped_column(String(60))
    calendar_code: Mapped[str | None] = mapped_column(String(60))
    amounts: Mapped[dict[str, Any]] = mapped_column(JSON)
    alarms: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime] = mapped_column(Instant)
    superseded_at: Mapped[datetime | None] = mapped_column(Instant)


class SlaClock(Base):
    """One running or ended time limit of a ticket.

    `amount` is what the policy's column `amount_name` said when it was laid. `follows_id` is the clock before whose due
    time this one is never due (a lead's leg and the resolution). `gaps` are intervals [from, until] in which this clock
    alone stood still (its unit did not hold the ticket). `extensions` are [granted at, until], the eldest first: a
    resolution is not due before the last of them.
    `ladder` is the alarms still or already due, lowest first: [{"level", "label", "at", "audience"}]; `next_level` is
    the first not yet recorded. `deadline_version` grows when due_at moves, so that an alarm of the old time can't fire.
    """

    __tablename__ = "sla_clock"
    __table_args__ = (
        Index("ix_sla_clock_ticket_id_kind", "ticket_id", "kind"),
        Index("ix_sla_clock_next_alarm_at", "next_alarm_at"),
        Index(
            "ix_sla_clock_open_kind_due_at",
            "kind",
            "due_at",
            sqlite_where=text("met_at IS NULL AND dropped_at IS NULL"),
            postgresql_where=text("met_at IS NULL AND dropped_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(Id)
    kind: Mapped[str] = mapped_column(String(20))
    leg_id: Mapped[int | None] = mapped_column(Id, index=True)
    request_id: Mapped[int | None] = mapped_column(Id)
    unit_id: Mapped[int | None] = mapped_column(Id)
    round: Mapped[int] = mapped_column(default=1)
    started_at: Mapped[datetime] = mapped_column(Instant)
    amount_name: Mapped[str] = mapped_column(String(20))
    amount: Mapped[str] = mapped_column(String(20))
    calendar_id: Mapped[int] = mapped_column(Id)
    policy_id: Mapped[int] = mapped_column(Id)
    follows_id: Mapped[int | None] = mapped_column(Id)
    fixed_due_at: Mapped[datetime | None] = mapped_column(Instant)
    gaps: Mapped[list[list[str]]] = mapped_column(JSON, default=list)
    extensions: Mapped[list[list[str]] | None] = mapped_column(JSON(none_as_null=True))
    due_at: Mapped[datetime] = mapped_column(Instant)
    original_due_at: Mapped[datetime] = mapped_column(Instant)
    met_at: Mapped[datetime | None] = mapped_column(Instant)
    breached_at: Mapped[datetime | None] = mapped_column(Instant)
    dropped_at: Mapped[datetime | None] = mapped_column(Instant)
    deadline_version: Mapped[int] = mapped_column(default=1)
    ladder: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    next_level: Mapped[int] = mapped_column(default=0)
    next_alarm_at: Mapped[datetime | None] = mapped_column(Instant)
    is_provisional: Mapped[bool] = mapped_column(default=False)

    @property
    def is_open(self) -> bool:
        return self.met_at is None and self.dropped_at is None


class SlaAlarm(Base):
    """An alarm that was reached: written once, however many sweeps see it."""

    __tablename__ = "sla_alarm"
    __table_args__ = (UniqueConstraint("clock_id", "round", "level", "deadline_version"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    clock_id: Mapped[int] = mapped_column(ForeignKey("sla_clock.id"))
    round: Mapped[int]
    level: Mapped[int]
    deadline_version: Mapped[int]
    label: Mapped[str] = mapped_column(String(20))
    audience: Mapped[str] = mapped_column(String(20))
    due_at: Mapped[datetime] = mapped_column(Instant)
    fired_at: Mapped[datetime] = mapped_column(Instant)
    is_sent: Mapped[bool] = mapped_column(default=True)


class SlaPause(Base):
    """An interval in which a ticket's clocks stood still. Open while `ended_at` is None; it ends by itself at `wake_at`."""

    __tablename__ = "sla_pause"
    __table_args__ = (Index("ix_sla_pause_ended_at_wake_at", "ended_at", "wake_at"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(Id, index=True)
    reason: Mapped[str] = mapped_column(String(20))
    started_at: Mapped[datetime] = mapped_column(Instant)
    wake_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    opened_by: Mapped[str] = mapped_column(String(120))


class SweepRun(Base):
    """A finished sweep: when, how long, what it did. The newest is the heartbeat that /readyz and the scheduler look at."""

    __tablename__ = "sweep_run"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    started_at: Mapped[datetime] = mapped_column(Instant)
    finished_at: Mapped[datetime] = mapped_column(Instant, index=True)
    alarms: Mapped[int] = mapped_column(default=0)
    actions: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    by: Mapped[str] = mapped_column(String(20), default="worker")


watch(SlaPolicy.__table__)
