"""What Zhida proposes for a text while it is typed: category and unit, place, urgency. Reads and words; nothing is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.people.models import REGION, Unit
from feedback.people.queries import list_units, region_of, root_unit, units_by_id
from feedback.reading.look_alikes import Asked, find_look_alikes
from feedback.reading.views import unit_label
from feedback.routing.danger import raise_urgency
from feedback.routing.queries import ProposedRoute, propose_routes
from feedback.web.filters import either_name
from feedback.web.present.alike import alike_of
from feedback.web.present.labels import name_of, unit_name
from feedback.web.present.words import URGENCY_NAMES
from feedback.web.translate import gettext as _

MOST_LETTERS = 20_000
MOST_PLACES = 2
SHORTEST_NAME = 2
SHORTEST_TEXT = 6

Chip = dict[str, str]


def proposals_of(
    session: Session, actor: Actor, text: str, area_code: str, urgency: str, now: datetime, *, place: str = ""
) -> dict[str, Any]:
    """{categories: [chip], areas: [chip], urgency: sentence, alike: [part]}; a chip is {value, label}, for that field.

    `area_code`, `urgency` and `place` are what is chosen in the form, empty for nothing; a part of what says the same is
    as alike.py gives it.
    """
    text = text.strip()[:MOST_LETTERS]
    if not text:
        return {"categories": [], "areas": [], "urgency": "", "alike": []}
    units = list_units(session, now)
    home = _home(session, actor)
    area = next((unit for unit in units if unit.code == area_code), None) or home or root_unit(session)
    routes = propose_routes(session, text=text, area=area, now=now) if area else []
    return {
        "categories": _category_chips(routes),
        "areas": [{"value": u.code, "label": unit_name(unit_label(u))} for u in _places(units, text, home)],
        "urgency": _urgency_sentence(session, text, urgency),
        "alike": _alike(session, actor, Asked(None, text, area.id if area else None, place.strip()), now),
    }


def _alike(session: Session, actor: Actor, asked: Asked, now: datetime) -> list[dict[str, Any]]:
    """What says the same, once there is enough of a text to say so."""
    if len(asked.text) < SHORTEST_TEXT:
        return []
    return alike_of(find_look_alikes(session, actor, asked, now=now), now)


def _home(session: Session, actor: Actor) -> Unit | None:
    """Where what this person raises lies if they choose nothing."""
    own = actor.grants_for("submitter", "handler", "dispatcher")
    unit = units_by_id(session, [own[0].unit_id]).get(own[0].unit_id) if own else None
    return region_of(session, unit) if unit else None


def _category_chips(routes: list[ProposedRoute]) -> list[Chip]:
    """Each category once, with all who could lead for it here."""
    leads: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for route in routes:
        path = route.category.path
        names[path] = either_name(route.category.name, route.category.name_en)
        found = leads.setdefault(path, [])
        if route.lead is not None:
            found.append(unit_name(unit_label(route.lead)))
    return [{"value": path, "label": _labelled(names[path], leads[path])} for path in names]


def _labelled(category: str, leads: list[str]) -> str:
    if not leads:
        return category
    return _("%(category)s: %(unit)s", category=category, unit=_(" or ").join(dict.fromkeys(leads)))


def _places(units: list[Unit], text: str, home: Unit | None) -> list[Unit]:
    """Regions that the text names, the smallest first; not the one that counts anyway, nor one above it."""
    usual = set(home.ancestor_ids()) if home else set()
    folded = text.casefold()
    named = [
        unit
        for unit in units
        if unit.kind == REGION and unit.id not in usual and any(name in folded for name in _names(unit))
    ]
    return sorted(named, key=lambda unit: (-unit.path.count("/"), unit.path))[:MOST_PLACES]


def _names(unit: Unit) -> list[str]:
    return [name.casefold() for name in (unit.name, unit.name_en) if name and len(name) >= SHORTEST_NAME]


def _urgency_sentence(session: Session, text: str, urgency: str) -> str:
    chosen = urgency if urgency in ("normal", "urgent", "critical") else "normal"
    raised, words = raise_urgency(session, text, chosen)
    if not words:
        return ""
    return _(
        "It will count as “%(urgency)s”, because of: %(words)s.",
        urgency=name_of(URGENCY_NAMES, raised),
        words=_(", ").join(words),
    )
