"""Two writes that wait for each other: the database ends one of them, and its caller is told to try again."""

from __future__ import annotations

import time
from threading import Thread

import psycopg
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from feedback.kernel.db import db
from tests.api.conftest import CallAs
from tests.support.county import County, build_county
from tests.support.journey import Journey


@pytest.fixture
def app(postgres_app: Flask) -> Flask:
    return postgres_app


@pytest.fixture
def county(app: Flask) -> County:
    return build_county(db.session())


@pytest.mark.postgres
def test_caller_whose_write_is_ended_by_the_database_is_told_to_try_again(
    app: Flask, county: County, call_as: CallAs
) -> None:
    journey = Journey(county)
    elder, younger = journey.submit(by="s"), journey.submit(by="s2")
    journey.act(younger, "join", "dp1", into=elder)
    dispatcher = call_as("dp1")
    answers: list[TestResponse] = []

    def part() -> None:
        with app.app_context():
            answers.append(dispatcher.act(younger, "unjoin", reason="It is another lamp"))

    url = db.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    journey.county.session.rollback()
    with psycopg.connect(url) as other:
        other.execute("SELECT 1 FROM ticket WHERE reference = %s FOR UPDATE", [elder])
        asking = Thread(target=part)
        asking.start()
        time.sleep(0.4)  # it holds the younger one now, and waits for the elder
        other.execute("SELECT 1 FROM ticket WHERE reference = %s FOR UPDATE", [younger])
        asking.join()
    assert (answers[0].status_code, answers[0].get_json()["code"]) == (503, "overloaded")
    assert answers[0].headers["Retry-After"]
    assert journey.ticket(younger).closure_reason == "joined"
