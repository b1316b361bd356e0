"""A small county for tests: units, people of every role, a catalogue. Built straight from rows, in a fraction of a second.

The tree: root > p1 {a, b, town > village}, p2 {c}; water and roads are departments of the root.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.transaction import transaction
from feedback.people.models import Account, RoleGrant, Unit
from feedback.people.queries import load_actor
from feedback.routing.models import CatalogueRow, Category

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""Monday 2 March 2026, 09:00 in Shanghai: a plain working day."""

TREE: tuple[tuple[str, str, str, str | None], ...] = (
    ("root", "region", "county", None),
    ("p1", "region", "county", "root"),
    ("p2", "region", "county", "root"),
    ("town", "region", "town", "p1"),
    ("village", "region", "village", "town"),
    ("a", "department", "county", "p1"),
    ("b", "department", "county", "p1"),
    ("c", "department", "county", "p2"),
    ("water", "department", "county", "root"),
    ("roads", "department", "county", "root"),
)

PEOPLE: tuple[tuple[str, str], ...] = (
    ("s", "submitter@village"),
    ("s2", "submitter@village"),
    ("ha", "handler@a"),
    ("hb", "handler@b"),
    ("hw", "handler@water"),
    ("hw2", "handler@water"),
    ("la", "unit_head@a"),
    ("lw", "unit_head@water"),
    ("hr", "handler@roads"),
    ("dp1", "dispatcher@p1"),
    ("d", "dispatcher@root"),
    ("d2", "dispatcher@root"),
    ("su", "supervisor@root"),
    ("ad", "adjudicator@root"),
    ("lp", "leader@p1"),
    ("lr", "leader@root"),
    ("au", "auditor@root"),
    ("adm", "admin@root"),
    ("x", ""),
)


@dataclass
class County:
    """The units and accounts by code and login; `actor` gives whoever acts."""

    session: Session
    units: dict[str, Unit] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    categories: dict[str, Category] = field(default_factory=dict)

    def actor(self, login: str, now: datetime = START) -> Actor:
        """The actor of a login at `now`."""
        return load_actor(self.session, self.session.get_one(Account, self.accounts[login].id), now=now)

    def add_person(self, login: str, *grants: str) -> Account:
        """One more account, with grants such as `handler@a`."""
        with transaction() as session:
            self._add_people(session, {login: grants})
        return self.accounts[login]

    def _add_people(self, session: Session, people: Mapping[str, Sequence[str]]) -> None:
        made = {
            login: Account(login=login, name=f"Person {login}", created_at=START, is_active=True) for login in people
        }
        session.add_all(made.values())
        session.flush()
        self.accounts |= made
        for login, grants in people.items():
            for grant in grants:
                role, code = grant.split("@")
                session.add(RoleGrant(account_id=made[login].id, role=role, unit_id=self.units[code].id))

    def add_catalogue(self, path: str, lead: str, *keywords: str, area: str | None = None) -> CatalogueRow:
        """A category (made if it is new) and who leads for it."""
        with transaction() as session:
            return self._add_row(session, path, lead, keywords, area)

    def _add_row(
        self, session: Session, path: str, lead: str, keywords: Sequence[str] = (), area: str | None = None
    ) -> CatalogueRow:
        category = self.categories.get(path)
        if category is None:
            category = Category(path=path, name=path, created_at=START)
            session.add(category)
            session.flush()
            self.categories[path] = category
        row = CatalogueRow(
            version=1,
            category_id=category.id,
            keywords=list(keywords),
            area_id=self.units[area].id if area else None,
            lead_id=self.units[lead].id,
            assist_ids=[],
            created_at=START,
        )
        session.add(row)
        return row

    def fill(self) -> None:
        """Write the units, people and catalogue of this module, in one transaction because most tests begin here."""
        with transaction() as session:
            for code, kind, level, parent in TREE:
                above = self.units[parent] if parent else None
                unit = Unit(code=code, name=code.title(), kind=kind, level=level, path="/")
                unit.parent_id = above.id if above else None
                session.add(unit)
                session.flush()
                unit.path = f"{above.path if above else '/'}{unit.id}/"
                self.units[code] = unit
            self._add_people(session, {login: grants.split() for login, grants in PEOPLE})
            self._add_row(session, "water", "water", ("水管", "漏水", "water pipe"))
            self._add_row(session, "roads", "roads", ("道路", "路灯", "pothole"))
            self._add_row(session, "works/a", "a")
            self._add_row(session, "works/b", "b")


def build_county(session: Session) -> County:
    """Make the county of this module in the present database."""
    county = County(session)
    county.fill()
    return county
