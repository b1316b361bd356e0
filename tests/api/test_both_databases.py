"""What could differ between SQLite and PostgreSQL when called over HTTP: odd characters, the same key at once, whole loops."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from feedback.kernel.db import db
from feedback.tickets.models import Ticket
from tests.support.caller import Caller
from tests.support.county import County

ODD = {
    "nul": "pipe\x00leak",
    "right to left": "pipe \u202egnp.exe",
    "zero width": "p\u200bipe leaks",
    "extension B": "𠀀𠮷 的水管漏水",
    "emoji": "🙂 the pipe leaks 👩‍👩‍👧",
    "decomposed": "Cafe\u0301 pipe",
    "quote": "'; DROP TABLE ticket; --",
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "percent": "100% %s %(x)s {0} {{7*7}}",
    "formula": "=1+1",
}

WORD_OF = {"emoji": "pipe", "quote": "TABLE"}
"""What is searched for where the first thing said is no word: signs alone are not in the index."""


def _count() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Ticket)) or 0


@pytest.mark.parametrize("field", ["text", "title", "place", "category", "area"])
def test_odd_characters_come_back_as_they_were_or_are_refused(field: str, any_app: Flask, any_county: County) -> None:
    submitter, dispatcher = Caller(any_app, any_county, "s"), Caller(any_app, any_county, "d")
    for kind, odd in ODD.items():
        before = _count()
        made = submitter.post("/tickets", {"text": "The pipe leaks", field: odd})
        if kind == "nul" or field in ("category", "area"):
            assert (made.status_code, set(made.get_json()["errors"])) == (422, {field}), kind
            assert _count() == before
            continue
        assert made.status_code == 201, made.text
        reference = made.get_json()["reference"]
        assert submitter.get(f"/tickets/{reference}").get_json()[field] == odd
        found = dispatcher.get("/tickets", q=WORD_OF.get(kind, odd.split()[0])).get_json()["items"]
        assert reference in {item["reference"] for item in found}, kind


def test_same_key_sent_at_once_makes_one_ticket(any_app: Flask, any_county: County) -> None:
    token = Caller(any_app, any_county, "s").token
    answers: list[Any] = []
    start = threading.Barrier(4)

    def send() -> None:
        with any_app.app_context():
            caller = Caller(any_app, any_county, "s", token=token)
            start.wait()
            response = caller.post("/tickets", {"text": "The pipe leaks"}, headers={"Idempotency-Key": "at-once"})
            answers.append((response.status_code, response.get_json().get("reference")))
            db.session.remove()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {status for status, _ in answers} == {201}, answers
    assert len({reference for _, reference in answers}) == 1
    assert _count() == 1


def test_same_version_sent_at_once_is_taken_once(any_app: Flask, any_county: County) -> None:
    reference = Caller(any_app, any_county, "s").submit("The water pipe leaks")["reference"]
    handler = Caller(any_app, any_county, "hw")
    version = handler.act(reference, "acknowledge").get_json()["version"]
    answers: list[int] = []
    start = threading.Barrier(4)

    def send(number: int) -> None:
        with any_app.app_context():
            caller = Caller(any_app, any_county, "hw", token=handler.token)
            start.wait()
            answers.append(caller.act(reference, "reply", text=f"Word {number}", version=version).status_code)
            db.session.remove()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 409, 409, 409]
    assert handler.get(f"/tickets/{reference}").get_json()["version"] == version + 1


def test_loop_runs_over_http(any_app: Flask, any_county: County) -> None:
    submitter, handler = Caller(any_app, any_county, "s"), Caller(any_app, any_county, "hw")
    reference = submitter.submit("The water pipe leaks", privacy="confidential")["reference"]
    for who, action, fields in (
        (handler, "acknowledge", {}),
        (handler, "reply", {"text": "We come tomorrow"}),
        (handler, "resolve", {"outcome": "solved", "text": "The pipe was replaced"}),
        (submitter, "confirm", {"verdict": "solved", "rating": 5}),
    ):
        assert who.act(reference, action, **fields).status_code == 200, action
    closed = submitter.get(f"/tickets/{reference}").get_json()
    assert (closed["status"], closed["closure_reason"]) == ("closed", "confirmed")
    assert len(submitter.get(f"/tickets/{reference}/timeline").get_json()["items"]) == 6
