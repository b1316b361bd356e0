"""News for later: rows written in the same transaction as what they tell of, taken afterwards under a lease. No sending here.

A row is taken by one conditional UPDATE, so the database decides who has it; a taker that dies loses it when the lease
passes. `attempts` is the taker's ticket: whoever comes back after their lease finds another number and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    String,
    UniqueConstraint,
    and_,
    insert,
    literal_column,
    or_,
    select,
    text,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Mapped, Session, mapped_column

from feedback.kernel.db import Base, Id, Instant
from feedback.kernel.transaction import before_commit

NEW, LEASED, DONE, DEAD, SKIPPED = "new", "leased", "done", "dead", "skipped"
"""SKIPPED: a delivery whose recipient may not be told any more (moved, disabled, without an address)."""

TOGETHER = 20
"""Events that are told by one job, in one transaction."""

EVENT_LEASE = timedelta(seconds=30)
DELIVERY_LEASE = timedelta(seconds=45)
"""Longer than the job that sends may last, so that no two send at once."""

EVENT_GAPS = tuple(timedelta(seconds=s) for s in (10, 60, 300, 1800, 7200))
DELIVERY_GAPS = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120, 480))
"""What lies between one failed attempt and the next; after the last of them a row is dead."""


class Outbox(Base):
    """One event that somebody may have to be told of. `payload` holds ids and codes, never texts or names."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_state_available_at", "state", "available_at"),
        # Of what waits alone, in its order: as many rows are read as are asked for, however many wait or are done.
        *(
            Index(f"ix_outbox_{state}", "id", *more, sqlite_where=text(only), postgresql_where=text(only))
            for state, more, only in (
                (NEW, ("available_at", "created_at"), "state = 'new'"),
                (LEASED, ("lease_until", "created_at"), "state = 'leased'"),
            )
        ),
    )

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
    """One message of an event to one recipient by one channel: written before it is sent, so that it has one id for ever.

    `next_try_at` is when it may next be taken: the end of the lease while it is being sent.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("outbox_id", "recipient", "channel"),
        Index("ix_delivery_state_next_try_at", "state", "next_try_at"),
        Index(
            "ix_delivery_waiting",
            *("next_try_at", "id", "state"),
            sqlite_where=text("next_try_at IS NOT NULL"),
            postgresql_where=text("next_try_at IS NOT NULL"),
        ),
    )

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
) -> None:
    """Add an event (past tense, such as `ticket.resolved`) to the present transaction, at whose end it is written."""
    _keep(
        session,
        event=event,
        ticket_id=ticket_id,
        version=version,
        payload=payload or {},
        unique_key=unique_key,
        created_at=now,
        available_at=available_at or now,
    )


def publish_many(session: Session, news: Sequence[dict[str, Any]], *, now: datetime) -> None:
    """`publish` for many events at once: each with `event`, `ticket_id`, `payload` and `unique_key`."""
    for each in news:
        _keep(session, version=None, **each, created_at=now, available_at=now)


_PLACE = "events"


def _keep(session: Session, **columns: Any) -> None:
    if not session.info.get("writing"):
        raise RuntimeError("an event belongs to a transaction()")
    session.info.setdefault(_PLACE, []).append({**columns, "state": NEW, "attempts": 0})


def _write_events(session: Session) -> None:
    events = session.info.pop(_PLACE, ())
    if events:
        session.info["published"] = session.connection().execute(_ADDED, events).all()


before_commit(_write_events)
_ADDED = insert(Outbox).returning(Outbox.id, Outbox.created_at, Outbox.available_at)


def _event_is_due(now: datetime) -> ColumnElement[bool]:
    """SQL: nobody has the row, and it was not put off beyond `now`.

    One that was never put off is due at once, also where the clock of the machine that wrote it runs ahead.
    """
    return or_(
        and_(Outbox.state == NEW, or_(Outbox.available_at <= now, Outbox.available_at == Outbox.created_at)),
        and_(Outbox.state == LEASED, Outbox.lease_until < now),
    )


def _delivery_is_due(now: datetime) -> ColumnElement[bool]:
    return and_(Delivery.state.in_((NEW, LEASED)), Delivery.next_try_at <= now)


def due_events(session: Session, now: datetime, limit: int, *, but_not_since: datetime | None = None) -> list[int]:
    """Ids of events that wait to be delivered, the eldest first; without those written from `but_not_since` to `now`."""
    late = () if but_not_since is None else (~Outbox.created_at.between(but_not_since, now),)
    is_due = or_(Outbox.available_at <= now, Outbox.available_at == Outbox.created_at)
    waiting = (
        _by(NEW).where(is_due, *late).limit(limit),
        _by(LEASED).where(Outbox.lease_until < now, *late).limit(limit),
    )
    query = union_all(*(select(each.subquery().c.id) for each in waiting))
    return sorted(session.scalars(query))[:limit]


def _by(state: str) -> Select[int]:
    """Ids of events in this state, the eldest first. Said with the value itself: so a database sees that an index of such

    rows alone has all that is asked for; SQLite without statistics is told to take it.
    """
    query = select(Outbox.id).where(Outbox.state == literal_column(f"'{state}'")).order_by(Outbox.id)
    return query.with_hint(Outbox, f"INDEXED BY ix_outbox_{state}", "sqlite")


def still_due(session: Session, ids: Sequence[int], now: datetime) -> list[int]:
    """Those of these events that wait to be delivered."""
    return list(session.scalars(select(Outbox.id).where(Outbox.id.in_(ids), _event_is_due(now)).order_by(Outbox.id)))


def due_deliveries(session: Session, now: datetime, limit: int, *, due_before: datetime | None = None) -> list[int]:
    """Ids of messages that wait to be sent, those that wait longest first."""
    query = (
        select(Delivery.id)
        .where(_delivery_is_due(due_before or now))
        .order_by(Delivery.next_try_at, Delivery.id)
        .limit(limit)
        .with_hint(Delivery, "INDEXED BY ix_delivery_waiting", "sqlite")
    )
    return list(session.scalars(query))


def claim_events(session: Session, ids: Sequence[int], *, now: datetime) -> list[tuple[int, int]]:
    """Take events under a lease in the open transaction: (id, attempt) of those that were neither done, dead, put off nor

    somebody's, the eldest first.
    """
    taken = session.execute(
        update(Outbox)
        .where(Outbox.id.in_(ids), _event_is_due(now))
        .values(state=LEASED, lease_until=now + EVENT_LEASE, attempts=Outbox.attempts + 1)
        .returning(Outbox.id, Outbox.attempts)
        .execution_options(synchronize_session=False)
    )
    return sorted((row.id, row.attempts) for row in taken)


def due_in_day_mail(session: Session, recipient: str, channel: str, now: datetime, most: int) -> list[int]:
    """Messages of one recipient by one channel that may be taken now, the eldest first."""
    mine = (Delivery.recipient == recipient, Delivery.channel == channel, _delivery_is_due(now))
    return list(session.scalars(select(Delivery.id).where(*mine).order_by(Delivery.id).limit(most)))


def claim_delivery(session: Session, delivery_id: int, *, now: datetime) -> Delivery | None:
    """Take a message under a lease in the open transaction; None when it is sent, dead, put off or somebody's."""
    claimed = _changed(
        session,
        update(Delivery)
        .where(Delivery.id == delivery_id, _delivery_is_due(now))
        .values(state=LEASED, next_try_at=now + DELIVERY_LEASE, attempts=Delivery.attempts + 1),
    )
    return session.get_one(Delivery, delivery_id, populate_existing=True) if claimed else None


def end_event(session: Session, outbox_id: int, attempt: int, *, state: str = DONE, error: str | None = None) -> bool:
    """Note how an attempt at an event ended; False where the lease went to somebody else meanwhile."""
    mine = (Outbox.id == outbox_id, Outbox.state == LEASED, Outbox.attempts == attempt)
    return _changed(session, update(Outbox).where(*mine).values(state=state, lease_until=None, last_error=error))


def end_events(session: Session, taken: Sequence[tuple[int, int]]) -> set[int]:
    """Note that these events, each with its attempt, were told; gives those whose lease did not go to somebody else."""
    mine = (Outbox.id.in_([outbox_id for outbox_id, _attempt in taken]), tuple_(Outbox.id, Outbox.attempts).in_(taken))
    done = update(Outbox).where(*mine, Outbox.state == LEASED).values(state=DONE, lease_until=None, last_error=None)
    return set(session.scalars(done.returning(Outbox.id).execution_options(synchronize_session=False)))


def end_delivery(
    session: Session, delivery_id: int, attempt: int, *, now: datetime, state: str = DONE, error: str | None = None
) -> bool:
    """Note how an attempt at a message ended; False where the lease went to somebody else meanwhile."""
    mine = (Delivery.id == delivery_id, Delivery.state == LEASED, Delivery.attempts == attempt)
    values = {"state": state, "next_try_at": None, "last_error": error, "sent_at": now if state == DONE else None}
    return _changed(session, update(Delivery).where(*mine).values(**values))


def put_off_event(session: Session, outbox_id: int, attempt: int, *, now: datetime, error: str) -> bool:
    """An attempt failed: try again after a gap that grows, or never after the last one."""
    gap = _gap(EVENT_GAPS, attempt)
    if gap is None:
        return end_event(session, outbox_id, attempt, state=DEAD, error=error)
    mine = (Outbox.id == outbox_id, Outbox.state == LEASED, Outbox.attempts == attempt)
    values = {"state": NEW, "lease_until": None, "available_at": now + gap, "last_error": error}
    return _changed(session, update(Outbox).where(*mine).values(**values))


def put_off_delivery(session: Session, delivery_id: int, attempt: int, *, now: datetime, error: str) -> bool:
    """An attempt failed: try again after a gap that grows, or never after the last one."""
    gap = _gap(DELIVERY_GAPS, attempt)
    if gap is None:
        return end_delivery(session, delivery_id, attempt, now=now, state=DEAD, error=error)
    mine = (Delivery.id == delivery_id, Delivery.state == LEASED, Delivery.attempts == attempt)
    return _changed(session, update(Delivery).where(*mine).values(state=NEW, next_try_at=now + gap, last_error=error))


def _gap(gaps: Sequence[timedelta], attempt: int) -> timedelta | None:
    return gaps[attempt - 1] if attempt <= len(gaps) else None


def _changed(session: Session, statement: Any) -> bool:
    result = session.execute(statement.execution_options(synchronize_session=False))
    return isinstance(result, CursorResult) and result.rowcount == 1
