"""The duty catalogue from a file: who leads for each category in each area. Rows used before are superseded, never changed.

For each category and area that the file names, its rows are the whole answer; what it doesn't name stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.kernel import audit
from feedback.kernel.actor import Actor
from feedback.kernel.command import Code, Command, DateField
from feedback.kernel.errors import Invalid
from feedback.kernel.imports import ImportResult, RowError
from feedback.kernel.tabular import Row, read_rows
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction
from feedback.people.models import Unit
from feedback.people.queries import list_units
from feedback.people.rights import check_site_admin
from feedback.routing.decision import is_below
from feedback.routing.models import CatalogueRow, Category
from feedback.routing.queries import normal_path

REQUIRED = ("category", "lead")
OPTIONAL = ("keywords", "area", "assists", "grounds", "not_below", "valid_from", "valid_to")
LONGEST_NAME = 120
LONGEST_KEYWORD = 60


class CatalogueLine(Command):
    """One row of the file, as texts."""

    category: Code
    lead: Code
    keywords: Annotated[str, Field(max_length=4_000)] = ""
    area: Code | None = None
    assists: Annotated[str, Field(max_length=2_000)] = ""
    grounds: Annotated[str, Field(max_length=500)] = ""
    not_below: Literal["county", "town"] | None = None
    valid_from: DateField | None = None
    valid_to: DateField | None = None


@dataclass(frozen=True)
class _Duty:
    """What a row says, with its units found: equal duties are the same row."""

    keywords: tuple[str, ...]
    lead_id: int
    assist_ids: tuple[int, ...]
    grounds: str
    not_below: str | None
    valid_from: date | None
    valid_to: date | None

    @classmethod
    def of_row(cls, row: CatalogueRow) -> _Duty:
        return cls(
            keywords=tuple(row.keywords),
            lead_id=row.lead_id,
            assist_ids=tuple(row.assist_ids),
            grounds=row.grounds,
            not_below=row.not_below,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
        )

    @property
    def slot(self) -> tuple[int, date | None, date | None]:
        return self.lead_id, self.valid_from, self.valid_to


@dataclass
class _Group:
    """The file's rows for one category and area; `bad` is a row of it that can't be taken."""

    rows: dict[int, _Duty] = field(default_factory=dict)
    bad: int | None = None


Place = tuple[str, int | None]
"""A category's path and an area's id."""


def import_catalogue(
    source: Path | str | bytes, name: str, *, actor: Actor, now: datetime, is_dry_run: bool = False
) -> ImportResult:
    """Take the rows of a catalogue file in one transaction; `name` is what people call the file.

    A row that can't be taken is reported, and with it the other rows of its category and area: half an answer to "who
    leads" would be a wrong one. A dry run tells the same and changes nothing. Raises Forbidden for anybody but an admin of
    the whole site, Invalid (field `file`) for a file that is none.
    """
    check_site_admin(actor)
    table = read_rows(source, name, required=REQUIRED, optional=OPTIONAL)
    result = ImportResult(ignored=table.ignored)
    result.refuse_all(table.errors)
    with transaction(is_trial=is_dry_run) as session:
        groups = _groups(table.rows, {unit.code: unit for unit in list_units(session, now)}, result)
        whole = {place: group for place, group in groups.items() if group.bad is None}
        category_ids = _categories(session, {path for path, _ in whole}, now)
        ended = _replace(session, whole, category_ids, result, now)
        if result.added or result.updated or ended:
            audit.record(
                session,
                "settings",
                actor=actor.audit_name(),
                action="catalogue.imported",
                now=now,
                facts={"added": result.added, "updated": result.updated, "superseded": ended},
            )
    return result


def _groups(rows: Iterable[Row], units: dict[str, Unit], result: ImportResult) -> dict[Place, _Group]:
    """The file's rows by category and area. What is wrong with a row goes into the result."""
    groups: dict[Place, _Group] = {}
    for row in rows:
        try:
            line = CatalogueLine.parse({column: value for column, value in row.values.items() if value})
        except Invalid as invalid:
            result.refuse_all(RowError.of_invalid(row.number, invalid))
            place = _place(row.values["category"], row.values["area"], units)
            if place:
                groups.setdefault(place, _Group()).bad = row.number
            continue
        errors = _problems(line, units)
        place = _place(line.category, line.area, units)
        if place is None or errors:
            result.refuse_all(RowError(row.number, text, column) for column, text in errors.items())
            if place:
                groups.setdefault(place, _Group()).bad = row.number
            continue
        _add(groups.setdefault(place, _Group()), row.number, _duty(line, units), result)
    for group in groups.values():
        if group.bad is not None:
            for number in group.rows:
                text = Text(
                    N_("Not taken: row %(row)s is about the same category and area and is wrong."), row=group.bad
                )
                result.refuse(number, text)
    return groups


def _add(group: _Group, number: int, duty: _Duty, result: ImportResult) -> None:
    for earlier, other in group.rows.items():
        if other == duty:
            result.unchanged += 1
            return
        if other.slot == duty.slot:
            text = Text(N_("Row %(row)s already says this lead for the same category, area and time."), row=earlier)
            result.refuse(number, text, "lead")
            group.bad = number
            return
    group.rows[number] = duty


def _place(category: str, area: str | None, units: dict[str, Unit]) -> Place | None:
    path = normal_path(category)
    if not path or (area and area not in units):
        return None
    return path, units[area].id if area else None


def _problems(line: CatalogueLine, units: dict[str, Unit]) -> dict[str, Text]:
    errors: dict[str, Text] = {}
    unknown = N_("There is no unit %(code)s in force. Import the units first, or correct the code.")
    parts = normal_path(line.category).split("/")
    if not all(parts) or any(len(part) > LONGEST_NAME for part in parts):
        errors["category"] = Text(N_("Must be names with / between them, such as water/leak."))
    codes = {"area": [line.area] if line.area else [], "lead": [line.lead], "assists": _split(line.assists)}
    for column, wanted in codes.items():
        missing = next((code for code in wanted if code not in units), None)
        if missing is not None:
            errors[column] = Text(unknown, code=missing)
        elif column != "area" and (low := next((c for c in wanted if is_below(units[c], line.not_below)), None)):
            errors[column] = Text(
                N_("%(code)s lies below %(level)s, the lowest level that not_below allows here."),
                code=low,
                level=line.not_below,
            )
    if any(len(word) > LONGEST_KEYWORD for word in _split(line.keywords)):
        errors["keywords"] = Text(N_("A keyword has at most %(most)s characters; put ; between keywords."), most=60)
    if line.valid_from and line.valid_to and line.valid_to < line.valid_from:
        errors["valid_to"] = Text(N_("Must not lie before valid_from."))
    return errors


def _split(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in re.split("[;；]", text) if part.strip()))


def _duty(line: CatalogueLine, units: dict[str, Unit]) -> _Duty:
    return _Duty(
        keywords=tuple(_split(line.keywords)),
        lead_id=units[line.lead].id,
        assist_ids=tuple(units[code].id for code in _split(line.assists) if code != line.lead),
        grounds=line.grounds,
        not_below=line.not_below,
        valid_from=line.valid_from,
        valid_to=line.valid_to,
    )


def _categories(session: Session, paths: set[str], now: datetime) -> dict[str, int]:
    """The ids of these paths (of what they were renamed to); those that are new are made, with those above them."""
    known = {found.path: found for found in session.scalars(select(Category))}
    wanted = {"/".join(path.split("/")[:depth]) for path in paths for depth in range(1, path.count("/") + 2)}
    for path in sorted(wanted - known.keys()):
        known[path] = Category(path=path, name=path.rpartition("/")[2], created_at=now)
        session.add(known[path])
    session.flush()
    return {path: known[path].succeeded_by_id or known[path].id for path in paths}


def _replace(
    session: Session, groups: dict[Place, _Group], category_ids: dict[str, int], result: ImportResult, now: datetime
) -> int:
    """Make the catalogue say what the groups say; returns how many rows were superseded."""
    live: dict[tuple[int, int | None], list[CatalogueRow]] = {}
    for row in session.scalars(
        select(CatalogueRow).where(CatalogueRow.superseded_at.is_(None)).order_by(CatalogueRow.id)
    ):
        live.setdefault((row.category_id, row.area_id), []).append(row)
    ended = 0
    for (path, area_id), group in groups.items():
        category_id = category_ids[path]
        standing = live.get((category_id, area_id), [])
        wanted = list(group.rows.values())
        said = [_Duty.of_row(row) for row in standing]
        gone = [row for row, duty in zip(standing, said, strict=True) if duty not in wanted]
        new = [duty for duty in wanted if duty not in said]
        for row in gone:
            row.superseded_at = now
        version = max((row.version for row in standing), default=0) + 1
        for duty in new:
            session.add(_row(category_id, area_id, duty, version, now))
        ended += len(gone)
        result.unchanged += len(wanted) - len(new)
        result.updated += min(len(new), len(gone))
        result.added += max(len(new) - len(gone), 0)
    return ended


def _row(category_id: int, area_id: int | None, duty: _Duty, version: int, now: datetime) -> CatalogueRow:
    return CatalogueRow(
        version=version,
        category_id=category_id,
        keywords=list(duty.keywords),
        area_id=area_id,
        lead_id=duty.lead_id,
        assist_ids=list(duty.assist_ids),
        grounds=duty.grounds,
        not_below=duty.not_below,
        valid_from=duty.valid_from,
        valid_to=duty.valid_to,
        created_at=now,
    )
