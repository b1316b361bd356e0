"""Common replies: kept by a unit for itself, begun with one tap, and no first response as they stand."""

from __future__ import annotations

import html
import re

import pytest
from flask import Flask

from feedback.handling.common_replies import keep_reply, list_replies
from feedback.kernel.db import db
from tests.support.browser import Browser, give_password
from tests.support.county import County
from tests.support.journey import Journey

BODY = "您好，已收到，我们将在[时间]到现场查看。"


@pytest.fixture
def journey(county: County) -> Journey:
    give_password(*(county.accounts[login] for login in ("hw", "lw", "hr", "s")))
    return Journey(county)


def _browser(app: Flask, login: str) -> Browser:
    browser = Browser(app, **{"Accept-Language": "en"})
    browser.sign_in(login)
    browser.get("/account")
    return browser


def _kept(county: County) -> list[tuple[str, str]]:
    db.session.rollback()
    return [(row.title, row.body) for row in list_replies(db.session(), [unit.id for unit in county.units.values()])]


def _keep(journey: Journey, login: str = "hw", unit: str = "water", title: str = "到场查看") -> int:
    fields = {"unit": unit, "title": title, "body": BODY}
    return keep_reply(fields, actor=journey.county.actor(login), now=journey.now)


def test_handler_adds_a_reply_and_a_colleague_changes_and_deletes_it(app: Flask, journey: Journey) -> None:
    mine = _browser(app, "hw")
    assert "No common reply yet" in mine.get("/desk/replies").text
    assert mine.post("/desk/replies", {"unit": "water", "title": " Come ", "body": BODY}).status_code == 303
    assert _kept(journey.county) == [("Come", BODY)]
    head = _browser(app, "lw")
    number = re.search(r'name="id" value="(\d+)"', head.get("/desk/replies").text)
    assert number
    fields = {"id": number[1], "unit": "water", "title": "Come", "body": "We come on [day]."}
    assert head.post("/desk/replies", fields).status_code == 303
    assert _kept(journey.county) == [("Come", "We come on [day].")]
    assert head.post(f"/desk/replies/{number[1]}/delete").status_code == 303
    assert _kept(journey.county) == []


def test_another_units_handler_neither_sees_nor_changes_nor_deletes_it(app: Flask, journey: Journey) -> None:
    number = _keep(journey)
    other = _browser(app, "hr")
    assert "到场查看" not in other.get("/desk/replies").text
    fields = {"id": str(number), "title": "x", "body": "Not theirs to change"}
    assert other.post("/desk/replies", {**fields, "unit": "water"}).status_code == 403
    assert other.post("/desk/replies", {**fields, "unit": "roads"}).status_code == 404
    assert other.post(f"/desk/replies/{number}/delete").status_code == 404
    assert _browser(app, "s").get("/desk/replies").status_code == 403
    assert _kept(journey.county) == [("到场查看", BODY)]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"title": "", "body": "Some words"}, "This is needed."),
        ({"title": "x" * 61, "body": "Some words"}, "at most 60"),
        ({"title": "Fine", "body": "..."}, "Please write it in words."),
        ({"title": "Fine", "body": "x" * 2001}, "at most 2000"),
        ({"title": "到场查看", "body": "Another"}, "There is one of this name already."),
    ],
)
def test_what_can_not_be_kept_is_refused_in_words_and_stays_typed(
    app: Flask, journey: Journey, fields: dict[str, str], sentence: str
) -> None:
    _keep(journey)
    page = _browser(app, "hw").post("/desk/replies", {"unit": "water", **fields})
    assert page.status_code == 422
    assert sentence in page.text
    assert html.escape(fields["body"]) in page.text
    assert len(_kept(journey.county)) == 1


def test_handler_begins_a_reply_with_one_tap_even_without_scripts(app: Flask, journey: Journey) -> None:
    _keep(journey)
    reference = journey.to("in_progress")
    browser = _browser(app, "hw")
    page = browser.get(f"/tickets/{reference}").text
    link = re.search(r'<a class="chip-tap" href="([^"]+)"', page)
    assert link
    begun = browser.get(html.unescape(link[1]).partition("#")[0]).text
    assert re.search(r'<textarea[^>]*id="reply-text"[^>]*>\s*' + re.escape(BODY), begun)
    assert "Not sent yet" not in begun


def test_a_reply_of_another_unit_can_not_be_begun_with(app: Flask, journey: Journey) -> None:
    number = _keep(journey, "hr", "roads")
    reference = journey.to("in_progress")
    browser = _browser(app, "hw")
    for asked in (f"reply.{number}", "reply.999999", "withdraw.1", "reply.", "x", f"reply.{'9' * 40}"):
        page = browser.get(f"/tickets/{reference}?use={asked}")
        assert page.status_code == 200
        assert BODY not in page.text


@pytest.mark.parametrize("action", ["reply", "ask_submitter", "resolve"])
def test_an_unchanged_reply_is_no_first_response(app: Flask, journey: Journey, action: str) -> None:
    _keep(journey)
    reference = journey.to("in_progress")
    browser = _browser(app, "hw")
    more = {"outcome": "solved"} if action == "resolve" else {}
    browser.get(f"/tickets/{reference}")
    page = browser.post(f"/tickets/{reference}/{action}", {"text": f" {BODY} ", **more})
    assert page.status_code == 422
    assert "This is a common reply as it stands." in page.text
    assert BODY in page.text
    assert journey.ticket(reference).first_responded_at is None
    own = BODY.replace("[时间]", "今天下午四点")
    assert browser.post(f"/tickets/{reference}/{action}", {"text": own, **more}).status_code == 303
    assert journey.ticket(reference).first_responded_at is not None


def test_an_unchanged_reply_may_be_sent_later(app: Flask, journey: Journey) -> None:
    _keep(journey)
    reference = journey.to("in_progress")
    journey.act(reference, "reply", "hw", text="We come at four")
    browser = _browser(app, "hw")
    browser.get(f"/tickets/{reference}")
    assert browser.post(f"/tickets/{reference}/reply", {"text": BODY}).status_code == 303


def test_a_unit_keeps_forty_replies_at_most(app: Flask, journey: Journey) -> None:
    for number in range(40):
        _keep(journey, title=f"Number {number}")
    page = _browser(app, "hw").post("/desk/replies", {"unit": "water", "title": "One more", "body": "Some words"})
    assert page.status_code == 409
    assert "A unit can keep 40 at most." in page.text
    assert "Some words" in page.text
