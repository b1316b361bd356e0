"""The limit on calls with a real Redis-compatible server: one count for all processes, and no harm when it is away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from feedback.api.throttle import storage_uri
from feedback.factory import create_app
from feedback.kernel.db import db
from tests.jobs.conftest import Valkey, valkey
from tests.support.caller import Caller
from tests.support.county import County

__all__ = ["valkey"]

Pair = tuple[Caller, Caller]


@pytest.fixture
def two_processes(app: Flask, county: County, valkey: Valkey) -> Iterator[Pair]:
    """The same person at two applications on one database and one Redis, allowed four calls a minute."""
    token = Caller(app, county, "s").token
    apps = [create_app(replace(app.config["SETTINGS"], redis_url=valkey.url)) for _ in range(2)]
    for each in apps:
        each.config["API_RATE"] = "4 per minute"
    yield Caller(apps[0], county, "s", token=token), Caller(apps[1], county, "s", token=token)
    for each in apps:
        with each.app_context():
            db.session.remove()
            db.engine.dispose()


def test_calls_are_counted_once_for_all_processes(two_processes: Pair) -> None:
    first, second = two_processes
    codes = [caller.get("/me").status_code for caller in (first, second, first, second, first, second)]
    assert codes == [200, 200, 200, 200, 429, 429]


def test_redis_that_is_away_costs_no_call_and_is_found_again(two_processes: Pair, valkey: Valkey) -> None:
    caller, _ = two_processes
    assert caller.get("/me").status_code == 200
    valkey.stop()
    began = time.monotonic()
    answers = [caller.get("/me").status_code for _ in range(5)]
    assert answers == [200, 200, 200, 200, 429]
    assert time.monotonic() - began < 5
    valkey.start()
    assert caller.get("/me").status_code in (200, 429)


def test_socket_address_is_written_as_the_limiter_reads_it() -> None:
    assert storage_uri("unix:///run/valkey.sock?password=x") == "redis+unix:///run/valkey.sock?password=x"
    assert storage_uri("redis://127.0.0.1:6379/0") == "redis://127.0.0.1:6379/0"
