"""The invented county: its tree, people of every role and duty catalogue, brought in as any site's would be."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session

from feedback.kernel.actor import SYSTEM
from feedback.kernel.errors import Conflict
from feedback.kernel.imports import ImportResult
from feedback.kernel.site import put_setting
from feedback.kernel.tabular import Table, read_rows
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction
from feedback.people import account_import, unit_import
from feedback.people.account_import import import_accounts
from feedback.people.models import Account, RoleGrant, Unit
from feedback.people.passwords import hash_password
from feedback.people.queries import root_unit, submitter_key
from feedback.people.unit_import import import_units
from feedback.routing.imports import import_catalogue
from feedback.routing.models import Category
from feedback.tickets.lifecycle import CLOSED, RESOLVED, WAITING
from feedback.tickets.models import Seat, Ticket
from feedback.tickets.visibility import WORKING_ROLES

FOLDER = Path(__file__).parent
PASSWORD = "qingsu-demo-2026"  # noqa: S105 (printed on purpose; production refuses demo accounts)
ROOT_DISPATCHER = "paidan02"
"""Takes what is about the county itself."""


@dataclass(frozen=True)
class DemoAccount:
    """A sign-in to try. `role` and `unit` are those of the first grant; more roles follow after it."""

    login: str
    name: str
    role: str
    unit: str
    more: tuple[str, ...]


def load_county(session: Session, *, now: datetime) -> None:
    """Bring in units, accounts and catalogue. Conflict where any unit is there already: a demo is for an empty site."""
    if root_unit(session) is not None:
        raise Conflict(Text(N_("This site has units already; the demo is for an empty one.")), code="not_empty")
    units = _table("units.csv", unit_import.REQUIRED, unit_import.OPTIONAL)
    _whole(import_units(units, actor=SYSTEM, now=now))
    accounts = _table("accounts.csv", account_import.REQUIRED, account_import.OPTIONAL)
    _whole(import_accounts(accounts, actor=SYSTEM, now=now))
    _whole(import_catalogue(FOLDER / "catalogue.csv", "catalogue.csv", actor=SYSTEM, now=now))
    with transaction() as writing:
        logins = [row.values["login"] for row in accounts.rows]
        writing.execute(
            update(Account).where(Account.login.in_(logins)).values(password_hash=hash_password(PASSWORD), is_demo=True)
        )
        for path, name, name_en in _category_names():
            writing.execute(update(Category).where(Category.path == path).values(name=name, name_en=name_en))
        put_setting(writing, "root_dispatchers", [ROOT_DISPATCHER], now=now)


def _table(name: str, required: tuple[str, ...], optional: tuple[str, ...]) -> Table:
    return read_rows(FOLDER / name, name, required=required, optional=optional)


def _whole(result: ImportResult) -> None:
    if not result.is_clean:
        raise RuntimeError(f"the demo's own file is wrong: {result.errors}")


def _category_names() -> Iterator[tuple[str, str, str]]:
    with (FOLDER / "categories.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["path"], row["name"], row["name_en"]


def demo_accounts(session: Session) -> list[DemoAccount]:
    """The demo's sign-ins: those first who have something to do, so that whoever tries one finds it. See PASSWORD."""
    rows = session.execute(
        select(Account.login, Account.name, RoleGrant.role, Unit.code)
        .join(RoleGrant, RoleGrant.account_id == Account.id)
        .join(Unit, Unit.id == RoleGrant.unit_id)
        .where(Account.is_demo, Account.is_active)
        .order_by(Account.id, RoleGrant.id)
    )
    grants: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for login, name, role, unit in rows:
        grants.setdefault((login, name), []).append((role, unit))
    listed = [
        DemoAccount(login, name, held[0][0], held[0][1], tuple(f"{role}@{unit}" for role, unit in held[1:]))
        for (login, name), held in grants.items()
    ]
    to_do = _to_do(session)
    return sorted(listed, key=lambda account: -to_do.get(account.login, 0))


def _to_do(session: Session) -> dict[str, int]:
    """How much each submitter and each handler or head has before them: tickets not ended, claims to confirm twice."""
    running = Ticket.status != CLOSED
    weight = func.sum(case((Ticket.status.in_((RESOLVED, WAITING)), 2), else_=1))
    by_key: dict[str, int] = {
        key: int(count)
        for key, count in session.execute(
            select(Seat.submitter_key, weight)
            .join(Ticket, Ticket.id == Seat.ticket_id)
            .where(running)
            .group_by(Seat.submitter_key)
        )
    }
    by_unit: dict[int, int] = {
        unit: int(count)
        for unit, count in session.execute(
            select(Ticket.lead_unit_id, func.count()).where(running).group_by(Ticket.lead_unit_id)
        )
        if unit is not None
    }
    found: dict[str, int] = {}
    for account_id, login, role, unit_id in session.execute(
        select(Account.id, Account.login, RoleGrant.role, RoleGrant.unit_id).join(
            RoleGrant, RoleGrant.account_id == Account.id
        )
    ):
        own = by_key.get(submitter_key(account_id), 0) if role == "submitter" else 0
        found[login] = found.get(login, 0) + own + (by_unit.get(unit_id, 0) if role in WORKING_ROLES else 0)
    return found
