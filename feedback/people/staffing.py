"""Changes of an account that an admin makes on its page: name and addresses, moves between units, all access ended."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Annotated

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.command import Code, Command
from feedback.kernel.errors import Invalid, VersionConflict
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction
from feedback.people.models import Account, RoleGrant, Unit
from feedback.people.names import check_contacts
from feedback.people.queries import in_force
from feedback.people.rights import check_admin_of, lock_account
from feedback.people.usecases import (
    AccountRef,
    Locale,
    Name,
    OfAccount,
    add_grant,
    check_admin_of_account,
    check_keeps_own,
    end_access,
    end_grant,
    end_links,
    record,
)

FIELDS = ("name", "email", "phone", "locale")


class ChangeAccount(Command):
    """All that the page shows; what is left empty is taken out. `seen` is `stamp_of` the account as the writer saw it."""

    login: str
    name: Name
    email: str | None = None
    phone: str | None = None
    locale: Locale | None = None
    seen: Annotated[str, Field(max_length=64)] | None = None


class MoveAccount(Command):
    """All roles that the account holds at one unit go to another, codes of units."""

    login: str
    from_unit: Code
    to_unit: Code


def stamp_of(account: Account) -> str:
    """What changes whenever name or addresses do, so that nobody overwrites another's change."""
    told = json.dumps([getattr(account, field) for field in FIELDS], ensure_ascii=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def change_account(cmd: ChangeAccount, *, actor: Actor, now: datetime) -> AccountRef:
    """Give an account another name, address or language. Raises NotFound, Forbidden, VersionConflict, Invalid."""
    with transaction() as session:
        account = lock_account(session, cmd.login)
        check_admin_of_account(session, account, actor=actor)
        if cmd.seen is not None and cmd.seen != stamp_of(account):
            raise VersionConflict(
                Text(N_("Somebody changed this account while you were writing. Look at it again, then save.")),
                version=stamp_of(account),
            )
        check_contacts(cmd.email, cmd.phone)
        changed = [field for field in FIELDS if getattr(account, field) != getattr(cmd, field)]
        for field in changed:
            setattr(account, field, getattr(cmd, field))
        if "email" in changed:
            end_links(session, account, now=now)
        if changed:
            record(session, account, "account.changed", actor=actor, now=now, fields=changed)
        return AccountRef(account.id, account.login)


def move_account(cmd: MoveAccount, *, actor: Actor, now: datetime) -> AccountRef:
    """Give up every role at one unit and hold the same at another, from this instant; sessions stay and see it at once.

    Raises NotFound, Forbidden (of either unit), Invalid: no role there (`from_unit`), no such unit in force (`to_unit`).
    """
    with transaction() as session:
        account = lock_account(session, cmd.login)
        roles = _roles_at(session, account, cmd.from_unit, now)
        if not roles:
            raise Invalid({"from_unit": Text(N_("No role is held at this unit."))})
        old = session.scalars(select(Unit).where(Unit.code == cmd.from_unit)).one()
        new = _unit_in_force(session, cmd.to_unit, now)
        if new.id == old.id:
            raise Invalid({"to_unit": Text(N_("They are at this unit already. Choose another."))})
        for unit in (old, new):
            check_admin_of(actor, unit)
        for role in roles:
            check_keeps_own(account, role, actor=actor)
            end_grant(session, account, role, old, now=now)
            add_grant(session, account, role, new)
        end_links(session, account, now=now)
        record(session, account, "account.moved", actor=actor, now=now, roles=roles, unit=new.id, from_unit=old.id)
        return AccountRef(account.id, account.login)


def end_all_access(cmd: OfAccount, *, actor: Actor, now: datetime) -> AccountRef:
    """Sign somebody out everywhere: sessions, tokens and links end, the password stays. Raises NotFound, Forbidden."""
    with transaction() as session:
        account = lock_account(session, cmd.login)
        check_admin_of_account(session, account, actor=actor)
        end_access(session, account, now=now)
        record(session, account, "account.signed_out", actor=actor, now=now)
        return AccountRef(account.id, account.login)


def _roles_at(session: Session, account: Account, code: str, now: datetime) -> list[str]:
    return list(
        session.scalars(
            select(RoleGrant.role)
            .join(Unit, Unit.id == RoleGrant.unit_id)
            .where(
                RoleGrant.account_id == account.id,
                Unit.code == code,
                in_force(RoleGrant.valid_from, RoleGrant.valid_to, now),
            )
            .order_by(RoleGrant.id)
        )
    )


def _unit_in_force(session: Session, code: str, now: datetime) -> Unit:
    found = session.scalars(
        select(Unit).where(Unit.code == code, in_force(Unit.valid_from, Unit.valid_to, now))
    ).first()
    if found is None:
        raise Invalid({"to_unit": Text(N_("There is no unit with the code “%(code)s”."), code=code)})
    return found
