"""Lists that a handler names: links above the filters, one's own alone, and never an address of somewhere else."""

from __future__ import annotations

import html
import re

import pytest
from flask import Flask

from tests.support.browser import Browser, give_password
from tests.support.county import County


@pytest.fixture
def people(county: County) -> County:
    give_password(*(county.accounts[login] for login in ("hw", "lw", "s")))
    return county


def _desk(app: Flask, login: str = "hw") -> Browser:
    browser = Browser(app, **{"Accept-Language": "en"})
    browser.sign_in(login)
    browser.get("/account")
    return browser


def _links(page: str) -> dict[str, str]:
    nav = re.search(r'<nav aria-label="Lists you named">.*?</nav>', page, re.S)
    found = re.findall(r'href="([^"]+)"[^>]*>([^<]+)<', nav[0]) if nav else []
    return {name: html.unescape(url) for url, name in found}


def test_handler_names_a_list_and_comes_back_to_it_with_one_tap(app: Flask, people: County) -> None:
    desk = _desk(app)
    answer = desk.post(
        "/desk/views", {"name": " Late  water ", "tab": "all", "overdue": "yes", "q": "管 & 漏", "cursor": "x"}
    )
    assert answer.status_code == 303
    page = desk.get(answer.headers["Location"])
    assert page.status_code == 200
    links = _links(page.text)
    assert list(links) == ["Late water"]
    assert links["Late water"] == "/desk?tab=all&q=%E7%AE%A1+%26+%E6%BC%8F&overdue=yes"
    again = desk.get(links["Late water"]).text
    assert "was left out" not in again
    assert 'aria-current="true">Late water' in again
    assert 'aria-current="true">Late water' not in desk.get("/desk?tab=all").text


def test_handler_who_uses_a_name_again_points_it_at_the_new_list(app: Flask, people: County) -> None:
    desk = _desk(app)
    desk.post("/desk/views", {"name": "Mine", "tab": "mine"})
    desk.post("/desk/views", {"name": "Mine", "tab": "work"})
    assert _links(desk.get("/desk").text) == {"Mine": "/desk?tab=work"}


def test_handler_forgets_a_name_but_nobody_elses(app: Flask, people: County) -> None:
    desk, head = _desk(app), _desk(app, "lw")
    desk.post("/desk/views", {"name": "Mine", "tab": "mine"})
    assert _links(head.get("/desk").text) == {}
    number = re.search(r"/desk/views/(\d+)/delete", desk.get("/desk").text)
    assert number
    head.get("/desk")
    assert head.post(f"/desk/views/{number[1]}/delete").status_code == 404
    assert desk.post(f"/desk/views/{number[1]}/delete").status_code == 303
    assert _links(desk.get("/desk").text) == {}


@pytest.mark.parametrize("name", ["", "   ", "x" * 41])
def test_a_list_without_a_fit_name_is_not_kept_and_says_so(app: Flask, people: County, name: str) -> None:
    desk = _desk(app)
    page = desk.get(desk.post("/desk/views", {"name": name, "tab": "all"}).headers["Location"])
    assert "The list was not kept:" in page.text
    assert _links(page.text) == {}


def test_a_name_is_shown_as_text_whatever_it_holds(app: Flask, people: County) -> None:
    desk = _desk(app)
    desk.post("/desk/views", {"name": "<b>x</b>", "tab": "all", "q": '"><script>'})
    page = desk.get("/desk").text
    assert "<b>x</b>" not in page
    assert "<script>" not in page


def test_handler_keeps_twelve_lists_at_most(app: Flask, people: County) -> None:
    desk = _desk(app)
    for number in range(13):
        desk.post("/desk/views", {"name": f"List {number}", "tab": "all"})
    page = desk.get("/desk").text
    assert len(_links(page)) == 12
    assert "You have 12 named lists here already." in page


def test_a_cadre_names_no_lists_of_the_desk(app: Flask, people: County) -> None:
    assert _desk(app, "s").post("/desk/views", {"name": "x", "tab": "all"}).status_code == 403
