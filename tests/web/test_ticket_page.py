"""The page of one ticket: what each role sees and is offered there, and what nobody sees."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask

from feedback.kernel.clock import utc_now
from feedback.kernel.db import db
from feedback.tickets.models import Verdict
from tests.support.browser import Browser, give_password
from tests.support.county import County
from tests.support.journey import Journey
from tests.support.statements import counted_statements

STAFF = ("hw", "hr", "lw", "dp1", "d", "su", "lr", "ad")


@pytest.fixture
def people(county: County) -> County:
    county.add_person("zhenming", "submitter@village")
    for number in range(5):
        county.add_person(f"v{number}", "submitter@village")
    give_password(*county.accounts.values())
    return county


@pytest.fixture
def journey(people: County) -> Journey:
    return Journey(people)


def _browser(app: Flask, login: str, lang: str = "en") -> Browser:
    browser = Browser(app, **{"Accept-Language": lang})
    browser.sign_in(login)
    browser.get("/account")
    return browser


def _offered(page: str) -> set[str]:
    """The actions whose forms are on a page."""
    return set(re.findall(r'action="/tickets/ZD-\w{5}-\w{5}/(\w+)"', page))


def _version(journey: Journey, reference: str) -> str:
    return str(journey.ticket(reference).version)


def test_somebody_out_of_scope_gets_the_same_answer_as_for_nothing(app: Flask, journey: Journey) -> None:
    reference = journey.to("in_progress")
    for login in ("s2", "ha", "au", "adm", "x"):
        browser = _browser(app, login)
        hidden = browser.get(f"/tickets/{reference}")
        assert hidden.status_code == 404, login
        nothing = browser.get("/tickets/ZD-22222-22222")
        assert _without_address(hidden.text) == _without_address(nothing.text)
        refused = browser.post(f"/tickets/{reference}/reply", {"text": "Let me in"})
        assert refused.status_code == 404, login


def _without_address(page: str) -> str:
    return re.sub(r'/tickets/[^"?]*|value="[^"]*"|ZD-\w{5}-\w{5}', "", page)


@pytest.mark.parametrize(
    ("state", "login", "offered"),
    [
        ("submitted", "s", {"comment", "urge", "withdraw"}),
        (
            "submitted",
            "dp1",
            {"dispatch", "ask_submitter", "note", "set_urgency", "reclassify", "decline", "join", "publish_summary"},
        ),
        ("dispatched", "hw", {"acknowledge", "assign", "note", "add_leg", "drop_leg"}),
        (
            "in_progress",
            "hw",
            {"reply", "resolve", "ask_submitter", "assign", "note", "add_leg", "drop_leg", "request_extension"},
        ),
        ("in_progress", "su", {"note"}),
        ("waiting_for_submitter", "s", {"answer", "urge", "withdraw"}),
        ("resolved", "s", {"confirm", "dispute", "comment"}),
        ("resolved", "hw", {"note"}),
        ("closed.confirmed", "s", {"reopen"}),
        ("closed.unanswered", "s", {"confirm", "reopen"}),
        ("closed.withdrawn", "s", set()),
    ],
)
def test_a_reader_is_offered_what_they_may_do_now(
    app: Flask, journey: Journey, state: str, login: str, offered: set[str]
) -> None:
    reference = journey.to(state)
    page = _browser(app, login).get(f"/tickets/{reference}")
    assert page.status_code == 200
    assert _offered(page.text) == offered


def test_a_handler_never_sees_rating_comment_or_pressure(app: Flask, journey: Journey) -> None:
    reference = journey.to("resolved")
    cadre = _browser(app, "s")
    fields = {"verdict": "solved", "rating": "2", "comment": "They were rude", "pressed": "yes"}
    answer = cadre.post(f"/tickets/{reference}/confirm", {**fields, "version": _version(journey, reference)})
    assert answer.status_code == 303
    db.session.rollback()
    kept = db.session.query(Verdict).one()
    assert (kept.rating, kept.comment, kept.pressed) == (2, "They were rude", True)
    for login in ("hw", "lw"):
        page = _browser(app, login).get(f"/tickets/{reference}").text
        assert "They were rude" not in page
        assert "Verdict: solved" not in page
        assert "the submitter confirmed it" in page


def test_a_note_is_never_shown_to_whoever_raised_it(app: Flask, journey: Journey) -> None:
    reference = journey.to("in_progress")
    handler = _browser(app, "hw")
    note = {"text": "The spare part is in store two", "version": _version(journey, reference)}
    assert handler.post(f"/tickets/{reference}/note", note).status_code == 303
    assert "The spare part is in store two" in handler.get(f"/tickets/{reference}").text
    cadre = _browser(app, "s").get(f"/tickets/{reference}").text
    assert "The spare part is in store two" not in cadre
    assert "Internal note" not in cadre


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
def test_nobody_sees_more_of_a_confidential_cadre_than_alias_and_town(app: Flask, journey: Journey, lang: str) -> None:
    reference = journey.submit(by="zhenming", privacy="confidential")
    journey.act(reference, "dispatch", "dp1", lead="water", assists=[{"unit": "roads", "task": "Look at it"}])
    journey.act(reference, "acknowledge", "hw")
    journey.act(reference, "comment", "zhenming", text="It is dark from six on")
    journey.act(reference, "answer_leg", "hr", text="Nothing of ours is broken")
    journey.act(reference, "resolve", "hw", outcome="solved", text="The lamp was put in")
    journey.act(reference, "dispute", "zhenming", reason="It is dark again")
    seen = 0
    for login in STAFF:
        answer = _browser(app, login, lang).get(f"/tickets/{reference}")
        assert answer.status_code == 200, login
        seen += 1
        assert "zhenming" not in answer.text, login
        assert re.search(r"S-\w{4}", answer.text), login
        assert "Town" in answer.text
    assert seen == len(STAFF)
    assert _browser(app, "zhenming", lang).get(f"/tickets/{reference}").status_code == 200


def test_the_page_goes_back_to_the_list_it_was_opened_from(app: Flask, journey: Journey) -> None:
    reference = journey.to("in_progress")
    cadre = _browser(app, "s")
    came = {"Referer": "http://localhost/mine?after=abc"}
    assert 'class="back no-print" href="/mine?after=abc"' in cadre.get(f"/tickets/{reference}", headers=came).text
    elsewhere = {"Referer": "http://example.org/mine?after=abc"}
    assert 'class="back no-print" href="/"' in cadre.get(f"/tickets/{reference}", headers=elsewhere).text


def test_words_of_people_are_shown_as_words(app: Flask, journey: Journey) -> None:
    reference = journey.submit(text="<b>dark</b> <script>alert(1)</script>")
    page = _browser(app, "s").get(f"/tickets/{reference}").text
    assert "<script>alert(1)" not in page
    assert "&lt;b&gt;dark&lt;/b&gt;" in page


def test_the_sheet_for_paper_holds_matter_handling_and_result(app: Flask, journey: Journey) -> None:
    reference = journey.to("resolved")
    page = _browser(app, "hw").get(f"/tickets/{reference}").text
    sheet = page.split('<section class="sheet">')[1].split("</section>")[0]
    for words in (reference, "The square is dark at night", "A new lamp was put in", "Solved", "Checked"):
        assert words in sheet


def test_a_due_time_says_how_it_came_about(app: Flask, journey: Journey) -> None:
    reference = journey.to("in_progress")
    cadre = _browser(app, "s")
    panel = cadre.get(f"/tickets/{reference}").text.split("Due times")[1].split("</section>")[0]
    link = re.search(r'href="(/tickets/\S+/why)#(clock-\d+)">Why this time\?', panel)
    assert link
    page = cadre.get(link[1]).text
    assert f'id="{link[2]}"' in page
    assert re.search(r"<li>The clock starts at 20\d\d-\d\d-\d\d \d\d:\d\d(:\d\d)? and has 5 working days\.</li>", page)
    assert _browser(app, "s2").get(link[1]).status_code == 404


def test_a_long_history_costs_no_more_queries_than_a_short_one(app: Flask, journey: Journey) -> None:
    reference = journey.to("in_progress")
    browser = _browser(app, "hw")
    browser.get(f"/tickets/{reference}")
    with counted_statements() as few:
        browser.get(f"/tickets/{reference}")
    for number in range(12):
        journey.act(reference, "reply", "hw", text=f"News number {number}")
        journey.act(reference, "comment", "s", text=f"Word number {number}")
    with counted_statements() as many:
        page = browser.get(f"/tickets/{reference}").text
    assert "News number 11" in page
    assert len(few) == len(many)


def test_a_first_answer_that_is_late_is_said_first(app: Flask, journey: Journey) -> None:
    journey.now = utc_now() - timedelta(hours=3)
    reference = journey.submit(text="A water pipe burst", urgency="urgent")
    for login, words in (
        ("s", "Water should have answered you by"),
        ("hw", "the submitter should have had an answer by"),
    ):
        page = _browser(app, login).get(f"/tickets/{reference}").text
        assert words in page
        assert "note-late" in page or "tone-late" in page
