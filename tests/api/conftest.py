"""Fixtures of the API's tests: a caller with a token for each person of the small county."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.support.caller import Caller
from tests.support.county import County

CallAs = Callable[..., Caller]


@pytest.fixture
def call_as(app: Flask, county: County) -> CallAs:
    """`call_as("hw")` calls the API as that person; more keywords are those of Caller."""

    known: dict[str, Caller] = {}

    def make(login: str, **more: Any) -> Caller:
        if more:
            return Caller(app, county, login, **more)
        if login not in known:
            known[login] = Caller(app, county, login)
        return known[login]

    return make
