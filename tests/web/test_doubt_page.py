"""Words that say the opposite of the button: the page asks once more, takes what is pressed then, and loses no word."""

from __future__ import annotations

import html
import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from feedback.kernel.db import db
from feedback.tickets.models import TimelineEntry, Verdict
from tests.support.browser import Browser, give_password
from tests.support.county import County
from tests.support.journey import Journey


@pytest.fixture
def journey(county: County) -> Journey:
    give_password(*(county.accounts[login] for login in ("s", "hw")))
    return Journey(county)


@pytest.fixture
def cadre(app: Flask, journey: Journey) -> Browser:
    browser = Browser(app, **{"Accept-Language": "en"})
    browser.sign_in("s")
    browser.get("/account")
    return browser


def _forms(page: TestResponse) -> dict[str, dict[str, str]]:
    """The hidden fields and texts of the forms on the page, by the action's name."""
    found = {}
    for url, inner in re.findall(
        r'<form method="post" action="/tickets/[^/]+/(\w+)"[^>]*>(.*?)</form>', page.text, re.S
    ):
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', inner))
        fields |= dict(re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>\s*(.*?)</textarea>', inner, re.S))
        found[url] = {name: html.unescape(value) for name, value in fields.items()}
    return found


def _sent(journey: Journey, reference: str, **fields: str) -> dict[str, str]:
    return {"version": str(journey.ticket(reference).version), **fields}


def test_a_cadre_who_presses_solved_but_writes_it_is_not_is_asked_first(cadre: Browser, journey: Journey) -> None:
    reference = journey.to("resolved")
    fields = _sent(journey, reference, verdict="solved", rating="4", comment="灯还是黑的", pressed="yes")
    page = cadre.post(f"/tickets/{reference}/confirm", fields)
    assert page.status_code == 422
    assert "You pressed “solved”, but wrote:" in page.text
    assert "<blockquote>灯还是黑的</blockquote>" in page.text
    assert journey.ticket(reference).status == "resolved"
    assert cadre.post(f"/tickets/{reference}/confirm", _forms(page)["confirm"]).status_code == 303
    assert journey.ticket(reference).closure_reason == "confirmed"
    kept = db.session.query(Verdict).one()
    assert (kept.rating, kept.comment, kept.pressed) == (4, "灯还是黑的", True)


def test_a_cadre_who_meant_not_solved_sends_it_back_with_the_same_words(cadre: Browser, journey: Journey) -> None:
    reference = journey.to("resolved")
    fields = _sent(journey, reference, verdict="solved", comment="It still leaks", back="home")
    page = cadre.post(f"/tickets/{reference}/confirm", fields)
    answer = cadre.post(f"/tickets/{reference}/dispute", _forms(page)["dispute"])
    assert answer.headers["Location"].startswith("/mine?")
    assert journey.ticket(reference).status == "in_progress"
    assert "It still leaks" in cadre.get(f"/tickets/{reference}").text
    assert "The unit reads this." in page.text


def test_a_cadre_who_presses_not_solved_but_writes_it_is_can_close_it(cadre: Browser, journey: Journey) -> None:
    reference = journey.to("resolved")
    page = cadre.post(f"/tickets/{reference}/dispute", _sent(journey, reference, reason="已经修好了，谢谢"))
    assert page.status_code == 422
    assert "You pressed “not solved”, but wrote:" in page.text
    assert journey.ticket(reference).status == "resolved"
    assert cadre.post(f"/tickets/{reference}/confirm", _forms(page)["confirm"]).status_code == 303
    assert journey.ticket(reference).closure_reason == "confirmed"


def test_a_cadre_who_insists_on_not_solved_is_taken_at_their_word(cadre: Browser, journey: Journey) -> None:
    reference = journey.to("resolved")
    page = cadre.post(f"/tickets/{reference}/dispute", _sent(journey, reference, reason="已经修好了，谢谢"))
    assert cadre.post(f"/tickets/{reference}/dispute", _forms(page)["dispute"]).status_code == 303
    assert journey.ticket(reference).status == "in_progress"
    disputes = db.session.query(TimelineEntry).filter_by(action="dispute").count()
    assert disputes == 1


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("confirm", {"verdict": "solved"}),
        ("confirm", {"verdict": "solved", "comment": "修好了，谢谢"}),
        ("confirm", {"verdict": "partly", "comment": "还漏一点"}),
        ("dispute", {"reason": "还在漏"}),
        ("dispute", {"reason": "请再来看看"}),
    ],
)
def test_a_cadre_whose_words_and_button_agree_is_not_asked(
    cadre: Browser, journey: Journey, action: str, fields: dict[str, str]
) -> None:
    reference = journey.to("resolved")
    assert cadre.post(f"/tickets/{reference}/{action}", _sent(journey, reference, **fields)).status_code == 303


def test_nobody_is_asked_about_what_they_may_not_do(app: Flask, cadre: Browser, journey: Journey) -> None:
    reference = journey.to("resolved")
    handler = Browser(app, **{"Accept-Language": "en"})
    handler.sign_in("hw")
    handler.get("/desk")
    refused = handler.post(f"/tickets/{reference}/confirm", {"verdict": "solved", "comment": "It still leaks"})
    assert refused.status_code == 403
    gone = cadre.post("/tickets/ZD-AAAAA-AAAAA/confirm", {"verdict": "solved", "comment": "It still leaks"})
    assert gone.status_code == 404
    working = journey.to("in_progress")
    late = cadre.post(f"/tickets/{working}/dispute", {"reason": "已经修好了"})
    assert late.status_code == 409
    assert "You pressed" not in late.text
