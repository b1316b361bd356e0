"""Who raised a ticket: kept encrypted in a table of its own, and read through this file alone.

Nobody (handler, dispatcher, leader, admin) gets more of a protected submitter than an alias and the town.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.orm import Session

from feedback.kernel import keyring
from feedback.kernel.db import read_columns
from feedback.kernel.memo import remembered
from feedback.kernel.reference import kept
from feedback.people.models import Account, RoleGrant, Unit
from feedback.people.queries import ancestors, holds_at
from feedback.tickets.models import Identity, Seat, Ticket, TimelineEntry

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
FEWEST_WRITERS = 5
"""A town in which fewer could have written is not named; the county is."""


@dataclass(frozen=True)
class Submitter:
    """What may be shown of whoever holds a seat: login and name, or only alias and town."""

    alias: str
    town_id: int | None
    login: str | None = None
    name: str | None = None


def new_alias() -> str:
    """A short name for a protected seat; it says nothing and is drawn anew for each ticket."""
    return "S-" + "".join(secrets.choice(ALPHABET) for _ in range(4))


def seal_identity(session: Session, seat: Seat, *, account_id: int | None, name: str = "", contact: str = "") -> None:
    """Keep who holds a seat: an account, or somebody without one (name and contact)."""
    clear = {"account_id": account_id, "name": name, "contact": contact}
    sealed = keyring.seal("identity", json.dumps(clear).encode(), bound_to=f"seat:{seat.id}")
    session.add(Identity(seat_id=seat.id, sealed=sealed))


def _open(row: Any) -> dict[str, str | int | None]:
    clear: dict[str, str | int | None] = json.loads(
        keyring.unseal("identity", row.sealed, bound_to=f"seat:{row.seat_id}")
    )
    return clear


def seal_again(session: Session, seat: Seat, new_seat: Seat) -> None:
    """The holder of a seat holds this other one too."""
    clear = _open(session.get_one(Identity, seat.id))
    sealed = keyring.seal("identity", json.dumps(clear).encode(), bound_to=f"seat:{new_seat.id}")
    session.add(Identity(seat_id=new_seat.id, sealed=sealed))


def submitters(session: Session, seats: Iterable[Any]) -> dict[int, Submitter]:
    """What may be shown of each seat's holder, by seat id: names only where the submitter chose to be named."""
    seats = list(seats)
    named = frozenset(seat.id for seat in seats if seat.privacy == "named")
    opened, accounts = remembered(session, ("opened", named), lambda: _opened(session, named)) if named else ({}, {})
    shown = {}
    for seat in seats:
        clear = opened.get(seat.id)
        account = accounts.get(int(clear["account_id"])) if clear and clear["account_id"] else None
        if account:
            shown[seat.id] = Submitter(seat.alias, seat.town_id, account.login, account.name)
        elif clear:
            shown[seat.id] = Submitter(seat.alias, seat.town_id, None, str(clear["name"] or ""))
        else:
            shown[seat.id] = Submitter(seat.alias, seat.town_id)
    return shown


def _opened(session: Session, seat_ids: frozenset[int]) -> tuple[dict[int, Any], dict[int, Any]]:
    """What is sealed of these seats by seat, and login and name of their accounts by account; once a request."""
    opened = {row.seat_id: _open(row) for row in read_columns(session, _SEALED, {"ids": sorted(seat_ids)})}
    ids = {clear["account_id"] for clear in opened.values() if clear["account_id"]}
    return opened, {row.id: row for row in read_columns(session, _NAMED, {"ids": sorted(ids)})} if ids else {}


_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_SEALED = select(Identity.seat_id, Identity.sealed).where(Identity.seat_id.in_(_IDS))
_NAMED = select(Account.id, Account.login, Account.name).where(Account.id.in_(_IDS))


def account_to_notify(session: Session, seat_id: int) -> Account | None:
    """The account behind a seat, for sending its holder a message and for nothing else; None without one."""
    row = session.get(Identity, seat_id)
    account_id = _open(row)["account_id"] if row else None
    return session.get(Account, int(account_id)) if account_id else None


def town_to_show(session: Session, area: Unit, now: datetime) -> int:
    """The town that stands for a protected submitter: the ticket's town, or the county where too few could have written."""
    upwards = ancestors(session, area)
    town = next((u for u in upwards if u.level == "town"), None)
    root = upwards[-1]
    if town is None:
        return root.id
    return town.id if _has_writers(session, town, now) else root.id


def _has_writers(session: Session, town: Unit, now: datetime) -> bool:
    """Whether so many may submit in a town that it tells little of who did."""
    known: dict[int, list[Any]] = kept(session, "writers", lambda _reading: {})
    if town.id not in known:
        held = session.execute(
            select(RoleGrant.account_id, RoleGrant.valid_from, RoleGrant.valid_to)
            .join(Account, RoleGrant.account_id == Account.id)
            .join(Unit, RoleGrant.unit_id == Unit.id)
            .where(RoleGrant.role == "submitter", Account.is_active, Unit.path.startswith(town.path, autoescape=True))
        )
        known[town.id] = [tuple(row) for row in held]  # a row would keep its session, and the engine with it
    writers: set[int] = set()
    for account_id, valid_from, valid_to in known[town.id]:
        if holds_at(valid_from, valid_to, now):
            writers.add(account_id)
            if len(writers) >= FEWEST_WRITERS:
                return True
    return False


@dataclass(frozen=True)
class Raisers:
    """Who raised a ticket: the unit at which it was typed in for somebody else, and the accounts of its seats."""

    typed_at: int | None
    accounts: tuple[int, ...]


def note_raisers(session: Session, ticket_id: int, *, typed_at: int | None, accounts: Iterable[int]) -> None:
    """A ticket is just being made: remember in this transaction by whom, so that nothing sealed must be opened."""
    remembered(session, ("raisers", ticket_id), lambda: Raisers(typed_at, tuple(accounts)))


def _raisers(session: Session, ticket: Ticket) -> Raisers:
    typist = session.execute(
        select(TimelineEntry.account_id, TimelineEntry.unit_id).where(
            TimelineEntry.ticket_id == ticket.id, TimelineEntry.version == 1
        )
    ).first()
    own = (Seat.ticket_id == ticket.id, Seat.origin_ticket_id == ticket.id)  # who joined it later did not raise it
    rows = session.scalars(select(Identity).join(Seat, Identity.seat_id == Seat.id).where(*own))
    accounts = [int(account_id) for row in rows if (account_id := _open(row)["account_id"])]
    return Raisers(typist.unit_id if typist else None, tuple(accounts))


def is_raised_by(session: Session, ticket: Ticket, unit_id: int) -> bool:
    """Whether somebody who holds a role at this unit raised the ticket or typed it in: such tickets are counted apart."""
    raisers = remembered(session, ("raisers", ticket.id), lambda: _raisers(session, ticket))
    if raisers.typed_at == unit_id:
        return True
    accounts = raisers.accounts
    if not accounts:
        return False
    return session.scalar(_GRANT_AT, {"ids": sorted(accounts), "unit": unit_id}) is not None


_GRANT_AT = select(RoleGrant.id).where(RoleGrant.account_id.in_(_IDS), RoleGrant.unit_id == bindparam("unit")).limit(1)
