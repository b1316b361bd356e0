"""Signing in and out on the pages, the account page, the headers of every answer, and where `next` may lead."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from feedback.factory import create_app
from feedback.kernel.access import require
from feedback.kernel.actor import SYSTEM
from feedback.kernel.audit import AuditEntry
from feedback.kernel.clock import utc_now
from feedback.kernel.db import db
from feedback.people.credentials import IDLE
from feedback.people.tokens import IssueToken, find_token, issue_token
from feedback.people.usecases import (
    OfAccount,
    OfRole,
    SetPassword,
    disable_account,
    grant_role,
    revoke_role,
    set_password,
)
from feedback.web.present.account import device_words
from feedback.web.session import local_path
from tests.conftest import make_settings
from tests.support.browser import PASSWORD, Browser, give_password
from tests.support.county import County, build_county

NEW = "another fine day"


@pytest.fixture
def people(county: County) -> County:
    give_password(*county.accounts.values())
    return county


@pytest.fixture
def browser(app: Flask, people: County) -> Browser:
    return Browser(app)


def test_a_person_signs_in_sees_their_account_and_signs_out(browser: Browser) -> None:
    answer = browser.sign_in("HA ")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    page = browser.get("/account")
    assert page.status_code == 200
    assert "Person ha" in page.text
    assert "（A）" in page.text
    answer = browser.post("/sign-out")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in")
    assert browser.get("/account").headers["Location"] == "/sign-in?next=%2Faccount"


def test_a_stranger_is_led_to_sign_in_and_back(browser: Browser) -> None:
    answer = browser.get("/account?lang=en")
    assert answer.status_code == 302
    page = browser.get(answer.headers["Location"])
    assert 'name="next" value="/account?lang=en"' in page.text
    assert browser.sign_in("ha", next="/account?lang=en").headers["Location"] == "/account?lang=en"
    assert browser.get("/sign-in?next=/account").headers["Location"] == "/account"


def test_a_session_copied_before_sign_out_is_dead_after_it(browser: Browser, app: Flask) -> None:
    browser.sign_in("ha")
    thief = Browser(app)
    thief.client.set_cookie("zhida", browser.cookie("zhida"))
    assert thief.get("/account").status_code == 200
    browser.get("/account")
    browser.post("/sign-out")
    assert thief.get("/account").status_code == 302


def test_a_cookie_planted_before_sign_in_opens_nothing_after_it(browser: Browser, app: Flask) -> None:
    browser.get("/sign-in")
    planted = browser.cookie("zhida")
    browser.sign_in("ha")
    assert browser.cookie("zhida") != planted
    attacker = Browser(app)
    attacker.client.set_cookie("zhida", planted)
    assert attacker.get("/account").status_code == 302


def test_signing_in_as_another_ends_the_session_before(browser: Browser, app: Flask) -> None:
    browser.sign_in("ha")
    first = browser.cookie("zhida")
    page = browser.get("/account")
    answer = browser.post("/sign-in", {"login": "hb", "password": PASSWORD})
    assert answer.status_code == 302
    assert "Person hb" in browser.get("/account").text
    other = Browser(app)
    other.client.set_cookie("zhida", first)
    assert other.get("/account").status_code == 302
    assert page.status_code == 200


def test_an_unknown_name_and_a_wrong_password_get_the_same_page(browser: Browser) -> None:
    wrong = browser.sign_in("ha", "not the password")
    unknown = browser.sign_in("nobody", "not the password")
    assert wrong.status_code == unknown.status_code == 401
    bare = [re.sub(r'value="[^"]*"', "", page.text) for page in (wrong, unknown)]
    assert bare[0] == bare[1]
    assert set(wrong.headers.keys()) == set(unknown.headers.keys())
    assert "not the password" not in wrong.text


def test_five_wrong_passwords_are_followed_by_429_with_retry_after(browser: Browser) -> None:
    for _ in range(5):
        assert browser.sign_in("ha", "not the password").status_code == 401
    answer = browser.sign_in("ha")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60 + 1
    assert browser.sign_in("hb").status_code == 302


def test_the_owner_is_told_of_failures_at_the_next_sign_in(browser: Browser) -> None:
    browser.get("/sign-in?lang=en")
    browser.sign_in("ha", "not the password")
    browser.sign_in("ha", "not the password")
    browser.sign_in("ha")
    assert "2 times" in browser.get("/account?lang=en").text


def test_an_empty_or_enormous_form_is_refused_at_once(browser: Browser) -> None:
    assert browser.sign_in("", "").status_code == 422
    assert browser.sign_in("ha", "x" * 300).status_code == 422
    browser.get("/sign-in")
    begun = time.perf_counter()
    assert browser.post("/sign-in", {"login": "ha", "password": "x" * 1_000_000}).status_code in (413, 422)
    assert time.perf_counter() - begun < 0.5
    assert browser.sign_in("h\x00a", "x\x00y").status_code in (401, 422)


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/account/password", "/account/sign-out-everywhere"])
def test_a_form_without_or_with_anothers_token_is_refused(browser: Browser, app: Flask, path: str) -> None:
    other = Browser(app)
    other.sign_in("hb")
    other.get("/account")
    browser.sign_in("ha")
    browser.get("/account")
    for token in ("", "x", other.token):
        assert browser.post(path, {"csrf_token": token}).status_code == 400
    assert browser.get("/account").status_code == 200


def test_signing_out_by_a_link_does_nothing(browser: Browser) -> None:
    browser.sign_in("ha")
    assert browser.get("/sign-out").status_code == 405
    assert browser.get("/account").status_code == 200


def test_a_changed_password_ends_the_other_sessions_and_tokens(browser: Browser, app: Flask, people: County) -> None:
    token = issue_token(IssueToken(login="ha", scopes=[]), actor=SYSTEM, now=utc_now()).token
    other = Browser(app)
    other.sign_in("ha")
    browser.sign_in("ha")
    browser.get("/account")
    answer = browser.post("/account/password", {"password": PASSWORD, "new_password": NEW, "repeat": NEW})
    assert answer.headers["Location"] == "/account"
    assert browser.get("/account").status_code == 200
    assert other.get("/account").status_code == 302
    assert find_token(people.session, token, utc_now()) is None
    assert other.sign_in("ha").status_code == 401
    assert other.sign_in("ha", NEW).status_code == 302


@pytest.mark.parametrize(
    ("password", "new", "repeat", "field"),
    [
        ("wrong password", NEW, NEW, "password"),
        (PASSWORD, "short", "short", "new_password"),
        (PASSWORD, NEW, NEW + "x", "repeat"),
        (PASSWORD, "", "", "new_password"),
        (PASSWORD, "x" * 201, "x" * 201, "new_password"),
    ],
)
def test_a_password_that_is_not_taken_names_the_field(
    browser: Browser, password: str, new: str, repeat: str, field: str
) -> None:
    browser.sign_in("ha")
    browser.get("/account")
    answer = browser.post("/account/password", {"password": password, "new_password": new, "repeat": repeat})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert password not in answer.text


def test_a_person_ends_another_session_and_a_token_of_their_own(browser: Browser, app: Flask, people: County) -> None:
    token = issue_token(IssueToken(login="ha", scopes=[]), actor=SYSTEM, now=utc_now()).token
    phone = Browser(app, **{"User-Agent": "Mozilla/5.0 (Linux; Android 9) AppleWebKit Chrome/78.0 Mobile"})
    phone.sign_in("ha")
    browser.sign_in("ha")
    page = browser.get("/account").text
    assert "Chrome、Android" in page
    path = page.split('action="/account/sessions/')[1].split('"')[0]
    assert browser.post(f"/account/sessions/{path}").status_code == 302
    assert phone.get("/account").status_code == 302
    path = page.split('action="/account/tokens/')[1].split('"')[0]
    assert browser.post(f"/account/tokens/{path}").status_code == 302
    assert find_token(people.session, token, utc_now()) is None
    assert browser.post("/account/sessions/999/end").status_code == 404


def test_signing_out_everywhere_ends_all_sessions(browser: Browser, app: Flask) -> None:
    other = Browser(app)
    other.sign_in("ha")
    browser.sign_in("ha")
    browser.get("/account")
    assert browser.post("/account/sign-out-everywhere").headers["Location"] == "/sign-in"
    assert browser.get("/account").status_code == 302
    assert other.get("/account").status_code == 302


def test_a_moved_person_has_the_new_role_at_the_next_request(browser: Browser) -> None:
    browser.sign_in("la")
    assert "（A）" in browser.get("/account").text
    grant_role(OfRole(login="la", role="unit_head@b"), actor=SYSTEM, now=utc_now())
    revoke_role(OfRole(login="la", role="unit_head@a"), actor=SYSTEM, now=utc_now())
    page = browser.get("/account").text
    assert "（B）" in page
    assert "（A）" not in page


def test_a_shut_account_is_out_at_the_next_request(browser: Browser) -> None:
    browser.sign_in("ha")
    disable_account(OfAccount(login="ha"), actor=SYSTEM, now=utc_now())
    assert browser.get("/account").status_code == 302


def test_a_password_set_by_another_must_be_changed_before_anything_else(browser: Browser) -> None:
    set_password(SetPassword(login="ha", password=NEW, must_change=True), actor=SYSTEM, now=utc_now())
    browser.sign_in("ha", NEW)
    page = browser.get("/account").text
    path = page.split('action="/account/sessions/')[-1].split('"')[0] if "/account/sessions/" in page else "1/end"
    assert browser.post(f"/account/sessions/{path}").headers["Location"] == "/account"
    browser.get("/account")
    browser.post("/account/password", {"password": NEW, "new_password": PASSWORD, "repeat": PASSWORD})
    assert browser.post("/account/sessions/999/end").status_code == 404


def test_a_session_left_alone_for_eight_hours_must_sign_in_again(app: Flask, people: County) -> None:
    with time_machine.travel("2026-03-02T01:00:00+00:00", tick=False) as traveller:
        browser = Browser(app)
        browser.sign_in("ha")
        traveller.shift(IDLE - timedelta(minutes=1))
        assert browser.get("/account").status_code == 200
        traveller.shift(IDLE)
        assert browser.get("/account").status_code == 302


def test_a_form_sent_after_the_session_ended_is_refused_and_not_lost(browser: Browser, app: Flask) -> None:
    browser.sign_in("ha")
    browser.get("/account")
    disable_account(OfAccount(login="ha"), actor=SYSTEM, now=utc_now())
    answer = browser.post("/account/sessions/1/end", {"text": "what I had written"})
    assert answer.status_code == 401
    assert "what I had written" in answer.text


def test_a_page_of_another_role_is_refused_and_the_refusal_audited(app: Flask, people: County) -> None:
    @app.get("/only-for-auditors")
    @require("auditor")
    def only_for_auditors() -> str:
        return "the trail"

    @app.get("/for-nobody-yet")
    def for_nobody_yet() -> str:
        return "no rule was declared"

    browser = Browser(app)
    browser.sign_in("ha")
    assert browser.get("/only-for-auditors").status_code == 403
    assert browser.get("/for-nobody-yet").status_code == 404
    entries = select(AuditEntry.facts).where(AuditEntry.action == "access_denied")
    assert list(people.session.scalars(entries)) == [{"what": "only_for_auditors"}]
    auditor = Browser(app)
    auditor.sign_in("au")
    assert auditor.get("/only-for-auditors").text == "the trail"


@pytest.mark.parametrize(
    "wanted",
    ["//evil.test", "/\\evil.test", "https:evil.test", "https://evil.test", "%2f%2fevil.test", "javascript:alert(1)",
     "@evil.test", "", "/a\r\nSet-Cookie: x=1", "/\tevil", "\\\\evil.test", "/ /evil.test", "/sign-in", "/" + "x" * 2000],
)  # fmt: skip
def test_next_leads_only_to_this_site(browser: Browser, wanted: str) -> None:
    assert local_path(wanted) is None
    assert browser.sign_in("ha", next=wanted).headers["Location"] == "/"


@pytest.mark.parametrize("wanted", ["/", "/tickets/ABC?tab=2", "/搜索?q=水", "/%2fevil.test"])
def test_next_leads_to_any_page_of_this_site(wanted: str) -> None:
    assert local_path(wanted) == wanted


@pytest.mark.parametrize("path", ["/sign-in", "/account", "/no-such-page", "/healthz", "/api/v1/me", "/api/v1/nothing"])
def test_every_answer_carries_the_headers(browser: Browser, path: str) -> None:
    headers = browser.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers


def test_pages_of_signed_in_people_are_kept_nowhere_and_files_are(browser: Browser) -> None:
    browser.sign_in("ha")
    page = browser.get("/account")
    assert page.headers["Cache-Control"] == "no-store"
    sheet = page.text.split('rel="stylesheet" href="')[1].split('"')[0]
    assert "immutable" in browser.get(sheet).headers["Cache-Control"]


def test_the_cookie_says_little_and_only_to_this_site(browser: Browser) -> None:
    answer = browser.sign_in("ha")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Domain" not in cookie
    assert len(cookie) < 4096
    assert "Secure" not in cookie


@pytest.fixture
def https_app(sqlite_template: Path, tmp_path: Path) -> Iterator[Flask]:
    path = tmp_path / "https.db"
    shutil.copy(sqlite_template, path)
    app = create_app(make_settings(tmp_path, f"sqlite:///{path}", BASE_URL="https://zhida.test"))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def test_under_https_the_cookie_is_secure_and_bound_to_the_host(https_app: Flask) -> None:
    give_password(*build_county(db.session()).accounts.values())
    browser = Browser(https_app)
    https = {"base_url": "https://zhida.test"}
    browser.get("/sign-in", **https)
    fields = {"login": "ha", "password": PASSWORD}
    answer = browser.post("/sign-in", fields, headers={"Referer": "https://zhida.test/sign-in"}, **https)
    assert answer.status_code == 302
    assert answer.headers["Set-Cookie"].startswith("__Host-zhida=")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert browser.get("/account", **https).status_code == 200


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML) Chrome/78.0 Safari/537.36",
            "Chrome, Windows",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 15_0 like Mac OS X) Safari/604.1 MicroMessenger/8.0", "WeChat, iPhone"),
        ("curl/8", ""),
        ("<script>" * 100, ""),
    ],
)
def test_a_device_is_told_in_a_few_words(agent: str, words: str) -> None:
    assert device_words(agent) == words
