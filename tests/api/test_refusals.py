"""In which order the API refuses, in which words, and that no bad input is ever more than a refusal."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from feedback.kernel.actor import SYSTEM
from feedback.kernel.clock import utc_now
from feedback.kernel.db import db
from feedback.kernel.outbox import Outbox
from feedback.kernel.transaction import transaction
from feedback.people.models import Account, ApiToken
from feedback.people.tokens import IssueToken, issue_token
from feedback.tickets.models import TimelineEntry
from tests.api.conftest import CallAs
from tests.support.county import County
from tests.support.journey import Journey


@pytest.fixture
def journey(county: County) -> Journey:
    return Journey(county)


def _state(journey: Journey, reference: str) -> tuple[Any, ...]:
    ticket = journey.ticket(reference)
    session = db.session()
    return (
        ticket.version,
        ticket.status,
        session.scalar(select(func.count()).select_from(TimelineEntry)),
        session.scalar(select(func.count()).select_from(Outbox)),
    )


def test_stranger_without_a_token_is_told_how_to_sign_in(app: Flask, county: County) -> None:
    for headers in (
        {},
        {"Authorization": "Basic eDp5"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer zd_x"},
    ):
        response = app.test_client().get("/api/v1/tickets", headers=headers)
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert response.get_json()["code"] == "not_signed_in"


def test_token_in_the_query_or_a_cookie_opens_nothing(app: Flask, call_as: CallAs) -> None:
    token = call_as("s").token
    client = app.test_client()
    client.set_cookie("session", token)
    client.set_cookie("token", token)
    for query in ({"token": token}, {"access_token": token}, {"Authorization": f"Bearer {token}"}):
        assert client.get("/api/v1/me", query_string=query).status_code == 401


def test_token_dies_when_it_is_revoked_or_its_account_is_shut(call_as: CallAs, county: County) -> None:
    first, second = call_as("s"), call_as("s2")
    assert first.get("/me").status_code == second.get("/me").status_code == 200
    with transaction() as session:
        for row in session.scalars(select(ApiToken).where(ApiToken.account_id == county.accounts["s"].id)):
            row.revoked_at = utc_now()
        session.get_one(Account, county.accounts["s2"].id).is_active = False
    assert first.get("/me").status_code == second.get("/me").status_code == 401


def test_token_that_is_over_opens_nothing(call_as: CallAs) -> None:
    command = IssueToken.parse({"login": "s", "scopes": [], "days": 1})
    old = issue_token(command, actor=SYSTEM, now=utc_now() - timedelta(days=2)).token
    assert call_as("s", token=old).get("/me").status_code == 401


def test_token_for_reading_changes_nothing(call_as: CallAs, journey: Journey) -> None:
    reference = journey.submit()
    reader = call_as("s", scopes=("read",))
    before = _state(journey, reference)
    for path, body in (("/tickets", {"text": "A word"}), (f"/tickets/{reference}/comment", {"text": "A word"})):
        response = reader.post(path, body)
        assert (response.status_code, response.get_json()["code"]) == (403, "scope")
    assert reader.get(f"/tickets/{reference}").get_json()["allowed_actions"] == []
    assert _state(journey, reference) == before
    assert call_as("s", scopes=("write",)).get("/tickets").status_code == 403


def test_outsiders_get_the_answer_of_a_ticket_that_is_not(call_as: CallAs, journey: Journey) -> None:
    reference = journey.to("in_progress")
    before = _state(journey, reference)
    for login in ("s2", "hb", "x", "au", "adm", "lp2"):
        if login == "lp2":
            journey.county.add_person("lp2", "leader@p2")
        caller = call_as(login)
        for suffix in ("", "/timeline", "/requests", "/clocks"):
            hidden, missing = (
                caller.get(f"/tickets/{reference}{suffix}"),
                caller.get(f"/tickets/ZD-AAAAA-AAAAA{suffix}"),
            )
            assert hidden.status_code == missing.status_code == 404
            assert hidden.data == missing.data
            skip = {"X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After"}
            assert {k: v for k, v in hidden.headers if k not in skip} == {
                k: v for k, v in missing.headers if k not in skip
            }
        for action in ("reply", "transfer", "acknowledge", "confirm", "assign", "comment"):
            hidden = caller.act(reference, action, text="A word")
            assert hidden.status_code == 404
            assert hidden.data == caller.act("ZD-AAAAA-AAAAA", action, text="A word").data
    assert _state(journey, reference) == before


def test_refusals_come_in_their_order(call_as: CallAs, journey: Journey) -> None:
    reference = journey.to("in_progress")
    version = journey.ticket(reference).version
    handler, submitter, outsider = call_as("hw"), call_as("s"), call_as("hb")
    broken = {"version": version - 1, "nonsense": 1}
    assert outsider.act(reference, "reply", **broken).status_code == 404
    assert handler.act(reference, "no_such_thing", **broken).status_code == 404
    assert submitter.act(reference, "reply", **broken).status_code == 403
    wrong_state = handler.act(reference, "acknowledge", **broken)
    assert (wrong_state.status_code, wrong_state.get_json()["code"]) == (409, "status_conflict")
    assert "reply" in wrong_state.get_json()["allowed"]
    assert not any(":" in name for name in wrong_state.get_json()["allowed"])
    stale = handler.act(reference, "reply", **broken)
    assert (stale.status_code, stale.get_json()["code"]) == (409, "version_conflict")
    assert stale.get_json()["version"] == version
    invalid = handler.act(reference, "reply", version=version, nonsense=1)
    assert invalid.status_code == 422
    assert set(invalid.get_json()["errors"]) == {"text", "nonsense"}
    assert handler.act(reference, "reply", version=version, text="We come tomorrow").status_code == 200


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"text": ' + b"9" * 5000 + b"}", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"\xff\xfe{}", "application/json", 400),
        (b"[1]", "application/json", 422),
        (b"null", "application/json", 422),
        (b'{"text": NaN}', "application/json", 422),
        (b'{"text": null}', "application/json", 422),
        (b'{"text": "\\ud800 half"}', "application/json", 422),
        (b'{"\\ud800": 1, "text": "A word"}', "application/json", 422),
        (b'{"text": "nul \\u0000 here"}', "application/json", 422),
        (b'{"text": "A word", "version": "1"}', "application/json", 422),
        (b'{"text": "A word", "version": 1e99}', "application/json", 422),
        (b"text=A+word", "application/x-www-form-urlencoded", 415),
        (b'{"text": "A word"}', "text/plain", 415),
        (b'{"text": "' + b"x" * 1_000_000 + b'"}', "application/json", 413),
        (b"", "application/json", 422),
    ],
)
def test_body_that_cannot_be_taken_is_refused_in_place_and_changes_nothing(
    data: bytes, content_type: str, status: int, call_as: CallAs, journey: Journey
) -> None:
    reference = journey.to("in_progress")
    before = _state(journey, reference)
    response = call_as("hw").call("POST", f"/tickets/{reference}/reply", data=data, content_type=content_type)
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    assert (
        call_as("hb").call("POST", f"/tickets/{reference}/reply", data=data, content_type=content_type).status_code
        == 404
    )
    if "version" not in data.decode("latin-1"):
        submitted = call_as("s").call("POST", "/tickets", data=data, content_type=content_type)
        assert submitted.status_code == status, submitted.text
    assert _state(journey, reference) == before


def test_field_errors_name_the_field_in_the_readers_language(call_as: CallAs) -> None:
    body = {"text": "", "kind": "rant", "privacy": "anonymous", "on_behalf": 1}
    english = call_as("s").post("/tickets", body)
    chinese = call_as("s", language="zh-CN,zh;q=0.9,en;q=0.1").post("/tickets", body)
    assert english.status_code == chinese.status_code == 422
    assert set(english.get_json()["errors"]) == set(chinese.get_json()["errors"]) == {"text", "kind", "on_behalf"}
    assert english.get_json()["errors"]["text"] == "This is needed."
    assert english.headers["Content-Language"] == "en"
    assert chinese.headers["Content-Language"] == "zh"
    anonymous = call_as("s").post("/tickets", {"text": "A word about it", "privacy": "anonymous"})
    assert set(anonymous.get_json()["errors"]) == {"privacy"}


def test_unknown_addresses_and_methods_are_problems_too(call_as: CallAs) -> None:
    caller = call_as("s")
    for method, path, status in (
        ("GET", "/nothing", 404),
        ("PUT", "/tickets", 405),
        ("DELETE", "/me", 405),
        ("TRACE", "/me", 405),
        ("GET", "/tickets/%00", 404),
        ("GET", "/tickets/" + "x" * 3000, 404),
        ("POST", "/notifications/99999999999999999999999/read", 404),
    ):
        response = caller.call(method, path)
        assert (response.status_code, response.content_type) == (status, "application/problem+json"), path
    overridden = caller.call("GET", "/me", headers={"X-HTTP-Method-Override": "DELETE"})
    assert overridden.status_code == 200


def test_fault_shows_an_id_and_nothing_of_itself(app: Flask, call_as: CallAs, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "a secret of the inside"

    def fail() -> None:
        raise RuntimeError(secret)

    monkeypatch.setitem(app.view_functions, "api.me", _declared_like(app.view_functions["api.me"], fail))
    response = call_as("s").get("/me")
    assert response.status_code == 500
    assert response.get_json()["error_id"] in response.get_json()["detail"]
    assert secret not in response.text
    assert "Traceback" not in response.text


def _declared_like(view: Any, replacement: Any) -> Any:
    replacement.access_rule = view.access_rule
    return replacement


def test_role_that_is_not_held_is_refused_and_a_held_one_narrows(call_as: CallAs, journey: Journey) -> None:
    journey.county.add_person("both", "handler@water", "supervisor@root")
    reference = journey.to("in_progress")
    for wrong in ("leader@root", "handler@roads", "handler", "@", "handler@water@x", ""):
        response = call_as("both", acting_as=wrong or " ").get("/me")
        assert (response.status_code, response.get_json()["code"]) == (403, "acting_as")
    as_supervisor = call_as("both", acting_as="supervisor@root")
    assert as_supervisor.get("/me").get_json()["acting_as"] == {"role": "supervisor", "unit": "root"}
    assert "reply" not in as_supervisor.get(f"/tickets/{reference}").get_json()["allowed_actions"]
    assert as_supervisor.act(reference, "reply", text="We come tomorrow").status_code == 403
    assert call_as("both", acting_as="handler@water").act(reference, "reply", text="We come").status_code == 200


def test_calls_above_the_rate_wait_each_token_for_itself(app: Flask, call_as: CallAs) -> None:
    app.config["API_RATE"] = "3 per minute"
    busy, other = call_as("s"), call_as("s2")
    answers = [busy.get("/me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert answers[-1].get_json()["code"] == "throttled"
    assert answers[0].headers["X-RateLimit-Limit"] == "3"
    assert other.get("/me").status_code == 200


def test_second_urge_too_soon_is_told_when_to_come_back(call_as: CallAs, journey: Journey) -> None:
    reference = journey.to("in_progress")
    submitter = call_as("s")
    assert submitter.act(reference, "urge").status_code == 200
    again = submitter.act(reference, "urge")
    assert again.status_code == 429
    assert int(again.headers["Retry-After"]) > 60


def test_answers_are_nobody_elses_to_keep(call_as: CallAs) -> None:
    response = call_as("s").get("/me")
    assert response.headers["Cache-Control"] == "no-store"
    assert json.loads(response.data)["login"] == "s"
