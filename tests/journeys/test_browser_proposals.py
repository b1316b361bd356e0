"""Typing on the submit page in a real browser: proposals come by themselves, one tap takes them, a second sends."""

from __future__ import annotations

import itertools
import time

import pytest
from playwright.sync_api import Browser, Route, expect

from feedback.kernel.db import db
from feedback.tickets.models import Ticket
from tests.support.chromium import (
    NARROW,
    PHONE,
    arrived,
    faults_of,
    scrolls_sideways,
    signed_in,
)

pytestmark = pytest.mark.browser

LONGEST_SECONDS = 20


def _ticket() -> Ticket:
    db.session.rollback()
    return db.session.query(Ticket).order_by(Ticket.id.desc()).first() or Ticket()


def test_a_cadre_needs_two_taps_after_typing_to_the_receipt(browser: Browser, address: str) -> None:
    cadre = signed_in(browser, address, "s", PHONE)
    cadre.goto("/submit")
    cadre.evaluate("sessionStorage.taps = 0; addEventListener('click', () => { sessionStorage.taps++; }, true)")
    began = time.monotonic()
    cadre.locator("#submit-text").press_sequentially("路灯不亮，水管漏水", delay=20)
    chip = cadre.get_by_role("button", name="roads: Roads")
    expect(chip).to_be_visible()
    assert faults_of(cadre) == []
    assert not scrolls_sideways(cadre)
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "true")
    expect(cadre.locator("#submit-category")).to_have_value("roads")
    cadre.get_by_role("button", name="Send").click()
    arrived(cadre, "/submit/done/")
    assert time.monotonic() - began < LONGEST_SECONDS
    assert cadre.evaluate("sessionStorage.taps") == "2"
    assert _ticket().status == "dispatched"


def test_a_cadre_takes_a_proposal_back_with_the_same_tap(browser: Browser, address: str) -> None:
    cadre = signed_in(browser, address, "s", NARROW)
    cadre.goto("/submit")
    cadre.fill("#submit-text", "水管漏水")
    chip = cadre.get_by_role("button", name="water: Water")
    chip.click()
    expect(cadre.locator("#submit-category")).to_have_value("water")
    chip.click()
    expect(cadre.locator("#submit-category")).to_have_value("")
    expect(chip).to_have_attribute("aria-pressed", "false")
    cadre.fill("#submit-text", "")
    expect(chip).to_be_hidden()


def test_the_page_asks_at_most_once_a_second_and_lives_without_an_answer(browser: Browser, address: str) -> None:
    cadre = signed_in(browser, address, "s", PHONE)
    asked: list[float] = []

    def broken(route: Route) -> None:
        asked.append(time.monotonic())
        route.fulfill(status=503, body="no")

    cadre.route("**/submit/proposals", broken)
    cadre.goto("/submit")
    for letter in "水管漏水了三天":
        cadre.locator("#submit-text").press_sequentially(letter)
        cadre.wait_for_timeout(450)
    cadre.wait_for_timeout(1200)
    for letter in "快来":
        cadre.locator("#submit-text").press_sequentially(letter)
        cadre.wait_for_timeout(700)
    cadre.wait_for_timeout(1200)
    assert 2 <= len(asked) <= 4
    assert min(later - before for before, later in itertools.pairwise(asked)) > 0.95
    cadre.get_by_role("button", name="Send").click()
    arrived(cadre, "/submit/done/")
    assert _ticket().status == "dispatched"
