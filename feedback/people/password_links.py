"""One-time links with which somebody chooses their password: invitations and resets. Shown once, kept as a hash."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.db import session as current_session
from feedback.kernel.errors import Conflict, NotFound
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction
from feedback.people.credentials import token_hash
from feedback.people.models import Account, PasswordLink
from feedback.people.passwords import check_password, hash_password
from feedback.people.rights import lock_account
from feedback.people.throttle import forget_failures
from feedback.people.usecases import OfAccount, check_admin_of_account, end_access, end_links, record

Purpose = Literal["invite", "reset"]
LIVES: dict[Purpose, timedelta] = {"invite": timedelta(hours=72), "reset": timedelta(minutes=30)}
_LENGTH = len(secrets.token_urlsafe(32))


@dataclass(frozen=True)
class IssuedLink:
    """The token, shown this once, and whom it is for."""

    token: str
    purpose: Purpose
    expires_at: datetime
    login: str
    email: str | None
    locale: str | None


@dataclass(frozen=True)
class LinkOwner:
    """Whose link it is."""

    account_id: int
    login: str
    name: str
    purpose: str


def issue_link(cmd: OfAccount, *, actor: Actor, now: datetime) -> IssuedLink:
    """Make a link: an invitation (72 hours) for an account without a password, else a reset (30 minutes).

    An earlier one stops working. The present password works until the link is used. Raises NotFound, Forbidden, and
    Conflict for a shut account.
    """
    token = secrets.token_urlsafe(32)
    with transaction() as session:
        account = lock_account(session, cmd.login)
        check_admin_of_account(session, account, actor=actor)
        if not account.is_active:
            raise Conflict(Text(N_("This account is shut. Open it first.")))
        purpose: Purpose = "invite" if account.password_hash is None else "reset"
        expires_at = now + LIVES[purpose]
        end_links(session, account, now=now)
        session.add(
            PasswordLink(
                account_id=account.id,
                token_hash=token_hash(token),
                purpose=purpose,
                created_at=now,
                expires_at=expires_at,
            )
        )
        record(session, account, f"account.{purpose}_link_made", actor=actor, now=now)
        return IssuedLink(token, purpose, expires_at, account.login, account.email, account.locale)


def find_link(session: Session, token: str, now: datetime) -> LinkOwner | None:
    """Whose link it is at `now`; None for an unknown, used, replaced or outlived one, or a shut account."""
    if len(token) != _LENGTH or not token.isascii():
        return None
    row = session.execute(
        select(PasswordLink.purpose, Account.id, Account.login, Account.name)
        .join(Account, Account.id == PasswordLink.account_id)
        .where(
            PasswordLink.token_hash == token_hash(token),
            PasswordLink.ended_at.is_(None),
            PasswordLink.expires_at > now,
            Account.is_active,
        )
    ).first()
    return LinkOwner(row.id, row.login, row.name, row.purpose) if row else None


def choose_password(token: str, password: str, *, now: datetime) -> LinkOwner:
    """Use a link: the password is set, every session and token of the account ends, the link is over.

    Raises NotFound for a link that does not work (any more), Invalid (`password`) for one that is not taken.
    """
    owner = find_link(current_session(), token, now)
    if owner is None:
        raise NotFound
    check_password(password, owner.login)
    hashed = hash_password(password)
    with transaction() as session:
        account = session.scalars(select(Account).where(Account.id == owner.account_id).with_for_update()).one()
        used = session.execute(
            update(PasswordLink)
            .where(
                PasswordLink.token_hash == token_hash(token),
                PasswordLink.ended_at.is_(None),
                PasswordLink.expires_at > now,
            )
            .values(ended_at=now)
            .returning(PasswordLink.id)
        ).first()
        if used is None or not account.is_active:
            raise NotFound
        account.password_hash = hashed
        account.must_change_password = False
        forget_failures(session, account.login)
        end_access(session, account, now=now)
        own = Actor(account_id=account.id, login=account.login, name=account.name)
        record(session, account, "account.password_chosen", actor=own, now=now, purpose=owner.purpose)
    return owner
