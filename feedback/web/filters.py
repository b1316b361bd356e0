"""Filters of a list as they stand in an address: what makes no sense is left out with a sentence, never a fault.

Whoever opens an old or mistyped address still gets their list. The filters themselves are the tickets room's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from flask import current_app, g, url_for
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.errors import Invalid
from feedback.kernel.reference import kept
from feedback.people.models import REGION, Unit
from feedback.people.queries import all_units, holds_at
from feedback.reading.search import NO_FILTERS, TicketFilters, conditions
from feedback.reading.views import UnitLabel, unit_label
from feedback.routing.models import Category
from feedback.routing.queries import list_categories
from feedback.web.forms.base import option
from feedback.web.language import chosen_locale
from feedback.web.present.cells import unit_name
from feedback.web.present.words import FILTER_NAMES
from feedback.web.translate import gettext as _

SAFE = "!$'()*,/:;?@"
"""What may stand in an address as it is."""
LOWEST_LISTED = ("county", "town")
"""Levels of regions in a filter's list; a town stands for its villages."""


@dataclass
class Asked:
    """The filters in force, as fields and as they stand in the address, and a sentence for each that was left out."""

    filters: TicketFilters
    kept: dict[str, str]
    left_out: list[str] = field(default_factory=list)


def asked_filters(
    session: Session, actor: Actor, args: Mapping[str, str], names: Iterable[str], *, now: datetime
) -> Asked:
    """The filters of these names that the address holds."""
    raw = {name: args[name].strip() for name in names if args.get(name, "").strip()}
    left_out: list[str] = []
    if not raw:
        return Asked(NO_FILTERS, raw)
    while True:
        try:
            filters = TicketFilters.parse(raw)
            conditions(session, actor, filters, now=now)
        except Invalid as refused:
            wrong = [name for name in refused.errors if name.partition(".")[0] in raw]
            for name in wrong:
                raw.pop(name.partition(".")[0], None)
                left_out.append(left_out_words(name.partition(".")[0], refused))
            if not wrong:
                raw.clear()
            continue
        return Asked(filters, raw, left_out)


def left_out_words(name: str, refused: Invalid) -> str:
    """That a filter was left out, and what would have been right."""
    text = refused.errors.get(name) or next(iter(refused.errors.values()))
    label = _(FILTER_NAMES[name]) if name in FILTER_NAMES else name
    return _("The filter “%(name)s” was left out: %(reason)s", name=label, reason=text.render(_))


def address(endpoint: str, kept: Mapping[str, str], **more: str | None) -> str:
    """The address of a list with its filters; an empty value takes one away."""
    together: dict[str, Any] = {name: value for name, value in {**kept, **more}.items() if value}
    # A page has dozens of these, and the router takes its time over what stands behind the path.
    paths: dict[str, str] = g.setdefault("paths", {})
    path = paths.get(endpoint)
    if path is None:
        if any(rule.arguments for rule in current_app.url_map.iter_rules(endpoint)):
            return url_for(endpoint, **together)
        path = paths[endpoint] = url_for(endpoint)
    return f"{path}?{_query(tuple(together.items()))}" if together else path


@lru_cache(maxsize=2048)
def _query(fields: tuple[tuple[str, Any], ...]) -> str:
    """Kept, because a page is read again and again, and its links with it."""
    return urlencode(fields, safe=SAFE)


def region_options(session: Session, now: datetime, chosen: str | None) -> list[Any]:
    """All, then each region down to the towns, those below set in; a chosen one that is lower is listed too."""
    regions = kept(session, ("regions as options", chosen_locale()), _regions)
    listed = (
        made
        for unit, made in regions
        if (unit.level in LOWEST_LISTED or unit.code == chosen) and holds_at(unit.valid_from, unit.valid_to, now)
    )
    return [option("", _("All")), *listed]


def _regions(session: Session) -> list[tuple[Unit, Any]]:
    """Every region there ever was with its option, in the order of the tree."""
    regions = sorted(
        (u for u in all_units(session).values() if u.kind == REGION), key=lambda unit: unit.ancestor_ids()[::-1]
    )
    return [(unit, option(unit.code, _indented(unit))) for unit in regions]


def category_options(session: Session) -> list[Any]:
    """All, then each category by path, set in below its parent."""
    return kept(session, ("category options", chosen_locale()), _category_options)


def _category_options(session: Session) -> list[Any]:
    return [option("", _("All")), *(option(c.path, category_words(c)) for c in list_categories(session))]


def category_words(category: Category) -> str:
    """A category's name in the reader's language, set in by its depth."""
    return "\u2003" * category.path.count("/") + either_name(category.name, category.name_en)


def either_name(name: str, name_en: str | None) -> str:
    """The name in the reader's language, where there is one."""
    return unit_name(UnitLabel("", name, name_en))


def _indented(unit: Unit) -> str:
    return "\u2003" * max(0, unit.path.count("/") - 2) + unit_name(unit_label(unit))
