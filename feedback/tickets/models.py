"""Tables of the ticket: the matter, who raised it (by alias and key only), who worked on it, what was said and decided."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from feedback.kernel.db import Base, Id, Instant

TEXT_LIMIT = 20_000
TITLE_LIMIT = 200


_OF_LEADERS = ("last_word_at", "submitted_at", "area_id", "lead_unit_id")
_OF_HANDLERS = ("assignee_id", "is_about", "origin", "lead_leg_id")
_OF_REPORTS = (
    *("origin", "is_about", "area_id", "lead_unit_id", "first_area_id", "first_resolved_unit_id"),
    *("category_id", "first_category_id", "privacy", "closure_reason"),
)
_OF_COHORTS = (
    *("figures", "first_office_id", "is_own_unit", "verdicts", "verdicts_protected", "halves"),
    *("ratings", "ratings_protected", "good_ratings"),
    *("submitted_at", "first_dispatched_at", "first_resolved_at", "resolved_at", "closed_at"),
)


class Ticket(Base):
    """A matter on its way. It holds no submitter and no text; `version` grows with every change of it.

    `figures` and the seven columns after it are kept by figures.py alone, from what the events say.
    """

    __tablename__ = "ticket"
    __table_args__ = (
        CheckConstraint("(status = 'closed') = (closure_reason IS NOT NULL)", name="closed_has_reason"),
        # Wide, so that what pages count is read from the index alone.
        Index("ix_ticket_by_status", "status", "due_at", "id", "reopen_count", "is_about", "origin", *_OF_LEADERS),
        Index("ix_ticket_on_desk", "lead_unit_id", "status", "due_at", "id", "reopen_count", *_OF_HANDLERS),
        Index("ix_ticket_lead_unit_id_due_at_id", "lead_unit_id", "due_at", "id"),
        Index("ix_ticket_area_id_status", "area_id", "status"),
        Index("ix_ticket_by_receipt", "submitted_at", "id", *_OF_REPORTS, "first_dispatched_at"),
        Index("ix_ticket_by_first_due", "original_due_at", "id", *_OF_REPORTS, *_OF_COHORTS),
        Index("ix_ticket_place", "place", "area_id", "category_id", "submitted_at"),
        Index(
            "ix_ticket_joined_into_id",
            "joined_into_id",
            sqlite_where=text("joined_into_id IS NOT NULL"),
            postgresql_where=text("joined_into_id IS NOT NULL"),
        ),
        UniqueConstraint("source", "source_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(String(20), unique=True)
    status: Mapped[str] = mapped_column(String(24))
    closure_reason: Mapped[str | None] = mapped_column(String(16))
    return_status: Mapped[str | None] = mapped_column(String(24))
    round: Mapped[int] = mapped_column(default=1)
    reopen_count: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=0)
    kind: Mapped[str] = mapped_column(String(20))
    category_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"))
    area_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    place: Mapped[str | None] = mapped_column(String(200))
    urgency: Mapped[str] = mapped_column(String(12))
    requested_urgency: Mapped[str | None] = mapped_column(String(12))
    privacy: Mapped[str] = mapped_column(String(12))
    origin: Mapped[str] = mapped_column(String(10), default="loop")
    channel: Mapped[str] = mapped_column(String(12))
    is_own_unit: Mapped[bool] = mapped_column(default=False)
    is_about: Mapped[bool] = mapped_column(default=False)
    outcome: Mapped[str | None] = mapped_column(String(16))
    planned_on: Mapped[date | None]
    submitted_at: Mapped[datetime] = mapped_column(Instant)
    occurred_at: Mapped[datetime | None] = mapped_column(Instant)
    received_at: Mapped[datetime] = mapped_column(Instant)
    first_dispatched_at: Mapped[datetime | None] = mapped_column(Instant)
    first_responded_at: Mapped[datetime | None] = mapped_column(Instant)
    first_resolved_at: Mapped[datetime | None] = mapped_column(Instant)
    resolved_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    original_due_at: Mapped[datetime | None] = mapped_column(Instant)
    first_area_id: Mapped[int | None] = mapped_column(Id)
    first_category_id: Mapped[int | None] = mapped_column(Id)
    first_lead_unit_id: Mapped[int | None] = mapped_column(Id)
    first_resolved_unit_id: Mapped[int | None] = mapped_column(Id)
    lead_leg_id: Mapped[int | None] = mapped_column(Id)
    lead_unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    joined_into_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    was_asked_to_withdraw: Mapped[bool | None]
    last_word_at: Mapped[datetime | None] = mapped_column(Instant)
    figures: Mapped[int] = mapped_column(default=0, server_default="0")
    first_office_id: Mapped[int | None] = mapped_column(Id)
    verdicts: Mapped[int] = mapped_column(default=0, server_default="0")
    verdicts_protected: Mapped[int] = mapped_column(default=0, server_default="0")
    halves: Mapped[int] = mapped_column(default=0, server_default="0")
    ratings: Mapped[int] = mapped_column(default=0, server_default="0")
    ratings_protected: Mapped[int] = mapped_column(default=0, server_default="0")
    good_ratings: Mapped[int] = mapped_column(default=0, server_default="0")
    routing: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    source: Mapped[str | None] = mapped_column(String(60))
    source_id: Mapped[str | None] = mapped_column(String(120))


def _open_index(name: str, *columns: Any, only: str = "") -> None:
    """Of open tickets alone, in an order in which somebody looks over all of them."""
    which = text(f"status <> 'closed'{only}")
    held = (Ticket.status, Ticket.origin, Ticket.is_about, Ticket.area_id, Ticket.lead_unit_id)
    Index(name, *columns, *held, sqlite_where=which, postgresql_where=which)


_open_index("ix_ticket_open_by_due", Ticket.due_at, Ticket.id)
_open_index("ix_ticket_open_by_receipt", Ticket.submitted_at, Ticket.id, Ticket.last_word_at)
_open_index("ix_ticket_open_by_disputes", Ticket.reopen_count.desc(), Ticket.id, only=" AND reopen_count > 0")


class Seat(Base):
    """A place at a ticket for one who raised or joined it. `submitter_key` finds "mine"; it is no account id."""

    __tablename__ = "seat"
    __table_args__ = (Index("ix_seat_submitter_key_ticket_id", "submitter_key", "ticket_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    origin_ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    alias: Mapped[str] = mapped_column(String(60))
    town_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    privacy: Mapped[str] = mapped_column(String(12))
    submitter_key: Mapped[str] = mapped_column(String(64))
    joined_at: Mapped[datetime] = mapped_column(Instant)
    left_at: Mapped[datetime | None] = mapped_column(Instant)


class Identity(Base):
    """Who holds a seat, encrypted under a key outside the database. Read only through tickets/identity.py."""

    __tablename__ = "identity"

    seat_id: Mapped[int] = mapped_column(ForeignKey("seat.id"), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class Verdict(Base):
    """What a seat said of a round: solved, partly, accepted or disputed. Handlers never see rating, comment and `pressed`."""

    __tablename__ = "verdict"
    __table_args__ = (UniqueConstraint("seat_id", "round"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    seat_id: Mapped[int] = mapped_column(ForeignKey("seat.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    round: Mapped[int]
    verdict: Mapped[str] = mapped_column(String(12))
    rating: Mapped[int | None]
    comment: Mapped[str | None] = mapped_column(Text)
    pressed: Mapped[bool | None]
    at: Mapped[datetime] = mapped_column(Instant)


class Leg(Base):
    """A unit's part in a ticket, as lead or assist, from when it got it to when it ended."""

    __tablename__ = "leg"
    __table_args__ = (
        Index("ix_leg_ticket_id_unit_id_ended_at", "ticket_id", "unit_id", "ended_at"),
        Index("ix_leg_unit_id_role_ended_at_ticket_id", "unit_id", "role", "ended_at", "ticket_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    role: Mapped[str] = mapped_column(String(8))
    round: Mapped[int]
    task: Mapped[str | None] = mapped_column(Text)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    started_at: Mapped[datetime] = mapped_column(Instant)
    acknowledged_at: Mapped[datetime | None] = mapped_column(Instant)
    acknowledged_by_system: Mapped[bool] = mapped_column(default=False)
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    end_reason: Mapped[str | None] = mapped_column(String(20))


class TicketRequest(Base):
    """Something that needs a second person: decline, lower_urgency, return, extension, suspension, exclusion, appeal."""

    __tablename__ = "ticket_request"
    __table_args__ = (
        Index("ix_ticket_request_ticket_id_state", "ticket_id", "state"),
        Index("ix_ticket_request_state_requested_at", "state", "requested_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(10))
    round: Mapped[int]
    requested_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    seat_id: Mapped[int | None] = mapped_column(ForeignKey("seat.id"))
    role: Mapped[str] = mapped_column(String(20))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    requested_at: Mapped[datetime] = mapped_column(Instant)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)


class Decision(Base):
    """One person's answer to a request (an exclusion needs two)."""

    __tablename__ = "decision"
    __table_args__ = (UniqueConstraint("request_id", "account_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("ticket_request.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    role: Mapped[str] = mapped_column(String(20))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    decision: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)


class TicketAbout(Base):
    """Whom a ticket is about: those people and units never see it. `is_derived`: a unit of a person named."""

    __tablename__ = "ticket_about"
    __table_args__ = (
        Index("ix_ticket_about_unit_id", "unit_id"),
        Index("ix_ticket_about_account_id", "account_id"),
        CheckConstraint("(unit_id IS NULL) <> (account_id IS NULL)", name="unit_or_account"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    is_derived: Mapped[bool] = mapped_column(default=False)


class TicketLink(Base):
    """Two tickets that belong together: joined, look_alike, recurrence, parent."""

    __tablename__ = "ticket_link"
    __table_args__ = (UniqueConstraint("from_id", "to_id", "kind"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    from_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    to_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    score: Mapped[float | None]
    at: Mapped[datetime] = mapped_column(Instant)


class TimelineEntry(Base):
    """One step of a ticket's history, never changed. The actor is a seat, or an account with the role it used, or the system."""

    __tablename__ = "timeline"
    __table_args__ = (UniqueConstraint("ticket_id", "version"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    version: Mapped[int]
    action: Mapped[str] = mapped_column(String(24))
    from_status: Mapped[str | None] = mapped_column(String(32))
    to_status: Mapped[str] = mapped_column(String(32))
    round: Mapped[int]
    seat_id: Mapped[int | None] = mapped_column(ForeignKey("seat.id"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    role: Mapped[str] = mapped_column(String(20))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    is_public: Mapped[bool]
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    at: Mapped[datetime] = mapped_column(Instant)


class Message(Base):
    """The words of a timeline entry, apart from it: a correction is a new revision, an erasure empties the body.

    Version 1 is what was submitted; there `title` is set. `is_current` marks the newest revision.
    """

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("ticket_id", "version", "revision"),
        Index("ix_message_ticket_id_version_is_current", "ticket_id", "version", "is_current"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    version: Mapped[int]
    revision: Mapped[int] = mapped_column(default=1)
    is_current: Mapped[bool] = mapped_column(default=True)
    title: Mapped[str | None] = mapped_column(String(TITLE_LIMIT))
    body: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime] = mapped_column(Instant)
    erased_at: Mapped[datetime | None] = mapped_column(Instant)


class Attachment(Base):
    """A file sent with an entry; its sender is that entry's seat or account. Nobody else sees it until it is clean.

    `state`: pending, clean or refused (then `problem` is a code of files/cleaning.PROBLEMS and no bytes are left).
    """

    __tablename__ = "attachment"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    timeline_id: Mapped[int] = mapped_column(ForeignKey("timeline.id"))
    state: Mapped[str] = mapped_column(String(8))
    problem: Mapped[str | None] = mapped_column(String(20))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    content_type: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(120))
    storage_key: Mapped[str] = mapped_column(String(200), unique=True)
    created_at: Mapped[datetime] = mapped_column(Instant, index=True)
