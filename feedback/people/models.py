"""Tables of units and accounts: the tree, roles held at units, deputies, sessions and tokens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from feedback.kernel.db import Base, Id, Instant
from feedback.kernel.reference import watch

REGION, DEPARTMENT = "region", "department"
LEVELS = ("county", "town", "village")


class Unit(Base):
    """A region or a department in the one tree. Merged or dissolved units stay as rows.

    `path` is the ids from the root down, such as `/1/4/9/`: a subtree is the paths that start with it.
    """

    __tablename__ = "unit"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str | None] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(12))
    level: Mapped[str] = mapped_column(String(12))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    path: Mapped[str] = mapped_column(String(300), index=True)
    calendar_code: Mapped[str | None] = mapped_column(String(60))
    valid_from: Mapped[datetime | None] = mapped_column(Instant)
    valid_to: Mapped[datetime | None] = mapped_column(Instant)
    succeeded_by_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))

    def ancestor_ids(self) -> list[int]:
        """Its own id and those above it, nearest first."""
        return [int(part) for part in reversed(self.path.strip("/").split("/"))]


class Account(Base):
    """Somebody who signs in. `name` is shown where the person did not ask for confidence."""

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    login: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    email: Mapped[str | None] = mapped_column(String(200))
    phone: Mapped[str | None] = mapped_column(String(40))
    locale: Mapped[str | None] = mapped_column(String(10))
    is_active: Mapped[bool] = mapped_column(default=True)
    is_demo: Mapped[bool] = mapped_column(default=False)
    must_change_password: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(Instant)

    grants: Mapped[list[RoleGrant]] = relationship(back_populates="account", order_by="RoleGrant.id")


class RoleGrant(Base):
    """A role held at a unit from..to (half-open; None is open)."""

    __tablename__ = "role_grant"
    __table_args__ = (
        UniqueConstraint("account_id", "role", "unit_id"),
        Index("ix_role_grant_role_unit_id", "role", "unit_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    role: Mapped[str] = mapped_column(String(20))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    valid_from: Mapped[datetime | None] = mapped_column(Instant)
    valid_to: Mapped[datetime | None] = mapped_column(Instant)

    account: Mapped[Account] = relationship(back_populates="grants")
    unit: Mapped[Unit] = relationship()


class Deputy(Base):
    """Who stands in for whom, from..to (half-open; None is open)."""

    __tablename__ = "deputy"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    deputy_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    valid_from: Mapped[datetime | None] = mapped_column(Instant)
    valid_to: Mapped[datetime | None] = mapped_column(Instant)


class UserSession(Base):
    """A sign-in. The cookie holds a random token; only its hash is kept, so a copy of the database opens no session."""

    __tablename__ = "user_session"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    last_seen_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    device: Mapped[str] = mapped_column(String(60), default="")


class ApiToken(Base):
    """A key for programs; only its hash is kept. Scopes: read, write, reports, admin, space separated."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


class PasswordLink(Base):
    """A one-time link with which somebody chooses their password; only its hash is kept. purpose: invite or reset."""

    __tablename__ = "password_link"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


class SignInAttempt(Base):
    """A failed sign-in, kept to slow down guessing: `subject` is a keyed digest of the login or of the source."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (Index("ix_sign_in_attempt_subject_at", "subject", "at"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    subject: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Instant)


watch(Unit.__table__)
watch(RoleGrant.__table__)
watch(Deputy.__table__)
watch(Account.__table__, only="is_active, login, name")
