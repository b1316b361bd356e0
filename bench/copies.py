"""One pattern ticket with all its rows, and copies of it under new ids, in other departments, villages and times. No writing."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, ClassVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bench import county
from feedback.kernel import keyring
from feedback.kernel.db import Base
from feedback.people.models import Account, Unit
from feedback.routing.models import CatalogueRow, Category
from feedback.tickets.identity import ALPHABET

Row = dict[str, Any]

BY_TICKET = ("seat", "leg", "ticket_request", "verdict", "timeline", "message", "sla_clock", "sla_pause", "outbox")
UNIT_KEYS = frozenset(
    {"lead", "unit", "from_unit", "area", "proposed_unit", "lead_id", "unit_id", "assists", "assist_ids"}
)
OTHER_KEYS = {
    "assignee": "account",
    "by_account": "account",
    "category": "category",
    "category_id": "category",
    "row_id": "catalogue_row",
    "request": "ticket_request",
    "by_seat": "seat",
    "clock_id": "sla_clock",
}
COLUMNS = {
    "area_id": "unit",
    "first_area_id": "unit",
    "town_id": "unit",
    "unit_id": "unit",
    "lead_unit_id": "unit",
    "first_lead_unit_id": "unit",
    "first_resolved_unit_id": "unit",
    "first_office_id": "unit",
    "category_id": "category",
    "first_category_id": "category",
    "account_id": "account",
    "assignee_id": "account",
    "requested_by_id": "account",
    "ticket_id": "ticket",
    "origin_ticket_id": "ticket",
    "seat_id": "seat",
    "leg_id": "leg",
    "lead_leg_id": "leg",
    "request_id": "ticket_request",
    "clock_id": "sla_clock",
    "follows_id": "sla_clock",
    "outbox_id": "outbox",
}
"""Which table a column or a key of a JSON value points to."""

_SAYINGS = (
    "村口主管接头漏水三天了，路边一直淌，下面两户院子里都是湿的。",
    "学校门口的路灯坏了两盏，晚上放学看不见路面，有两个孩子摔过。",
    "通村公路三公里处塌了半边，货车过不去，只能绕到邻镇。",
    "垃圾池一周没有清运，天热味道大，旁边就是饮用水沟。",
    "低保复核的材料交了两次都说不全，请一次告诉我们还差什么。",
)


@dataclass
class Pattern:
    """A ticket of the use-cases with its rows by table. `is_quiet`: nothing of it lies ahead any more."""

    ticket: Row
    rows: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def status(self) -> str:
        return str(self.ticket["status"])

    @property
    def begins(self) -> datetime:
        begins: datetime = self.ticket["submitted_at"]
        return begins

    @property
    def ahead(self) -> list[datetime]:
        """Instants at which something happens by itself."""
        open_clocks = [c for c in self.rows["sla_clock"] if c["met_at"] is None and c["dropped_at"] is None]
        found = [clock["next_alarm_at"] for clock in open_clocks if clock["next_alarm_at"]]
        found += [clock["due_at"] for clock in open_clocks if clock["kind"] in ("signing", "confirmation")]
        return found + [pause["wake_at"] for pause in self.rows["sla_pause"] if pause["ended_at"] is None]

    @property
    def is_quiet(self) -> bool:
        return not self.ahead

    def may_go_back(self, now: datetime, by: timedelta) -> bool:
        """Whether all that lies ahead still does so where everything happened earlier by this much."""
        return all(at - by > now for at in self.ahead)

    @property
    def next_level_at(self) -> datetime | None:
        """When the resolution clock reaches its next level."""
        return next(
            (c["next_alarm_at"] for c in self.rows["sla_clock"] if c["kind"] == "resolution" and c["next_alarm_at"]),
            None,
        )


def load_patterns(session: Session, most: int = 60) -> list[Pattern]:
    """The first tickets of the database, with everything that belongs to them."""
    tables = Base.metadata.tables
    ticket = tables["ticket"]
    patterns = {
        row["id"]: Pattern(dict(row)) for row in _rows(session, select(ticket).order_by(ticket.c.id).limit(most))
    }
    for name in BY_TICKET:
        table = tables[name]
        for pattern in patterns.values():
            pattern.rows[name] = []
        for row in _rows(session, select(table).where(table.c.ticket_id.in_(patterns)).order_by(table.c.id)):
            patterns[row["ticket_id"]].rows[name].append(dict(row))
    for pattern in patterns.values():
        for name, column, parents in (
            ("decision", "request_id", "ticket_request"),
            ("sla_alarm", "clock_id", "sla_clock"),
        ):
            table = tables[name]
            ids = [row["id"] for row in pattern.rows[parents]]
            query = select(table).where(table.c[column].in_(ids)).order_by(table.c.id)
            pattern.rows[name] = [dict(row) for row in _rows(session, query)] if ids else []
        entries = tables["audit_entry"]
        stream = select(entries).where(entries.c.stream == f"ticket:{pattern.ticket['id']}").order_by(entries.c.seq)
        pattern.rows["audit_entry"] = [dict(row) for row in _rows(session, stream)]
    session.rollback()
    return list(patterns.values())


def _rows(session: Session, query: Any) -> Iterable[Any]:
    return session.execute(query).mappings().all()


class Ground:
    """The next free id of every table, and which department's people stand for the pattern's."""

    ORDER: ClassVar[tuple[str, ...]] = (
        *("ticket", "seat", "identity", "leg", "ticket_request", "decision", "verdict", "timeline", "message"),
        *("sla_clock", "sla_pause", "sla_alarm", "audit_entry", "outbox"),
    )

    def __init__(self, session: Session, now: datetime) -> None:
        self.now = now
        self.units = {unit.code: unit.id for unit in session.scalars(select(Unit))}
        self.accounts = {account.login: account.id for account in session.scalars(select(Account))}
        categories = {row.path: row.id for row in session.scalars(select(Category))}
        duties = {row.category_id: row.id for row in session.scalars(select(CatalogueRow))}
        self.categories = [categories[f"matter/kind{n:02}"] for n in range(1, county.DEPARTMENTS + 1)]
        self.duties = [duties[category] for category in self.categories]
        self.next_ids = {
            name: (session.scalar(select(func.max(Base.metadata.tables[name].c.id))) or 0) + 1
            for name in self.ORDER
            if name != "identity"
        }
        self.villages = county.villages()
        session.rollback()

    def standing_for(self, number: int, village: str) -> dict[str, dict[int, int]]:
        first = county.PATTERN_DEPARTMENT
        units = {
            self.units[first]: self.units[county.department(number)],
            self.units[county.PATTERN_VILLAGE]: self.units[village],
            self.units[county.PATTERN_VILLAGE[:-3]]: self.units[village[:-3]],
        }
        accounts = {
            self.accounts[county.handler(1, which)]: self.accounts[county.handler(number, which)]
            for which in range(1, county.HANDLERS_EACH + 1)
        }
        return {
            "unit": units,
            "account": accounts,
            "category": {self.categories[0]: self.categories[number - 1]},
            "catalogue_row": {self.duties[0]: self.duties[number - 1]},
        }


def new_reference() -> str:
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(10))
    return f"ZD-{drawn[:5]}-{drawn[5:]}"


def sealed_identity(seat_id: int, account_id: int) -> bytes:
    clear = f'{{"account_id": {account_id}, "name": "", "contact": ""}}'
    return keyring.seal("identity", clear.encode(), bound_to=f"seat:{seat_id}")


def key_of(row: Row, *, ticket: Any, clock: Callable[[int], Any], own: Any) -> list[Any] | None:
    """The pieces of a copy's key in the outbox."""
    if row["version"] is not None:
        return ["ticket:", ticket, f":{row['version']}"]
    old: str | None = row["unique_key"]
    if old and old.startswith("alarm:"):
        return ["alarm:", clock(row["payload"]["clock_id"]), "".join(f":{part}" for part in old.split(":")[2:])]
    return [f"{old}:", own] if old else None


def said_of(number: int, draw: Random) -> tuple[str, str]:
    """Title and text: one in five speaks of a leak, one in a thousand of a swan."""
    said = _SAYINGS[draw.randrange(len(_SAYINGS))]
    rare = "河里来了天鹅。" if draw.randrange(1000) == 0 else ""
    body = f"第{number:02}类事：{said}{rare}第{draw.randint(1, 12)}组，一共{draw.randint(2, 60)}户，请派人来看看。"
    return body[:30], body
