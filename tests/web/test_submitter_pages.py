"""The pages of whoever raises something: front door, what needs them, the form, the receipt."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from feedback.kernel.db import db
from feedback.tickets.models import Ticket
from tests.support.browser import Browser, give_password
from tests.support.county import County
from tests.support.journey import Journey
from tests.support.statements import counted_statements

LEAK = "The water pipe at the school gate leaks since Sunday."
KEY = "0123456789abcdef"


@pytest.fixture
def people(county: County) -> County:
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


def _reference(answer: TestResponse) -> str:
    found = re.search(r"ZD-\w{5}-\w{5}", answer.headers["Location"])
    assert found
    return found[0]


def _tickets() -> list[Ticket]:
    db.session.rollback()
    return db.session.query(Ticket).order_by(Ticket.id).all()


@pytest.mark.parametrize(("login", "place"), [("hw", "/desk"), ("dp1", "/dispatch"), ("lr", "/review")])
def test_a_person_is_led_to_the_page_of_their_role(app: Flask, people: County, login: str, place: str) -> None:
    assert _browser(app, login).get("/").headers["Location"] == place


def test_a_stranger_is_asked_to_sign_in(app: Flask, people: County) -> None:
    for path in ("/", "/mine", "/submit"):
        assert Browser(app).get(path).headers["Location"].startswith("/sign-in")


def test_an_auditor_without_a_page_is_told_so(app: Flask, people: County) -> None:
    page = _browser(app, "au").get("/")
    assert page.status_code == 200
    assert "There is no page for your role here" in page.text


def test_a_leader_may_not_open_the_form(app: Flask, people: County) -> None:
    assert _browser(app, "lr").get("/submit").status_code == 403


def test_a_cadre_submits_one_sentence_and_reads_who_has_it(app: Flask, people: County) -> None:
    browser = _browser(app, "s")
    page = browser.get("/submit")
    assert page.status_code == 200
    assert page.text.count(" required") <= 4, "only the text (and the chosen privacy) is needed"
    answer = browser.post("/submit", {"text": LEAK})
    assert answer.status_code == 303
    receipt = browser.get(answer.headers["Location"])
    assert _reference(answer) in receipt.text
    assert re.search(r"Water has it and must answer you by [^.]+\d\d:\d\d", receipt.text)
    assert 'data-draft-clear="submit"' in receipt.text
    assert _tickets()[0].status == "dispatched"


def test_a_cadre_whose_words_name_no_matter_reads_why_a_person_chooses(app: Flask, people: County) -> None:
    browser = _browser(app, "s")
    receipt = browser.get(browser.post("/submit", {"text": "The square is dark"}).headers["Location"])
    assert re.search(r"A dispatcher will choose the unit by [^.]+\d\d:\d\d", receipt.text)
    assert "The duty catalogue knows no word of it, so a person reads it." in receipt.text


def test_a_cadre_who_forgets_the_text_loses_nothing_else(app: Flask, people: County) -> None:
    browser = _browser(app, "s")
    browser.get("/submit")
    typed = {
        "text": "  ",
        "kind": "question",
        "category": "water",
        "urgency": "urgent",
        "place": "behind the mill",
        "area": "town",
        "privacy": "confidential",
        "about": "Nobody At All",
        "occurred_at": "2026-01-05T10:30",
    }
    answer = browser.post("/submit", typed)
    assert answer.status_code == 422
    assert 'href="#submit-text"' in answer.text
    assert "This is needed." in answer.text
    for kept in ('value="behind the mill"', 'value="Nobody At All"', 'value="2026-01-05T10:30"'):
        assert kept in answer.text
    for chosen in ("question", "urgent", "confidential"):
        assert re.search(rf'<input[^>]*checked[^>]*value="{chosen}"', answer.text), chosen
    assert re.search(r'<option selected value="water"', answer.text)
    assert re.search(r'<option selected value="town"', answer.text)
    assert _tickets() == []


def test_a_refusal_stands_at_its_field_in_the_readers_language(app: Flask, people: County) -> None:
    browser = _browser(app, "s")
    browser.get("/submit")
    answer = browser.post("/submit", {"text": LEAK, "about": "Nobody At All", "occurred_at": "2199-01-05T10:30"})
    assert answer.status_code == 422
    about = re.search(r'id="submit-about-error">([^<]+)', answer.text)
    assert about
    assert "There is no unit or login Nobody At All" in about[1]
    assert "lie in the future" in answer.text
    assert 'aria-describedby="submit-about-hint submit-about-error"' in answer.text


def test_a_form_sent_twice_makes_one_ticket(app: Flask, people: County) -> None:
    browser = _browser(app, "s")
    browser.get("/submit")
    first = browser.post("/submit", {"text": LEAK, "idempotency_key": KEY})
    again = browser.post("/submit", {"text": LEAK, "idempotency_key": KEY})
    assert first.headers["Location"] == again.headers["Location"]
    assert len(_tickets()) == 1


def test_a_form_changed_after_it_was_sent_is_kept_and_explained(app: Flask, people: County) -> None:
    browser = _browser(app, "s")
    browser.get("/submit")
    browser.post("/submit", {"text": LEAK, "idempotency_key": KEY})
    answer = browser.post("/submit", {"text": f"{LEAK} And the road, too.", "idempotency_key": KEY})
    assert answer.status_code == 422
    assert "This was sent already, and changed since" in answer.text
    assert "And the road, too." in answer.text
    assert KEY not in answer.text, "the next press must make a second ticket"
    assert 'data-draft-clear="submit"' in answer.text
    assert len(_tickets()) == 1


def test_a_confidential_cadre_is_told_what_others_see(app: Flask, people: County) -> None:
    browser = _browser(app, "s")
    browser.get("/submit")
    receipt = browser.get(browser.post("/submit", {"text": LEAK, "privacy": "confidential"}).headers["Location"])
    assert re.search(r"Nobody sees your name: only S-\w{4} and your town\.", receipt.text)


def test_a_handler_who_writes_for_somebody_else_gets_a_receipt_and_no_more(app: Flask, people: County) -> None:
    browser = _browser(app, "ha")
    browser.get("/submit")
    refused = browser.post("/submit", {"text": LEAK})
    assert refused.status_code == 422
    assert "Say for whom you are writing this" in refused.text
    answer = browser.post("/submit", {"text": LEAK, "for_login": "s"})
    reference = _reference(answer)
    receipt = browser.get(answer.headers["Location"])
    assert "It is written down for whom you named." in receipt.text
    assert LEAK not in receipt.text
    assert browser.get(f"/tickets/{reference}").status_code == 404
    other = _browser(app, "hb")
    assert other.get(f"/submit/done/{reference}").status_code == 404
    own = _browser(app, "s").get(f"/tickets/{reference}")
    assert "written by somebody else on their behalf" in own.text
    assert "written by somebody else on their behalf" in _browser(app, "hw").get(f"/tickets/{reference}").text


def test_whom_it_is_about_never_sees_it_when_only_the_name_was_typed(app: Flask, people: County) -> None:
    browser = _browser(app, "s")
    browser.get("/submit")
    answer = browser.post("/submit", {"text": "He wants photos of every meeting", "about": "Person la、Roads"})
    reference = _reference(answer)
    assert _browser(app, "la").get(f"/tickets/{reference}").status_code == 404
    assert _browser(app, "d").get(f"/tickets/{reference}").status_code == 200
    receipt = browser.get(answer.headers["Location"]).text
    assert "It is about somebody, so a person who is not concerned chooses who may see it." in receipt


def test_a_cadre_answers_a_question_where_it_is_asked(app: Flask, journey: Journey) -> None:
    reference = journey.to("waiting_for_submitter")
    browser = _browser(app, "s")
    page = browser.get("/")
    assert "Water asks you something. Please answer by" in page.text
    assert "Which lamp is it?" in page.text
    version = str(journey.ticket(reference).version)
    answer = browser.post(
        f"/tickets/{reference}/answer", {"text": "The one at the well", "version": version, "back": "home"}
    )
    assert answer.headers["Location"].startswith("/mine?")
    page = browser.get(answer.headers["Location"])
    assert "Your answer is there; work goes on." in page.text
    assert f'data-draft-clear="{reference}.answer"' in page.text
    assert journey.ticket(reference).status == "in_progress"


def test_a_cadre_confirms_a_claim_with_one_press(app: Flask, journey: Journey) -> None:
    reference = journey.to("resolved")
    browser = _browser(app, "s")
    page = browser.get("/")
    assert "Yes, it is solved" in page.text
    assert "No, it is not solved" in page.text
    version = str(journey.ticket(reference).version)
    fields = {"verdict": "solved", "version": version, "back": "home"}
    assert browser.post(f"/tickets/{reference}/confirm", fields).status_code == 303
    assert journey.ticket(reference).closure_reason == "confirmed"


def test_a_cadre_who_disputes_without_a_reason_is_asked_for_one(app: Flask, journey: Journey) -> None:
    reference = journey.to("resolved")
    browser = _browser(app, "s")
    browser.get("/")
    version = str(journey.ticket(reference).version)
    answer = browser.post(f"/tickets/{reference}/dispute", {"reason": "", "version": version, "back": "home"})
    assert answer.status_code == 422
    assert "This is needed." in answer.text
    assert journey.ticket(reference).status == "resolved"
    answer = browser.post(f"/tickets/{reference}/dispute", {"reason": "Dark again", "version": version, "back": "home"})
    assert answer.status_code == 303
    assert journey.ticket(reference).status == "in_progress"


def test_ended_tickets_are_folded_away_and_running_ones_are_cards(app: Flask, journey: Journey) -> None:
    journey.to("closed.withdrawn", text="This one is over and done with")
    journey.to("in_progress", text="This one is being worked on now")
    page = _browser(app, "s").get("/mine").text
    running, ended = page.split('<details class="ended"')
    assert "This one is being worked on now" in running
    assert "This one is over and done with" in ended
    assert "This one is over and done with" not in running


def test_home_asks_the_database_as_often_for_many_tickets_as_for_few(app: Flask, journey: Journey) -> None:
    browser = _browser(app, "s")

    def one_of_each(number: int) -> None:
        for state in ("in_progress", "waiting_for_submitter", "resolved", "closed.confirmed", "submitted"):
            journey.to(state, text=f"Matter {number}")

    one_of_each(0)
    browser.get("/mine")
    with counted_statements() as few:
        browser.get("/mine")
    for number in range(1, 5):
        one_of_each(number)
    with counted_statements() as many:
        page = browser.get("/mine")
    assert page.text.count("Matter 4") >= 5
    assert len(few) == len(many)


def test_another_cadres_tickets_are_never_on_my_page(app: Flask, journey: Journey) -> None:
    journey.to("in_progress", text="Only mine to see")
    assert "Only mine to see" not in _browser(app, "s2").get("/mine").text


@pytest.mark.parametrize(
    "fields",
    [
        {"occurred_at": "0001-01-01T00:00"},
        {"occurred_at": "9999-12-31T23:59"},
        {"about": "nul\x00inside"},
        {"category": "nul\x00inside"},
        {"place": "nul\x00inside"},
        {"area": "x" * 5000},
        {"place": "x" * 5000},
        {"about": ",".join(f"name{number}" for number in range(50))},
        {"urgency": "complex"},
        {"privacy": "anonymous"},
        {"kind": "whistle"},
        {"text": "x" * 20_001},
    ],
)
def test_what_can_not_be_taken_is_refused_in_words(app: Flask, people: County, fields: dict[str, str]) -> None:
    browser = _browser(app, "s")
    answer = browser.post("/submit", {"text": LEAK, **fields})
    assert answer.status_code == 422
    assert "Not sent yet. Please look at this:" in answer.text
    assert _tickets() == []


@pytest.mark.parametrize("path", ["/tickets/nul%00", "/submit/done/nul%00", f"/tickets/{'x' * 3000}"])
def test_what_can_be_no_reference_is_not_found(app: Flask, people: County, path: str) -> None:
    assert _browser(app, "s").get(path).status_code == 404


def test_a_broken_cursor_is_answered_in_words(app: Flask, people: County) -> None:
    assert _browser(app, "s").get("/mine?after=nonsense").status_code == 422


def test_pages_speak_chinese_to_a_chinese_reader(app: Flask, people: County) -> None:
    page = _browser(app, "s", "zh-CN").get("/submit")
    assert '<html lang="zh-CN"' in page.text
