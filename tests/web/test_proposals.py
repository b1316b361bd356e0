"""Proposals while somebody types: category and unit, place, urgency; nothing is kept, nothing is shown to a stranger."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from feedback.kernel.clock import utc_now
from feedback.kernel.db import db
from feedback.kernel.transaction import transaction
from feedback.routing.danger import install_danger_words
from feedback.tickets.models import Ticket
from tests.support.browser import Browser, give_password
from tests.support.county import County


@pytest.fixture
def people(county: County) -> County:
    give_password(county.accounts["s"], county.accounts["hw"], county.accounts["lr"])
    with transaction() as session:
        install_danger_words(session, utc_now())
        for code, name in (("village", "柳林村"), ("town", "槐树湾镇"), ("p2", "西片区")):
            county.units[code] = session.get_one(type(county.units[code]), county.units[code].id)
            county.units[code].name = name
    return county


def _browser(app: Flask, login: str = "s", lang: str = "en") -> Browser:
    browser = Browser(app, **{"Accept-Language": lang})
    browser.sign_in(login)
    browser.get("/account")
    return browser


def _proposed(browser: Browser, text: str, **fields: str) -> Any:
    answer = browser.post("/submit/proposals", {"text": text, **fields})
    assert answer.status_code == 200
    return answer.get_json()


def test_a_cadre_who_types_is_offered_the_category_and_who_would_lead(app: Flask, people: County) -> None:
    found = _proposed(_browser(app), "村口水管漏水")
    assert found["categories"] == [{"value": "water", "label": "water: Water"}]
    assert _tickets() == 0


def test_a_cadre_whose_words_fit_two_matters_is_offered_both_the_likelier_first(app: Flask, people: County) -> None:
    found = _proposed(_browser(app), "路灯不亮，水管漏水")
    assert [one["value"] for one in found["categories"]] == ["water", "roads"]


def test_a_cadre_whose_category_has_two_leads_reads_both_in_one_chip(app: Flask, people: County) -> None:
    people.add_catalogue("works/a", "b", "广场")
    found = _proposed(_browser(app), "广场的砖松了")
    assert found["categories"] == [{"value": "works/a", "label": "works/a: A or B"}]


def test_a_cadre_is_warned_which_words_make_it_urgent(app: Flask, people: County) -> None:
    browser = _browser(app)
    assert _proposed(browser, "村里停水两天")["urgency"] == "It will count as “Urgent”, because of: 停水."
    assert _proposed(browser, "村里停水两天", urgency="urgent")["urgency"] == ""
    assert _proposed(browser, "村里的树长得好")["urgency"] == ""


def test_a_cadre_is_offered_another_place_that_the_text_names_but_never_their_own(app: Flask, people: County) -> None:
    browser = _browser(app)
    assert _proposed(browser, "西片区的桥")["areas"] == [{"value": "p2", "label": "西片区"}]
    assert _proposed(browser, "柳林村到槐树湾镇的路")["areas"] == []


def test_what_says_nothing_gets_no_proposal(app: Flask, people: County) -> None:
    nothing = {"categories": [], "areas": [], "urgency": "", "alike": []}
    browser = _browser(app)
    for text in ("", "   ", "\u0000", "x" * 30_000, "' OR 1=1 --", "🙂"):
        assert _proposed(browser, text, area="nowhere", urgency="whatever") == nothing


def test_proposals_are_not_for_strangers_readers_or_forged_forms(app: Flask, people: County) -> None:
    assert Browser(app).post("/submit/proposals", {"text": "水管"}).status_code in (400, 401)
    assert _browser(app, "lr").post("/submit/proposals", {"text": "水管"}).status_code == 403
    assert _browser(app).post("/submit/proposals", {"text": "水管", "csrf_token": "forged"}).status_code == 400


def test_a_chinese_reader_is_answered_in_chinese(app: Flask, people: County) -> None:
    assert "停水" in _proposed(_browser(app, lang="zh-CN"), "停水")["urgency"]
    assert "count as" not in _proposed(_browser(app, lang="zh-CN"), "停水")["urgency"]


def _tickets() -> int:
    db.session.rollback()
    return db.session.query(Ticket).count()
