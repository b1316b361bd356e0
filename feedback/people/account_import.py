"""Accounts from a file: new ones, and new names, addresses and roles of those that are there. No passwords in files."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.errors import Forbidden, Invalid
from feedback.kernel.imports import ImportResult, RowError
from feedback.kernel.tabular import Table
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction
from feedback.people.models import Account, RoleGrant, Unit
from feedback.people.names import check_contacts, check_login, parse_roles, split_roles
from feedback.people.queries import in_force
from feedback.people.rights import check_admin, check_admin_of, units_of_roles
from feedback.people.usecases import (
    CreateAccount,
    add_account,
    add_grant,
    check_admin_of_account,
    check_keeps_own,
    end_grant,
    end_links,
    record,
)

REQUIRED = ("login", "name", "roles")
OPTIONAL = ("email", "phone", "locale")


def import_accounts(table: Table, *, actor: Actor, now: datetime, is_dry_run: bool = False) -> ImportResult:
    """Take the rows of an accounts file, in one transaction. Accounts that the file doesn't name stay as they are.

    The roles of a row are all the roles that account then holds; an empty optional cell changes nothing. Nobody can
    sign in to a new account before a password is set. Refused by row: a bad value, a login twice, an unknown unit,
    a role beyond the actor's own subtree. Forbidden for whoever is no admin. A dry run tells the same and changes nothing.
    """
    check_admin(actor)
    result = ImportResult(ignored=table.ignored, errors=list(table.errors))
    seen: dict[str, int] = {}
    with transaction(is_trial=is_dry_run) as session:
        for line in table.rows:
            try:
                cells = {name: value for name, value in line.values.items() if value and name != "roles"}
                cmd = CreateAccount.parse({**cells, "roles": split_roles(line.values["roles"])})
                login = check_login(cmd.login)
                check_contacts(cmd.email, cmd.phone)
                if login in seen:
                    text = Text(N_("This sign-in name stands in row %(row)s already."), row=seen[login])
                    raise Invalid({"login": text})
                _take(session, cmd, login, result, actor=actor, now=now)
                seen[login] = line.number
            except Invalid as invalid:
                result.refuse_all(RowError.of_invalid(line.number, invalid))
            except Forbidden as forbidden:
                result.refuse(line.number, forbidden.text, "roles")
    return result


def _take(
    session: Session, cmd: CreateAccount, login: str, result: ImportResult, *, actor: Actor, now: datetime
) -> None:
    roles = units_of_roles(session, parse_roles(cmd.roles))
    account = session.scalars(select(Account).where(Account.login == login).with_for_update()).first()
    if account is None:
        add_account(session, cmd, login, roles, actor=actor, now=now)
        result.added += 1
        return
    check_admin_of_account(session, account, actor=actor)
    granted, ended = _role_changes(session, account, roles, now=now)
    for _, unit in (*granted, *ended):
        check_admin_of(actor, unit)
    for role, _ in ended:
        check_keeps_own(account, role, actor=actor)
    values = {"name": cmd.name, "email": cmd.email, "phone": cmd.phone, "locale": cmd.locale}
    changed = [field for field, value in values.items() if value and getattr(account, field) != value]
    if not (changed or granted or ended):
        result.unchanged += 1
        return
    for field in changed:
        setattr(account, field, values[field])
    for role, unit in granted:
        add_grant(session, account, role, unit)
        record(session, account, "role.granted", actor=actor, now=now, role=role, unit=unit.id)
    if granted or ended:
        end_links(session, account, now=now)
    for role, unit in ended:
        end_grant(session, account, role, unit, now=now)
        record(session, account, "role.revoked", actor=actor, now=now, role=role, unit=unit.id)
    if changed:
        record(session, account, "account.changed", actor=actor, now=now, fields=changed)
    result.updated += 1


def _role_changes(
    session: Session, account: Account, wanted: list[tuple[str, Unit]], *, now: datetime
) -> tuple[list[tuple[str, Unit]], list[tuple[str, Unit]]]:
    """What to grant and what to end, so that the account holds exactly the wanted roles."""
    held = {
        (grant.role, grant.unit_id): grant.unit
        for grant in session.scalars(
            select(RoleGrant).where(
                RoleGrant.account_id == account.id, in_force(RoleGrant.valid_from, RoleGrant.valid_to, now)
            )
        )
    }
    asked = {(role, unit.id) for role, unit in wanted}
    granted = [(role, unit) for role, unit in wanted if (role, unit.id) not in held]
    ended = [(role, unit) for (role, unit_id), unit in held.items() if (role, unit_id) not in asked]
    return granted, ended
