"""What the submit page offers to choose from: categories by group, areas as the tree; and names turned into codes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import get_locale
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.people.models import REGION, Unit
from feedback.people.queries import list_units, logins_named, region_of, units_by_id
from feedback.reading.views import unit_label
from feedback.routing.queries import list_categories
from feedback.web.forms.base import option
from feedback.web.present.labels import unit_name

INDENT = "\u2003"


def category_options(session: Session) -> list[Any]:
    """Every category, under the name of the topmost one of its path."""
    is_english = str(get_locale()).startswith("en")
    found = list_categories(session)
    names = {c.path: (c.name_en if is_english else None) or c.name for c in found}
    tops = {path.partition("/")[0] for path in names if "/" in path}
    grouped = sorted((c.path.partition("/")[0] in tops, c.path) for c in found)
    return [
        option(path, names[path], names.get(path.partition("/")[0], path.partition("/")[0]) if is_in_group else None)
        for is_in_group, path in grouped
    ]


def area_options(session: Session, now: datetime) -> list[Any]:
    """Every region in force, indented by its level."""
    regions = [unit for unit in list_units(session, now) if unit.kind == REGION]
    return [option(unit.code, INDENT * (unit.path.count("/") - 2) + _name(unit)) for unit in regions]


def unit_options(session: Session, now: datetime) -> list[Any]:
    """Every unit in force that may be given work, by name and code."""
    return [option(unit.code, f"{_name(unit)} ({unit.code})") for unit in list_units(session, now)]


def home_name(session: Session, actor: Actor) -> str:
    """The region where what this person raises lies if they choose none; empty where they don't submit for themselves."""
    own = actor.grants_for("submitter")
    if not own:
        return ""
    unit = units_by_id(session, [own[0].unit_id]).get(own[0].unit_id)
    return _name(region_of(session, unit)) if unit else ""


def resolve_about(session: Session, names: Sequence[str], now: datetime) -> list[str]:
    """Codes of units and logins of people for what was typed; what is neither is left for the use-case to refuse.

    Everybody who bears a name is meant: shutting out one too many protects, one too few does not.
    """
    units: dict[str, str] = {}
    for unit in list_units(session, now):
        units.update({name.casefold(): unit.code for name in (unit.name, unit.name_en, unit.code) if name})
    others = [name for name in names if name.casefold() not in units and name.isprintable()]
    people = logins_named(session, others)
    codes: dict[str, None] = {}
    for name in names:
        unit_code = units.get(name.casefold())
        codes.update(dict.fromkeys([unit_code] if unit_code else people.get(name, [name])))
    return list(codes)


def _name(unit: Unit) -> str:
    return unit_name(unit_label(unit))
