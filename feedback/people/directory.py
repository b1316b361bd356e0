"""Accounts and units as an admin looks them up, within the subtree of which they are admin. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, false, func, or_, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.errors import Invalid, NotFound
from feedback.kernel.paging import Page, check_limit, cut_page, decode_cursor
from feedback.kernel.text import N_, Text
from feedback.people.models import Account, RoleGrant, Unit
from feedback.people.names import fold_login
from feedback.people.queries import in_force, list_units


@dataclass(frozen=True)
class GrantView:
    """A role in force and where it is held."""

    role: str
    unit_code: str
    unit_name: str
    unit_name_en: str | None


@dataclass(frozen=True)
class AccountView:
    """An account with the roles it holds now."""

    login: str
    name: str
    is_active: bool
    is_demo: bool
    has_password: bool
    created_at: datetime
    grants: tuple[GrantView, ...]


@dataclass(frozen=True)
class UnitView:
    """A unit of the tree. `depth` is how far below the topmost one shown; `people` how many accounts hold a role there."""

    code: str
    name: str
    name_en: str | None
    kind: str
    level: str
    depth: int
    calendar_code: str | None
    people: int


def _is_below(paths: Sequence[str]) -> ColumnElement[bool]:
    return or_(*(Unit.path.startswith(path, autoescape=True) for path in paths), false())


def _is_in_reach(actor: Actor) -> ColumnElement[bool]:
    """SQL on Account: it holds or held a role below a unit of which the actor is admin; at the root, anybody."""
    paths = [grant.unit_path for grant in actor.grants_for("admin")]
    if any(path.count("/") == 2 for path in paths):
        return Account.id.is_not(None)
    below = select(RoleGrant.account_id).join(Unit, Unit.id == RoleGrant.unit_id).where(_is_below(paths))
    return Account.id.in_(below)


def list_accounts(
    session: Session, actor: Actor, *, now: datetime, q: str = "", limit: int = 50, cursor: str | None = None
) -> Page[AccountView]:
    """The accounts in the admin's reach by login, narrowed to a part of login, name or unit; three queries at most.

    Raises Invalid for a cursor that is not of this list.
    """
    query = select(Account).where(_is_in_reach(actor)).order_by(Account.login).limit(check_limit(limit) + 1)
    if q:
        query = query.where(_fits(q, now))
    if cursor:
        query = query.where(Account.login > _last_login(cursor))
    page = cut_page(session.scalars(query).all(), limit, lambda account: [account.login])
    return Page(_views(session, page.items, now), page.next)


def get_account(session: Session, actor: Actor, login: str, now: datetime) -> tuple[Account, AccountView]:
    """The account of that login in the admin's reach. Raises NotFound, the same as for one that does not exist."""
    wanted = fold_login(login)
    query = select(Account).where(Account.login == wanted, _is_in_reach(actor))
    account = session.scalars(query).first() if wanted.isprintable() else None
    if account is None:
        raise NotFound
    return account, _views(session, [account], now)[0]


def export_accounts(session: Session, actor: Actor, now: datetime) -> Iterator[list[str]]:
    """Every account in the admin's reach that is open, as lines of an accounts file, the header first."""
    yield ["login", "name", "roles", "email", "phone", "locale"]
    accounts = session.scalars(select(Account).where(_is_in_reach(actor), Account.is_active).order_by(Account.login))
    for some in accounts.partitions(500):
        grants = _grants(session, [account.id for account in some], now)
        for account in some:
            roles = ";".join(f"{grant.role}@{grant.unit_code}" for grant in grants.get(account.id, ()))
            contacts = (account.email, account.phone, account.locale)
            yield [account.login, account.name, roles, *(value or "" for value in contacts)]


def export_units(session: Session, actor: Actor, now: datetime) -> Iterator[list[str]]:
    """Every unit in force below those of which the actor is admin, as lines of a units file, the header first."""
    yield ["code", "name", "parent", "kind", "level", "name_en", "calendar"]
    units = list_units(session, now)
    codes = {unit.id: unit.code for unit in units}
    for unit in units:
        if any(unit.path.startswith(grant.unit_path) for grant in actor.grants_for("admin")):
            parent = codes.get(unit.parent_id or 0, "")
            yield [unit.code, unit.name, parent, unit.kind, unit.level, unit.name_en or "", unit.calendar_code or ""]


def _fits(q: str, now: datetime) -> ColumnElement[bool]:
    """SQL on Account: login or name holds it, or the name or code of a unit where a role is held now."""
    at_unit = (
        select(RoleGrant.account_id)
        .join(Unit, Unit.id == RoleGrant.unit_id)
        .where(
            in_force(RoleGrant.valid_from, RoleGrant.valid_to, now),
            or_(
                Unit.name.icontains(q, autoescape=True),
                Unit.name_en.icontains(q, autoescape=True),
                Unit.code == q,
            ),
        )
    )
    return or_(
        Account.login.icontains(q, autoescape=True),
        Account.name.icontains(q, autoescape=True),
        Account.id.in_(at_unit),
    )


def _views(session: Session, accounts: Sequence[Account], now: datetime) -> list[AccountView]:
    grants = _grants(session, [account.id for account in accounts], now)
    return [
        AccountView(
            login=account.login,
            name=account.name,
            is_active=account.is_active,
            is_demo=account.is_demo,
            has_password=account.password_hash is not None,
            created_at=account.created_at,
            grants=tuple(grants.get(account.id, ())),
        )
        for account in accounts
    ]


def count_accounts(session: Session, actor: Actor) -> int:
    """How many accounts are in the admin's reach."""
    return session.scalar(select(func.count()).select_from(Account).where(_is_in_reach(actor))) or 0


def _last_login(cursor: str) -> str:
    (login,) = decode_cursor(cursor, 1)
    if not isinstance(login, str) or not login.isprintable():
        raise Invalid({"cursor": Text(N_("This cursor was not made here. Start from the first page."))})
    return login


def _grants(session: Session, ids: list[int], now: datetime) -> dict[int, list[GrantView]]:
    rows = session.execute(
        select(RoleGrant.account_id, RoleGrant.role, Unit.code, Unit.name, Unit.name_en)
        .join(Unit, Unit.id == RoleGrant.unit_id)
        .where(RoleGrant.account_id.in_(ids), in_force(RoleGrant.valid_from, RoleGrant.valid_to, now))
        .order_by(RoleGrant.id)
    )
    found: dict[int, list[GrantView]] = {}
    for account_id, role, code, name, name_en in rows:
        found.setdefault(account_id, []).append(GrantView(role, code, name, name_en))
    return found


def unit_tree(session: Session, actor: Actor, now: datetime) -> list[UnitView]:
    """The units in force below those of which the actor is admin, each after the one above it; two queries."""
    paths = [grant.unit_path for grant in actor.grants_for("admin")]
    units = [unit for unit in list_units(session, now) if any(unit.path.startswith(path) for path in paths)]
    held = in_force(RoleGrant.valid_from, RoleGrant.valid_to, now)
    counted = session.execute(
        select(RoleGrant.unit_id, func.count(RoleGrant.account_id.distinct())).where(held).group_by(RoleGrant.unit_id)
    ).all()
    people: dict[int, int] = dict(iter(counted))
    top = min((unit.path.count("/") for unit in units), default=0)
    return [
        UnitView(
            code=unit.code,
            name=unit.name,
            name_en=unit.name_en,
            kind=unit.kind,
            level=unit.level,
            depth=unit.path.count("/") - top,
            calendar_code=unit.calendar_code,
            people=people.get(unit.id, 0),
        )
        for unit in sorted(units, key=lambda unit: unit.ancestor_ids()[::-1])
    ]
