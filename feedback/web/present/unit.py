"""One unit as an admin reads it: where it stands, what hangs on it, and what ending it would do."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from feedback.people.models import Unit
from feedback.people.queries import ancestors, units_by_id
from feedback.supervision.unit_end import Leftovers
from feedback.web.filters import either_name
from feedback.web.present.cells import when_past
from feedback.web.translate import gettext as _
from feedback.web.translate import ngettext

Part = dict[str, Any]


def unit_facts(session: Session, unit: Unit, left: Leftovers, now: datetime) -> list[Part]:
    """Facts for the facts macro."""
    above = [either_name(each.name, each.name_en) for each in ancestors(session, unit)[1:]]
    facts: list[Part] = [
        {"label": _("Code"), "text": unit.code},
        {"label": _("Stands below"), "text": " › ".join(reversed(above)) or _("nothing: it is the top")},
        {"label": _("Units below it"), "text": str(left.units_below)},
        {"label": _("Roles held here"), "text": str(left.roles)},
        {"label": _("Open tickets"), "text": str(left.open_tickets)},
    ]
    if unit.valid_to:
        facts.append({"label": _("Ended"), "when": when_past(unit.valid_to, now)})
    successor = units_by_id(session, [unit.succeeded_by_id]).get(unit.succeeded_by_id or 0)
    if successor:
        facts.append({"label": _("Followed by"), "text": either_name(successor.name, successor.name_en)})
    return facts


def end_effects(left: Leftovers) -> list[str]:
    """What ending the unit does, or what stands in the way, in sentences."""
    effects = []
    if left.units_below:
        effects.append(
            ngettext(
                "It can't be done now: %(num)d unit stands below it. Move or end it first.",
                "It can't be done now: %(num)d units stand below it. Move or end them first.",
                left.units_below,
            )
        )
    if left.catalogue_rows or left.policies:
        effects.append(
            _(
                "It can't be done now: the duty catalogue or the policies name it. Bring in files without it first, or "
                "tickets would find no owner."
            )
        )
    if left.open_parts:
        effects.append(
            ngettext(
                "%(num)d open ticket goes on with the successor, due when it was; without one it goes back to the dispatcher.",
                "%(num)d open tickets go on with the successor, due when they were; without one they go back to the "
                "dispatcher.",
                left.open_parts,
            )
        )
    return [
        *effects,
        ngettext(
            "%(num)d role held here goes to the successor; without one it ends.",
            "%(num)d roles held here go to the successor; without one they end.",
            left.roles,
        ),
        _("Nobody can send tickets here any more. What it did stays on record under its name."),
        _("It can't be undone: a new unit needs a new code."),
    ]
