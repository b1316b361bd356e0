"""Writes over HTTP: submit and act, once for a key, with the version that was seen, and what comes back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from feedback.api import schemas
from feedback.kernel.clock import utc_now
from feedback.kernel.db import db
from feedback.kernel.idempotency import IdempotencyKey
from feedback.kernel.transaction import transaction
from feedback.tickets.models import Ticket
from tests.api.conftest import CallAs
from tests.support.county import County
from tests.support.journey import Journey


@pytest.fixture
def journey(county: County) -> Journey:
    return Journey(county)


def _count() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Ticket)) or 0


def _key(key: str) -> dict[str, Any]:
    return {"headers": {"Idempotency-Key": key}}


def test_submitter_needs_only_a_text_and_gets_the_ticket_and_its_address(call_as: CallAs) -> None:
    response = call_as("s").post("/tickets", {"text": "The water pipe leaks on the square. Since Monday."})
    assert response.status_code == 201
    ticket = response.get_json()
    assert response.headers["Location"] == f"/api/v1/tickets/{ticket['reference']}"
    assert (ticket["status"], ticket["unit"], ticket["lead"]) == (
        "dispatched",
        "water",
        {"unit": "water", "assignee": None},
    )
    assert (ticket["area"], ticket["kind"], ticket["urgency"], ticket["privacy"]) == (
        "village",
        "demand",
        "normal",
        "named",
    )
    assert {clock["kind"] for clock in ticket["clocks"]} >= {
        "resolution",
        "first_response",
        "dispatch",
        "signing",
        "leg",
    }
    assert {"comment", "withdraw", "urge"} <= set(ticket["allowed_actions"])
    opened = call_as("s").get(f"/tickets/{ticket['reference']}").get_json()
    assert opened == ticket


@pytest.mark.parametrize(
    "field",
    [
        "status",
        "due_at",
        "created_at",
        "submitted_at",
        "submitter_id",
        "closed_by",
        "is_confirmed",
        "version",
        "reference",
    ],
)
def test_submitter_cannot_set_what_is_the_servers(field: str, call_as: CallAs) -> None:
    response = call_as("s").post("/tickets", {"text": "A lamp is broken", field: "closed"})
    assert (response.status_code, set(response.get_json()["errors"])) == (422, {field})
    assert _count() == 0


def test_same_key_and_body_are_answered_alike_and_written_once(call_as: CallAs) -> None:
    body = {"text": "A lamp is broken"}
    first = call_as("s").post("/tickets", body, **_key("one"))
    call_as("dp1").act(first.get_json()["reference"], "dispatch", lead="water")
    again = call_as("s").post("/tickets", dict(reversed(body.items())), **_key("one"))
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert again.headers["Location"] == first.headers["Location"]
    assert (again.headers["Idempotency-Replayed"], "Idempotency-Replayed" in first.headers) == ("true", False)
    assert _count() == 1


def test_same_key_for_another_body_is_refused_and_for_another_person_is_free(call_as: CallAs) -> None:
    call_as("s").post("/tickets", {"text": "A lamp is broken"}, **_key("one"))
    other = call_as("s").post("/tickets", {"text": "Another lamp is broken"}, **_key("one"))
    assert (other.status_code, set(other.get_json()["errors"])) == (422, {"Idempotency-Key"})
    assert call_as("s2").post("/tickets", {"text": "Another lamp is broken"}, **_key("one")).status_code == 201
    for bad in ("", "x" * 121, "with space"):
        assert call_as("s").post("/tickets", {"text": "A lamp is broken"}, **_key(bad)).status_code == 422
    assert _count() == 2


def test_key_of_a_refused_write_is_free_again_and_of_an_old_one_too(call_as: CallAs) -> None:
    assert call_as("s").post("/tickets", {"text": ""}, **_key("one")).status_code == 422
    assert call_as("s").post("/tickets", {"text": "A lamp is broken"}, **_key("one")).status_code == 201
    with transaction() as session:
        session.query(IdempotencyKey).one().created_at = utc_now() - timedelta(hours=25)
    assert call_as("s").post("/tickets", {"text": "A second lamp"}, **_key("one")).status_code == 201
    assert _count() == 2


def test_answer_that_was_lost_between_write_and_reply_is_made_anew(call_as: CallAs) -> None:
    first = call_as("s").post("/tickets", {"text": "A lamp is broken"}, **_key("one"))
    with transaction() as session:
        session.query(IdempotencyKey).one().answer = {}
    again = call_as("s").post("/tickets", {"text": "A lamp is broken"}, **_key("one"))
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert _count() == 1


def test_action_sent_twice_with_one_key_is_taken_once(call_as: CallAs, journey: Journey) -> None:
    reference = journey.to("in_progress")
    handler, body = call_as("hw"), {"text": "We come tomorrow"}
    first = handler.post(f"/tickets/{reference}/reply", body, **_key("k"))
    second = handler.post(f"/tickets/{reference}/reply", body, **_key("k"))
    assert first.status_code == second.status_code == 200
    assert first.get_json() == second.get_json()
    assert journey.ticket(reference).version == first.get_json()["version"]
    assert handler.post(f"/tickets/{reference}/note", body, **_key("k")).status_code == 422


def test_two_writers_of_one_version_leave_one_write(call_as: CallAs, journey: Journey) -> None:
    reference = journey.to("in_progress")
    version = journey.ticket(reference).version
    first = call_as("hw").act(reference, "reply", text="We come tomorrow", version=version)
    second = call_as("hw2").act(reference, "reply", text="We come on Friday", version=version)
    assert (first.status_code, second.status_code) == (200, 409)
    assert second.get_json()["version"] == first.get_json()["version"] == version + 1


def test_giver_who_sees_it_no_more_is_told_only_that_it_was_done(call_as: CallAs, journey: Journey) -> None:
    journey.county.add_person("dvillage", "dispatcher@village")
    reference = journey.submit(privacy="confidential")
    done = call_as("dvillage").act(reference, "reclassify", area="p2", reason="It lies there")
    assert done.status_code == 200
    assert done.get_json() == {"reference": reference, "status": "submitted", "channel": "web", "version": 2}
    assert call_as("dvillage").get(f"/tickets/{reference}").status_code == 404


def test_second_dispatcher_decides_a_decline_and_the_first_cannot(call_as: CallAs, journey: Journey) -> None:
    reference = journey.submit()
    asked = call_as("dp1").act(reference, "decline", reason_code="legal_procedure", instead="Please ask the court")
    assert asked.get_json()["status"] == "submitted"
    assert "decide" not in asked.get_json()["allowed_actions"]
    request = call_as("d").get(f"/tickets/{reference}/requests").get_json()["items"][0]
    assert (request["kind"], request["state"], request["by"]) == (
        "decline",
        "pending",
        {"role": "dispatcher", "unit": "p1"},
    )
    assert "decide" in call_as("d").get(f"/tickets/{reference}").get_json()["allowed_actions"]
    decision = {"request": request["id"], "decision": "granted", "text": "It is for the court"}
    assert call_as("dp1").act(reference, "decide", **decision).status_code == 403
    assert call_as("d").act(reference, "decide", **{**decision, "request": 10**12}).status_code == 404
    assert call_as("d").act(reference, "decide", decision="granted", text="Yes it is").status_code == 422
    granted = call_as("d").act(reference, "decide", **decision).get_json()
    assert (granted["status"], granted["closure_reason"]) == ("closed", "declined")
    told = call_as("s").get(f"/tickets/{reference}/requests").get_json()["items"][0]
    assert (told["state"], told["text"], told["basis"]) == ("granted", "It is for the court", "Please ask the court")


def test_whole_loop_over_http_with_a_dispute(call_as: CallAs, journey: Journey) -> None:
    submitter, handler = call_as("s"), call_as("hw")
    reference = submitter.submit("The water pipe leaks")["reference"]
    received = submitter.get(f"/tickets/{reference}").get_json()["submitted_at"]
    for who, action, fields, status in (
        (handler, "acknowledge", {}, "in_progress"),
        (handler, "ask_submitter", {"text": "Which pipe is it?"}, "waiting_for_submitter"),
        (submitter, "answer", {"text": "The one by the well"}, "in_progress"),
        (handler, "reply", {"text": "We come tomorrow"}, "in_progress"),
        (handler, "resolve", {"outcome": "solved", "text": "The pipe was replaced"}, "resolved"),
        (submitter, "dispute", {"reason": "It leaks again"}, "in_progress"),
        (handler, "resolve", {"outcome": "solved", "text": "Replaced once more"}, "resolved"),
        (submitter, "confirm", {"verdict": "solved", "rating": 5}, "closed"),
    ):
        answer = who.act(reference, action, **fields)
        assert (answer.status_code, answer.get_json()["status"]) == (200, status), (action, answer.text)
    closed = submitter.get(f"/tickets/{reference}").get_json()
    assert (closed["closure_reason"], closed["round"], closed["reopen_count"]) == ("confirmed", 2, 1)
    assert closed["submitted_at"] == received
    assert handler.act(reference, "reply", text="One more word").status_code == 409


def test_confidence_is_kept_where_a_dead_key_would_betray_it(call_as: CallAs, county: County) -> None:
    call_as("s").post("/tickets", {"text": "A lamp is broken", "privacy": "confidential"}, **_key("one"))
    row = db.session.query(IdempotencyKey).one()
    kept = f"{row.caller_key} {row.answer}"
    assert "Person s" not in kept
    assert str(county.accounts["s"].id) != row.caller_key
    assert "login" not in str(row.answer["body"]["submitter"])


def test_notices_are_listed_and_read_by_whom_they_are_for(call_as: CallAs) -> None:
    answer = call_as("s").get("/notifications")
    assert (answer.status_code, answer.get_json()) == (200, {"items": [], "next": None, "unread": 0})
    assert call_as("s").post("/notifications/1/read").status_code == 404
    for bad in (
        "garbage",
        "WyJ4IiwieSJd",
        "W251bGwsMV0",
        "WyIyMDI2LTAxLTAxIiw5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OV0",
        "W1tb" * 5000,
    ):
        assert call_as("s").get("/notifications", cursor=bad).status_code == 422, bad


def test_reader_learns_why_each_clock_is_due_when_it_is(call_as: CallAs, journey: Journey) -> None:
    reference = journey.to("waiting_for_submitter", assist=True)
    submitter = call_as("s")
    for clock in submitter.get(f"/tickets/{reference}/clocks").get_json()["items"]:
        path = f"/tickets/{reference}/clocks/{clock['id']}/trace"
        told = schemas.Trace.model_validate_json(submitter.get(path).data)
        assert told.due_at == datetime.fromisoformat(clock["due_at"]), clock["kind"]
        assert (told.trace[0].kind, told.trace[1].kind, told.trace[-1].kind) == ("start", "rules", "due")
        assert (told.policy.name, told.policy.version) == ("normal demand", 1)
        assert (told.calendar.name, told.calendar.version) == ("site", 1)
        assert call_as("hb").get(path).status_code == 404
        other = journey.submit()
        assert submitter.get(f"/tickets/{other}/clocks/{clock['id']}/trace").status_code == 404
    for nowhere in (0, 10**30):
        assert submitter.get(f"/tickets/{reference}/clocks/{nowhere}/trace").status_code == 404


def test_directory_says_what_there_is_to_name(call_as: CallAs) -> None:
    units = {unit["code"]: unit for unit in call_as("s").get("/units").get_json()["items"]}
    assert units["village"]["parent"] == "town"
    assert units["root"]["parent"] is None
    paths = {category["path"] for category in call_as("s").get("/categories").get_json()["items"]}
    assert {"water", "works/a"} <= paths
    me = call_as("hw").get("/me").get_json()
    assert (me["login"], me["roles"], me["scopes"]) == ("hw", [{"role": "handler", "unit": "water"}], ["read", "write"])


def test_only_submitters_submit_and_others_only_on_behalf(call_as: CallAs) -> None:
    for login in ("lw", "su", "ad", "lr", "au", "adm", "x"):
        assert call_as(login).post("/tickets", {"text": "A lamp is broken"}).status_code == 403, login
    alone = call_as("hw").post("/tickets", {"text": "A lamp is broken"})
    assert (alone.status_code, set(alone.get_json()["errors"])) == (422, {"on_behalf_of"})
    for_other = call_as("s").post("/tickets", {"text": "A lamp is broken", "on_behalf_of": {"login": "s2"}})
    assert for_other.status_code == 403
    unknown = call_as("hw").post("/tickets", {"text": "A lamp is broken", "on_behalf_of": {"login": "nobody"}})
    assert (unknown.status_code, set(unknown.get_json()["errors"])) == (422, {"on_behalf_of.login"})
    assert _count() == 0


def test_first_response_is_a_public_human_word(call_as: CallAs, journey: Journey) -> None:
    reference = journey.to("in_progress", assist=True)
    handler = call_as("hw")

    def met_at() -> Any:
        clocks = handler.get(f"/tickets/{reference}/clocks").get_json()["items"]
        return next(clock["met_at"] for clock in clocks if clock["kind"] == "first_response")

    for text in (".", " ", "…", "!!", ""):
        assert handler.act(reference, "reply", text=text).status_code == 422, text
    assert handler.act(reference, "note", text="Ask the electrician").status_code == 200
    assert handler.act(reference, "assign", assignee="hw2").status_code == 200
    assert call_as("hr").act(reference, "answer_leg", text="The kerb is sound").status_code == 200
    assert met_at() is None
    assert handler.act(reference, "reply", text="We come tomorrow").status_code == 200
    first = met_at()
    assert first is not None
    assert handler.act(reference, "reply", text="We come the day after").status_code == 200
    assert met_at() == first
