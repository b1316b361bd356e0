"""Changes of one unit that an admin makes on its page: added, renamed, moved with all below it. Files are in unit_import.

Dissolving looks at tickets too and is supervision's (supervision/unit_end.py).
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.kernel import audit
from feedback.kernel.actor import Actor
from feedback.kernel.command import Code, Command
from feedback.kernel.errors import Conflict, Invalid, NotFound, VersionConflict
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction
from feedback.people.models import Unit
from feedback.people.names import check_unit_code
from feedback.people.rights import check_admin_of
from feedback.people.unit_import import MOST_DEPTH

Level = Literal["county", "town", "village"]
Kind = Literal["region", "department"]
ShortCode = Annotated[Code, Field(max_length=60)]
UnitName = Annotated[Code, Field(max_length=120)]
FIELDS = ("name", "name_en", "kind", "level", "calendar_code")


class AddUnit(Command):
    """A new unit below another."""

    code: ShortCode
    name: UnitName
    parent: ShortCode
    kind: Kind
    level: Level
    name_en: UnitName | None = None
    calendar: ShortCode | None = None


class ChangeUnit(Command):
    """All that the page shows; what is left empty is taken out. `seen` is `stamp_of` the unit as the writer saw it."""

    code: ShortCode
    name: UnitName
    kind: Kind
    level: Level
    name_en: UnitName | None = None
    calendar: ShortCode | None = None
    seen: Annotated[str, Field(max_length=64)] | None = None


class MoveUnit(Command):
    """Another unit above it; all that is below it goes along."""

    code: ShortCode
    parent: ShortCode
    seen: Annotated[str, Field(max_length=64)] | None = None


def stamp_of(unit: Unit) -> str:
    """What changes whenever the unit or its place does, so that nobody overwrites another's change."""
    told = json.dumps([unit.path, *(getattr(unit, field) for field in FIELDS)], ensure_ascii=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def add_unit(cmd: AddUnit, *, actor: Actor, now: datetime) -> str:
    """Add a unit; gives its code. Raises Forbidden, Invalid: `code` taken or unfit, `parent` not there or too deep."""
    check_unit_code(cmd.code)
    with transaction() as session:
        parent = _parent(session, cmd.parent, actor)
        if session.scalar(select(Unit.id).where(Unit.code == cmd.code)) is not None:
            raise Invalid(
                {"code": Text(N_("The code “%(code)s” is taken, perhaps by a unit of earlier days."), code=cmd.code)}
            )
        _check_depth(parent, below=1)
        unit = Unit(
            code=cmd.code,
            name=cmd.name,
            name_en=cmd.name_en,
            kind=cmd.kind,
            level=cmd.level,
            calendar_code=cmd.calendar,
            parent_id=parent.id,
            path="/",
            valid_from=now,
        )
        session.add(unit)
        session.flush()
        unit.path = f"{parent.path}{unit.id}/"
        record_unit(session, unit, "unit.added", actor=actor, now=now, parent=parent.id)
        return unit.code


def change_unit(cmd: ChangeUnit, *, actor: Actor, now: datetime) -> None:
    """Give a unit another name, kind, level or calendar. Raises NotFound, Forbidden, VersionConflict, Invalid."""
    with transaction() as session:
        unit = hold_unit(session, cmd.code, actor=actor, seen=cmd.seen)
        if cmd.kind == "department" and unit.parent_id is None:
            raise Invalid({"kind": Text(N_("The top of the tree is a region."))})
        values = {**cmd.model_dump(include={"name", "name_en", "kind", "level"}), "calendar_code": cmd.calendar}
        changed = [field for field in FIELDS if getattr(unit, field) != values[field]]
        for field in changed:
            setattr(unit, field, values[field])
        if changed:
            record_unit(session, unit, "unit.changed", actor=actor, now=now, fields=changed)


def move_unit(cmd: MoveUnit, *, actor: Actor, now: datetime) -> None:
    """Put a unit with all below it under another. Raises NotFound, Forbidden, VersionConflict, Invalid (`parent`).

    Who is admin, leader or dispatcher above the new place sees it from then on, whoever was above the old one no longer.
    """
    with transaction() as session:
        unit = hold_unit(session, cmd.code, actor=actor, seen=cmd.seen)
        parent = _parent(session, cmd.parent, actor)
        if unit.parent_id is None:
            raise Invalid({"parent": Text(N_("The top of the tree can't be moved."))})
        if parent.path.startswith(unit.path):
            raise Invalid({"parent": Text(N_("A unit can't stand below itself. Choose one outside it."))})
        if parent.id == unit.parent_id:
            raise Invalid({"parent": Text(N_("It stands there already. Choose another unit."))})
        below = session.scalars(
            select(Unit).where(Unit.path.startswith(unit.path, autoescape=True)).with_for_update()
        ).all()
        _check_depth(parent, below=max(each.path.count("/") for each in below) - unit.path.count("/") + 1)
        before, old_parent = unit.path, unit.parent_id
        unit.parent_id = parent.id
        for each in below:
            each.path = f"{parent.path}{unit.id}/{each.path.removeprefix(before)}"
        facts = {"parent": parent.id, "from_parent": old_parent, "units": len(below)}
        record_unit(session, unit, "unit.moved", actor=actor, now=now, **facts)


def hold_unit(session: Session, code: str, *, actor: Actor, seen: str | None = None) -> Unit:
    """A unit in force, held for writing. Raises NotFound, Forbidden, and VersionConflict where `seen` is not its stamp."""
    unit = session.scalars(select(Unit).where(Unit.code == code, Unit.valid_to.is_(None)).with_for_update()).first()
    if unit is None:
        raise NotFound
    check_admin_of(actor, unit)
    if seen is not None and seen != stamp_of(unit):
        raise VersionConflict(
            Text(N_("Somebody changed this unit while you were writing. Look at it again, then save.")),
            version=stamp_of(unit),
        )
    return unit


def record_unit(session: Session, unit: Unit, action: str, *, actor: Actor, now: datetime, **facts: Any) -> None:
    """One entry in the unit's stream of the audit trail."""
    audit.record(session, f"unit:{unit.id}", actor=actor.audit_name(), action=action, now=now, facts=facts)


def _parent(session: Session, code: str, actor: Actor) -> Unit:
    found = session.scalars(select(Unit).where(Unit.code == code, Unit.valid_to.is_(None)).with_for_update()).first()
    if found is None:
        raise Invalid({"parent": Text(N_("There is no unit with the code “%(code)s”."), code=code)})
    check_admin_of(actor, found)
    return found


def _check_depth(parent: Unit, *, below: int) -> None:
    if parent.path.count("/") - 1 + below > MOST_DEPTH:
        raise Conflict(Text(N_("Would stand more than %(most)s units deep."), most=MOST_DEPTH))
