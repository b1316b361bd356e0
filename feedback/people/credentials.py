"""Signing in and out, and changing one's own password. A session is a row; the cookie holds a random token of it.

Lifetimes: 8 hours without a request, 7 days in all. A shut account or an ended row is refused at the next request.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from feedback.kernel import audit, reference
from feedback.kernel.actor import Actor
from feedback.kernel.db import session as current_session
from feedback.kernel.errors import Invalid, NotFound, NotSignedIn
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction
from feedback.people import throttle
from feedback.people.models import Account, UserSession
from feedback.people.names import fold_login
from feedback.people.passwords import check_length, check_password, hash_password, needs_rehash, verify_password
from feedback.people.queries import Holder
from feedback.people.usecases import end_access, record

IDLE = timedelta(hours=8)
LIFETIME = timedelta(days=7)
SEEN_EVERY = timedelta(minutes=5)
LONGEST_DEVICE = 60
_LONGEST_TOKEN = 100


@dataclass(frozen=True)
class SignedIn:
    """A session that has just begun. `failures` are tries with a wrong password since the last right one."""

    token: str
    account_id: int
    failures: int


@dataclass(frozen=True)
class OpenSession:
    """Whose session a token opens."""

    session_id: int
    account: Holder


def token_hash(token: str) -> str:
    """What is kept of a random token (256 bits of chance need no slow hash)."""
    return hashlib.sha256(token.encode()).hexdigest()


def sign_in(login: str, password: str, *, source: str, device: str, now: datetime) -> SignedIn:
    """Begin a session; `source` is the caller's address, `device` a few words for the person's own list.

    Raises NotSignedIn alike for an unknown name, a wrong password and a shut account (and with the same work), Throttled
    with `retry_after` after 5 failures of a name or 30 of a source in 15 minutes, Invalid for an overlong password.
    """
    check_length(password)
    login = fold_login(login)
    login = login if login.isprintable() else ""  # nobody's name, and not for every database to look for
    session = current_session()
    throttle.check_throttle(session, login, source, now)
    account = session.scalars(select(Account).where(Account.login == login)).first()
    account_id = account.id if account else None
    checked = account.password_hash if account and account.is_active else None
    is_right = verify_password(checked, password)
    rehashed = hash_password(password) if is_right and checked and needs_rehash(checked) else None
    with transaction() as session:
        locked = _lock(session, account_id)
        throttle.check_throttle(session, login, source, now)  # again: others may have guessed while this was checked
        if is_right and locked and locked.is_active and locked.password_hash == checked:
            locked.password_hash = rehashed or checked
            return _begin_session(session, locked, device=device, now=now)
        _record_failure(session, account_id, login, source, now=now)
    raise NotSignedIn(Text(N_("The sign-in name or the password is not right.")), code="wrong_credentials")


def _lock(session: Session, account_id: int | None) -> Account | None:
    return session.scalars(select(Account).where(Account.id == account_id).with_for_update()).first()


def _begin_session(session: Session, account: Account, *, device: str, now: datetime) -> SignedIn:
    token = secrets.token_urlsafe(32)
    failures = throttle.forget_failures(session, account.login)
    session.add(
        UserSession(
            account_id=account.id,
            token_hash=token_hash(token),
            created_at=now,
            last_seen_at=now,
            expires_at=now + LIFETIME,
            device=device[:LONGEST_DEVICE],
        )
    )
    stream = f"account:{account.id}"
    audit.record(session, stream, actor=stream, action="signed_in", now=now, facts={"failures_before": failures})
    return SignedIn(token, account.id, failures)


def _record_failure(session: Session, account_id: int | None, login: str, source: str, *, now: datetime) -> None:
    """One audit entry a failure. For a name that nobody has, the stream is of its own: there is no row to lock."""
    failures = throttle.count_failure(session, login, source, now)
    audit.record(
        session,
        f"sign-in:{secrets.token_hex(8)}" if account_id is None else f"account:{account_id}",
        actor="nobody",
        action="sign_in_failed",
        now=now,
        facts={"source": throttle.subject_of("source", source)[:16], "failures": failures},
    )


_OPEN_SESSION = (
    select(
        *(UserSession.id, UserSession.last_seen_at, reference.TOKEN),
        *(Account.id, Account.login, Account.name, Account.locale, Account.must_change_password),
    )
    .join(Account, UserSession.account_id == Account.id)
    .where(
        UserSession.token_hash == bindparam("hashed"),
        UserSession.revoked_at.is_(None),
        UserSession.expires_at > bindparam("now"),
        UserSession.last_seen_at > bindparam("seen_since"),
        Account.is_active,
    )
)
"""Put together once: every request asks it. It brings along whether what the process keeps is still so."""


def find_session(session: Session, token: str, now: datetime) -> OpenSession | None:
    """Whose session it is at `now`; None for an unknown, ended or outlived one, or a shut account.

    Writes when it was seen, at most every five minutes; a database that can't be written to just now ends no session.
    """
    if not token or len(token) > _LONGEST_TOKEN:
        return None
    asked = {"hashed": token_hash(token), "now": now, "seen_since": now - IDLE}
    found = session.connection().execute(_OPEN_SESSION, asked).first()
    if found is None:
        return None
    session_id, last_seen_at, reference_token, *of_account = found
    if last_seen_at <= now - SEEN_EVERY:
        with contextlib.suppress(OperationalError), transaction() as writing:
            writing.execute(update(UserSession).where(UserSession.id == session_id).values(last_seen_at=now))
    else:
        reference.note_token(session, reference_token)
    return OpenSession(session_id, Holder(*of_account))


def sign_out(token: str, *, now: datetime) -> None:
    """End the session of this token; an unknown one is fine."""
    with transaction() as session:
        row = session.scalars(select(UserSession).where(UserSession.token_hash == token_hash(token))).first()
        if row is not None and row.revoked_at is None:
            _end(session, row, now=now)


def _end(session: Session, row: UserSession, *, now: datetime) -> None:
    account = session.scalars(select(Account).where(Account.id == row.account_id).with_for_update()).one()
    row.revoked_at = now
    stream = f"account:{account.id}"
    audit.record(session, stream, actor=stream, action="signed_out", now=now, facts={"session": row.id})


def sign_out_everywhere(*, actor: Actor, now: datetime) -> None:
    """End every session and token of the actor's own account, this one too. Raises NotSignedIn for the system."""
    with transaction() as session:
        account = _own_account(session, actor)
        end_access(session, account, now=now)
        record(session, account, "signed_out_everywhere", actor=actor, now=now)


def end_session(session_id: int, *, actor: Actor, now: datetime) -> None:
    """End one of the actor's own sessions. Raises NotFound for one that is not theirs or is over."""
    with transaction() as session:
        row = session.scalars(
            select(UserSession).where(
                UserSession.id == session_id,
                UserSession.account_id == actor.account_id,
                UserSession.revoked_at.is_(None),
            )
        ).first()
        if row is None:
            raise NotFound
        _end(session, row, now=now)


def change_password(
    current: str, new: str, *, actor: Actor, source: str, keep_session: int | None, now: datetime
) -> None:
    """Change one's own password; all other sessions and all tokens end. Throttled like signing in.

    Raises Invalid: field `current` for a wrong present password, `password` for one that is not taken; NotSignedIn.
    """
    for field, typed in (("current", current), ("password", new)):
        try:
            check_length(typed)
        except Invalid as invalid:
            raise Invalid({field: invalid.errors["password"]}) from invalid
    check_password(new, actor.login)
    session = current_session()
    account = _own_account(session, actor)
    throttle.check_throttle(session, account.login, source, now)
    account_id, login, kept = account.id, account.login, account.password_hash
    if not verify_password(kept, current):
        with transaction() as session:
            _lock(session, account_id)
            _record_failure(session, account_id, login, source, now=now)
        raise Invalid({"current": Text(N_("This is not your present password."))})
    if verify_password(kept, new):
        raise Invalid({"password": Text(N_("Must be another one than before."))})
    hashed = hash_password(new)
    with transaction() as session:
        account = _own_account(session, actor, lock=True)
        throttle.forget_failures(session, login)
        account.password_hash = hashed
        account.must_change_password = False
        end_access(session, account, now=now, keep_session=keep_session)
        record(session, account, "account.password_changed", actor=actor, now=now)


def _own_account(session: Session, actor: Actor, *, lock: bool = False) -> Account:
    own = select(Account).where(Account.id == actor.account_id, Account.is_active)
    account = session.scalars(own.with_for_update() if lock else own).first()
    if account is None:
        raise NotSignedIn(Text(N_("Please sign in.")))
    return account
