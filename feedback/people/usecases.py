"""Writes about accounts and their roles. Sign-in is in credentials, tokens in tokens, files in the two imports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from feedback.kernel import audit
from feedback.kernel.actor import Actor
from feedback.kernel.command import Code, Command
from feedback.kernel.errors import Forbidden, Invalid
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction
from feedback.people.models import Account, ApiToken, PasswordLink, RoleGrant, Unit, UserSession
from feedback.people.names import check_contacts, check_login, fold_login, parse_roles
from feedback.people.passwords import check_password, hash_password
from feedback.people.rights import check_admin, check_admin_of, lock_account, units_of_roles
from feedback.people.throttle import forget_failures

Secret = Annotated[str, StringConstraints(strip_whitespace=False)]
"""A password as typed: outer spaces belong to it. Its field is left out of the command's representation."""

Name = Annotated[Code, Field(max_length=120)]
MOST_ROLES = 50
Locale = Literal["zh_CN", "en"]


class CreateAccount(Command):
    """A new account; `roles` are written `role@unit`. Without a password nobody can sign in to it yet."""

    login: Annotated[str, Field(max_length=200)]
    name: Name
    roles: Annotated[list[str], Field(default_factory=list, max_length=MOST_ROLES)]
    email: str | None = None
    phone: str | None = None
    locale: Locale | None = None
    password: Secret | None = Field(default=None, repr=False)
    must_change: bool = False
    is_demo: bool = False


class SetPassword(Command):
    """A password that somebody else sets for an account."""

    login: str
    password: Secret = Field(repr=False)
    must_change: bool = False


class OfAccount(Command):
    """An act on an account that needs no more than its login."""

    login: str


class OfRole(Command):
    """A role of an account at a unit, `role@unit`."""

    login: str
    role: str


@dataclass(frozen=True)
class AccountRef:
    """Which account it was."""

    account_id: int
    login: str


def create_account(cmd: CreateAccount, *, actor: Actor, now: datetime) -> AccountRef:
    """Add an account with its roles. Invalid names a bad or taken login, password or role; Forbidden for no admin."""
    check_admin(actor)
    login = check_login(cmd.login)
    check_contacts(cmd.email, cmd.phone)
    roles = parse_roles(cmd.roles)
    hashed = None
    if cmd.password is not None:
        check_password(cmd.password, login)
        hashed = hash_password(cmd.password)
    with transaction() as session:
        if session.scalar(select(Account.id).where(Account.login == login)) is not None:
            raise Invalid({"login": Text(N_("The sign-in name “%(login)s” is taken."), login=login)})
        account = add_account(session, cmd, login, units_of_roles(session, roles), actor=actor, now=now)
        account.password_hash = hashed
        return AccountRef(account.id, login)


def add_account(
    session: Session,
    cmd: CreateAccount,
    login: str,
    roles: list[tuple[str, Unit]],
    *,
    actor: Actor,
    now: datetime,
) -> Account:
    """The rows of a new account, in the present transaction; what is asked has been checked. Raises Forbidden."""
    for _, unit in roles:
        check_admin_of(actor, unit)
    account = Account(
        login=login,
        name=cmd.name,
        email=cmd.email,
        phone=cmd.phone,
        locale=cmd.locale,
        is_active=True,
        is_demo=cmd.is_demo,
        must_change_password=cmd.must_change,
        created_at=now,
    )
    session.add(account)
    session.flush()
    session.add_all(RoleGrant(account_id=account.id, role=role, unit_id=unit.id) for role, unit in roles)
    facts = {"roles": [[role, unit.id] for role, unit in roles]}
    record(session, account, "account.created", actor=actor, now=now, **facts)
    return account


def record(session: Session, account: Account, action: str, *, actor: Actor, now: datetime, **facts: object) -> None:
    """One entry in the account's stream of the audit trail."""
    audit.record(session, f"account:{account.id}", actor=actor.audit_name(), action=action, now=now, facts=dict(facts))


def set_password(cmd: SetPassword, *, actor: Actor, now: datetime) -> AccountRef:
    """Give an account a new password and end all its sessions and tokens. Raises NotFound, Invalid, Forbidden."""
    check_admin(actor)
    check_password(cmd.password, fold_login(cmd.login))
    hashed = hash_password(cmd.password)
    with transaction() as session:
        account = lock_account(session, cmd.login)
        check_admin_of_account(session, account, actor=actor)
        account.password_hash = hashed
        account.must_change_password = cmd.must_change
        forget_failures(session, account.login)
        end_access(session, account, now=now)
        record(session, account, "account.password_set", actor=actor, now=now)
        return AccountRef(account.id, account.login)


def disable_account(cmd: OfAccount, *, actor: Actor, now: datetime) -> AccountRef:
    """Shut an account: its sessions and tokens end at once, its tickets and roles stay. Raises NotFound, Forbidden."""
    with transaction() as session:
        account = lock_account(session, cmd.login)
        check_admin_of_account(session, account, actor=actor)
        if account.id == actor.account_id:
            raise Forbidden(Text(N_("Nobody can shut their own account. Ask another admin.")))
        if account.is_active:
            account.is_active = False
            end_access(session, account, now=now)
            record(session, account, "account.disabled", actor=actor, now=now)
        return AccountRef(account.id, account.login)


def enable_account(cmd: OfAccount, *, actor: Actor, now: datetime) -> AccountRef:
    """Open a shut account again; it signs in with the password it had. Raises NotFound, Forbidden."""
    with transaction() as session:
        account = lock_account(session, cmd.login)
        check_admin_of_account(session, account, actor=actor)
        if not account.is_active:
            account.is_active = True
            record(session, account, "account.enabled", actor=actor, now=now)
        return AccountRef(account.id, account.login)


def grant_role(cmd: OfRole, *, actor: Actor, now: datetime) -> AccountRef:
    """Let an account hold a role at a unit from now on; already held is fine. Raises NotFound, Invalid, Forbidden."""
    with transaction() as session:
        account = lock_account(session, cmd.login)
        for role, unit in units_of_roles(session, parse_roles([cmd.role])):
            check_admin_of(actor, unit)
            if add_grant(session, account, role, unit):
                end_links(session, account, now=now)
                record(session, account, "role.granted", actor=actor, now=now, role=role, unit=unit.id)
        return AccountRef(account.id, account.login)


def revoke_role(cmd: OfRole, *, actor: Actor, now: datetime) -> AccountRef:
    """Take a role at a unit from an account, at once; not held is fine. Raises NotFound, Invalid, Forbidden."""
    with transaction() as session:
        account = lock_account(session, cmd.login)
        for role, unit in units_of_roles(session, parse_roles([cmd.role])):
            check_admin_of(actor, unit)
            check_keeps_own(account, role, actor=actor)
            if end_grant(session, account, role, unit, now=now):
                end_links(session, account, now=now)
                record(session, account, "role.revoked", actor=actor, now=now, role=role, unit=unit.id)
        return AccountRef(account.id, account.login)


def check_keeps_own(account: Account, role: str, *, actor: Actor) -> None:
    """Forbidden for an admin who would give up that role themselves: somebody must be left to give it back."""
    if role == "admin" and account.id == actor.account_id:
        raise Forbidden(Text(N_("Nobody can take the admin's role from themselves. Ask another admin.")))


def record_denial(what: str, *, actor: Actor, now: datetime) -> None:
    """Write down that a signed-in person was refused for want of a role; `what` is the route's name, no path and no text."""
    with transaction() as session:
        account = session.scalars(select(Account).where(Account.id == actor.account_id).with_for_update()).one()
        record(session, account, "access_denied", actor=actor, now=now, what=what)


def check_admin_of_account(session: Session, account: Account, *, actor: Actor) -> None:
    """Forbidden unless the actor is admin of every unit at which the account holds a role or held one."""
    check_admin(actor)
    held = select(Unit).join(RoleGrant, RoleGrant.unit_id == Unit.id).where(RoleGrant.account_id == account.id)
    for unit in session.scalars(held):
        check_admin_of(actor, unit)


def _grant(session: Session, account: Account, role: str, unit: Unit) -> RoleGrant | None:
    return session.scalars(
        select(RoleGrant).where(
            RoleGrant.account_id == account.id, RoleGrant.role == role, RoleGrant.unit_id == unit.id
        )
    ).first()


def add_grant(session: Session, account: Account, role: str, unit: Unit) -> bool:
    """Hold a role in the present transaction; False where it was held without an end already."""
    grant = _grant(session, account, role, unit)
    if grant is None:
        session.add(RoleGrant(account_id=account.id, role=role, unit_id=unit.id))
        return True
    if grant.valid_from is None and grant.valid_to is None:
        return False
    grant.valid_from = grant.valid_to = None
    return True


def end_grant(session: Session, account: Account, role: str, unit: Unit, *, now: datetime) -> bool:
    """Give up a role in the present transaction; False where it was not held."""
    grant = _grant(session, account, role, unit)
    if grant is None or (grant.valid_to is not None and grant.valid_to <= now):
        return False
    grant.valid_to = now
    return True


def end_access(session: Session, account: Account, *, now: datetime, keep_session: int | None = None) -> None:
    """End every session (but `keep_session`), every token and every link of an account, in the present transaction."""
    session.execute(
        update(UserSession)
        .where(
            UserSession.account_id == account.id,
            UserSession.revoked_at.is_(None),
            UserSession.id != (keep_session or 0),
        )
        .values(revoked_at=now)
    )
    session.execute(
        update(ApiToken).where(ApiToken.account_id == account.id, ApiToken.revoked_at.is_(None)).values(revoked_at=now)
    )
    end_links(session, account, now=now)


def end_links(session: Session, account: Account, *, now: datetime) -> None:
    """End the links with which somebody could choose a password of this account, in the present transaction."""
    session.execute(
        update(PasswordLink)
        .where(PasswordLink.account_id == account.id, PasswordLink.ended_at.is_(None))
        .values(ended_at=now)
    )
