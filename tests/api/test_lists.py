"""Lists: who finds what, by which filter, page after page, with a fixed number of queries, whatever is asked."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, event

from feedback.api import schemas
from feedback.intake.imports import import_tickets
from feedback.intake.ticket_rows import ImportOptions
from feedback.kernel.clock import utc_now
from feedback.kernel.db import db
from feedback.kernel.transaction import transaction
from feedback.reading.queries import count_tickets, list_tickets
from feedback.reading.search import TicketFilters
from feedback.tickets.models import Ticket
from tests.api.conftest import CallAs
from tests.support.county import County
from tests.support.journey import Journey


@pytest.fixture
def journey(county: County) -> Journey:
    return Journey(county)


def _found(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["reference"] for item in answer.get_json()["items"]]


@contextmanager
def _counted() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_c: Any, _cur: Any, statement: str, *_more: Any) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _walk(caller: Any, **query: Any) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        answer = caller.get("/tickets", **query, **({"cursor": cursor} if cursor else {}))
        found += _found(answer)
        cursor = answer.get_json()["next"]
        if cursor is None:
            return found


def test_pages_show_every_ticket_once_in_both_orders(call_as: CallAs, journey: Journey) -> None:
    made = [journey.to(state) for state in ("submitted", "in_progress", "resolved", "closed.confirmed", "submitted")]
    with transaction() as session:  # two alike to the instant, so that only the id parts them
        rows = session.query(Ticket).filter(Ticket.reference.in_((made[0], made[4]))).all()
        for row in rows:
            row.due_at, row.submitted_at = rows[0].due_at, rows[0].submitted_at
    dispatcher = call_as("d")
    for sort in ("due", "-created"):
        for limit in (1, 2, 5):
            walked = _walk(dispatcher, sort=sort, limit=limit)
            assert sorted(walked) == sorted(made), (sort, limit)
        ordered = list(dispatcher.get("/tickets", sort=sort).get_json()["items"])
        if sort == "due":
            dues = [item["due_at"] for item in ordered]
            assert dues == sorted(d for d in dues if d) + [None] * dues.count(None)
        else:
            created = [item["submitted_at"] for item in ordered]
            assert created == sorted(created, reverse=True)


def test_each_person_lists_only_what_they_may_see(call_as: CallAs, journey: Journey) -> None:
    mine, assisted = journey.to("in_progress"), journey.to("dispatched", assist=True)
    elsewhere = journey.submit("s2", area="p2")
    everything = {mine, assisted, elsewhere}
    expected = {
        "s": {mine, assisted},
        "s2": {elsewhere},
        "hw": {mine, assisted},
        "hr": {assisted},
        "hb": set(),
        "la": set(),
        "dp1": {mine, assisted},
        "d": everything,
        "lp": {mine, assisted},
        "lr": everything,
        "su": everything,
        "au": set(),
        "adm": set(),
        "x": set(),
    }
    for login, seen in expected.items():
        caller = call_as(login)
        assert set(_walk(caller, limit=1)) == seen, login
        actor = journey.county.actor(login, utc_now())
        assert count_tickets(db.session(), actor, now=utc_now()) == len(seen), login
        for reference in everything - seen:
            assert _walk(caller, q=reference) == [], login


def test_filters_narrow_and_never_widen(call_as: CallAs, journey: Journey) -> None:
    lamp = journey.to("in_progress", place="The market square")
    closed = journey.to("closed.withdrawn", kind="question")
    far = journey.submit("s2", text="路灯不亮", title="路灯坏了", area="p2")
    dispatcher, handler = call_as("d"), call_as("hw")
    journey.act(lamp, "reclassify", "dp1", category="water", reason="It is a lamp over the pump")
    journey.act(lamp, "assign", "hw", assignee="hw")
    for query, expected in (
        ({"status": "in_progress"}, {lamp}),
        ({"status": "open"}, {lamp, far}),
        ({"status": "closed,dispatched"}, {closed, far}),
        ({"unit": "water"}, {lamp}),
        ({"area": "p1"}, {lamp, closed}),
        ({"area": "p2"}, {far}),
        ({"category": "water"}, {lamp}),
        ({"kind": "question"}, {closed}),
        ({"q": "market"}, {lamp}),
        ({"q": "MARKET square"}, {lamp}),
        ({"q": lamp.lower()}, {lamp}),
        ({"q": "路灯"}, {far}),
        ({"q": "坏"}, {far}),
        ({"q": "%"}, set()),
        ({"q": "_"}, set()),
        ({"overdue": "true"}, set()),
        ({"overdue": "false"}, {lamp, closed, far}),
        ({"mine": "true"}, set()),
        ({"status": "legacy"}, set()),
    ):
        assert set(_found(dispatcher.get("/tickets", **query))) == expected, query
    assert set(_found(handler.get("/tickets", assigned="true"))) == {lamp}
    assert set(_found(handler.get("/tickets", area="p2"))) == set()
    assert set(_found(call_as("s").get("/tickets", mine="true"))) == {lamp, closed}


def test_days_are_the_sites_own_and_both_included(call_as: CallAs, journey: Journey) -> None:
    reference = journey.submit()
    midnight = datetime(2026, 3, 4, tzinfo=ZoneInfo("Asia/Shanghai"))
    dispatcher = call_as("d")
    for instant, day in ((midnight, "2026-03-04"), (midnight - timedelta(microseconds=1), "2026-03-03")):
        with transaction() as session:
            session.query(Ticket).filter_by(reference=reference).one().submitted_at = instant.astimezone(UTC)
        query = {"from": day, "to": day}
        assert _found(dispatcher.get("/tickets", **query)) == [reference]
        assert _found(dispatcher.get("/tickets", to="2026-03-02")) == []
        assert _found(dispatcher.get("/tickets", **{"from": "2026-03-05"})) == []


def test_overdue_is_past_due_while_the_clock_runs(call_as: CallAs, journey: Journey) -> None:
    late, waits = journey.to("in_progress"), journey.to("waiting_for_submitter")
    with transaction() as session:
        for row in session.query(Ticket):
            row.due_at = utc_now() - timedelta(hours=1)
    answer = call_as("d").get("/tickets", overdue="yes")
    assert _found(answer) == [late]
    assert waits not in _found(answer)
    assert answer.get_json()["items"][0]["overdue"] is True


def test_page_costs_the_same_number_of_queries_however_long_it_is(journey: Journey) -> None:
    actor = journey.county.actor("d", utc_now())
    session = db.session()
    costs = []
    for more in (1, 0, 6):  # the first page finds what the process keeps
        for _ in range(more):
            journey.to("dispatched", assist=True)
            journey.submit("s2", privacy="confidential")
        session.rollback()
        session.expire_all()
        with _counted() as statements:
            page = list_tickets(session, actor, now=utc_now(), limit=100)
        costs.append(len([each for each in statements if each.startswith("SELECT")]))
    assert len(page.items) == 14
    assert costs[1] == costs[2]
    assert costs[2] <= 8


CORPUS = (
    "'", '"', "' OR 1=1 --", "1; DROP TABLE ticket", "%", "_", "\\", "%' ESCAPE '", "<script>alert(1)</script>", "\x00",
    "\u202e\u200b", "𠀀🙂", "{{7*7}}", "${7*7}", "../../etc/passwd", "0", "-1", "1e309", "NaN", "null", "[]", "{}",
    "a" * 300, "9" * 400, "true", "\ufeff", " ", "、", "AND", "*", "NEAR(", "\ud83d".encode("utf-8", "replace").decode(),
)  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "q",
        "sort",
        "cursor",
        "limit",
        "status",
        "unit",
        "area",
        "category",
        "kind",
        "overdue",
        "mine",
        "from",
        "to",
        "order",
    ],
)
def test_whatever_is_asked_is_an_answer_or_a_refusal(name: str, call_as: CallAs, journey: Journey) -> None:
    journey.submit()
    caller = call_as("d")
    for text in CORPUS:
        answer = caller.get("/tickets", **{name: text})
        assert answer.status_code in (200, 422), (name, text, answer.text)
        if answer.status_code == 422:
            assert set(answer.get_json()["errors"]) == {name}, (name, text)


def _cursor(*key: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(key)).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        _cursor("due", "2026-01-01", 2**63),
        _cursor("due", "2026-01-01", -1),
        _cursor("due", "2026-01-01", True),
        _cursor("due", "2026-01-01", "1"),
        _cursor("due", "yesterday", 1),
        _cursor("due", 5, 1),
        _cursor("due", "0001-01-01T00:00:00+23:59", 1),
        _cursor("due", "9999-12-31T23:59:59-23:59", 1),
        _cursor("-created", None, 1),
        _cursor("due", None),
        base64.urlsafe_b64encode(b"[" * 120).decode(),
        "[" * 100_000,
        "é",
    ],
)
def test_cursor_not_made_here_is_refused(cursor: str, call_as: CallAs) -> None:
    answer = call_as("d").get("/tickets", cursor=cursor)
    assert answer.status_code == 422
    assert set(answer.get_json()["errors"]) == {"cursor"}


def test_cursor_of_one_order_is_refused_in_another(call_as: CallAs, journey: Journey) -> None:
    journey.submit()
    journey.submit()
    cursor = call_as("d").get("/tickets", sort="due", limit=1).get_json()["next"]
    assert call_as("d").get("/tickets", sort="-created", cursor=cursor).status_code == 422


@pytest.mark.postgres
@pytest.mark.usefixtures("any_county")
def test_lists_find_the_same_on_both_databases(any_county: County) -> None:
    journey = Journey(any_county)
    made = [
        journey.to("in_progress", place="100%_sure"),
        journey.submit(text="路灯不亮"),
        journey.to("closed.withdrawn"),
    ]
    session, now = db.session(), utc_now()
    actor = any_county.actor("d", now)
    for fields, expected in (
        ({"q": "100%_"}, {made[0]}),
        ({"q": "路灯"}, {made[1]}),
        ({"overdue": "no"}, set(made)),
        ({"mine": "no", "assigned": "no", "area": "p1"}, set(made)),
        ({"from": "0001-01-02", "to": "9999-12-30"}, set(made)),
    ):
        filters = TicketFilters.parse(fields)
        found = []
        cursor: str | None = None
        while True:
            page = list_tickets(session, actor, filters, now=now, limit=1, cursor=cursor)
            found += [row.reference for row in page.items]
            cursor = page.next
            if cursor is None:
                break
        assert set(found) == expected, fields
        assert len(found) == len(expected) == count_tickets(session, actor, filters, now=now)


def test_imported_history_is_shown_apart_and_takes_no_step(
    call_as: CallAs, journey: Journey, county: County, tmp_path: Path
) -> None:
    living = journey.submit()
    file = tmp_path / "history.csv"
    file.write_text(
        "source_id,status,text,unit,created_at,resolved_at\n"
        "h1,legacy,The old bridge,water,2025-03-03T09:00:00+08:00,2025-03-05T09:00:00+08:00\n",
        "utf-8",
    )
    options = ImportOptions(zone=ZoneInfo("Asia/Shanghai"), source="old", submitter="s")
    assert import_tickets(file, options, now=utc_now()).refused == []
    dispatcher = call_as("d")
    assert _found(dispatcher.get("/tickets")) == [living]
    answer = dispatcher.get("/tickets", status="legacy")
    [old] = _found(answer)
    schemas.TicketList.model_validate_json(answer.data)
    opened = schemas.Ticket.model_validate_json(dispatcher.get(f"/tickets/{old}").data)
    assert (opened.status, opened.allowed_actions, opened.clocks, opened.unit) == ("legacy", [], [], "water")
    for login, action, fields in (
        ("d", "note", {"text": "A word"}),
        ("hw", "reply", {"text": "A word"}),
        ("d", "dispatch", {"lead": "roads"}),
    ):
        assert call_as(login).act(old, action, **fields).status_code in (403, 404, 409), action
