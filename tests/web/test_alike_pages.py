"""What says the same on the pages: while somebody types, on the receipt, and for the dispatcher; and joining by one tap."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from feedback.kernel.clock import utc_now
from feedback.kernel.db import session
from feedback.tickets.models import Ticket
from feedback.tickets.summaries import summary_of
from tests.support.browser import Browser, give_password
from tests.support.county import County
from tests.support.story import Story

PUMP = "幸福小区三栋的水泵坏了，高层住户每天停水，请派人来修。"
AGAIN = "幸福小区水泵又坏了，三栋停水两天。"
SUMMARY = "幸福小区水泵坏了停水"


@pytest.fixture
def story(county: County) -> Story:
    give_password(county.accounts["s"], county.accounts["s2"], county.accounts["dp1"])
    return Story(county, now=utc_now()).submit(text=PUMP, area="village", category="works/a")


def signed_in(app: Flask, login: str) -> Browser:
    browser = Browser(app, **{"Accept-Language": "en"})
    browser.sign_in(login)
    browser.get("/account")
    return browser


def typed(browser: Browser, text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = browser.post("/submit/proposals", {"text": text}).get_json()["alike"]
    return found


def newest() -> Ticket:
    session().rollback()
    return session().scalars(select(Ticket).order_by(Ticket.id.desc())).first()  # type: ignore[return-value]


def test_whoever_types_sees_what_they_may_see_and_of_others_the_summary_alone(app: Flask, story: Story) -> None:
    own, other = signed_in(app, "s"), signed_in(app, "s2")
    (mine,) = typed(own, AGAIN)
    assert (mine["join"], mine["url"]) == (story.reference, f"/tickets/{story.reference}")
    assert typed(other, AGAIN) == []
    story.act("dp1", "publish_summary", hours=0, text=SUMMARY)
    (theirs,) = typed(other, AGAIN)
    assert (theirs["title"], theirs["url"]) == (SUMMARY, "")
    assert story.reference not in str(theirs)
    assert typed(other, "路灯坏了，晚上很黑，请来修一下") == []
    assert typed(other, "停水") == [], "too short to say so"


def test_one_tap_sends_and_joins_by_the_summary(app: Flask, story: Story) -> None:
    story.act("dp1", "publish_summary", hours=0, text=SUMMARY)
    browser = signed_in(app, "s2")
    (theirs,) = typed(browser, AGAIN)
    sent = browser.post("/submit", {"text": AGAIN, "privacy": "named", "join": theirs["join"]})
    assert sent.status_code == 303
    joined = newest()
    assert (joined.status, joined.closure_reason, joined.joined_into_id) == ("closed", "joined", story.ticket.id)
    receipt = browser.get(f"/submit/done/{joined.reference}")
    assert receipt.status_code == 200
    assert "joined" in receipt.text
    assert "A dispatcher will choose" not in receipt.text


def test_what_can_no_longer_be_joined_is_submitted_all_the_same(app: Flask, story: Story) -> None:
    sent = signed_in(app, "s2").post("/submit", {"text": AGAIN, "privacy": "named", "join": "S-GONE"})
    assert sent.status_code == 303
    assert newest().status == "submitted"


def test_without_scripts_the_receipt_offers_to_join(app: Flask, story: Story) -> None:
    story.act("dp1", "publish_summary", hours=0, text=SUMMARY)
    summary = summary_of(story.county.session, story.ticket)
    browser = signed_in(app, "s2")
    assert browser.post("/submit", {"text": AGAIN, "privacy": "named"}).status_code == 303
    page = browser.get(f"/submit/done/{newest().reference}").text
    assert summary is not None
    assert f'name="into" value="{summary.token}"' in page
    assert story.reference not in page
    browser.post(f"/tickets/{newest().reference}/join", {"into": summary.token})
    assert newest().joined_into_id == story.ticket.id


def test_the_dispatcher_sees_on_a_ticket_what_says_the_same_and_may_join_it_to_the_elder(
    app: Flask, story: Story
) -> None:
    younger = Story(story.county, now=utc_now()).submit("s2", AGAIN, area="village", category="works/a")
    browser = signed_in(app, "dp1")
    page = browser.get(f"/tickets/{younger.reference}").text
    assert "Says the same as" in page
    assert f'name="into" value="{story.reference}"' in page
    elder = browser.get(f"/tickets/{story.reference}").text
    assert younger.reference in elder
    assert f'value="{younger.reference}"' not in elder, "the elder is never joined to the younger"
    assert "Says the same as" not in signed_in(app, "s2").get(f"/tickets/{younger.reference}").text
