"""The first visit of each role: one line says where to start, until its reader puts it away, for good and for them alone."""

from __future__ import annotations

import pytest
from flask import Flask

from feedback.web.hints import FIRST_WORDS
from tests.support.browser import Browser, give_password
from tests.support.county import County

BUTTON = "Got it"
PAGES = (
    ("s", "/", "submitter.home"),
    ("s", "/mine", "submitter.home"),
    ("hw", "/desk", "desk.desk"),
    ("lw", "/desk", "desk.desk"),
    ("dp1", "/dispatch", "dispatcher.dispatch"),
    ("lr", "/review", "leader.review"),
    ("su", "/review", "leader.review"),
    ("adm", "/admin", "admin.index"),
)


@pytest.fixture
def people(county: County) -> County:
    give_password(*county.accounts.values())
    return county


def _browser(app: Flask, login: str, lang: str = "en") -> Browser:
    browser = Browser(app, **{"Accept-Language": lang})
    browser.sign_in(login)
    browser.get("/account")
    return browser


@pytest.mark.parametrize(("login", "path", "page"), PAGES)
def test_a_person_reads_where_to_start_until_they_put_it_away(
    app: Flask, people: County, login: str, path: str, page: str
) -> None:
    browser = _browser(app, login)
    shown = browser.get(path, follow_redirects=True)
    assert FIRST_WORDS[page] in shown.text
    assert BUTTON in shown.text
    answer = browser.post(f"/hints/{page}/seen")
    assert answer.status_code == 303
    assert BUTTON not in browser.get(path, follow_redirects=True).text
    assert browser.post(f"/hints/{page}/seen").status_code == 303, "a second press changes nothing"
    assert BUTTON not in _browser(app, login).get(path, follow_redirects=True).text, "kept for the account"


def test_a_colleague_still_reads_what_another_put_away(app: Flask, people: County) -> None:
    _browser(app, "hw").post("/hints/desk.desk/seen")
    assert BUTTON in _browser(app, "lw").get("/desk").text


def test_no_other_page_has_first_words(app: Flask, people: County) -> None:
    browser = _browser(app, "s")
    for path in ("/submit", "/account", "/notices"):
        assert BUTTON not in browser.get(path).text
    assert browser.post("/hints/submitter.write/seen").status_code == 404
    assert "Start with" not in Browser(app).get("/sign-in").text
    auditor = _browser(app, "au").get("/")
    assert auditor.status_code == 200
    assert BUTTON not in auditor.text


def test_first_words_speak_the_readers_language(app: Flask, people: County) -> None:
    page = _browser(app, "s", "zh-CN").get("/mine").text
    assert "知道了" in page
    assert "Start with" not in page
