"""Notices on the page: newest first, unread ones marked, read by opening or all at once; nobody reads another's."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from feedback.kernel.clock import utc_now
from feedback.notifications.delivery import drain
from feedback.notifications.models import Notice
from tests.support.browser import Browser, give_password
from tests.support.county import County
from tests.support.journey import Journey
from tests.support.strange import STRANGE


@pytest.fixture
def journey(county: County) -> Journey:
    give_password(*(county.accounts[login] for login in ("hw", "hr", "s")))
    return Journey(county, now=utc_now() - timedelta(hours=3))


def signed_in(app: Flask, login: str) -> Browser:
    browser = Browser(app, **{"Accept-Language": "en"})
    browser.sign_in(login)
    return browser


def tell(app: Flask, journey: Journey) -> None:
    """Deliver what has happened so far."""
    drain(now=journey.now, settings=app.config["SETTINGS"])


def test_handler_opens_a_notice_and_the_mark_is_gone(app: Flask, journey: Journey) -> None:
    reference = journey.to("dispatched", text="The pump is dry")
    tell(app, journey)
    browser = signed_in(app, "hw")
    page = browser.get("/notices").text
    assert "A ticket came to your unit. Please sign for it." in page
    assert f"The pump is dry · {reference} · due" in page
    assert browser.get("/notices/unread").json == {"unread": 1}
    post = re.search(r'action="(/notices/\d+/open)"', page)
    assert post
    answer = browser.post(post.group(1))
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/tickets/{reference}")
    assert browser.get("/notices/unread").json == {"unread": 0}
    again = browser.get("/notices").text
    assert f'<a href="/tickets/{reference}">' in again
    assert "/open" not in again
    assert "Mark all as read" not in again


def test_handler_marks_all_as_read(app: Flask, journey: Journey) -> None:
    for _number in range(3):
        journey.to("dispatched")
    tell(app, journey)
    browser = signed_in(app, "hw")
    assert "Mark all as read" in browser.get("/notices").text
    assert browser.post("/notices/read").status_code == 303
    assert browser.get("/notices/unread").json == {"unread": 0}


def test_handler_can_not_open_the_notice_of_another(app: Flask, journey: Journey) -> None:
    journey.to("dispatched")
    tell(app, journey)
    notice = journey.county.session.scalars(
        select(Notice).where(Notice.recipient == f"account:{journey.county.accounts['hw'].id}")
    ).one()
    stranger = signed_in(app, "hr")
    stranger.get("/notices")
    for number in (notice.id, notice.id + 1000, 2**70):
        assert stranger.post(f"/notices/{number}/open").status_code == 404
    journey.county.session.refresh(notice)
    assert notice.read_at is None


def test_reader_without_notices_is_told_what_will_stand_there(app: Flask, journey: Journey) -> None:
    assert "Nothing to tell you yet" in signed_in(app, "hr").get("/notices").text


def test_nobody_reads_notices_without_signing_in(app: Flask, journey: Journey) -> None:
    assert Browser(app).get("/notices").headers["Location"].startswith("/sign-in")


def test_reader_with_a_strange_cursor_gets_the_newest_and_a_word(app: Flask, journey: Journey) -> None:
    browser = signed_in(app, "hr")
    for value in STRANGE:
        answer = browser.get(f"/notices?cursor={value}")
        assert answer.status_code == 200, value
