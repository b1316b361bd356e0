"""The admin's pages: what needs attention, routing's settings with their audit, people and units to look up, jobs."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from feedback.factory import create_app
from feedback.kernel.audit import AuditEntry, verify
from feedback.kernel.clock import utc_now
from feedback.kernel.db import db
from feedback.kernel.outbox import DEAD, Outbox
from feedback.kernel.site import get_setting
from feedback.kernel.transaction import transaction
from feedback.people.usecases import OfAccount, disable_account
from feedback.settings import Settings
from feedback.sla.models import SweepRun
from feedback.web.present.admin import problems
from tests.conftest import KEY
from tests.support.browser import Browser, give_password
from tests.support.calendars import at
from tests.support.county import County
from tests.support.journey import Journey
from tests.support.strange import STRANGE

ENGLISH = {"Accept-Language": "en"}
LONG_LIST = "\n".join(f"word {number}" for number in range(1001))


@pytest.fixture
def admin(app: Flask, county: County) -> Browser:
    county.add_person("part", "admin@p1")
    give_password(*(county.accounts[login] for login in ("adm", "part", "hw", "lr")))
    return signed_in(app, "adm")


def signed_in(app: Flask, login: str) -> Browser:
    browser = Browser(app, **ENGLISH)
    browser.sign_in(login)
    browser.get("/admin/settings")
    return browser


def settings_trail(county: County) -> list[AuditEntry]:
    county.session.rollback()
    entries = county.session.scalars(select(AuditEntry).where(AuditEntry.stream == "settings").order_by(AuditEntry.seq))
    return [entry for entry in entries if entry.action == "setting.changed"]


def test_admin_switches_self_dispatch_off_and_on_and_it_is_on_the_trail(admin: Browser, county: County) -> None:
    journey = Journey(county, now=utc_now() - timedelta(hours=1))
    assert "It is on" in admin.get("/admin/settings").text
    answer = admin.post("/admin/settings/self-dispatch", {"on": "no"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/settings")
    assert journey.ticket(journey.submit(text="水管漏水三天了")).status == "submitted"
    assert "Self-dispatch is off" in admin.get("/admin").text
    admin.post("/admin/settings/self-dispatch", {"on": "no"})
    admin.post("/admin/settings/self-dispatch", {"on": "yes"})
    assert journey.ticket(journey.submit(text="水管漏水三天了")).status == "dispatched"
    trail = settings_trail(county)
    assert [(entry.facts["from"], entry.facts["to"]) for entry in trail] == [(True, False), (False, True)]
    assert trail[0].actor == f"account:{county.accounts['adm'].id}"
    assert list(verify(county.session)) == []


@pytest.mark.parametrize("value", ["", "maybe", "1"])
def test_admin_who_says_neither_on_nor_off_changes_nothing(admin: Browser, county: County, value: str) -> None:
    answer = admin.post("/admin/settings/self-dispatch", {"on": value})
    assert answer.status_code == 422
    assert "yes, no" in answer.text
    assert settings_trail(county) == []


def words_and_seen(text: str, level: str) -> tuple[str, str]:
    words = re.search(rf'<textarea[^>]*id="words-{level}-words"[^>]*>(.*?)</textarea>', text, re.S)
    seen = re.search(rf'id="words-{level}-seen"[^>]*value="([^"]*)"', text)
    assert words
    assert seen
    return html.unescape(words.group(1)).strip(), html.unescape(seen.group(1))


def test_admin_edits_danger_words_and_the_next_ticket_is_read_by_them(admin: Browser, county: County) -> None:
    journey = Journey(county, now=utc_now() - timedelta(hours=1))
    words, seen = words_and_seen(admin.get("/admin/settings").text, "critical")
    typed = words.replace("坍塌\n", "") + "\nswarm of hornets\n\n  Swarm of  hornets "
    answer = admin.post("/admin/settings/danger-words/critical", {"words": typed, "seen": seen})
    assert answer.status_code == 303
    assert journey.ticket(journey.submit(text="A swarm of hornets at the school")).urgency == "critical"
    (entry,) = settings_trail(county)
    assert entry.facts == {"setting": "danger_words_critical", "added": ["swarm of hornets"], "taken_out": ["坍塌"]}


def test_second_of_two_admins_at_once_keeps_what_they_typed(admin: Browser, county: County) -> None:
    words, seen = words_and_seen(admin.get("/admin/settings").text, "urgent")
    admin.post("/admin/settings/danger-words/urgent", {"words": f"{words}\nfirst of us", "seen": seen})
    answer = admin.post("/admin/settings/danger-words/urgent", {"words": f"{words}\nsecond of us", "seen": seen})
    assert answer.status_code == 409
    assert "Somebody changed this list" in answer.text
    typed, fresh = words_and_seen(answer.text, "urgent")
    assert typed.endswith("second of us")
    assert "first of us" in fresh
    assert "second of us" not in get_setting(county.session, "danger_words_urgent")
    assert admin.post("/admin/settings/danger-words/urgent", {"words": typed, "seen": fresh}).status_code == 303


@pytest.mark.parametrize(
    ("typed", "reason"),
    [("水", "too short"), ("x" * 61, "at most 60 letters"), (LONG_LIST, "At most 1000"), ("坏\x07了", "be shown")],
)
def test_admin_with_a_word_that_can_not_be_taken_reads_why(
    admin: Browser, county: County, typed: str, reason: str
) -> None:
    _words, seen = words_and_seen(admin.get("/admin/settings").text, "urgent")
    answer = admin.post("/admin/settings/danger-words/urgent", {"words": typed, "seen": seen})
    assert answer.status_code == 422
    assert reason in html.unescape(answer.text)
    assert settings_trail(county) == []


def test_admin_looks_people_up_within_their_reach(app: Flask, admin: Browser, county: County) -> None:
    disable_account(OfAccount(login="hw2"), actor=county.actor("adm", utc_now()), now=utc_now())
    text = admin.get("/admin/accounts").text
    assert "Handler (Water)" in text
    row = text.partition('id="row-hw2"')[2].partition("</tr>")[0]
    assert "shut" in row
    found = admin.get("/admin/accounts?q=Person+hw").text
    assert re.findall(r'id="row-([^"]+)"', found) == ["hw", "hw2"]
    part = signed_in(app, "part").get("/admin/accounts").text
    assert 'id="row-la"' in part
    assert 'id="row-s"' in part
    assert 'id="row-hw"' not in part
    assert 'id="row-x"' not in part


def test_admin_pages_through_all_people_once(app: Flask, admin: Browser, county: County) -> None:
    for number in range(60):
        county.add_person(f"p{number:02d}", "submitter@village")
    seen: list[str] = []
    following: str | None = "/admin/accounts"
    while following:
        text = admin.get(following).text
        seen += re.findall(r'<tr role="row" id="row-([^"]+)"', text)
        link = re.search(r'rel="next" href="([^"]+)"', text)
        following = html.unescape(link.group(1)) if link else None
    assert len(seen) == len(set(seen)) == len(county.accounts)


def test_admin_sees_each_unit_below_the_one_it_belongs_to(app: Flask, admin: Browser) -> None:
    codes = re.findall(r'<tr role="row" id="row-([^"]+)"', admin.get("/admin/units").text)
    assert codes == ["root", "p1", "town", "village", "a", "b", "p2", "c", "water", "roads"]
    assert re.findall(r'id="row-([^"]+)"', signed_in(app, "part").get("/admin/units").text) == codes[1:6]


def test_admin_reads_what_needs_attention_and_what_to_do(app: Flask, admin: Browser, county: County) -> None:
    text = admin.get("/admin").text
    assert "Nobody looks at the clocks" in text
    assert "Redis does not answer" in text
    now = utc_now()
    with transaction() as session:
        session.add(SweepRun(started_at=now, finished_at=now, by="worker"))
        session.add(
            Outbox(
                event="ticket.replied", state=DEAD, attempts=6, last_error="SMTP 550", created_at=now, available_at=now
            )
        )
    text = admin.get("/admin").text
    assert "Nobody looks at the clocks" not in text
    assert "1 message was given up" in text
    jobs = admin.get("/admin/jobs").text
    assert "ticket.replied" in jobs
    assert "SMTP 550" in jobs
    assert "does not answer" in jobs


def test_admin_is_warned_of_a_missing_year_and_of_plain_http(admin: Browser, app: Flask, county: County) -> None:
    with time_machine.travel(at("2060-03-02 10:00"), tick=False), app.test_request_context(headers=ENGLISH):
        titles = [p["title"] for p in problems(county.session, app.extensions["queues"], production(), utc_now())]
    assert "This site is served over plain http" in titles
    assert any("2060" in title for title in titles)


def production() -> Settings:
    return Settings.from_env(
        {
            "FEEDBACK_ENV": "production",
            "SECRET_KEY": "kf83Hs02-qLwz71MnbY4Tr95vXcPd6Ea",
            "BASE_URL": "http://zhida.example",
            "ALLOW_HTTP": "1",
            "INSTANCE_DIR": "/nowhere",
        },
        uid=1000,
    )


@pytest.mark.parametrize("login", ["hw", "lr"])
def test_others_may_neither_look_nor_change(app: Flask, admin: Browser, county: County, login: str) -> None:
    browser = signed_in(app, login)
    browser.get("/account")
    for path in ("/admin", "/admin/settings", "/admin/accounts", "/admin/units", "/admin/jobs"):
        assert browser.get(path).status_code == 403
    browser.get("/account")
    assert browser.post("/admin/settings/self-dispatch", {"on": "no"}).status_code == 403
    assert get_setting(county.session, "self_dispatch") is True


@pytest.mark.parametrize("name", ["q", "cursor"])
def test_admin_with_a_strange_address_never_gets_a_fault(admin: Browser, name: str) -> None:
    for value in STRANGE:
        answer = admin.get(f"/admin/accounts?{name}={value}")
        assert answer.status_code == 200, value
        assert "<script>alert" not in answer.text


def test_page_of_samples_is_there_for_developers_alone(app: Flask, tmp_path: Path) -> None:
    browser = Browser(app)
    assert browser.get("/dev/kitchen").status_code == 200
    assert browser.post("/dev/kitchen", {"text": "x"}).headers["Location"] == "/dev/kitchen"
    settings = Settings.from_env(
        {
            "FEEDBACK_ENV": "production",
            "SECRET_KEY": "kf83Hs02-qLwz71MnbY4Tr95vXcPd6Ea",
            "BASE_URL": "https://zhida.example",
            "DATABASE_URL": f"sqlite:///{tmp_path / 'other.db'}",
            "INSTANCE_DIR": str(tmp_path),
        },
        uid=1000,
    )
    assert settings.secret_key != KEY
    real = create_app(settings)
    assert "kitchen.kitchen" not in real.view_functions
    with real.app_context():
        db.engine.dispose()
