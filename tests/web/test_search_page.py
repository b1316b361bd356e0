"""The search page: hits marked and escaped, filters and pages in the address, a word for whatever finds nothing."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from tests.support.browser import Browser, give_password
from tests.support.county import PEOPLE, County
from tests.support.journey import Journey
from tests.support.statements import counted_statements
from tests.support.strange import STRANGE


@pytest.fixture
def journey(county: County) -> Journey:
    give_password(*(county.accounts[login] for login, _grants in PEOPLE))
    return Journey(county)


def browser_of(app: Flask, login: str) -> Browser:
    browser = Browser(app, **{"Accept-Language": "en"})
    browser.sign_in(login)
    return browser


@pytest.fixture
def reader(app: Flask, journey: Journey) -> Browser:
    return browser_of(app, "d")


def listed(text: str) -> list[str]:
    return re.findall(r'<tr role="row" id="row-(ZD-[^"]+)"', text)


def test_everybody_who_is_signed_in_has_the_search(app: Flask, journey: Journey) -> None:
    assert Browser(app).get("/search?q=a").status_code == 302
    for login in ("s", "hw", "lw", "d", "su", "ad", "lr", "au", "adm"):
        browser = browser_of(app, login)
        answer = browser.get("/search")
        assert answer.status_code == 200, login
        assert "What are you looking for?" in answer.text
        assert 'href="/search"' in browser.get("/account").text
        assert "Nothing found" in browser.get("/search?q=lamp").text


def test_reader_sees_hits_marked_in_title_and_sentence_and_nothing_unescaped(reader: Browser, journey: Journey) -> None:
    reference = journey.submit(
        title="Lamp <i>out</i>", text="We wrote before. The <script>alert(1)</script> lamp is out & dark! Thanks."
    )
    page = reader.get("/search?q=lamp").text
    row = page.partition(f'id="row-{reference}"')[2].partition("</tr>")[0]
    assert "<mark>Lamp</mark> &lt;i&gt;out&lt;/i&gt;" in row
    assert "The &lt;script&gt;alert(1)&lt;/script&gt; <mark>lamp</mark> is out &amp; dark!" in row
    assert "We wrote before" not in row
    assert "<script>alert" not in page
    assert "<script>" not in reader.get("/search?q=%3Cscript%3Elamp").text.replace('<script type="module"', "")


def test_reader_walks_pages_and_keeps_the_filters(reader: Browser, journey: Journey) -> None:
    made = [journey.submit(text=f"Lamp number {number} is out") for number in range(27)]
    closed = journey.to("closed.withdrawn", text="Lamp is on again")
    first = reader.get("/search?q=lamp&status=open&area=p1").text
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    assert "q=lamp&amp;status=open&amp;area=p1" in following[1]
    second = reader.get(following[1].replace("&amp;", "&")).text
    assert listed(first) + listed(second) == made[::-1]
    assert "27 tickets" in first
    assert "27 tickets" in second
    assert listed(reader.get("/search?q=lamp&status=closed").text) == [closed]


def test_reader_gets_a_word_where_nothing_can_be_found(reader: Browser, journey: Journey) -> None:
    journey.submit(text="The lamp is out")
    assert "There is no word in this" in reader.get("/search?q=%25").text
    assert "Nothing found" in reader.get("/search?q=bridge").text
    assert "Nothing found with these filters" in reader.get("/search?q=lamp&status=closed").text
    long = reader.get("/search?q=" + "a" * 201)
    assert "The filter “Search” was left out: Must be at most 200 characters." in long.text
    assert "was left out" in reader.get("/search?q=lamp&area=nowhere&cursor=x").text
    longest = reader.get("/search?q=" + "%E8%B7%AF" * 10_000)
    assert longest.status_code == 200
    assert "Must be at most 200 characters." in longest.text


@pytest.mark.parametrize("name", ["q", "status", "area", "category", "cursor"])
def test_search_takes_whatever_stands_in_its_address(name: str, reader: Browser, journey: Journey) -> None:
    journey.submit(text="The lamp is out")
    for value in STRANGE:
        answer = reader.get(f"/search?q=lamp&{name}={value}" if name != "q" else f"/search?q={value}")
        assert answer.status_code == 200, (name, value)


def test_handler_finds_on_the_page_only_what_their_unit_has(app: Flask, journey: Journey) -> None:
    reference = journey.to("in_progress", text="The weir is broken")
    assert listed(browser_of(app, "hw").get("/search?q=weir").text) == [reference]
    for login in ("hb", "hr", "s2", "au", "adm"):
        page = browser_of(app, login).get("/search?q=weir").text
        assert listed(page) == []
        assert reference not in page


def test_page_asks_the_database_as_often_for_many_as_for_one(reader: Browser, journey: Journey) -> None:
    costs = []
    for more in (1, 8):
        for _each in range(more):
            journey.submit(text="The lamp is out")
        reader.get("/search?q=lamp")
        with counted_statements() as sent:
            reader.get("/search?q=lamp")
        costs.append(len(sent))
    assert costs[0] == costs[1]


def test_a_row_does_not_say_its_title_twice(reader: Browser, journey: Journey) -> None:
    journey.submit(text="The lamp at the school is out. Since Monday nobody has been there to look at the lamp.")
    page = reader.get("/search?q=lamp").text
    assert page.count("at the school is out") == 1
    excerpt = re.search(r'<span class="excerpt">(.*?)</span>', page)
    assert excerpt
    assert excerpt[1].startswith("Since Monday nobody has been there")
