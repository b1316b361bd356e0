"""Several tickets at once on the desk: each done by itself or refused with a reason; no row is passed over in silence."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from flask import Flask

from feedback.kernel.clock import utc_now
from feedback.people.models import Account
from tests.support.browser import Browser, give_password
from tests.support.county import County
from tests.support.journey import Journey


@pytest.fixture
def journey(county: County) -> Journey:
    give_password(*(county.accounts[login] for login in ("hw", "lw", "hr", "s")))
    return Journey(county, now=utc_now() - timedelta(hours=3))


@pytest.fixture
def desk(app: Flask, journey: Journey) -> Browser:
    browser = Browser(app, **{"Accept-Language": "en"})
    browser.sign_in("hw")
    browser.get("/desk")
    return browser


def _report(text: str) -> str:
    found = re.search(r'<div class="note note-(?:done|soon)".*?</div>\s*</div>', text, re.S)
    return html.unescape(re.sub(r"<[^>]+>|\s+", " ", found[0])) if found else ""


def _assignee(journey: Journey, reference: str) -> str:
    account_id = journey.ticket(reference).assignee_id
    return journey.county.session.get_one(Account, account_id).login if account_id else ""


def test_handler_signs_for_several_tickets_with_one_press(desk: Browser, journey: Journey) -> None:
    first, second, left = journey.to("dispatched"), journey.to("dispatched"), journey.to("dispatched")
    page = desk.post("/desk?tab=sign", {"do": "acknowledge", "ticket": [first, second]})
    assert page.status_code == 200
    assert "2 tickets are signed for." in _report(page.text)
    assert [journey.ticket(one).status for one in (first, second, left)] == ["in_progress", "in_progress", "dispatched"]
    assert _assignee(journey, first) == "hw"
    assert f'id="row-{left}"' in page.text, "the same tab is shown again"
    assert f'id="row-{first}"' not in page.text


def test_head_gives_several_tickets_to_one_colleague(app: Flask, desk: Browser, journey: Journey) -> None:
    head = Browser(app, **{"Accept-Language": "en"})
    head.sign_in("lw")
    shown = head.get("/desk").text
    chosen = [journey.to("dispatched"), journey.to("in_progress")]
    shown = head.get("/desk?tab=all").text
    offered = re.findall(r'<option value="(\w+)">', shown.split('id="bulk-assignee"')[1].split("</select>")[0])
    assert offered[0] == "lw"
    assert set(offered) == {"lw", "hw", "hw2"}
    page = head.post("/desk?tab=all", {"do": "assign", "assignee": "hw2", "ticket": chosen})
    assert "2 tickets are assigned." in _report(page.text)
    assert [_assignee(journey, one) for one in chosen] == ["hw2", "hw2"]


def test_each_ticket_that_is_refused_is_named_with_its_reason(desk: Browser, journey: Journey) -> None:
    good, signed = journey.to("dispatched"), journey.to("in_progress")
    report = _report(desk.post("/desk", {"do": "acknowledge", "ticket": [signed, "ZD-AAAAA-AAAAA", good, good]}).text)
    assert "1 ticket is signed for. 2 are not:" in report
    assert re.search(rf"{signed} : \S+", report)
    assert re.search(r"ZD-AAAAA-AAAAA : There is nothing here that you can see\.", report)
    assert good not in report
    assert journey.ticket(good).status == "in_progress", "one refused before it stops none"


def test_nobody_outside_the_unit_can_be_given_tickets(desk: Browser, journey: Journey) -> None:
    reference = journey.to("dispatched")
    for login in ("hr", "nobody", ""):
        report = _report(desk.post("/desk", {"do": "assign", "assignee": login, "ticket": reference}).text)
        assert "1 is not:" in report
        assert reference in report
    assert _assignee(journey, reference) == ""


def test_another_units_ticket_is_neither_signed_for_nor_shown(app: Flask, desk: Browser, journey: Journey) -> None:
    reference = journey.to("dispatched")
    other = Browser(app, **{"Accept-Language": "en"})
    other.sign_in("hr")
    other.get("/desk")
    report = _report(other.post("/desk", {"do": "acknowledge", "ticket": reference}).text)
    assert "There is nothing here that you can see." in report
    assert journey.ticket(reference).status == "dispatched"


def test_a_press_with_nothing_chosen_says_what_to_do(desk: Browser, journey: Journey) -> None:
    journey.to("dispatched")
    page = desk.post("/desk", {"do": "acknowledge"})
    assert page.status_code == 422
    assert "Choose at least one ticket first." in page.text


def test_only_the_offered_actions_can_be_done_to_many(desk: Browser, journey: Journey) -> None:
    reference = journey.to("in_progress")
    for action in ("resolve", "withdraw", "", "acknowledge\x00"):
        assert desk.post("/desk", {"do": action, "ticket": reference}).status_code == 404
    assert journey.ticket(reference).status == "in_progress"


def test_a_cadre_has_no_desk_to_press_on(app: Flask, journey: Journey) -> None:
    cadre = Browser(app, **{"Accept-Language": "en"})
    cadre.sign_in("s")
    cadre.get("/mine")
    assert cadre.post("/desk", {"do": "acknowledge", "ticket": journey.to("dispatched")}).status_code == 403
