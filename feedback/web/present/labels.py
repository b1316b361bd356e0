"""Names of codes, units and people as a reader may see and read them. No sentences and no times."""

from __future__ import annotations

from collections.abc import Mapping

from feedback.reading.views import LegView, SubmitterView, TicketRow, UnitLabel
from feedback.web.language import catalogue
from feedback.web.present.words import CHANNEL_NAMES
from feedback.web.translate import gettext as _


def name_of(names: Mapping[str, str], code: str | None) -> str:
    """The word for a code in the reader's language; the code itself where there is none, nothing for None."""
    if code is None:
        return ""
    return _(names[code]) if code in names else code


def _reads_english() -> bool:
    return catalogue() == "en"


def unit_name(unit: UnitLabel | None) -> str:
    """A unit's name in the reader's language; empty for none."""
    if unit is None:
        return ""
    return unit.name_en if unit.name_en and _reads_english() else unit.name


def category_name(row: TicketRow) -> str:
    """A category's name in the reader's language; empty for none."""
    return (row.category_name_en if _reads_english() else None) or row.category_name or ""


def person_or_unit(row: TicketRow) -> str:
    """Who works on it: `Zhou Min (Water Bureau)`, or the unit alone."""
    unit = unit_name(row.unit)
    if row.assignee is None:
        return unit
    return _("%(name)s (%(unit)s)", name=row.assignee.name, unit=unit)


def submitter_name(submitter: SubmitterView | None) -> str:
    """Who raised it, as far as the reader may know: you, the name, or alias and town."""
    if submitter is None:
        return ""
    if submitter.is_me:
        return _("You")
    if submitter.name:
        return submitter.name
    town = unit_name(submitter.town)
    return _("%(alias)s from %(town)s", alias=submitter.alias, town=town) if town else submitter.alias


def on_behalf_words(row: TicketRow) -> str:
    """That somebody else typed it in; empty where nobody did."""
    return name_of(CHANNEL_NAMES, row.channel) if row.channel == "on_behalf" else ""


def leg_words(leg: LegView) -> str:
    """A unit's part and who has it in hand."""
    unit = unit_name(leg.unit)
    return _("%(name)s (%(unit)s)", name=leg.assignee.name, unit=unit) if leg.assignee else unit


def share_words(share: float) -> str:
    """A share from 0 to 1 in whole percent. What is not quite certain is not called so."""
    return f"{100 if share >= 1 else min(99, round(100 * share))} %"
