"""The handler's desk: tabs that count what they list, filters kept in the address, a fixed number of statements."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask

from feedback.kernel.clock import utc_now
from tests.support.browser import Browser, give_password
from tests.support.county import County
from tests.support.journey import Journey
from tests.support.statements import counted_statements
from tests.support.strange import STRANGE

TABS = ("sign", "back", "work", "wait", "mine", "all")


@pytest.fixture
def journey(county: County) -> Journey:
    give_password(county.accounts["hw"], county.accounts["lw"], county.accounts["hr"], county.accounts["s"])
    return Journey(county, now=utc_now() - timedelta(hours=3))


@pytest.fixture
def desk(app: Flask, journey: Journey) -> Browser:
    browser = Browser(app, **{"Accept-Language": "en"})
    browser.sign_in("hw")
    browser.get("/desk")
    return browser


def counts(text: str) -> list[int]:
    """The numbers on the tabs, in their order."""
    tabs = re.search(r'<ul class="tabs">.*?</ul>', text, re.S)
    assert tabs
    return [int(number) for number in re.findall(r'<span class="count">(\d+)</span>', tabs.group(0))]


def listed(text: str) -> list[str]:
    return re.findall(r'<tr role="row" id="row-(ZD-[^"]+)"', text)


def test_handler_finds_each_ticket_in_the_tab_that_says_what_it_waits_for(desk: Browser, journey: Journey) -> None:
    signed = journey.to("dispatched")
    worked = journey.to("in_progress")
    asked = journey.to("waiting_for_submitter")
    claimed = journey.to("resolved")
    back = journey.to("resolved")
    journey.act(back, "dispute", "s", reason="It leaks again")
    done = journey.to("closed.confirmed")
    journey.to("submitted")
    mine = journey.to("dispatched")
    journey.act(mine, "assign", "lw", assignee="hw")
    found = {tab: listed(desk.get(f"/desk?tab={tab}").text) for tab in TABS}
    assert set(found["sign"]) == {signed, mine}
    assert found["back"] == [back]
    assert found["work"] == [worked]
    assert set(found["wait"]) == {asked, claimed}
    assert mine in found["mine"]
    assert set(found["all"]) == {signed, worked, asked, claimed, back, done, mine}
    assert counts(desk.get("/desk?tab=all").text) == [len(found[tab]) for tab in TABS]


def test_handler_without_a_tab_gets_the_first_that_needs_somebody(desk: Browser, journey: Journey) -> None:
    empty = desk.get("/desk")
    assert counts(empty.text) == [0, 0, 0, 0, 0, 0]
    assert "Nothing waits for a signature" in empty.text
    worked = journey.to("in_progress")
    assert listed(desk.get("/desk").text) == [worked]
    signed = journey.to("dispatched")
    assert listed(desk.get("/desk").text) == [signed]


def test_handler_reads_the_row_without_opening_it(desk: Browser, journey: Journey) -> None:
    reference = journey.to("dispatched", text="The pump is dry. It stopped on Monday evening.", place="Old well")
    row = desk.get("/desk").text.partition(f'id="row-{reference}"')[2].partition("</tr>")[0]
    assert "It stopped on Monday evening." in row
    assert "Village · Old well" in row
    assert "sign by" in row
    assert "nobody yet" in row
    assert " left" in row
    assert f'href="/tickets/{reference}"' in row


def test_handler_of_another_unit_sees_nothing_of_it(app: Flask, journey: Journey) -> None:
    journey.to("in_progress")
    other = Browser(app, **{"Accept-Language": "en"})
    other.sign_in("hr")
    assert counts(other.get("/desk").text) == [0, 0, 0, 0, 0, 0]


def test_handler_keeps_filters_through_tabs_and_pages(desk: Browser, journey: Journey) -> None:
    for number in range(28):
        journey.to("dispatched", text=f"Lamp number {number} is out", urgency="urgent")
    journey.to("dispatched", text="The bench is broken")
    first = desk.get("/desk?tab=sign&q=lamp&urgency=urgent").text
    assert counts(first) == [28, 0, 0, 0, 0, 28]
    assert re.search(r'href="/desk\?q=lamp&amp;urgency=urgent&amp;tab=all"', first)
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    second = desk.get(following.group(1).replace("&amp;", "&")).text
    assert len(listed(first)) == 25
    assert len(listed(second)) == 3
    assert not set(listed(first)) & set(listed(second))
    assert "28 tickets" in second


def test_handler_with_a_filter_that_makes_no_sense_gets_the_list_and_a_word(desk: Browser, journey: Journey) -> None:
    reference = journey.to("dispatched")
    answer = desk.get("/desk?tab=sign&area=nowhere&urgency=soon&overdue=maybe&cursor=x")
    assert answer.status_code == 200
    assert listed(answer.text) == [reference]
    for words in ("Area", "Urgency", "Late only", "Place in the list"):
        assert f"The filter “{words}” was left out" in answer.text


@pytest.mark.parametrize("name", ["tab", "q", "area", "category", "urgency", "overdue", "cursor"])
def test_handler_with_a_strange_address_never_gets_a_fault(desk: Browser, name: str) -> None:
    for value in STRANGE:
        answer = desk.get(f"/desk?{name}={value}")
        assert answer.status_code in (200, 422), (value, answer.status_code)
        assert "<script>alert" not in answer.text


def test_handler_of_forty_tickets_costs_as_many_statements_as_of_five(
    app: Flask, desk: Browser, journey: Journey
) -> None:
    def spent() -> int:
        with counted_statements() as sent:
            assert desk.get("/desk?tab=sign").status_code == 200
        return len(sent)

    for _number in range(5):
        journey.to("dispatched")
    spent()  # what the process keeps is read once
    few = spent()
    for _number in range(35):
        journey.to("dispatched")
    assert spent() == few
    assert few <= 12


def test_submitter_is_told_that_the_desk_belongs_to_another_role(app: Flask, journey: Journey) -> None:
    browser = Browser(app)
    browser.sign_in("s")
    assert browser.get("/desk").status_code == 403


def test_handler_who_ticks_late_only_gets_a_list_that_heeds_it(desk: Browser, journey: Journey) -> None:
    journey.to("in_progress")
    sent = re.search(r'<input[^>]*name="overdue"[^>]*value="([^"]+)"', desk.get("/desk?tab=all").text)
    assert sent
    page = desk.get(f"/desk?tab=all&overdue={sent[1]}").text
    assert "was left out" not in page
    assert re.search(r'<input[^>]*checked[^>]*name="overdue"', page)
    assert listed(page) == []
