"""The home of somebody who has taken a claim that others have not spoken about yet."""

from __future__ import annotations

from flask import Flask

from tests.support.browser import Browser, give_password
from tests.support.county import County
from tests.support.journey import Journey

TITLE = "The square is dark"


def test_a_cadre_who_has_voted_still_finds_the_ticket_at_home_and_is_asked_no_more(app: Flask, county: County) -> None:
    give_password(county.accounts["s"], county.accounts["s2"])
    journey = Journey(county)
    elder = journey.to("dispatched", title=TITLE)
    journey.act(journey.submit(by="s2", title="No lamp burns"), "join", "dp1", into=elder)
    journey.act(elder, "acknowledge", "hw")
    journey.act(elder, "resolve", "hw", outcome="solved", text="A new lamp was put in")
    browser = Browser(app, **{"Accept-Language": "en"})
    browser.sign_in("s")
    assert "Yes, it is solved" in browser.get("/mine").text
    journey.act(elder, "confirm", "s", verdict="solved")
    page = browser.get("/mine").text
    assert TITLE in page
    assert "You have confirmed it; others who raised the same are asked too." in page
    assert "Yes, it is solved" not in page
    other = Browser(app, **{"Accept-Language": "en"})
    other.sign_in("s2")
    page = other.get("/mine").text
    assert "Yes, it is solved" in page
    assert TITLE not in page, "another's words"
