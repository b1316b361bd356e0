"""The page on which people say about what they want mails."""

from __future__ import annotations

import re

from flask import Flask

from feedback.notifications.mail_choices import choices_of
from tests.support.browser import Browser, give_password
from tests.support.county import County


def chosen(county: County, login: str) -> dict[str, str]:
    county.session.rollback()
    county.session.expire_all()
    return choices_of(county.session, county.accounts[login].id)


def test_handler_chooses_mails_and_finds_the_choice_again(app: Flask, county: County) -> None:
    give_password(county.accounts["hw"], county.accounts["lw"])
    browser = Browser(app, **{"Accept-Language": "en"})
    browser.sign_in("hw")
    assert 'href="/account/mails"' in browser.get("/account").text
    answer = browser.post(
        "/account/mails", {"own": "at_once", "work": "daily", "requests": "never", "alarms": "at_once"}
    )
    assert answer.status_code == 303
    assert chosen(county, "hw") == {"own": "at_once", "work": "daily", "requests": "never", "alarms": "at_once"}
    assert set(chosen(county, "lw").values()) == {"at_once"}
    page = browser.get("/account/mails").text
    assert len(re.findall(r'<option selected value="(?:daily|never)"', page)) == 2


def test_choice_that_is_none_is_named_at_its_field(app: Flask, county: County) -> None:
    give_password(county.accounts["hw"])
    browser = Browser(app, **{"Accept-Language": "en"})
    browser.sign_in("hw")
    browser.get("/account/mails")
    answer = browser.post("/account/mails", {"work": "hourly"})
    assert answer.status_code == 422
    assert 'id="mails-work-error"' in answer.text
    assert chosen(county, "hw")["work"] == "at_once"
