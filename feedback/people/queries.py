"""Reads of units, accounts and roles. Who somebody is and may be is worked out here anew at each request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BindParameter, ColumnElement, bindparam, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from feedback.kernel import keyring
from feedback.kernel.actor import Actor, Grant
from feedback.kernel.errors import NotFound
from feedback.kernel.reference import kept
from feedback.kernel.site import get_setting
from feedback.people.models import REGION, Account, Deputy, RoleGrant, Unit, UserSession


def in_force(
    valid_from: InstrumentedAttribute[datetime | None],
    valid_to: InstrumentedAttribute[datetime | None],
    now: datetime | BindParameter[datetime],
) -> ColumnElement[bool]:
    """SQL: the half-open span from..to holds at `now`."""
    return (or_(valid_from.is_(None), valid_from <= now)) & (or_(valid_to.is_(None), valid_to > now))


def holds_at(valid_from: datetime | None, valid_to: datetime | None, now: datetime) -> bool:
    """`in_force` of a row that is at hand."""
    return (valid_from is None or valid_from <= now) and (valid_to is None or valid_to > now)


def submitter_key(account_id: int) -> str:
    """What finds an account's own tickets without naming it: a keyed digest, the key being outside the database."""
    return keyring.mac("submitter", account_id)


def find_unit(session: Session, code: str) -> Unit | None:
    return session.scalars(select(Unit).where(Unit.code == code)).first()


def get_unit(session: Session, code: str) -> Unit:
    """The unit of that code. Raises NotFound."""
    unit = find_unit(session, code)
    if unit is None:
        raise NotFound
    return unit


def units_by_id(session: Session, ids: Iterable[int | None]) -> dict[int, Unit]:
    """The units of these ids, to be read only: they are kept by the process (kernel/reference.py)."""
    found = all_units(session)
    return {i: found[i] for i in ids if i is not None and i in found}


def all_units(session: Session) -> dict[int, Unit]:
    """Every unit by its id, from the root down, dissolved ones too; to be read only."""
    return kept(session, "units", lambda reading: {u.id: u for u in reading.scalars(select(Unit).order_by(Unit.path))})


def in_force_now(units: Mapping[int, Unit], unit_id: int, now: datetime) -> Unit | None:
    """The unit of that id, or what it was merged into by `now`; None where nothing of it goes on."""
    seen: set[int] = set()
    unit = units.get(unit_id)
    while unit is not None and not holds_at(unit.valid_from, unit.valid_to, now):
        seen.add(unit.id)
        heir = unit.succeeded_by_id
        unit = units.get(heir) if heir is not None and heir not in seen else None
    return unit


def units_by_code(session: Session, codes: Iterable[str]) -> dict[str, Unit]:
    """The units of these codes, dissolved ones too; to be read only."""
    wanted = set(codes)
    return {unit.code: unit for unit in all_units(session).values() if unit.code in wanted} if wanted else {}


def list_units(session: Session, now: datetime) -> list[Unit]:
    """All units in force, from the root down; to be read only."""
    return [u for u in all_units(session).values() if holds_at(u.valid_from, u.valid_to, now)]


def root_unit(session: Session) -> Unit | None:
    """The top of the tree; None before any unit is there."""
    return session.scalars(select(Unit).where(Unit.parent_id.is_(None)).order_by(Unit.id).limit(1)).first()


def ancestors(session: Session, unit: Unit) -> list[Unit]:
    """The unit and those above it, nearest first."""
    ids = unit.ancestor_ids()
    found = units_by_id(session, ids)
    return [found[i] for i in ids if i in found]


def region_of(session: Session, unit: Unit) -> Unit:
    """The region at or nearest above a unit: where a ticket lies if its submitter names no area."""
    return next((u for u in ancestors(session, unit) if u.kind == REGION), unit)


def find_account(session: Session, login: str) -> Account | None:
    return session.scalars(select(Account).where(Account.login == login)).first()


def logins_named(session: Session, names: Iterable[str]) -> dict[str, list[str]]:
    """The logins of everybody who bears one of these names, by name, in one query."""
    wanted = set(names)
    if not wanted:
        return {}
    found: dict[str, list[str]] = {}
    for row in session.execute(
        select(Account.name, Account.login).where(Account.name.in_(wanted)).order_by(Account.id)
    ):
        found.setdefault(row.name, []).append(row.login)
    return found


def holders(session: Session, role: str, unit_ids: Iterable[int], now: datetime) -> list[RoleGrant]:
    """Grants in force of a role at these units, of accounts that are active."""
    return list(
        session.scalars(
            select(RoleGrant)
            .join(Account, RoleGrant.account_id == Account.id)
            .where(
                RoleGrant.role == role,
                RoleGrant.unit_id.in_(list(unit_ids)),
                Account.is_active,
                in_force(RoleGrant.valid_from, RoleGrant.valid_to, now),
            )
            .order_by(RoleGrant.id)
        )
    )


@dataclass(frozen=True)
class Colleague:
    """Somebody who holds a role at a unit."""

    account_id: int
    login: str
    name: str

    @property
    def id(self) -> int:
        return self.account_id


def colleagues(session: Session, unit_ids: Iterable[int], roles: Iterable[str], now: datetime) -> list[Colleague]:
    """Everybody active who holds one of these roles at one of these units at `now`, each once, by name."""
    held = kept(session, "colleagues", _read_colleagues)
    wanted = set(roles)
    found = {
        one.account_id: one
        for unit_id in unit_ids
        for one, role, valid_from, valid_to in held.get(unit_id, ())
        if role in wanted and holds_at(valid_from, valid_to, now)
    }
    return sorted(found.values(), key=lambda one: (one.name, one.account_id))


def all_staff(session: Session) -> list[Colleague]:
    """Everybody active who ever was given a role beside that of a submitter, one by one for each role; by grant."""
    held = kept(session, "colleagues", _read_colleagues)
    return [one for rows in held.values() for one, *_held in rows]


def active_staff(session: Session) -> dict[int, Colleague]:
    """`all_staff` by account, each once; to be read only."""
    return kept(session, "staff", lambda reading: {one.account_id: one for one in all_staff(reading)})


_Held = tuple[Colleague, str, datetime | None, datetime | None]


def _read_colleagues(session: Session) -> dict[int, list[_Held]]:
    """By unit: who, in which role, from when until when. No rows: a row keeps its session, and the engine with it."""
    found: dict[int, list[_Held]] = {}
    for row in session.execute(_STAFF):
        one = Colleague(row.id, row.login, row.name)
        found.setdefault(row.unit_id, []).append((one, row.role, row.valid_from, row.valid_to))
    return found


_STAFF = (
    select(RoleGrant.unit_id, RoleGrant.role, RoleGrant.valid_from, RoleGrant.valid_to, Account.id)
    .add_columns(Account.login, Account.name)
    .join(Account, RoleGrant.account_id == Account.id)
    .where(RoleGrant.role != "submitter", Account.is_active)
    .order_by(RoleGrant.id)
)


def office_ids(session: Session, now: datetime) -> set[int]:
    """Units that have a dispatcher at work: the offices between which areas are divided."""
    held = kept(session, "colleagues", _read_colleagues)
    return {
        unit_id
        for unit_id, rows in held.items()
        if any(
            role == "dispatcher" and holds_at(valid_from, valid_to, now) for _one, role, valid_from, valid_to in rows
        )
    }


def list_sessions(session: Session, account_id: int, now: datetime, *, idle: timedelta) -> Sequence[UserSession]:
    """The sessions of an account that are open at `now` (seen within `idle`), the last used first."""
    return session.scalars(
        select(UserSession)
        .where(
            UserSession.account_id == account_id,
            UserSession.revoked_at.is_(None),
            UserSession.expires_at > now,
            UserSession.last_seen_at > now - idle,
        )
        .order_by(UserSession.last_seen_at.desc(), UserSession.id.desc())
    ).all()


@dataclass(frozen=True)
class Holder:
    """The account of whoever is signed in, as it stands at this request."""

    id: int
    login: str
    name: str
    locale: str | None
    must_change_password: bool


MOST_PEOPLE = 2000
"""Of how many people a process keeps what they hold; past that it begins anew."""


@dataclass(frozen=True)
class _Holding:
    """The roles of an account, and whom it stands in for, each with its days."""

    grants: tuple[tuple[Grant, datetime | None, datetime | None], ...]
    stands_in_for: tuple[tuple[int, datetime | None, datetime | None], ...]


_GRANTS = (
    select(RoleGrant.role, Unit.id, Unit.code, Unit.path, RoleGrant.valid_from, RoleGrant.valid_to)
    .join(Unit, RoleGrant.unit_id == Unit.id)
    .where(RoleGrant.account_id == bindparam("account_id"))
    .order_by(RoleGrant.id)
)
_DEPUTIES = select(Deputy.account_id, Deputy.valid_from, Deputy.valid_to).where(
    Deputy.deputy_id == bindparam("account_id")
)


def _holding(session: Session, account_id: int) -> _Holding:
    """What an account holds at any time. Roles, deputies and units are watched: a change of one is seen at the next request."""
    people: dict[int, _Holding] = kept(session, "people", lambda _reading: {})
    found = people.get(account_id)
    if found is None:
        asked = {"account_id": account_id}
        grants = tuple((Grant(*row[:4]), row[4], row[5]) for row in session.execute(_GRANTS, asked))
        found = _Holding(grants, tuple((row[0], row[1], row[2]) for row in session.execute(_DEPUTIES, asked)))
        if len(people) >= MOST_PEOPLE:
            people.clear()
        people[account_id] = found
    return found


def load_actor(
    session: Session,
    account: Account | Holder | Colleague,
    *,
    now: datetime,
    channel: str = "web",
    scopes: frozenset[str] | None = None,
) -> Actor:
    """Whoever this account is at `now`, with the roles it holds at this instant."""
    holding = _holding(session, account.id)
    grants = tuple(grant for grant, begins, ends in holding.grants if holds_at(begins, ends, now))
    exempt: tuple[int, ...] = ()
    if any(g.role == "dispatcher" for g in grants) and account.login in get_setting(session, "root_dispatchers"):
        root = root_unit(session)
        exempt = (root.id,) if root else ()
    return Actor(
        account_id=account.id,
        login=account.login,
        name=account.name,
        grants=grants,
        submitter_key=submitter_key(account.id),
        stands_in_for=tuple(each for each, begins, ends in holding.stands_in_for if holds_at(begins, ends, now)),
        exempt_unit_ids=exempt,
        channel=channel,
        scopes=scopes,
    )
