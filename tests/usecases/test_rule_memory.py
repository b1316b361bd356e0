"""What dispatchers do again and again against the catalogue is offered as a rule, tried on last month, and made one by a yes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from feedback.dispatch.rule_memory import adopt_offer, list_offers
from feedback.kernel.errors import Conflict, Forbidden
from feedback.routing.models import CatalogueRow
from tests.support.browser import Browser, give_password
from tests.support.county import County
from tests.support.journey import Journey

LAMP = "The lamp at the square is dark"


@pytest.fixture
def journey(county: County) -> Journey:
    county.add_catalogue("lamps", "roads", "lamp")
    return Journey(county)


def overrule(journey: Journey, times: int, unit: str = "water") -> list[str]:
    """So many tickets about lamps, which the catalogue sends to roads, handed on to another unit."""
    found = [journey.submit(text=LAMP) for _each in range(times)]
    for reference in found:
        assert journey.ticket(reference).lead_unit_id == journey.county.units["roads"].id
        journey.act(reference, "transfer", "dp1", unit=unit, reason="It is theirs")
    return found


def test_three_times_the_same_is_offered_with_what_it_would_have_done(journey: Journey) -> None:
    overrule(journey, 2)
    assert list_offers(journey.county.session, journey.now) == []
    overrule(journey, 1)
    [offer] = list_offers(journey.county.session, journey.now)
    assert (offer.category, offer.lead.code, offer.area and offer.area.code) == ("lamps", "water", "village")
    assert (offer.overruled, offer.tickets, offer.would_get, offer.had_anyway) == (3, 3, 3, 3)
    assert list_offers(journey.county.session, journey.now + timedelta(days=91)) == []


def test_nothing_is_offered_where_dispatchers_do_now_this_now_that(journey: Journey) -> None:
    overrule(journey, 3, unit="water")
    overrule(journey, 2, unit="a")
    assert list_offers(journey.county.session, journey.now) == []


def test_an_admin_makes_it_a_rule_and_the_next_one_goes_there_by_itself(any_county: County) -> None:
    any_county.add_catalogue("lamps", "roads", "lamp")
    journey = Journey(any_county)
    overrule(journey, 3)
    [offer] = list_offers(journey.county.session, journey.now)
    with pytest.raises(Forbidden):
        adopt_offer(offer.key, actor=journey.county.actor("dp1", journey.now), now=journey.now)
    adopt_offer(offer.key, actor=journey.county.actor("adm", journey.now), now=journey.now)
    ticket = journey.ticket(journey.submit(text=LAMP))
    assert ticket.lead_unit_id == journey.county.units["water"].id
    elsewhere = journey.ticket(journey.submit(text=LAMP, area="p2"))
    assert elsewhere.lead_unit_id == journey.county.units["roads"].id
    with pytest.raises(Conflict):
        adopt_offer(offer.key, actor=journey.county.actor("adm", journey.now), now=journey.now)
    rows = select(CatalogueRow).where(CatalogueRow.category_id == ticket.category_id)
    assert [row.superseded_at for row in journey.county.session.scalars(rows)] == [None, None]
    assert list_offers(journey.county.session, journey.now) == []


def test_the_admins_page_shows_it_and_a_tap_makes_it_a_rule(app: Flask, county: County) -> None:
    county.add_catalogue("lamps", "roads", "lamp")
    give_password(county.accounts["adm"])
    overrule(Journey(county), 3)
    browser = Browser(app, **{"Accept-Language": "en"})
    browser.sign_in("adm")
    page = browser.get("/admin/catalogue").text
    assert "lamps, Village: Water leads" in page
    assert "3 times against the catalogue, of 3 tickets" in page
    key = page.partition('name="rule" value="')[2].partition('"')[0]
    answer = browser.post("/admin/catalogue/rules", {"rule": key}, follow_redirects=True)
    assert "It is a rule now: lamps, Village: Water leads" in answer.text
    assert "against the catalogue" not in answer.text
    assert browser.post("/admin/catalogue/rules", {"rule": key}).status_code == 409
