"""Rows of the duty catalogue, policies and calendars in words, each with its version and since when it is in force."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from babel.dates import get_day_names
from flask_babel import get_locale

from feedback.calendars.definition import CalendarDefinition, from_json
from feedback.calendars.models import BusinessCalendar
from feedback.dispatch.rule_memory import RuleOffer
from feedback.routing.listing import CatalogueView
from feedback.sla.amounts import describe_amount, parse_amount
from feedback.sla.models import SlaPolicy
from feedback.sla.policies import AMOUNTS
from feedback.web.filters import either_name
from feedback.web.present.cells import name_of, when_past
from feedback.web.present.words import KIND_NAMES, LEVEL_NAMES, URGENCY_NAMES
from feedback.web.present.words_admin import AMOUNT_NAMES
from feedback.web.translate import gettext as _
from feedback.web.translate import listed, ngettext

Part = dict[str, Any]
MOST_KEYWORDS = 8


def catalogue_row(view: CatalogueView, now: datetime) -> Part:
    """Who leads, who assists, where, by which words it is found."""
    row = view.row
    words = listed(row.keywords[:MOST_KEYWORDS])
    if len(row.keywords) > MOST_KEYWORDS:
        more = len(row.keywords) - MOST_KEYWORDS
        words = " ".join([words, ngettext("and %(num)d more", "and %(num)d more", more)])
    return {
        "id": str(row.id),
        "category": view.path,
        "area": either_name(view.area.name, view.area.name_en) if view.area else _("everywhere"),
        "lead": either_name(view.lead.name, view.lead.name_en),
        "assists": listed(either_name(unit.name, unit.name_en) for unit in view.assists) or None,
        "keywords": words or None,
        "not_below": name_of(LEVEL_NAMES, row.not_below) or None,
        "valid": _valid(row.valid_from, row.valid_to),
        "version": str(row.version),
        "since": when_past(row.created_at, now),
    }


def rule_offer(offer: RuleOffer) -> Part:
    """A rule that may be adopted: {key, rule, why, tried}, a sentence each."""
    area = either_name(offer.area.name, offer.area.name_en) if offer.area else _("everywhere")
    lead = either_name(offer.lead.name, offer.lead.name_en)
    return {
        "key": offer.key,
        "rule": _("%(category)s, %(area)s: %(lead)s leads", category=offer.category, area=area, lead=lead),
        "why": _(
            "Dispatchers sent it there %(overruled)s times against the catalogue, of %(tickets)s tickets in 90 days.",
            overruled=offer.overruled,
            tickets=offer.tickets,
        ),
        "tried": _(
            "Last month it would have sent %(would)s tickets there, of which %(had)s went there in the end anyway.",
            would=offer.would_get,
            had=offer.had_anyway,
        ),
    }


def _valid(begins: Any, ends: Any) -> str | None:
    if begins is None and ends is None:
        return None
    return f"{begins or '…'} – {ends or '…'}"


def policy_row(policy: SlaPolicy, now: datetime) -> Part:
    """For which tickets, and the two times that everybody asks for."""
    return {
        "id": str(policy.id),
        "order": str(policy.order),
        "name": policy.name,
        "for": _for_whom(policy),
        "first_response": _amount(policy, "first_response"),
        "resolution": _amount(policy, "resolution"),
        "version": str(policy.version),
        "since": when_past(policy.created_at, now),
    }


def policy_times(policy: SlaPolicy) -> Part:
    """Every time of a policy, for the facts macro, under its name."""
    facts = [{"label": name_of(AMOUNT_NAMES, name), "text": _amount(policy, name) or _("no limit")} for name in AMOUNTS]
    facts.append({"label": _("Alarms"), "text": policy.alarms or _("none")})
    return {"name": policy.name, "facts": facts}


def _for_whom(policy: SlaPolicy) -> str:
    parts = [
        name_of(KIND_NAMES, policy.kind),
        name_of(URGENCY_NAMES, policy.urgency),
        policy.category or "",
        policy.unit_code or "",
    ]
    return " · ".join(part for part in parts if part) or _("all others")


def _amount(policy: SlaPolicy, name: str) -> str | None:
    amount = parse_amount(policy.amounts.get(name), name)
    return describe_amount(amount).render(_) if amount else None


def calendar_row(row: BusinessCalendar, now: datetime) -> Part:
    """The hours of a calendar, what it stands on, and how many dates of its own it has."""
    definition = from_json(row.definition)
    return {
        "id": row.code,
        "code": row.code,
        "hours": _hours(definition) or None,
        "base": definition.base.code if definition.base else None,
        "dates": str(len(definition.dates)),
        "version": str(row.version),
        "since": when_past(row.created_at, now),
    }


def _hours(definition: CalendarDefinition) -> str:
    names = get_day_names("abbreviated", locale=get_locale())
    told = []
    for week in definition.weeks:
        days = _runs(week.days, names)
        windows = listed(str(window) for window in week.windows) or _("closed")
        span = f" ({week.span})" if week.span else ""
        told.append(f"{days} {windows}{span}")
    return "; ".join(told)


def _runs(days: tuple[int, ...], names: Any) -> str:
    """Weekdays that follow each other as one run: Mon–Fri."""
    runs: list[list[int]] = []
    for day in days:
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return listed(names[run[0]] if len(run) == 1 else f"{names[run[0]]}–{names[run[-1]]}" for run in runs)
