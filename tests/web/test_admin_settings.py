"""The admin's page of settings: quiet hours, the site's calendar, who takes tickets about the top unit."""

from __future__ import annotations

import html
import re

import pytest
from flask import Flask
from sqlalchemy import select

from feedback.kernel.audit import AuditEntry
from feedback.kernel.clock import utc_now
from feedback.kernel.memo import forget
from feedback.kernel.site import get_setting
from tests.support.browser import Browser, give_password
from tests.support.county import County

ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def admin(app: Flask, county: County) -> Browser:
    county.add_person("part", "admin@p1")
    give_password(*(county.accounts[login] for login in ("adm", "part", "hw")))
    return signed_in(app, "adm")


def signed_in(app: Flask, login: str) -> Browser:
    browser = Browser(app, **ENGLISH)
    browser.sign_in(login)
    browser.get("/account")
    return browser


def read_anew(county: County) -> None:
    """Forget what this session read before the pages wrote."""
    county.session.rollback()
    county.session.expire_all()
    forget(county.session)


def setting(county: County, name: str) -> object:
    read_anew(county)
    return get_setting(county.session, name)


def changes(county: County) -> list[dict[str, object]]:
    county.session.rollback()
    entries = select(AuditEntry).where(AuditEntry.stream == "settings", AuditEntry.action == "setting.changed")
    return [entry.facts for entry in county.session.scalars(entries.order_by(AuditEntry.seq))]


def test_admin_keeps_days_off_quiet_and_takes_that_back(admin: Browser, county: County) -> None:
    admin.post("/admin/settings/quiet-hours", {"begins": "22:00", "ends": "07:00", "days_off": "y"})
    assert setting(county, "quiet_days_off") is True
    assert re.search(
        r'<input[^>]* checked[^>]*name="days_off"|name="days_off"[^>]* checked', admin.get("/admin/settings").text
    )
    admin.post("/admin/settings/quiet-hours", {"begins": "22:00", "ends": "07:00"})
    assert setting(county, "quiet_days_off") is False
    assert [change["setting"] for change in changes(county)] == ["quiet_hours", "quiet_days_off", "quiet_days_off"]


def test_admin_sets_quiet_hours_and_takes_them_away(admin: Browser, county: County) -> None:
    assert admin.post("/admin/settings/quiet-hours", {"begins": "22:00", "ends": "07:00"}).status_code == 303
    assert setting(county, "quiet_hours") == "22:00-07:00"
    assert 'value="22:00"' in admin.get("/admin/settings").text
    admin.post("/admin/settings/quiet-hours", {"begins": "22:00", "ends": "07:00"})
    admin.post("/admin/settings/quiet-hours", {})
    assert setting(county, "quiet_hours") == ""
    assert changes(county) == [
        {"setting": "quiet_hours", "from": "", "to": "22:00-07:00"},
        {"setting": "quiet_hours", "from": "22:00-07:00", "to": ""},
    ]


@pytest.mark.parametrize(
    ("begins", "ends", "field"),
    [("22", "07:00", "begins"), ("22:00", "", "ends"), ("25:00", "07:00", "begins"), ("07:00", "07:00", "ends")],
)
def test_admin_with_a_time_that_is_none_reads_which(
    admin: Browser, county: County, begins: str, ends: str, field: str
) -> None:
    answer = admin.post("/admin/settings/quiet-hours", {"begins": begins, "ends": ends})
    assert answer.status_code == 422
    assert f'id="quiet-{field}-error"' in answer.text
    assert setting(county, "quiet_hours") == ""


def test_admin_chooses_the_calendar_of_the_site(admin: Browser, county: County) -> None:
    assert admin.post("/admin/settings/default-calendar", {"calendar": "site"}).status_code == 303
    assert changes(county) == []
    answer = admin.post("/admin/settings/default-calendar", {"calendar": "moon"})
    assert answer.status_code == 422
    assert 'id="calendar-calendar-error"' in answer.text
    assert setting(county, "default_calendar") == "site"


def test_admin_names_who_takes_tickets_about_the_top_and_it_holds_at_once(admin: Browser, county: County) -> None:
    assert county.actor("d", utc_now()).exempt_unit_ids == ()
    assert admin.post("/admin/settings/root-dispatchers", {"logins": "d\n\n D ", "seen": ""}).status_code == 303
    read_anew(county)
    assert county.actor("d", utc_now()).exempt_unit_ids == (county.units["root"].id,)
    stale = admin.post("/admin/settings/root-dispatchers", {"logins": "d2", "seen": ""})
    assert stale.status_code == 409
    assert "Somebody changed this list" in stale.text
    assert re.search(r"<textarea[^>]*>\s*d2</textarea>", stale.text)
    assert setting(county, "root_dispatchers") == ["d"]


@pytest.mark.parametrize("login", ["hw", "dp1", "nobody", "\x00", "水" * 300])
def test_nobody_is_named_who_is_no_dispatcher_at_the_top(admin: Browser, county: County, login: str) -> None:
    answer = admin.post("/admin/settings/root-dispatchers", {"logins": login, "seen": ""})
    assert answer.status_code == 422
    assert "root-logins-error" in answer.text
    assert setting(county, "root_dispatchers") == []


SITE_WIDE = {
    "quiet-hours": {"begins": "22:00", "ends": "07:00"},
    "default-calendar": {"calendar": "site"},
    "root-dispatchers": {"logins": "d", "seen": ""},
    "self-dispatch": {"on": "no"},
    "danger-words/urgent": {"words": "anything"},
}


@pytest.mark.parametrize("login", ["part", "hw"])
@pytest.mark.parametrize("path", sorted(SITE_WIDE))
def test_nobody_below_the_top_changes_what_counts_everywhere(
    app: Flask, admin: Browser, county: County, login: str, path: str
) -> None:
    browser = signed_in(app, login)
    if login == "part":
        assert "only an admin at its top unit" in html.unescape(browser.get("/admin/settings").text)
    assert browser.post(f"/admin/settings/{path}", SITE_WIDE[path]).status_code == 403
    assert changes(county) == []
