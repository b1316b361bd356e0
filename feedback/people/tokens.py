"""Keys for programs: issued once, kept as a hash, with a scope and an end. Sessions of people are in credentials."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.command import Command
from feedback.kernel.errors import Forbidden, Invalid, NotFound
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction
from feedback.people.credentials import token_hash
from feedback.people.models import Account, ApiToken
from feedback.people.queries import load_actor
from feedback.people.rights import lock_account
from feedback.people.usecases import check_admin_of_account, record

Scope = Literal["read", "write", "reports", "admin"]
SCOPES: tuple[Scope, ...] = ("read", "write", "reports", "admin")
PREFIX = "zd_"
MOST_DAYS = 365
_LENGTH = len(PREFIX) + len(secrets.token_urlsafe(32))
_REPORTING = ("unit_head", "dispatcher", "supervisor", "adjudicator", "leader", "admin")


class IssueToken(Command):
    """A token for an account, for 1 to 365 days. Without scopes it gets all that the account's roles allow."""

    login: str
    scopes: Annotated[list[Scope], Field(default_factory=list)]
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = 90


@dataclass(frozen=True)
class IssuedToken:
    """The token, shown this once."""

    token: str
    expires_at: datetime


@dataclass(frozen=True)
class TokenOwner:
    """Whose token it is and what it may be used for."""

    token_id: int
    account: Account
    scopes: frozenset[str]


def allowed_scopes(actor: Actor) -> tuple[Scope, ...]:
    """What the roles of an account allow its tokens: anyone read and write, those over others reports, admins admin."""
    may = {"read": True, "write": True, "reports": actor.has_role(*_REPORTING), "admin": actor.has_role("admin")}
    return tuple(scope for scope in SCOPES if may[scope])


def issue_token(cmd: IssueToken, *, actor: Actor, now: datetime) -> IssuedToken:
    """Make a token for one's own account, or as an admin for another's.

    Raises NotFound, Forbidden, and Invalid (`scopes`) for a scope that the account's roles don't allow.
    """
    token = PREFIX + secrets.token_urlsafe(32)
    expires_at = now + timedelta(days=cmd.days)
    with transaction() as session:
        account = lock_account(session, cmd.login)
        if account.id != actor.account_id:
            check_admin_of_account(session, account, actor=actor)
        if not account.is_active:
            raise Forbidden(Text(N_("This account is shut.")))
        allowed = allowed_scopes(load_actor(session, account, now=now))
        scopes = [scope for scope in SCOPES if scope in (cmd.scopes or allowed)]
        beyond = [scope for scope in scopes if scope not in allowed]
        if beyond:
            raise Invalid(
                {"scopes": Text(N_("The roles of this account don't allow: %(scopes)s."), scopes=tuple(beyond))}
            )
        row = ApiToken(
            account_id=account.id,
            token_hash=token_hash(token),
            scopes=" ".join(scopes),
            created_at=now,
            expires_at=expires_at,
        )
        session.add(row)
        session.flush()
        record(session, account, "token.issued", actor=actor, now=now, token=row.id, scopes=scopes, days=cmd.days)
        return IssuedToken(token, expires_at)


def revoke_token(token_id: int, *, actor: Actor, now: datetime) -> None:
    """End a token at once: one's own, or as an admin another's. Raises NotFound for any other one or one that is over."""
    with transaction() as session:
        row = session.get(ApiToken, token_id)
        if row is None or row.revoked_at is not None:
            raise NotFound
        account = session.scalars(select(Account).where(Account.id == row.account_id).with_for_update()).one()
        if account.id != actor.account_id:
            try:
                check_admin_of_account(session, account, actor=actor)
            except Forbidden as error:
                raise NotFound from error
        row.revoked_at = now
        record(session, account, "token.revoked", actor=actor, now=now, token=row.id)


def find_token(session: Session, token: str, now: datetime) -> TokenOwner | None:
    """Whose token it is at `now`, in one query; None for an unknown, ended or outlived one, or a shut account."""
    if len(token) != _LENGTH or not token.startswith(PREFIX):
        return None
    found = session.execute(
        select(ApiToken, Account)
        .join(Account, ApiToken.account_id == Account.id)
        .where(
            ApiToken.token_hash == token_hash(token),
            ApiToken.revoked_at.is_(None),
            ApiToken.expires_at > now,
            Account.is_active,
        )
    ).first()
    if found is None:
        return None
    row, account = found
    return TokenOwner(row.id, account, frozenset(row.scopes.split()))


def list_tokens(session: Session, account_id: int, now: datetime) -> Sequence[ApiToken]:
    """The tokens of an account that are in force, newest first."""
    return session.scalars(
        select(ApiToken)
        .where(ApiToken.account_id == account_id, ApiToken.revoked_at.is_(None), ApiToken.expires_at > now)
        .order_by(ApiToken.id.desc())
    ).all()
