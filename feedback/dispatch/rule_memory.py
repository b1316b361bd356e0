"""What dispatchers do again and again against the catalogue, offered as a row of it; and what that row would have done.

Offered is: in one category and region at least three tickets of the last 90 days ended up with one unit where the catalogue
names another one, none or several, and four in five of all tickets there did. It is an admin's yes that makes it a rule.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from feedback.kernel import audit
from feedback.kernel.actor import Actor
from feedback.kernel.clock import local_day
from feedback.kernel.errors import Conflict
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction
from feedback.people.models import Unit
from feedback.people.queries import all_units, in_force_now
from feedback.people.rights import check_site_admin
from feedback.routing.catalogue import Catalogue, load_catalogue
from feedback.routing.decision import is_below
from feedback.routing.rows import put_row
from feedback.tickets.models import Ticket

REMEMBERED, TRIED_ON = timedelta(days=90), timedelta(days=30)
FEWEST, SHARE = 3, 0.8
MOST = 5

Sent = Counter[tuple[int, int, int]]
"""Tickets by category, area and the unit that has them."""


@dataclass(frozen=True)
class RuleOffer:
    """A row that the catalogue might have. `area` None: everywhere. `overruled` of `tickets` went to `lead` against it."""

    category: str
    category_id: int
    area: Unit | None
    lead: Unit
    overruled: int
    tickets: int
    would_get: int
    """How many of the last 30 days' tickets it would have sent to the lead,"""
    had_anyway: int
    """of which so many went there anyway."""

    @property
    def key(self) -> str:
        return f"{self.category_id}-{self.area.id if self.area else 0}-{self.lead.id}"


def list_offers(session: Session, now: datetime) -> list[RuleOffer]:
    """The rules that may be offered now, those first that would have helped most often; at most five, two queries."""
    units, catalogue = all_units(session), load_catalogue(session)
    sent, lately = (_sent_since(session, catalogue, now - span) for span in (REMEMBERED, TRIED_ON))
    against = _against(sent, catalogue, units, local_day(now))
    offers = []
    for category_id, lead_id in sorted({(category_id, lead_id) for category_id, _area_id, lead_id in against}):
        lead = in_force_now(units, lead_id, now)
        found = _best_region(category_id, lead_id, against, sent, units)
        if lead is None or lead.id != lead_id or found is None:
            continue
        region, overruled, tickets = found
        if any(is_below(lead, duty.not_below) for duty in catalogue.by_category.get(category_id, ())):
            continue
        there = _in_region(lately, category_id, region, units)
        offers.append(
            RuleOffer(
                category=catalogue.paths[category_id],
                category_id=category_id,
                area=region if region.parent_id else None,
                lead=lead,
                overruled=overruled,
                tickets=tickets,
                would_get=sum(there.values()),
                had_anyway=there[lead_id],
            )
        )
    return sorted(offers, key=lambda offer: (-offer.overruled, offer.key))[:MOST]


def adopt_offer(key: str, *, actor: Actor, now: datetime) -> RuleOffer:
    """Make an offered rule a row of the catalogue, for tickets submitted from now on.

    Forbidden for who is no admin of the whole site; Conflict where it is no longer offered.
    """
    check_site_admin(actor)
    with transaction() as session:
        offer = next((each for each in list_offers(session, now) if each.key == key), None)
        if offer is None:
            raise Conflict(Text(N_("This rule is no longer offered. Look at the list again.")))
        area_id = offer.area.id if offer.area else None
        row = put_row(session, category_id=offer.category_id, area_id=area_id, lead_id=offer.lead.id, now=now)
        audit.record(
            session,
            "settings",
            actor=actor.audit_name(),
            action="catalogue.rule_adopted",
            now=now,
            facts={"row": row.id, "overruled": offer.overruled, "tickets": offer.tickets},
        )
    return offer


def _sent_since(session: Session, catalogue: Catalogue, since: datetime) -> Sent:
    query = (
        select(Ticket.category_id, Ticket.area_id, Ticket.lead_unit_id, func.count().label("tickets"))
        .where(
            Ticket.submitted_at >= since,
            Ticket.origin == "loop",
            ~Ticket.is_about,
            Ticket.category_id.is_not(None),
            Ticket.lead_unit_id.is_not(None),
        )
        .group_by(Ticket.category_id, Ticket.area_id, Ticket.lead_unit_id)
    )
    found: Sent = Counter()
    for row in session.execute(query):
        found[catalogue.present_id(row.category_id), row.area_id, row.lead_unit_id] += row.tickets
    return found


def _against(sent: Sent, catalogue: Catalogue, units: dict[int, Unit], day: date) -> Sent:
    """Those of the tickets that are with a unit which the catalogue does not name alone."""
    found: Sent = Counter()
    for (category_id, area_id, lead_id), tickets in sent.items():
        named = {duty.lead_id for duty in catalogue.nearest(category_id, units[area_id].ancestor_ids(), day)}
        if named != {lead_id}:
            found[category_id, area_id, lead_id] = tickets
    return found


def _best_region(
    category_id: int, lead_id: int, against: Sent, sent: Sent, units: dict[int, Unit]
) -> tuple[Unit, int, int] | None:
    """The region in which the unit has nearly all of a category, with how many against the catalogue, of how many.

    The one with the most of them; of equal ones the smallest.
    """
    areas = [area_id for category, area_id, lead in against if (category, lead) == (category_id, lead_id)]
    regions = dict.fromkeys(unit_id for area_id in areas for unit_id in units[area_id].ancestor_ids())
    best: tuple[int, int, Unit, int] | None = None
    for unit_id in regions:
        region = units[unit_id]
        overruled = _in_region(against, category_id, region, units)[lead_id]
        there = _in_region(sent, category_id, region, units)
        tickets = sum(there.values())
        if overruled < FEWEST or there[lead_id] < SHARE * tickets:
            continue
        if best is None or (overruled, region.path.count("/")) > best[:2]:
            best = (overruled, region.path.count("/"), region, tickets)
    return None if best is None else (best[2], best[0], best[3])


def _in_region(sent: Sent, category_id: int, region: Unit, units: dict[int, Unit]) -> Counter[int]:
    """How many tickets of a category in a region each unit has."""
    found: Counter[int] = Counter()
    for (category, area_id, lead_id), count in sent.items():
        if category == category_id and units[area_id].path.startswith(region.path):
            found[lead_id] += count
    return found
