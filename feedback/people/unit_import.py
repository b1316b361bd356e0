"""Units from a file: new ones, new names, new places in the tree. Rows may stand in any order; a bad one loses no good one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.kernel import audit
from feedback.kernel.actor import Actor
from feedback.kernel.command import Code, Command
from feedback.kernel.errors import Forbidden, Invalid
from feedback.kernel.imports import ImportResult, RowError
from feedback.kernel.tabular import Table
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction
from feedback.people.models import Unit
from feedback.people.names import check_unit_code
from feedback.people.rights import check_admin, check_admin_of, check_site_admin

REQUIRED = ("code", "name", "parent", "kind", "level")
OPTIONAL = ("name_en", "calendar")
MOST_DEPTH = 12


class UnitRow(Command):
    """One row of the file. A region without a parent stands at the top."""

    code: Annotated[Code, Field(max_length=60)]
    name: Annotated[Code, Field(max_length=120)]
    kind: Literal["region", "department"]
    level: Literal["county", "town", "village"]
    parent: Annotated[Code, Field(max_length=60)] | None = None
    name_en: Annotated[Code, Field(max_length=120)] | None = None
    calendar: Annotated[Code, Field(max_length=60)] | None = None


@dataclass(frozen=True)
class _Numbered:
    number: int
    row: UnitRow


def import_units(table: Table, *, actor: Actor, now: datetime, is_dry_run: bool = False) -> ImportResult:
    """Take the rows of a units file, in one transaction. Units that the file doesn't name stay as they are.

    Refused by row: a bad value, a code twice, a department without a parent, a parent that is unknown or was itself
    refused, a circle, a tree deeper than 12, a place beyond the actor's own subtree. Forbidden for whoever is no admin.
    A dry run tells the same and changes nothing.
    """
    check_admin(actor)
    result = ImportResult(ignored=table.ignored, errors=list(table.errors))
    wanted = _read(table, result)
    with transaction(is_trial=is_dry_run) as session:
        units = {unit.code: unit for unit in session.scalars(select(Unit))}
        by_id = {unit.id: code for code, unit in units.items()}
        present = {code: by_id[unit.parent_id] if unit.parent_id else None for code, unit in units.items()}
        _refuse_beyond(wanted, units, result, actor)
        _refuse_unplaceable(wanted, present, result)
        _write(session, wanted, units, result, actor=actor, now=now)
    return result


def _read(table: Table, result: ImportResult) -> dict[str, _Numbered]:
    wanted: dict[str, _Numbered] = {}
    for line in table.rows:
        try:
            row = UnitRow.parse({name: value for name, value in line.values.items() if value})
            check_unit_code(row.code)
        except Invalid as invalid:
            result.refuse_all(RowError.of_invalid(line.number, invalid))
            continue
        if row.code in wanted:
            first = wanted[row.code].number
            result.refuse(line.number, Text(N_("This code stands in row %(row)s already."), row=first), "code")
        elif row.kind == "department" and row.parent is None:
            result.refuse(line.number, Text(N_("A department needs the code of the unit above it.")), "parent")
        else:
            wanted[row.code] = _Numbered(line.number, row)
    return wanted


def _refuse_beyond(wanted: dict[str, _Numbered], units: Mapping[str, Unit], result: ImportResult, actor: Actor) -> None:
    """Take out rows that would change or place something outside the subtrees of which the actor is admin."""
    for code, numbered in list(wanted.items()):
        parent = numbered.row.parent
        touched = [units[each] for each in (code, parent) if each is not None and each in units]
        try:
            for unit in touched:
                check_admin_of(actor, unit)
            if parent is None:
                check_site_admin(actor)
        except Forbidden as forbidden:
            result.refuse(wanted.pop(code).number, forbidden.text, "code" if code in units else "parent")


def _refuse_unplaceable(wanted: dict[str, _Numbered], present: Mapping[str, str | None], result: ImportResult) -> None:
    """Take out rows that have no place in the tree, until all that remain have one."""
    while True:
        parents = {**present, **{code: numbered.row.parent for code, numbered in wanted.items()}}
        bad = {code: text for code in wanted if (text := _why_unplaceable(code, parents))}
        if not bad:
            return
        for code, text in bad.items():
            result.refuse(wanted.pop(code).number, text, "parent")


def _why_unplaceable(code: str, parents: Mapping[str, str | None]) -> Text | None:
    parent = parents[code]
    if parent is not None and parent not in parents:
        return Text(N_("There is no unit “%(code)s”, or its own row was not taken."), code=parent)
    seen = [code]
    while parent is not None:
        if parent == code:
            return Text(N_("Units would stand above themselves: %(chain)s."), chain=" < ".join([*seen, code]))
        if parent in seen or parent not in parents:
            return None  # a fault further up, told at its own row
        seen.append(parent)
        parent = parents[parent]
    if len(seen) > MOST_DEPTH:
        return Text(N_("Would stand more than %(most)s units deep."), most=MOST_DEPTH)
    return None


def _write(
    session: Session,
    wanted: Mapping[str, _Numbered],
    units: dict[str, Unit],
    result: ImportResult,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    new = [code for code in wanted if code not in units]
    for code in new:
        row = wanted[code].row
        units[code] = Unit(code=code, name=row.name, kind=row.kind, level=row.level, path="/")
        session.add(units[code])
    session.flush()
    changes = {code: _apply(units[code], numbered.row, units) for code, numbered in wanted.items()}
    session.flush()
    _set_paths(units)
    for code, changed in changes.items():
        is_new = code in new
        result.added += is_new
        result.updated += bool(changed) and not is_new
        result.unchanged += not changed and not is_new
        if is_new or changed:
            audit.record(
                session,
                f"unit:{units[code].id}",
                actor=actor.audit_name(),
                action="unit.added" if is_new else "unit.changed",
                now=now,
                facts={"fields": changed, "parent": units[code].parent_id},
            )


def _apply(unit: Unit, row: UnitRow, units: Mapping[str, Unit]) -> list[str]:
    """Set what the row says and return the names of the fields that changed; an empty optional cell changes nothing."""
    values = {
        "name": row.name,
        "kind": row.kind,
        "level": row.level,
        "parent_id": units[row.parent].id if row.parent else None,
        "name_en": row.name_en or unit.name_en,
        "calendar_code": row.calendar or unit.calendar_code,
    }
    changed = [field for field, value in values.items() if getattr(unit, field) != value]
    for field in changed:
        setattr(unit, field, values[field])
    return changed


def _set_paths(units: Mapping[str, Unit]) -> None:
    """Work out the path of every unit from its parent; whole subtrees move with their top."""
    by_id = {unit.id: unit for unit in units.values()}
    paths: dict[int, str] = {}

    def path_of(unit: Unit) -> str:
        if unit.id not in paths:
            above = path_of(by_id[unit.parent_id]) if unit.parent_id is not None else "/"
            paths[unit.id] = f"{above}{unit.id}/"
        return paths[unit.id]

    for unit in by_id.values():
        path = path_of(unit)
        if unit.path != path:
            unit.path = path
