"""Pages of the learned category: the dispatcher's proposals, why a ticket went where it is, the admin's page of the model."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from feedback.kernel.audit import AuditEntry
from feedback.kernel.clock import utc_now
from feedback.kernel.site import get_setting, put_setting
from feedback.kernel.transaction import transaction
from feedback.routing.models import CategoryModel
from tests.support.browser import Browser, give_password
from tests.support.county import START, County
from tests.support.journey import Journey
from tests.support.labelled import made_examples, put_in_force

ENGLISH = {"Accept-Language": "en"}
SUPPLY = "自来水 停水 水压 水表"


@pytest.fixture
def journey(county: County) -> Journey:
    county.add_person("part", "admin@p1")
    give_password(*(county.accounts[login] for login in ("adm", "part", "dp1", "hw", "s")))
    put_in_force(made_examples(300), START)
    return Journey(county, now=utc_now() - timedelta(hours=1))


def signed_in(app: Flask, login: str) -> Browser:
    browser = Browser(app, **ENGLISH)
    browser.sign_in(login)
    browser.get("/account")
    return browser


def test_dispatcher_sees_shares_and_words_and_takes_one_with_a_tap(app: Flask, journey: Journey) -> None:
    with transaction() as session:
        put_setting(session, "dispatch_precision", 99, now=START)
    reference = journey.submit(text="自来水和红绿灯，希望处理")
    desk = signed_in(app, "dp1")
    page = desk.get("/dispatch").text
    assert "what was learned from earlier tickets is not sure enough" in page
    share = journey.ticket(reference).routing["proposals"][0]["share"]
    assert f"({round(100 * share)} %): “" in page
    assert (
        desk.post(f"/dispatch/{reference}", {"lead": "water", "category": "water", "version": "1"}).status_code == 303
    )
    assert journey.ticket(reference).category_id == journey.county.categories["water"].id


def test_ticket_says_why_it_went_there(app: Flask, journey: Journey) -> None:
    reference = journey.submit(text=SUPPLY)
    page = signed_in(app, "hw").get(f"/tickets/{reference}").text
    assert "Category learned from earlier tickets: " in page
    assert "model version 1" in page
    assert "Duty catalogue: row " in page
    assert "Words that spoke for it: " in page
    mine = signed_in(app, "s").get(f"/tickets/{reference}").text
    assert "model version 1" in mine
    assert "Words that spoke for it: " not in mine


def test_admin_sees_the_model_changes_its_precision_and_goes_back(app: Flask, journey: Journey) -> None:
    put_in_force(made_examples(300), START + timedelta(days=1))
    admin = signed_in(app, "adm")
    page = admin.get("/admin/category-model").text
    assert "version 2" in page
    assert "300 texts, 4 categories" in page
    assert "100 more labelled tickets are needed" in page
    assert admin.post("/admin/category-model/precision", {"precision": "98"}).status_code == 303
    assert admin.post("/admin/category-model/precision", {"precision": "100"}).status_code == 422
    assert admin.post("/admin/category-model/version", {"version": "1"}).status_code == 303
    assert admin.post("/admin/category-model/version", {"version": "x"}).status_code == 422
    assert "can&#39;t begin" in admin.get(admin.post("/admin/category-model/training").headers["Location"]).text
    session = journey.county.session
    session.rollback()
    session.info.clear()
    assert get_setting(session, "dispatch_precision") == 98
    told = session.execute(select(AuditEntry.action, AuditEntry.facts).where(AuditEntry.stream == "settings")).all()
    assert [action for action, _facts in told[-3:]] == [
        "setting.changed",
        "category_model.rolled_back",
        "category_model.training_asked",
    ]
    assert told[-2][1] == {"version": 1, "from": 2}


def test_admin_of_a_part_changes_nothing_of_the_model(app: Flask, journey: Journey) -> None:
    part = signed_in(app, "part")
    assert "only an admin at its top unit" in part.get("/admin/category-model").text
    for path, fields in (("precision", {"precision": "90"}), ("training", {}), ("version", {"version": "1"})):
        assert part.post(f"/admin/category-model/{path}", fields).status_code == 403


def test_admin_is_told_of_a_model_that_cannot_be_used(app: Flask, journey: Journey) -> None:
    put_in_force(made_examples(300), START + timedelta(days=1))
    with transaction() as session:
        session.get_one(CategoryModel, 2).packed = b"nothing"
    page = signed_in(app, "adm").get("/admin").text
    assert "Version 2 of the category model can&#39;t be used" in page
    assert "Version 1 serves instead." in page
