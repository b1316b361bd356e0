"""Acting on a ticket through its page: the loop, what is refused, and how nothing typed is lost."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask

from feedback.kernel.clock import site_zone
from feedback.kernel.db import db
from feedback.tickets import lifecycle
from feedback.tickets.models import Ticket, TimelineEntry
from feedback.web.ticket import STAYS_IN_SIGHT
from tests.support.browser import Browser, give_password
from tests.support.county import County
from tests.support.journey import Journey

KEY = "0123456789abcdef"


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


@pytest.mark.parametrize("action", sorted(STAYS_IN_SIGHT))
def test_step_after_which_nobody_is_asked_whether_they_still_see_it_ends_no_part_and_moves_nothing(action: str) -> None:
    rules = lifecycle.rules_for(action)
    assert rules
    for rule in rules:
        assert not [effect for effect in rule.clocks if effect.startswith("end ") or effect == "start legs"]
        assert lifecycle.CLOSED not in (rule.to, rule.or_to)


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


def test_the_loop_runs_on_the_page(app: Flask, journey: Journey) -> None:
    reference = journey.to("dispatched")
    handler, cadre = _browser(app, "hw"), _browser(app, "s")
    steps: tuple[tuple[Browser, str, dict[str, str], str], ...] = (
        (handler, "acknowledge", {}, "Signed for: it is yours to work on now."),
        (handler, "reply", {"text": "We come today"}, "Your reply is sent."),
        (handler, "resolve", {"outcome": "solved", "text": "The lamp was put in"}, "asked whether it is solved"),
        (cadre, "dispute", {"reason": "Dark again at night"}, "has a new due time"),
        (handler, "resolve", {"outcome": "partly", "text": "One of two burns"}, "asked whether it is solved"),
        (cadre, "confirm", {"verdict": "partly", "rating": "4"}, "closed as you say"),
    )
    for browser, action, fields, said in steps:
        sent = {**fields, "version": _version(journey, reference)}
        answer = browser.post(f"/tickets/{reference}/{action}", sent)
        assert answer.status_code == 303, (action, answer.text)
        assert said in browser.get(answer.headers["Location"]).text
    page = cadre.get(f"/tickets/{reference}").text
    for words in ("We come today", "The lamp was put in", "Dark again at night", "One of two burns", "Round"):
        assert words in page
    assert journey.ticket(reference).closure_reason == "confirmed"


def test_a_stale_writer_gets_their_words_back_with_the_news(app: Flask, journey: Journey) -> None:
    reference = journey.to("in_progress")
    handler = _browser(app, "hw")
    old = _version(journey, reference)
    journey.act(reference, "comment", "s", text="A second lamp is out")
    answer = handler.post(f"/tickets/{reference}/reply", {"text": "We come today at four", "version": old})
    assert answer.status_code == 409
    assert "Somebody changed this ticket while you were writing." in answer.text
    assert "A second lamp is out" in answer.text
    assert re.search(r"<textarea[^>]*>\s*We come today at four</textarea>", answer.text)
    assert f'name="version" value="{_version(journey, reference)}"' in answer.text
    assert "reply" not in _said(reference)
    again = handler.post(
        f"/tickets/{reference}/reply", {"text": "We come today at four", "version": _version(journey, reference)}
    )
    assert again.status_code == 303


def _said(reference: str) -> list[str]:
    db.session.rollback()
    ticket = db.session.query(Ticket).filter_by(reference=reference).one()
    return [entry.action for entry in db.session.query(TimelineEntry).filter_by(ticket_id=ticket.id)]


def test_words_for_a_step_that_is_gone_are_shown_again(app: Flask, journey: Journey) -> None:
    reference = journey.to("in_progress")
    handler = _browser(app, "hw")
    old = _version(journey, reference)
    journey.act(reference, "resolve", "hw", outcome="solved", text="It was done already")
    answer = handler.post(f"/tickets/{reference}/reply", {"text": "We come on Friday", "version": old})
    assert answer.status_code == 409
    assert "What you wrote is not lost" in answer.text
    assert "We come on Friday" in answer.text
    assert "reply" not in _offered(answer.text)
    assert journey.ticket(reference).status == "resolved"


def test_a_refused_form_keeps_everything_and_names_the_field(app: Flask, journey: Journey) -> None:
    reference = journey.to("in_progress")
    handler = _browser(app, "hw")
    sent = {
        "outcome": "planned",
        "text": "It is in the plan",
        "planned_on": "soon",
        "version": _version(journey, reference),
    }
    answer = handler.post(f"/tickets/{reference}/resolve", sent)
    assert answer.status_code == 422
    assert 'id="resolve-planned_on-error"' in answer.text
    assert "Must be a date, such as 2026-03-02." in answer.text
    assert 'value="soon"' in answer.text
    assert "It is in the plan" in answer.text
    assert re.search(r'<input[^>]*checked[^>]*value="planned"', answer.text)
    assert re.search(r'<details[^>]*id="do-resolve" open', answer.text)
    assert journey.ticket(reference).status == "in_progress"


def test_not_possible_without_a_basis_is_refused_at_its_field(app: Flask, journey: Journey) -> None:
    reference = journey.to("in_progress")
    handler = _browser(app, "hw")
    answer = handler.post(f"/tickets/{reference}/resolve", {"outcome": "not_possible", "text": "It can't be done"})
    assert answer.status_code == 422
    assert 'id="resolve-basis-error"' in answer.text


def test_withdrawing_after_a_dispatch_asks_whether_anybody_asked_for_it(app: Flask, journey: Journey) -> None:
    reference = journey.to("dispatched")
    cadre = _browser(app, "s")
    version = _version(journey, reference)
    answer = cadre.post(f"/tickets/{reference}/withdraw", {"reason": "It is fine now", "version": version})
    assert answer.status_code == 422
    assert "Did anybody ask you to withdraw it? Say yes or no." in answer.text
    fields = {"reason": "It is fine now", "asked_to": "no", "version": version}
    assert cadre.post(f"/tickets/{reference}/withdraw", fields).status_code == 303
    assert journey.ticket(reference).was_asked_to_withdraw is False


def test_urging_again_too_soon_says_when_it_is_possible(app: Flask, journey: Journey) -> None:
    reference = journey.to("in_progress")
    cadre = _browser(app, "s")
    assert cadre.post(f"/tickets/{reference}/urge").status_code == 303
    answer = cadre.post(f"/tickets/{reference}/urge")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert re.search(r"They were reminded already\. You can do so again [^.]+\d\d:\d\d\.", answer.text)


def test_a_second_person_decides_what_was_asked_for(app: Flask, journey: Journey) -> None:
    reference = journey.to("submitted")
    office = _browser(app, "dp1")
    asked = {"reason_code": "outside_the_area", "instead": "Ask the city's road office", "version": "1"}
    assert office.post(f"/tickets/{reference}/decline", asked).status_code == 303
    own = office.get(f"/tickets/{reference}").text
    assert "decide" not in _offered(own)
    assert "waits for a decision" in own
    second = _browser(app, "su")
    page = second.get(f"/tickets/{reference}").text
    assert "Please decide: Not to take it" in page
    assert "Ask the city&#39;s road office" in page
    request = str(journey.pending(reference))
    empty = second.post(f"/tickets/{reference}/decide", {"request": request, "decision": "granted", "text": ""})
    assert empty.status_code == 422
    assert f'id="decide-{request}-text-error"' in empty.text
    fields = {"request": request, "decision": "granted", "text": "It is the city's road"}
    assert second.post(f"/tickets/{reference}/decide", fields).status_code == 303
    assert journey.ticket(reference).closure_reason == "declined"
    cadre = _browser(app, "s").get(f"/tickets/{reference}").text
    assert "It was not taken" in cadre
    assert "It is the city&#39;s road" in cadre


def test_a_handler_asks_for_more_time_and_the_decider_sees_date_reason_and_interim(
    app: Flask, journey: Journey
) -> None:
    reference = journey.to("in_progress")
    unit = _browser(app, "hw")
    due = journey.ticket(reference).due_at
    assert due is not None
    asked = {"due_at": "2020-01-01T09:00", "reason": "A pump is on its way", "interim": "Water comes by lorry"}
    early = unit.post(f"/tickets/{reference}/request_extension", asked)
    assert early.status_code == 422
    assert 'id="request_extension-due_at-error"' in early.text
    assert "Water comes by lorry" in early.text
    asked["due_at"] = (due + timedelta(days=1)).astimezone(site_zone()).strftime("%Y-%m-%dT%H:%M")
    assert unit.post(f"/tickets/{reference}/request_extension", asked).status_code == 303
    own = unit.get(f"/tickets/{reference}").text
    assert "request_extension" not in _offered(own)
    assert "withdraw_request" in _offered(own)
    request = str(journey.pending(reference))
    decider = _browser(app, "d")
    page = decider.get(f"/tickets/{reference}").text
    for said in ("Please decide: Extension", "A pump is on its way", "Until then: Water comes by lorry", "Wanted: due"):
        assert said in page, said
    fields = {"request": request, "decision": "granted", "text": "The pump is ordered"}
    assert decider.post(f"/tickets/{reference}/decide", fields).status_code == 303
    assert "Extension: granted" in _browser(app, "s").get(f"/tickets/{reference}").text
    assert "an extension was granted" in unit.get(f"/tickets/{reference}/why").text


def test_a_handler_takes_a_request_back(app: Flask, journey: Journey) -> None:
    reference = journey.to("in_progress")
    due = journey.ticket(reference).due_at
    assert due is not None
    until = (due + timedelta(days=1)).isoformat()
    journey.act(
        reference, "request_extension", "hw", reason="A pump comes", due_at=until, interim="Lorries bring water"
    )
    unit = _browser(app, "hw", "zh-CN")
    assert "申请延期" in unit.get(f"/tickets/{reference}").text
    fields = {"request": str(journey.pending(reference))}
    assert unit.post(f"/tickets/{reference}/withdraw_request", fields).status_code == 303
    page = unit.get(f"/tickets/{reference}").text
    assert "撤回了申请" in page
    assert "withdraw_request" not in _offered(page)


def test_a_dispatcher_sends_it_to_a_lead_and_an_assist(app: Flask, journey: Journey) -> None:
    reference = journey.to("submitted")
    office = _browser(app, "dp1")
    fields = {"lead": "water", "assists": ["roads"], "version": _version(journey, reference)}
    assert office.post(f"/tickets/{reference}/dispatch", fields).status_code == 303
    page = _browser(app, "hr").get(f"/tickets/{reference}").text
    assert "answer_leg" in _offered(page)
    assert "Sent to Water" in page
    assert "Assisting: Roads" in page


def test_an_unknown_unit_is_refused_at_its_field(app: Flask, journey: Journey) -> None:
    reference = journey.to("submitted")
    answer = _browser(app, "dp1").post(f"/tickets/{reference}/dispatch", {"lead": "moon"})
    assert answer.status_code == 422
    assert 'id="dispatch-lead-error"' in answer.text


def test_a_head_assigns_only_to_people_of_the_unit(app: Flask, journey: Journey) -> None:
    reference = journey.to("in_progress")
    head = _browser(app, "lw")
    page = head.get(f"/tickets/{reference}").text
    choices = re.search(r'<select[^>]*name="assignee".*?</select>', page, re.S)
    assert choices
    assert set(re.findall(r'value="(\w+)"', choices[0])) == {"hw", "hw2", "lw"}
    fields = {"assignee": "hw2", "version": _version(journey, reference)}
    assert head.post(f"/tickets/{reference}/assign", fields).status_code == 303
    assert "Person hw2 (Water)" in head.get(f"/tickets/{reference}").text


def test_an_action_sent_twice_is_done_once(app: Flask, journey: Journey) -> None:
    reference = journey.to("in_progress")
    cadre = _browser(app, "s")
    fields = {"text": "A second lamp is out", "idempotency_key": KEY, "version": _version(journey, reference)}
    for _ in range(2):
        assert cadre.post(f"/tickets/{reference}/comment", fields).status_code == 303
    assert _said(reference).count("comment") == 1


def test_a_form_without_its_token_changes_nothing_and_shows_what_was_typed(app: Flask, journey: Journey) -> None:
    reference = journey.to("in_progress")
    cadre = _browser(app, "s")
    answer = cadre.post(f"/tickets/{reference}/comment", {"text": "A second lamp is out", "csrf_token": "none"})
    assert answer.status_code == 400
    assert "A second lamp is out" in answer.text
    assert "comment" not in _said(reference)


@pytest.mark.parametrize(
    ("state", "login", "action", "fields"),
    [
        ("resolved", "s", "confirm", {"verdict": "solved", "rating": "9" * 5000}),
        ("resolved", "s", "confirm", {"verdict": "maybe"}),
        ("resolved", "s", "confirm", {}),
        ("submitted", "dp1", "dispatch", {"lead": "nul\x00inside"}),
        ("in_progress", "hw", "add_leg", {"unit": "roads", "due_at": "0001-01-01T00:00"}),
        ("in_progress", "hw", "add_leg", {"unit": "roads", "due_at": "soon"}),
        ("in_progress", "hw", "reply", {"text": "."}),
        ("in_progress", "hw", "reply", {"text": "bell \x07 rings"}),
    ],
)
def test_what_can_not_be_taken_changes_nothing(
    app: Flask, journey: Journey, state: str, login: str, action: str, fields: dict[str, str]
) -> None:
    reference = journey.to(state)
    before = _version(journey, reference)
    answer = _browser(app, login).post(f"/tickets/{reference}/{action}", fields)
    assert answer.status_code == 422
    assert "Not sent yet. Please look at this:" in answer.text
    assert _version(journey, reference) == before


@pytest.mark.parametrize("action", ["submit", "wake", "lapse", "nonsense"])
def test_what_is_no_action_of_people_is_not_there(app: Flask, journey: Journey, action: str) -> None:
    reference = journey.to("in_progress")
    assert _browser(app, "s").post(f"/tickets/{reference}/{action}", {"text": "Let me"}).status_code == 404


def test_somebody_who_may_look_but_not_act_is_told_so(app: Flask, journey: Journey) -> None:
    reference = journey.to("in_progress")
    answer = _browser(app, "su").post(f"/tickets/{reference}/reply", {"text": "Hurry up please"})
    assert answer.status_code == 403
    assert "reply" not in _said(reference)
