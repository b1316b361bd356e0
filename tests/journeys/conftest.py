"""What the tests in a real browser share: Chromium, once a file, and the small county served with passwords to sign in by."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser

from tests.support.browser import give_password
from tests.support.chromium import running_browser, served
from tests.support.county import County


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as chromium:
        yield chromium


@pytest.fixture
def address(app: Flask, county: County) -> Iterator[str]:
    """Where the county answers; everybody in it may sign in."""
    give_password(*county.accounts.values())
    with served(app) as found:
        yield found
