"""The loop in a real browser: a cadre on a phone, a handler at a desk; with scripts and without; nothing typed is lost."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Browser, Route, expect

from feedback.kernel.db import db
from feedback.tickets.models import Ticket
from tests.support.browser import PASSWORD
from tests.support.chromium import (
    DESK,
    NARROW,
    PHONE,
    arrived,
    faults_of,
    scrolls_sideways,
    signed_in,
)
from tests.support.county import County
from tests.support.journey import REACHED, Journey

pytestmark = pytest.mark.browser

LEAK = "The water pipe at the school gate leaks since Sunday"
LONGEST_SECONDS = 20


def _tickets() -> list[Ticket]:
    db.session.rollback()
    return db.session.query(Ticket).order_by(Ticket.id).all()


def _state(reference: str) -> str:
    ticket = next(t for t in _tickets() if t.reference == reference)
    return ticket.closure_reason or ticket.status


def test_a_cadre_on_a_phone_and_a_handler_at_a_desk_go_round_the_loop(browser: Browser, address: str) -> None:
    cadre = signed_in(browser, address, "s", PHONE)
    assert faults_of(cadre) == []
    cadre.get_by_role("link", name="I have something to say").click()
    assert faults_of(cadre) == []
    began = time.monotonic()
    cadre.fill("#submit-text", LEAK)
    cadre.get_by_role("button", name="Send").click()
    arrived(cadre, "/submit/done/")
    assert time.monotonic() - began < LONGEST_SECONDS
    assert faults_of(cadre) == []
    reference = cadre.locator(".reference").inner_text()
    expect(cadre.locator(".receipt-who")).to_contain_text("Water has it and must answer you by")

    handler = signed_in(browser, address, "hw", DESK)
    handler.goto(f"/tickets/{reference}")
    assert faults_of(handler) == []
    handler.get_by_role("button", name="Sign for it").click()
    handler.locator("#do-reply").get_by_label("Your reply").fill("We come today at four")
    handler.get_by_role("button", name="Send the reply").click()
    expect(handler.get_by_text("Your reply is sent.")).to_be_visible()
    handler.locator("#do-resolve > summary").click()
    handler.locator("#do-resolve").get_by_label("Solved", exact=True).check()
    handler.locator("#resolve-text").fill("The pipe was mended and the road is closed no more")
    handler.locator("#do-resolve").get_by_role("button", name="Say that it is done").click()
    expect(handler.locator(".status")).to_contain_text("Water says it is solved.")

    cadre.goto("/")
    expect(cadre.locator(".ask")).to_contain_text("The pipe was mended")
    assert faults_of(cadre) == []
    cadre.get_by_role("button", name="Yes, it is solved").click()
    expect(cadre.get_by_text("Thank you: it is closed as you say.")).to_be_visible()
    assert _state(reference) == "confirmed"


def test_a_cadre_can_send_right_after_typing(browser: Browser, address: str) -> None:
    cadre = signed_in(browser, address, "s", PHONE)
    cadre.goto("/submit")
    cadre.fill("#submit-text", LEAK)
    box = cadre.get_by_role("button", name="Send").bounding_box()
    assert box
    assert box["y"] + box["height"] <= PHONE[1], "Send must be in reach without scrolling"


def test_a_cadre_without_scripts_submits_answers_and_disputes(browser: Browser, address: str, county: County) -> None:
    cadre = signed_in(browser, address, "s", PHONE, scripts=False)
    cadre.goto("/submit")
    cadre.fill("#submit-text", LEAK)
    cadre.get_by_role("button", name="Send").click()
    reference = cadre.locator(".reference").inner_text()
    journey = Journey(county, now=_tickets()[0].submitted_at)
    journey.act(reference, "acknowledge", "hw")
    journey.act(reference, "ask_submitter", "hw", text="Which gate is it?")

    cadre.goto("/")
    expect(cadre.locator(".ask")).to_contain_text("Which gate is it?")
    cadre.get_by_label("Your answer").fill("The north gate")
    cadre.get_by_role("button", name="Send the answer").click()
    assert _state(reference) == "in_progress"
    journey.act(reference, "resolve", "hw", outcome="solved", text="The pipe was mended")

    cadre.goto("/")
    cadre.locator("summary", has_text="No, it is not solved").click()
    cadre.get_by_label("What is still missing?").fill("It drips again")
    cadre.get_by_role("button", name="Send it back").click()
    expect(cadre.get_by_text("It goes back to the unit")).to_be_visible()
    assert _state(reference) == "in_progress"
    journey.act(reference, "resolve", "hw", outcome="solved", text="A new pipe was laid")

    cadre.goto("/")
    cadre.get_by_role("button", name="Yes, it is solved").click()
    assert _state(reference) == "confirmed"


def test_a_refused_form_keeps_what_was_typed_and_points_at_it(browser: Browser, address: str) -> None:
    cadre = signed_in(browser, address, "s", PHONE)
    cadre.goto("/submit")
    cadre.fill("#submit-place", "behind the mill")
    cadre.get_by_text("Confidential", exact=False).first.click()
    cadre.get_by_role("button", name="Send").click()
    expect(cadre.locator("#submit-text-error")).to_have_text("This is needed.")
    assert faults_of(cadre) == []
    assert cadre.evaluate("document.activeElement.matches('[data-focus]')"), "the summary takes the focus"
    expect(cadre.locator("#submit-place")).to_have_value("behind the mill")
    expect(cadre.locator("[name=privacy][value=confidential]")).to_be_checked()
    cadre.fill("#submit-text", LEAK)
    cadre.get_by_role("button", name="Send").click()
    arrived(cadre, "/submit/done/")
    ticket = _tickets()[0]
    assert (ticket.place, ticket.privacy) == ("behind the mill", "confidential")


def test_a_draft_outlives_the_page_and_ends_with_the_receipt(browser: Browser, address: str) -> None:
    cadre = signed_in(browser, address, "s", PHONE)
    cadre.goto("/submit")
    cadre.fill("#submit-text", LEAK)
    expect(cadre.locator("[data-draft-note]")).to_be_visible()
    cadre.goto("/mine")
    cadre.goto("/submit")
    expect(cadre.locator("#submit-text")).to_have_value(LEAK)
    cadre.get_by_role("button", name="Send").click()
    arrived(cadre, "/submit/done/")
    cadre.goto("/submit")
    expect(cadre.locator("#submit-text")).to_have_value("")


def test_a_cadre_who_goes_back_and_sends_again_makes_no_second_ticket(browser: Browser, address: str) -> None:
    cadre = signed_in(browser, address, "s", PHONE)
    cadre.goto("/submit")
    cadre.fill("#submit-text", LEAK)
    cadre.get_by_role("button", name="Send").dblclick()
    arrived(cadre, "/submit/done/")
    assert len(_tickets()) == 1


def test_what_was_typed_outlives_the_network_and_the_session_and_is_sent_once(browser: Browser, address: str) -> None:
    cadre = signed_in(browser, address, "s", PHONE)
    cadre.goto("/submit")
    cadre.fill("#submit-text", LEAK)
    send = cadre.get_by_role("button", name="Send")

    cadre.context.set_offline(True)
    send.click()
    expect(cadre.locator("[data-draft-note]")).to_contain_text("Not sent: this device has no network.")
    send.click()  # it goes all the same, and the browser shows a page of its own
    arrived(cadre, "^chrome-error://")
    cadre.context.set_offline(False)
    assert _tickets() == []
    cadre.goto("/submit")
    expect(cadre.locator("#submit-text")).to_have_value(LEAK)

    cadre.context.clear_cookies(name="zhida")
    with cadre.expect_response(lambda answer: answer.request.method == "POST") as refused:
        send.click()
    assert refused.value.status == 401
    assert _tickets() == []
    expect(cadre.locator("main")).to_contain_text(LEAK)
    cadre.goto("/sign-in?next=/submit")
    cadre.fill("[name=login]", "s")
    cadre.fill("[name=password]", PASSWORD)
    cadre.click("main form button")
    arrived(cadre, "/submit$")
    expect(cadre.locator("#submit-text")).to_have_value(LEAK)

    def lose_the_answer(route: Route) -> None:
        route.fetch(max_redirects=0)
        route.abort("connectionreset")

    cadre.route("**/submit", lose_the_answer)
    send.click()
    arrived(cadre, "^chrome-error://")
    assert len(_tickets()) == 1
    cadre.unroute("**/submit")
    cadre.goto("/submit")
    expect(cadre.locator("#submit-text")).to_have_value(LEAK)
    send.click()
    arrived(cadre, "/submit/done/")
    assert len(_tickets()) == 1


def test_an_action_that_is_sent_leaves_no_draft_behind(browser: Browser, address: str, county: County) -> None:
    reference = Journey(county).to("in_progress")
    handler = signed_in(browser, address, "hw", DESK)
    handler.goto(f"/tickets/{reference}")
    for words in ("We come today at four", "We come tomorrow at four"):
        expect(handler.locator("#reply-text")).to_have_value("")
        handler.locator("#reply-text").fill(words)
        handler.get_by_role("button", name="Send the reply").click()
        expect(handler.locator(".timeline")).to_contain_text(words)


@pytest.mark.parametrize(
    ("login", "size", "lang"),
    [
        ("s", NARROW, "zh_CN"),
        ("hw", DESK, "en"),
        pytest.param("dp1", NARROW, "en", marks=pytest.mark.slow),
        pytest.param("su", DESK, "zh_CN", marks=pytest.mark.slow),
    ],
)
def test_every_state_is_sound_for_each_reader_and_fits_the_window(
    browser: Browser, address: str, county: County, login: str, size: tuple[int, int], lang: str
) -> None:
    journey = Journey(county)
    references = [journey.to(state) for state in REACHED]
    asked = journey.submit()
    journey.act(asked, "decline", "dp1", reason_code="outside_the_area", instead="Ask the city's road office")
    references.append(asked)
    page = signed_in(browser, address, login, size, lang=lang)
    paths = [f"/tickets/{reference}" for reference in references]
    paths += ["/mine", "/submit", f"/submit/done/{references[0]}"] if login == "s" else []
    looked = 0
    for path in paths:
        answer = page.goto(path)
        assert answer
        if answer.status == 404 and login == "hw":
            continue
        assert answer.status == 200, path
        looked += 1
        page.evaluate("document.querySelectorAll('main details').forEach(box => { box.open = true; })")
        assert faults_of(page) == [], path
        assert not scrolls_sideways(page), path
    assert looked > len(REACHED) // 2
