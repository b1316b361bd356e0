"""What every page costs before it says anything of its own: who is asking, what they hold, their notices, first words."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.support.browser import Browser, give_password
from tests.support.county import County
from tests.support.statements import counted_statements

MOST = 2
"""Whose session it is and whether what the process keeps is still so; notices not read, and first words put away."""


@pytest.mark.parametrize("login", ["s", "hw", "d", "lr", "adm"])
def test_a_page_without_words_of_its_own_costs_two_statements(app: Flask, county: County, login: str) -> None:
    give_password(county.accounts[login])
    browser = Browser(app)
    browser.sign_in(login)
    browser.get("/help")
    with counted_statements() as sent:
        assert browser.get("/help").status_code == 200
    assert len([one for one in sent if not one.startswith("BEGIN")]) == MOST
