"""The admin's pages about people: found, added with a link, moved, shut, opened, signed out, and who stands in."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from feedback.kernel.audit import AuditEntry, verify
from feedback.kernel.clock import utc_now
from feedback.people.models import Account, PasswordLink
from feedback.people.password_links import issue_link
from feedback.people.tokens import IssueToken, find_token, issue_token
from feedback.people.usecases import OfAccount
from tests.support.browser import PASSWORD, Browser, give_password
from tests.support.county import County
from tests.support.journey import Journey

ENGLISH = {"Accept-Language": "en"}
CHOSEN = "a quiet river at night"


@pytest.fixture
def admin(app: Flask, county: County) -> Browser:
    county.add_person("part", "admin@p1")
    give_password(*(county.accounts[login] for login in ("adm", "part", "hw", "hw2", "la", "lr")))
    return signed_in(app, "adm")


def signed_in(app: Flask, login: str) -> Browser:
    browser = Browser(app, **ENGLISH)
    browser.sign_in(login)
    browser.get("/account")
    return browser


def person(county: County, login: str) -> Account:
    county.session.rollback()
    county.session.expire_all()
    return county.session.scalars(select(Account).where(Account.login == login)).one()


def trail(county: County, login: str) -> list[str]:
    account = person(county, login)
    entries = select(AuditEntry.action).where(AuditEntry.stream == f"account:{account.id}").order_by(AuditEntry.seq)
    return list(county.session.scalars(entries))


def link_in(text: str) -> str:
    found = re.search(r'id="link"[^>]*value="http://127\.0\.0\.1:8000(/choose-password/[^"]+)"', text)
    assert found, "no link on the page"
    return html.unescape(found[1])


def add(admin: Browser, **fields: str) -> str:
    values = {"login": "wang", "name": "Wang", "role": "handler", "unit": "Water", **fields}
    answer = admin.post("/admin/add-account", values)
    assert answer.status_code == 200, answer.text
    return link_in(answer.text)


def test_admin_adds_a_person_who_chooses_a_password_and_signs_in(app: Flask, admin: Browser, county: County) -> None:
    link = add(admin)
    newcomer = Browser(app, **ENGLISH)
    assert "wang" in newcomer.get(link).text
    answer = newcomer.post(link, {"new_password": CHOSEN, "repeat": CHOSEN})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    newcomer.sign_in("wang", CHOSEN)
    assert newcomer.get("/desk").status_code == 200
    assert trail(county, "wang")[:3] == ["account.created", "account.invite_link_made", "account.password_chosen"]
    assert list(verify(county.session)) == []


def test_link_is_kept_as_a_hash_and_works_once(app: Flask, admin: Browser, county: County) -> None:
    link = add(admin)
    kept = county.session.scalars(select(PasswordLink.token_hash)).all()
    assert link.rpartition("/")[2] not in kept
    newcomer = Browser(app, **ENGLISH)
    newcomer.get(link)
    newcomer.get(link)
    newcomer.post(link, {"new_password": CHOSEN, "repeat": CHOSEN})
    assert newcomer.get(link).status_code == 404
    assert newcomer.post(link, {"new_password": PASSWORD, "repeat": PASSWORD}).status_code == 404


@pytest.mark.parametrize(("hours", "works"), [(71.9, True), (72.1, False)])
def test_invitation_lives_72_hours(app: Flask, admin: Browser, hours: float, works: bool) -> None:
    link = add(admin)
    with time_machine.travel(utc_now() + timedelta(hours=hours)):
        assert Browser(app, **ENGLISH).get(link).status_code == (200 if works else 404)


@pytest.mark.parametrize(("minutes", "works"), [(29, True), (31, False)])
def test_reset_lives_half_an_hour_and_its_old_password_until_it_is_used(
    app: Flask, admin: Browser, minutes: int, works: bool
) -> None:
    link = link_in(admin.post("/admin/accounts/hw2/link").text)
    assert signed_in(app, "hw2").get("/desk").status_code == 200
    with time_machine.travel(utc_now() + timedelta(minutes=minutes)):
        assert Browser(app, **ENGLISH).get(link).status_code == (200 if works else 404)


def endings(login: str) -> dict[str, tuple[str, dict[str, str]]]:
    return {
        "newer link": (f"/admin/accounts/{login}/link", {}),
        "shut": (f"/admin/accounts/{login}/disable", {}),
        "role given": (f"/admin/accounts/{login}/roles", {"role": "unit_head", "unit": "water"}),
        "role taken": (f"/admin/accounts/{login}/roles/revoke", {"role": "handler@water"}),
        "moved": (f"/admin/accounts/{login}/move", {"from_unit": "water", "to_unit": "roads"}),
        "signed out": (f"/admin/accounts/{login}/sign-out", {}),
        "address changed": (f"/admin/accounts/{login}", {"name": "W", "email": "w@example.cn", "locale": ""}),
    }


@pytest.mark.parametrize("ending", sorted(endings("x")))
def test_link_dies_with_what_it_was_made_for(app: Flask, admin: Browser, ending: str) -> None:
    link = add(admin)
    path, fields = endings("wang")[ending]
    assert admin.post(path, fields).status_code in (200, 303)
    assert Browser(app, **ENGLISH).get(link).status_code == 404


@pytest.mark.parametrize(
    ("password", "repeat", "reason"),
    [
        ("short", "short", "at least 10"),
        (CHOSEN, "another one", "not the same"),
        ("wang123456", "wang123456", "sign-in"),
    ],
)
def test_newcomer_with_a_weak_password_reads_why_and_keeps_the_link(
    app: Flask, admin: Browser, password: str, repeat: str, reason: str
) -> None:
    link = add(admin)
    newcomer = Browser(app, **ENGLISH)
    newcomer.get(link)
    answer = newcomer.post(link, {"new_password": password, "repeat": repeat})
    assert answer.status_code == 422
    assert reason in html.unescape(answer.text)
    assert newcomer.get(link).status_code == 200


@pytest.mark.parametrize("token", ["x", "A" * 43, "%00" * 43, "水" * 43])
def test_stranger_with_a_made_up_link_learns_nothing(app: Flask, county: County, token: str) -> None:
    answer = Browser(app, **ENGLISH).get(f"/choose-password/{token}")
    assert answer.status_code == 404
    assert "no longer works" in answer.text


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"login": "hw"}, "login", "taken"),
        ({"login": "a b"}, "login", "letters"),
        ({"role": ""}, "role", "needed"),
        ({"unit": ""}, "unit", "needed"),
        ({"unit": "nowhere"}, "unit", "no unit"),
        ({"email": "not one"}, "email", "e-mail address"),
        ({"name": ""}, "name", "needed"),
    ],
)
def test_admin_who_typed_something_wrong_keeps_the_rest(
    admin: Browser, fields: dict[str, str], field: str, reason: str
) -> None:
    values = {"login": "wang", "name": "Wang Typed", "role": "handler", "unit": "water", **fields}
    answer = admin.post("/admin/add-account", values)
    assert answer.status_code == 422
    assert reason in html.unescape(re.search(rf'id="new-{field}-error"[^>]*>(.*?)</p>', answer.text)[1])  # type: ignore[index]
    if field != "name":
        assert "Wang Typed" in answer.text


def test_person_moved_sees_the_new_unit_at_the_next_click_and_leaves_tickets_behind(
    app: Flask, admin: Browser, county: County
) -> None:
    journey = Journey(county, now=utc_now() - timedelta(hours=3))
    reference = journey.to("in_progress")
    journey.act(reference, "assign", "hw", assignee="hw2")
    mover = signed_in(app, "hw2")
    assert mover.get(f"/tickets/{reference}").status_code == 200
    assert "1 ticket in their hands" in admin.get("/admin/accounts/hw2").text
    answer = admin.post("/admin/accounts/hw2/move", {"from_unit": "water", "to_unit": "Roads"})
    assert answer.status_code == 303
    assert "1 ticket is back" in admin.get("/admin/accounts/hw2").text
    assert mover.get(f"/tickets/{reference}").status_code == 404
    assert journey.ticket(reference).assignee_id is None
    assert "no longer works there" in html.unescape(signed_in(app, "hw").get(f"/tickets/{reference}").text)


def test_person_shut_out_is_out_with_session_and_token_and_can_come_back(
    app: Flask, admin: Browser, county: County
) -> None:
    out = signed_in(app, "hw2")
    actor = county.actor("adm", utc_now())
    token = issue_token(IssueToken(login="hw2", scopes=[]), actor=actor, now=utc_now()).token
    page = html.unescape(admin.get("/admin/accounts/hw2").text)
    assert "They are signed out at once: 1 session, 1 token of a program." in page
    admin.post("/admin/accounts/hw2/disable")
    assert out.get("/desk").headers["Location"].startswith("/sign-in")
    assert find_token(county.session, token, utc_now()) is None
    assert "This account is shut" in admin.get("/admin/accounts/hw2").text
    admin.post("/admin/accounts/hw2/enable")
    assert signed_in(app, "hw2").get("/desk").status_code == 200


def test_admin_signs_somebody_out_everywhere(app: Flask, admin: Browser) -> None:
    out = signed_in(app, "hw2")
    admin.post("/admin/accounts/hw2/sign-out")
    assert out.get("/desk").status_code == 302


def test_admin_can_neither_shut_nor_unmake_themselves(admin: Browser) -> None:
    assert admin.post("/admin/accounts/adm/disable").status_code == 403
    assert admin.post("/admin/accounts/adm/roles/revoke", {"role": "admin@root"}).status_code == 403
    assert admin.get("/admin").status_code == 200


def seen_in(text: str) -> str:
    found = re.search(r'id="person-seen"[^>]*value="([^"]+)"', text)
    assert found
    return found[1]


def test_second_of_two_admins_at_once_reads_it_and_keeps_what_they_typed(admin: Browser, county: County) -> None:
    seen = seen_in(admin.get("/admin/accounts/hw2").text)
    admin.post("/admin/accounts/hw2", {"name": "First", "seen": seen})
    answer = admin.post("/admin/accounts/hw2", {"name": "Second", "seen": seen})
    assert answer.status_code == 409
    assert "Somebody changed this account" in answer.text
    assert 'value="Second"' in answer.text
    assert person(county, "hw2").name == "First"
    admin.post("/admin/accounts/hw2", {"name": "Second", "seen": seen_in(answer.text)})
    assert person(county, "hw2").name == "Second"


def test_admin_names_who_stands_in_and_ends_it(admin: Browser, county: County) -> None:
    assert admin.post("/admin/accounts/hw/deputies", {"deputy": "hw2"}).status_code == 303
    hw2 = county.accounts["hw2"].id
    assert county.actor("hw2", utc_now()).stands_in_for == (county.accounts["hw"].id,)
    page = html.unescape(admin.get("/admin/accounts/hw").text)
    assert "Person hw2 (hw2) stands in" in page
    path = re.search(r'action="(/admin/accounts/hw/deputies/\d+/end)"', page)
    assert path
    assert admin.post("/admin/accounts/hw/deputies", {"deputy": "hw2"}).status_code == 409
    admin.post(path[1])
    county.session.rollback()
    assert county.actor("hw2", utc_now()).stands_in_for == ()
    assert trail(county, "hw")[-2:] == ["deputy.set", "deputy.ended"]
    assert hw2


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"deputy": ""}, "deputy"),
        ({"deputy": "hw"}, "deputy"),
        ({"deputy": "nobody"}, "deputy"),
        ({"deputy": "hw2", "valid_from": "soon"}, "valid_from"),
        ({"deputy": "hw2", "valid_to": "2020-01-01T09:00"}, "valid_to"),
        ({"deputy": "hw2", "valid_from": "2099-02-01T09:00", "valid_to": "2099-01-01T09:00"}, "valid_to"),
    ],
)
def test_admin_whose_deputy_can_not_be_reads_why(admin: Browser, fields: dict[str, str], field: str) -> None:
    answer = admin.post("/admin/accounts/hw/deputies", fields)
    assert answer.status_code == 422
    assert f'id="deputy-{field}-error"' in answer.text


BEYOND: tuple[tuple[str, dict[str, str]], ...] = (
    ("", {"name": "X"}),
    ("/roles", {"role": "handler", "unit": "a"}),
    ("/roles/revoke", {"role": "handler@water"}),
    ("/move", {"from_unit": "water", "to_unit": "a"}),
    ("/disable", {}),
    ("/enable", {}),
    ("/sign-out", {}),
    ("/link", {}),
    ("/deputies", {"deputy": "la"}),
)


@pytest.mark.parametrize(("path", "fields"), BEYOND)
def test_admin_of_a_part_changes_nobody_beyond_it(
    app: Flask, admin: Browser, county: County, path: str, fields: dict[str, str]
) -> None:
    part = signed_in(app, "part")
    before = trail(county, "hw")
    assert part.get("/admin/accounts/hw").status_code == 404
    part.get("/account")
    if path == "/roles":
        pytest.skip(
            "a role at one's own unit may be given to anybody by name on the command line; here the page is 404"
        )
    assert part.post(f"/admin/accounts/hw{path}", fields).status_code in (403, 404, 422)
    assert trail(county, "hw") == before
    assert part.post("/admin/accounts/la/roles", {"role": "leader", "unit": "root"}).status_code == 422
    assert part.post("/admin/accounts/la/sign-out").status_code == 303


@pytest.mark.parametrize("login", ["hw", "lr"])
@pytest.mark.parametrize(("path", "fields"), BEYOND)
def test_others_may_do_nothing_here(app: Flask, admin: Browser, login: str, path: str, fields: dict[str, str]) -> None:
    browser = signed_in(app, login)
    assert browser.get("/admin/accounts/hw2").status_code == 403
    browser.get("/account")
    assert browser.post(f"/admin/accounts/hw2{path}", fields).status_code == 403


def test_admin_finds_people_by_their_unit(admin: Browser) -> None:
    found = re.findall(r'id="row-([^"]+)"', admin.get("/admin/accounts?q=Water").text)
    assert set(found) == {"hw", "hw2", "lw"}


def test_link_for_a_shut_account_is_refused(admin: Browser) -> None:
    admin.post("/admin/accounts/hw2/disable")
    answer = admin.post("/admin/accounts/hw2/link")
    assert answer.status_code == 409
    assert "shut" in answer.text


@pytest.fixture
def link_of_la(app: Flask, county: County) -> str:
    return issue_link(OfAccount(login="la"), actor=county.actor("adm", utc_now()), now=utc_now()).token


def test_using_a_link_ends_every_session(app: Flask, admin: Browser, link_of_la: str) -> None:
    old = signed_in(app, "la")
    new = Browser(app, **ENGLISH)
    new.get(f"/choose-password/{link_of_la}")
    new.post(f"/choose-password/{link_of_la}", {"new_password": CHOSEN, "repeat": CHOSEN})
    assert old.get("/desk").status_code == 302
