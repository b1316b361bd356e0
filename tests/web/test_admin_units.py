"""The admin's pages about units: added, renamed, moved with all below, ended where nothing is left open there."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from feedback.kernel.audit import AuditEntry, verify
from feedback.kernel.clock import utc_now
from feedback.people.models import Unit
from tests.support.browser import Browser, give_password
from tests.support.county import County
from tests.support.journey import Journey

ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def admin(app: Flask, county: County) -> Browser:
    county.add_person("part", "admin@p1")
    give_password(*(county.accounts[login] for login in ("adm", "part", "hr", "lp")))
    return signed_in(app, "adm")


def signed_in(app: Flask, login: str) -> Browser:
    browser = Browser(app, **ENGLISH)
    browser.sign_in(login)
    browser.get("/account")
    return browser


def unit(county: County, code: str) -> Unit | None:
    county.session.rollback()
    county.session.expire_all()
    return county.session.scalars(select(Unit).where(Unit.code == code)).first()


def place(county: County, code: str) -> str:
    found = unit(county, code)
    assert found
    names = {each.id: each.code for each in county.session.scalars(select(Unit))}
    return "/".join(names[i] for i in reversed(found.ancestor_ids()))


def trail(county: County, code: str) -> list[str]:
    found = unit(county, code)
    assert found
    entries = select(AuditEntry.action).where(AuditEntry.stream == f"unit:{found.id}").order_by(AuditEntry.seq)
    return list(county.session.scalars(entries))


NEW = {"code": "parks", "name": "Parks", "parent": "p1", "kind": "department", "level": "county", "calendar": ""}


def test_admin_adds_a_unit_below_another(admin: Browser, county: County) -> None:
    answer = admin.post("/admin/add-unit", NEW)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/units/parks")
    assert place(county, "parks") == "root/p1/parks"
    assert trail(county, "parks") == ["unit.added"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"code": "water"}, "code"),
        ({"code": "a b"}, "code"),
        ({"name": ""}, "name"),
        ({"parent": "nowhere"}, "parent"),
        ({"parent": " "}, "parent"),
        ({"kind": "castle"}, "kind"),
    ],
)
def test_admin_who_typed_something_wrong_keeps_the_rest(admin: Browser, fields: dict[str, str], field: str) -> None:
    answer = admin.post("/admin/add-unit", {**NEW, "name_en": "Parks typed", **fields})
    assert answer.status_code == 422
    assert f'id="new-{field}-error"' in answer.text
    assert "Parks typed" in answer.text
    assert "“”" not in answer.text


def test_admin_renames_a_unit_and_a_second_one_at_once_is_told(admin: Browser, county: County) -> None:
    page = admin.get("/admin/units/roads").text
    seen = re.search(r'id="unit-seen"[^>]*value="([^"]+)"', page)
    assert seen
    fields = {"kind": "department", "level": "county", "calendar": "site", "seen": seen[1]}
    assert admin.post("/admin/units/roads", {**fields, "name": "First"}).status_code == 303
    answer = admin.post("/admin/units/roads", {**fields, "name": "Second"})
    assert answer.status_code == 409
    assert 'value="Second"' in answer.text
    found = unit(county, "roads")
    assert found
    assert (found.name, found.calendar_code) == ("First", "site")


def test_admin_moves_a_subtree_and_sight_follows_at_once(app: Flask, admin: Browser, county: County) -> None:
    journey = Journey(county, now=utc_now() - timedelta(hours=2))
    reference = journey.submit()
    leader = signed_in(app, "lp")
    assert leader.get(f"/tickets/{reference}").status_code == 200
    assert admin.post("/admin/units/town/move", {"parent": "p2"}).status_code == 303
    assert place(county, "village") == "root/p2/town/village"
    assert leader.get(f"/tickets/{reference}").status_code == 404
    assert trail(county, "town") == ["unit.moved"]
    assert list(verify(county.session)) == []


@pytest.mark.parametrize(
    ("code", "parent"), [("p1", "village"), ("p1", "p1"), ("town", "p1"), ("root", "p1"), ("town", "nowhere")]
)
def test_unit_is_not_moved_where_it_can_not_stand(admin: Browser, county: County, code: str, parent: str) -> None:
    before = place(county, code)
    answer = admin.post(f"/admin/units/{code}/move", {"parent": parent})
    assert answer.status_code == 422
    assert place(county, code) == before


def test_unit_with_open_tickets_hands_them_to_its_successor(admin: Browser, county: County) -> None:
    journey = Journey(county, now=utc_now() - timedelta(hours=2))
    reference = journey.submit()
    journey.act(reference, "dispatch", "dp1", lead="c")
    page = admin.get("/admin/units/c").text
    assert "1 open ticket goes on with the successor, due when it was" in page
    assert admin.post("/admin/units/c/end", {"successor": "b"}).status_code == 303
    found = unit(county, "c")
    assert found
    assert found.valid_to is not None
    assert journey.ticket(reference).lead_unit_id == county.units["b"].id
    assert "open ticket" not in admin.get("/admin/units/c").text


def test_merged_unit_hands_its_people_on_and_nothing_can_be_sent_there(
    app: Flask, admin: Browser, county: County
) -> None:
    admin.post("/admin/add-unit", {**NEW, "parent": "root"})
    admin.post("/admin/accounts/hr/move", {"from_unit": "roads", "to_unit": "parks"})
    answer = admin.post("/admin/units/parks/end", {"successor": "water"})
    assert answer.status_code == 303
    found = unit(county, "parks")
    assert found
    assert found.valid_to is not None
    assert found.succeeded_by_id == county.units["water"].id
    held = [(grant.role, grant.unit_code) for grant in county.actor("hr", utc_now()).grants]
    assert held == [("handler", "water")]
    assert 'id="row-parks"' not in admin.get("/admin/units").text
    assert "Followed by" in admin.get("/admin/units/parks").text
    assert (
        admin.post("/admin/units/parks", {"name": "Again", "kind": "department", "level": "county"}).status_code == 404
    )


def test_dissolved_unit_ends_the_roles_held_there(admin: Browser, county: County) -> None:
    admin.post("/admin/add-unit", NEW)
    admin.post("/admin/accounts/hr/move", {"from_unit": "roads", "to_unit": "parks"})
    assert admin.post("/admin/units/parks/end").status_code == 303
    assert county.actor("hr", utc_now()).grants == ()


@pytest.mark.parametrize(("code", "reason"), [("p1", "stand below it"), ("roads", "catalogue"), ("root", "top")])
def test_unit_that_something_hangs_on_can_not_end(admin: Browser, code: str, reason: str) -> None:
    answer = admin.post(f"/admin/units/{code}/end")
    assert answer.status_code == 409
    assert reason in html.unescape(answer.text)


def test_admin_of_a_part_touches_nothing_beyond_it(app: Flask, admin: Browser, county: County) -> None:
    part = signed_in(app, "part")
    assert part.get("/admin/units/water").status_code == 404
    part.get("/account")
    assert part.post("/admin/units/water", {"name": "X", "kind": "department", "level": "county"}).status_code == 403
    part.get("/account")
    assert part.post("/admin/units/town/move", {"parent": "p2"}).status_code == 422
    assert part.post("/admin/units/water/end").status_code == 403
    part.get("/account")
    assert part.post("/admin/add-unit", {**NEW, "parent": "root"}).status_code == 422
    assert part.post("/admin/add-unit", {**NEW, "parent": "town"}).status_code == 303
    assert place(county, "town") == "root/p1/town"


@pytest.mark.parametrize(
    "path", ["/admin/units/town/move", "/admin/units/town/end", "/admin/units/town", "/admin/add-unit"]
)
def test_others_may_do_nothing_here(app: Flask, admin: Browser, path: str) -> None:
    browser = signed_in(app, "hr")
    assert browser.post(path, {}).status_code == 403
