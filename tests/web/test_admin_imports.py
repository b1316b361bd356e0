"""Files in and out on the admin's pages: tried out first, told row by row, taken at a yes, and taken away to be brought back."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from feedback.calendars.models import BusinessCalendar, CalendarDay
from feedback.kernel.audit import AuditEntry
from feedback.kernel.clock import utc_now
from feedback.kernel.pending_import import PendingImport
from feedback.people.models import Account, Unit
from feedback.sla.models import SlaClock, SlaPolicy
from tests.support.browser import Browser, give_password
from tests.support.county import County
from tests.support.journey import Journey

ENGLISH = {"Accept-Language": "en"}
KINDS = ("units", "accounts", "catalogue", "policies", "calendars")
UNITS = "code,name,parent,kind,level\n"


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


def send(browser: Browser, kind: str, content: str | bytes, name: str = "file.csv", **fields: str) -> Any:
    """Send a file as a browser does; made by hand, because the test client leaves its own temporary file open."""
    raw = content.encode() if isinstance(content, str) else content
    parts = [
        f'--cut\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in {"csrf_token": browser.token, **fields}.items()
    ]
    head = f'--cut\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    body = b"".join([*parts, head, raw, b"\r\n--cut--\r\n"])
    return browser._open("POST", f"/admin/imports/{kind}", data=body, content_type="multipart/form-data; boundary=cut")


def say_yes(browser: Browser, answer: Any) -> Any:
    path = re.search(r'action="(/admin/imports/\w+/\d+)"', answer.text)
    assert path, answer.text
    kept = re.search(r'name="apply_to_open" value="yes"', answer.text)
    return browser.post(path[1], {"apply_to_open": "yes"} if kept else {})


def number(county: County, column: Any) -> int:
    county.session.rollback()
    return county.session.scalar(select(func.count(column))) or 0


def test_file_is_tried_out_first_and_taken_at_a_yes(admin: Browser, county: County) -> None:
    before = number(county, Unit.id)
    rows = (
        f"{UNITS}parks,Parks,p1,department,county\nbad one,X,p1,department,county\nlost,Y,nowhere,department,county\n"
    )
    answer = send(admin, "units", rows)
    assert answer.status_code == 200
    assert "Nothing is changed yet" in answer.text
    assert "nowhere" in answer.text
    assert number(county, Unit.id) == before
    entries = number(county, AuditEntry.id)
    done = say_yes(admin, answer)
    assert "It is taken in" in done.text
    assert number(county, Unit.id) == before + 1
    assert number(county, AuditEntry.id) == entries + 1
    assert number(county, PendingImport.id) == 0


def test_yes_said_twice_takes_the_file_once(admin: Browser, county: County) -> None:
    answer = send(admin, "units", f"{UNITS}parks,Parks,p1,department,county\n")
    say_yes(admin, answer)
    again = say_yes(admin, answer)
    assert again.status_code == 303
    assert "taken in already" in html.unescape(admin.get("/admin/imports/units").text)


def test_file_that_waits_is_nobody_elses_and_a_day_old_at_most(app: Flask, admin: Browser, county: County) -> None:
    county.add_person("adm2", "admin@root")
    give_password(county.accounts["adm2"])
    answer = send(admin, "units", f"{UNITS}parks,Parks,p1,department,county\n")
    other = signed_in(app, "adm2")
    assert say_yes(other, answer).status_code == 303
    county.session.query(PendingImport).update({"created_at": utc_now() - timedelta(hours=25)})
    county.session.commit()
    assert say_yes(admin, answer).status_code == 303
    assert number(county, Unit.id) == len(county.units)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "empty.csv"),
        (b"\x00\x01\x02\xff\xfe" * 50, "noise.csv"),
        (b"PK\x03\x04 but no book", "cut.xlsx"),
        (b"<html><script>alert(1)</script></html>", "page.csv"),
        (b"a,b,c\n1,2,3\n", "other.csv"),
        (b"\xd0\xcf\x11\xe0 old", "old.xls"),
        (b"x" * (4 * 1024 * 1024 + 1), "huge.csv"),
        (b"- [unclosed", "x.yaml"),
    ],
)
def test_file_of_the_wrong_kind_is_refused_in_words(admin: Browser, kind: str, content: bytes, name: str) -> None:
    answer = send(admin, kind, content, name)
    assert answer.status_code == 422
    assert 'id="upload-file-error"' in answer.text
    assert "<script>alert" not in answer.text


def test_no_file_at_all_is_said(admin: Browser) -> None:
    answer = admin.post("/admin/imports/units", {})
    assert answer.status_code == 422
    assert "Choose a file first" in answer.text


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_taken_away_is_brought_back_as_it_was(admin: Browser, county: County, kind: str) -> None:
    county.session.rollback()
    account = county.session.get_one(Account, county.accounts["hw"].id)
    account.phone, account.email, account.name = "+86 10 5555", "hw@example.cn", "=HYPERLINK(1)"
    county.session.commit()
    days = "calendar,rule,date,days,windows,note\ncn,holiday,2031-01-01/2031-01-02,,,元旦\ncn,workday,2031-01-04,,,\n"
    hours = "shift,week,06-01/09-30,mon;tue,08:00-12:00;15:00-18:00,\nshift,week,,sat,00:00-24:00,\n"
    say_yes(admin, send(admin, "calendars", f"{days}{hours}shift,half,2031-02-01,,09:00-12:00,=1+1\n"))
    exported = admin.get(f"/admin/exports/{kind}.csv")
    assert exported.mimetype == "text/csv"
    assert f"{kind}.csv" in exported.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(exported.data.decode("utf-8-sig"))))
    assert len(rows) > 1
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    answer = send(admin, kind, exported.data)
    assert "every good row is there already" in html.unescape(answer.text), answer.text
    assert "Rows that are not taken" not in answer.text


def test_admin_of_a_part_takes_away_and_brings_in_their_part_alone(app: Flask, admin: Browser, county: County) -> None:
    part = signed_in(app, "part")
    logins = [row[0] for row in csv.reader(io.StringIO(part.get("/admin/exports/accounts.csv").data.decode()))]
    assert "la" in logins
    assert "hw" not in logins
    assert "water" not in part.get("/admin/exports/units.csv").text
    part.get("/account")
    rows = f"{UNITS}water,Taken,p1,department,county\ntown,Town,p2,region,town\nnew,New,root,department,county\n"
    rows += "top,Top,,region,county\ngood,Good,a,department,county\n"
    answer = send(part, "units", rows)
    assert answer.text.count("not below one of which you are admin") == 3
    say_yes(part, answer)
    water = county.session.scalars(select(Unit).where(Unit.code == "water")).one()
    assert water.name == "Water"
    people = "login,name,roles\nhw,Taken,\nla,La,leader@root\nnewcomer,New,handler@a\n"
    answer = send(part, "accounts", people)
    assert answer.text.count("not below one of which you are admin") == 2
    for kind in ("catalogue", "policies", "calendars"):
        assert "top unit" in part.get(f"/admin/imports/{kind}").text
        assert send(part, kind, "name,order\nx,1\n").status_code == 403
        part.get("/account")


def test_account_that_a_file_moves_leaves_its_tickets_to_the_unit(admin: Browser, county: County) -> None:
    journey = Journey(county, now=utc_now() - timedelta(hours=3))
    reference = journey.to("in_progress")
    journey.act(reference, "assign", "hw", assignee="hw2")
    answer = send(admin, "accounts", "login,name,roles\nhw2,Person hw2,handler@roads\n")
    assert journey.ticket(reference).assignee_id is not None
    say_yes(admin, answer)
    assert journey.ticket(reference).assignee_id is None


def policy_file(admin: Browser, **changes: str) -> str:
    rows = list(csv.DictReader(io.StringIO(admin.get("/admin/exports/policies.csv").data.decode("utf-8-sig"))))
    row = {**next(row for row in rows if row["kind"] == "demand" and row["urgency"] == "normal"), **changes}
    out = io.StringIO()
    writer = csv.DictWriter(out, list(row))
    writer.writeheader()
    writer.writerow(row)
    return out.getvalue()


def due(county: County) -> datetime:
    county.session.rollback()
    found = county.session.scalars(select(SlaClock).where(SlaClock.kind == "resolution")).one()
    return found.due_at


@pytest.mark.parametrize("apply", [True, False])
def test_policy_tells_which_open_tickets_would_be_late_before_it_counts(
    admin: Browser, county: County, apply: bool
) -> None:
    now = utc_now()
    journey = Journey(county, now=now - timedelta(days=3))
    reference = journey.submit(text="水管漏水三天了", kind="demand", urgency="normal")
    before = due(county)
    fields = {"apply_to_open": "y"} if apply else {}
    answer = send(admin, "policies", policy_file(admin, resolution="3h", first_response="2h"), **fields)
    assert (reference in answer.text) is apply
    assert ("late by then" in answer.text) is apply
    assert due(county) == before
    say_yes(admin, answer)
    assert (due(county) < before) is apply
    assert number(county, SlaPolicy.id) == 17


def test_policy_with_a_wrong_row_says_which_cell(admin: Browser) -> None:
    answer = send(admin, "policies", policy_file(admin, resolution="soon"))
    assert "resolution" in answer.text
    assert "no amount of time" in html.unescape(answer.text)
    assert "Yes, take it in" not in answer.text


NOVEMBER = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


def test_admin_brings_in_a_years_notice_and_the_warning_goes(app: Flask, county: County, admin: Browser) -> None:
    with time_machine.travel(NOVEMBER, tick=True):
        give_password(county.accounts["adm"])
        admin = signed_in(app, "adm")
        assert "The official days of 2027 are missing" in admin.get("/admin").text
        assert "The official days of 2027" in admin.get("/admin/official-days").text
        fields = {"year": "2027", "holidays": "1月1日至3日 元旦\n02-06/02-12 Spring Festival", "workdays": "01-09"}
        answer = admin.post("/admin/official-days", fields)
        assert "Nothing is changed yet" in answer.text
        assert number(county, CalendarDay.on) == 0
        assert "missing" in admin.get("/admin/calendars").text
        say_yes(admin, answer)
        assert number(county, CalendarDay.on) == 11
        assert "The official days of 2027 are missing" not in admin.get("/admin").text
        assert "The official days of 2027 are missing" not in admin.get("/admin/calendars").text
        site = county.session.scalars(select(BusinessCalendar).where(BusinessCalendar.superseded_at.is_(None))).one()
        assert site.version == 2


def test_admin_whose_notice_has_a_wrong_line_keeps_what_they_typed(admin: Browser) -> None:
    fields = {"year": "2027", "holidays": "1月1日至3日 元旦\nsometime", "workdays": "2028-01-01"}
    answer = admin.post("/admin/official-days", fields)
    assert answer.status_code == 422
    assert "sometime" in re.search(r'id="notice-holidays-error"[^>]*>(.*?)</p>', answer.text)[1]  # type: ignore[index]
    assert 'id="notice-workdays-error"' in answer.text
    assert "元旦" in answer.text


def test_notice_that_moves_open_tickets_says_from_when_to_when(admin: Browser, county: County) -> None:
    today = utc_now()
    journey = Journey(county, now=today - timedelta(hours=1))
    reference = journey.submit(text="水管漏水三天了", kind="demand", urgency="normal")
    year = str((today + timedelta(days=20)).year)
    first, last = today + timedelta(days=1), min(today + timedelta(days=20), datetime(today.year, 12, 31, tzinfo=UTC))
    answer = admin.post(
        "/admin/official-days",
        {"year": str(today.year), "holidays": f"{first:%m-%d}/{last:%m-%d} a long rest"},
    )
    assert answer.status_code == 200
    assert reference in answer.text
    assert "would move" in answer.text
    assert year


@pytest.mark.parametrize("kind", KINDS)
def test_others_bring_nothing_in_and_take_nothing_away(app: Flask, admin: Browser, kind: str) -> None:
    browser = signed_in(app, "hw")
    assert browser.get(f"/admin/exports/{kind}.csv").status_code == 403
    browser.get("/account")
    assert send(browser, kind, "name\n").status_code == 403
    browser.get("/account")
    assert browser.post(f"/admin/imports/{kind}/1", {}).status_code == 403


@pytest.mark.parametrize("path", ["catalogue", "policies", "calendars", "official-days", "official-days?year=1e9&x=1"])
def test_lists_of_rules_show_versions_and_survive_strange_addresses(admin: Browser, path: str) -> None:
    answer = admin.get(f"/admin/{path}")
    assert answer.status_code == 200
    assert ("Version" in answer.text) is ("official" not in path)
    for strange in ("%00", "zzz", "9" * 400, "%F0%9F%98%80"):
        assert (
            admin.get(f"/admin/{path.partition('?')[0]}?q={strange}&cursor={strange}&year={strange}").status_code == 200
        )
