"""The leader's page: five numbers, exceptions and closures by unit, each number opening the list that it counts."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from feedback.kernel.clock import utc_now
from feedback.web.periods import asked_period
from tests.support.browser import Browser, give_password
from tests.support.calendars import at
from tests.support.county import County
from tests.support.histories import Histories
from tests.support.journey import Journey
from tests.support.statements import counted_statements
from tests.support.strange import STRANGE

NOW = at("2026-03-20 10:00")
MARCH = "period=own&from=2026-03-01&to=2026-03-31"


@pytest.fixture
def histories(county: County) -> Histories:
    give_password(*(county.accounts[login] for login in ("lr", "lp", "su", "hw")))
    return Histories(county)


def leader(app: Flask, login: str = "lr") -> Browser:
    browser = Browser(app, **{"Accept-Language": "en"})
    browser.sign_in(login)
    return browser


def fill(histories: Histories) -> None:
    """Twelve of water (nine claimed, six of these confirmed), and two of roads (one claimed)."""
    for number in range(12):
        steps = [("2026-03-05 10:00", "resolve")] if number < 9 else []
        if number < 6:
            steps.append(("2026-03-06 10:00", "confirm", "solved"))  # type: ignore[arg-type]
        histories.add("water", *steps)
    histories.add("roads", ("2026-03-12 10:00", "resolve"), category="roads")
    histories.add("roads", category="roads")


def numbers(text: str) -> dict[str, tuple[str, str]]:
    """By label: the value and what it counts."""
    found = re.findall(
        r'<div class="number">\s*<p class="muted">([^<]+)</p>\s*<p class="big">(.*?)</p>\s*<p class="small">([^<]+)</p>',
        text,
        re.S,
    )
    return {label: (re.sub(r"<span.*?</span>|<[^>]+>", "", value), of) for label, value, of in found}


def links(text: str) -> list[tuple[str, int]]:
    """Each link of the table of units that stands for a count, and the count said beside it."""
    found = re.findall(r'<a href="(/review/list[^"]+)">[^<]+</a> <span class="muted small">(\d+) / \d+</span>', text)
    return [(html.unescape(url), int(number)) for url, number in found]


@time_machine.travel(NOW, tick=False)
def test_leader_reads_five_numbers_with_what_they_count(app: Flask, histories: Histories) -> None:
    fill(histories)
    found = numbers(leader(app).get(f"/review?{MARCH}").text)
    assert found == {
        "Raised": ("14", "tickets submitted in this period"),
        "Stable closure": ("0 %", "0 of 14 dispatched"),
        "Confirmed closure": ("43 %", "6 of 14 dispatched"),
        "On time": ("64 %", "9 of 14 dispatched"),
        "Waiting on us": ("4", "open now, 4 of them late"),
    }


@time_machine.travel(NOW, tick=False)
def test_each_number_of_the_table_opens_the_list_that_it_counts(app: Flask, histories: Histories) -> None:
    fill(histories)
    histories.add("water", ("2026-03-05 10:00", "resolve"), ("2026-03-06 10:00", "confirm", "solved"), place="村口")
    histories.add("water", submitted="2026-03-12 09:00", place="村口")
    browser = leader(app)
    text = browser.get(f"/review?{MARCH}").text
    counted = links(text)
    assert len(counted) == 15
    assert [number for url, number in counted if "measure=raised_again" in url] == [1, 0, 1]
    for url, number in counted:
        page = browser.get(url)
        assert page.status_code == 200
        assert len(re.findall(r'<tr role="row" id="row-H', page.text)) == number, url
        assert f"counted: {number}" in page.text
    raised = re.search(r'<p class="big"><a href="([^"]+)">16<', text)
    assert raised
    assert len(re.findall(r'id="row-H', browser.get(html.unescape(raised.group(1))).text)) == 16


@time_machine.travel(NOW, tick=False)
def test_figures_stand_with_their_definitions_and_the_warning_of_small_numbers(
    app: Flask, histories: Histories
) -> None:
    fill(histories)
    text = leader(app).get(f"/review?{MARCH}").text
    for words in (
        "It is a claim.",
        "neither reopened nor raised again at the same place within 30 days",
        "A ticket counts for the unit that first said it was done",
        "Fewer than ten: a share of so few says little.",
    ):
        assert words in text
    roads = text.partition('id="row-roads"')[2].partition("</tr>")[0]
    assert "few" in roads
    assert "few" not in text.partition('id="row-water"')[2].partition("</tr>")[0]
    assert "3 only said to be done" in text


@time_machine.travel(NOW, tick=False)
def test_cell_that_would_tell_who_spoke_is_not_shown_and_its_list_is_shut(app: Flask, histories: Histories) -> None:
    fill(histories)
    histories.add("a", ("2026-03-05 10:00", "resolve"), privacy="confidential", category="works/a")
    browser = leader(app)
    row = browser.get(f"/review?{MARCH}").text.partition('id="row-a"')[2].partition("</tr>")[0]
    assert "not shown" in row
    assert " %" not in row
    shut = browser.get("/review/list?from=2026-03-01&to=2026-03-31&by=unit&key=a&measure=claimed&part=numerator")
    assert "This list is not shown" in shut.text
    assert 'id="row-H' not in shut.text
    whole = browser.get("/review/list?from=2026-03-01&to=2026-03-31&by=unit&measure=claimed&part=denominator")
    assert "Some tickets count here and are not listed" in whole.text
    assert "counted: 15" in whole.text
    assert len(re.findall(r'id="row-H', whole.text)) < 15


@time_machine.travel(NOW, tick=False)
def test_leader_of_a_part_counts_only_what_lies_below(app: Flask, histories: Histories) -> None:
    fill(histories)
    histories.add("c", area="p2", category="works/a")
    assert numbers(leader(app, "lr").get(f"/review?{MARCH}").text)["Raised"][0] == "15"
    assert numbers(leader(app, "lp").get(f"/review?{MARCH}").text)["Raised"][0] == "14"
    assert numbers(leader(app, "su").get(f"/review?{MARCH}").text)["Raised"][0] == "15"


def test_leader_finds_late_disputed_silent_and_oldest_with_their_lists(app: Flask, histories: Histories) -> None:
    county = histories.county
    long_ago = (utc_now() - timedelta(days=40)).strftime("%Y-%m-%d %H:%M")
    late = histories.add("water", submitted=long_ago, due=long_ago).reference
    journey = Journey(county, now=utc_now() - timedelta(hours=2))
    back = journey.to("resolved")
    journey.act(back, "dispute", "s", reason="Still dark")
    browser = leader(app)
    text = browser.get("/review").text
    for name, references in {"late": [late], "disputed": [back], "silent": [late], "oldest": [late, back]}.items():
        page = browser.get(f"/review/now/{name}").text
        assert re.findall(r'<tr role="row" id="row-([^"]+)"', page) == references
        assert re.search(rf'href="/review/now/{name}">[^<]+ <span class="count">{len(references)}</span>', text)
    assert f'id="row-late-{late}"' in text
    assert "came back 1 time" in text
    assert browser.get("/review/now/other").status_code == 404


def test_supervisor_finds_the_requests_that_they_may_decide(app: Flask, histories: Histories) -> None:
    journey = Journey(histories.county, now=utc_now() - timedelta(hours=2))
    reference = journey.to("dispatched", urgency="urgent")
    journey.act(reference, "set_urgency", "dp1", urgency="normal", reason="Nobody is in danger")
    link = f'href="/tickets/{reference}#do-decide"'
    assert link in leader(app, "su").get("/review").text
    assert link not in leader(app, "lp").get("/review").text


def test_leader_without_tickets_is_told_so(app: Flask, histories: Histories) -> None:
    text = leader(app).get("/review").text
    assert "Nothing needs a look" in text
    assert "No ticket was due in this period" in text
    assert numbers(text)["Stable closure"] == ("–", "none was due in this period")


@pytest.mark.parametrize(
    ("args", "days", "has_words"),
    [
        ({}, ("2025-12-21", "2026-03-20"), False),
        ({"period": "this_month"}, ("2026-03-01", "2026-03-20"), False),
        ({"period": "last_month"}, ("2026-02-01", "2026-02-28"), False),
        ({"from": "2026-01-05", "to": "2026-01-09"}, ("2026-01-05", "2026-01-09"), False),
        ({"period": "own", "from": "2026-01-09", "to": "2026-01-05"}, ("2025-12-21", "2026-03-20"), True),
        ({"period": "own", "from": "yesterday"}, ("2025-12-21", "2026-03-20"), True),
        ({"period": "fortnight"}, ("2025-12-21", "2026-03-20"), True),
    ],
)
def test_period_is_read_from_the_address_or_said_to_be_wrong(
    app: Flask, args: dict[str, str], days: tuple[str, str], has_words: bool
) -> None:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        period, words = asked_period(args, NOW)
    assert tuple(period.args().values()) == days
    assert bool(words) is has_words


def test_month_is_held_against_the_whole_month_before(app: Flask) -> None:
    with app.test_request_context():
        period, _words = asked_period({"period": "last_month"}, NOW)
    assert tuple(period.before().args().values()) == ("2026-01-01", "2026-01-31")


@pytest.mark.parametrize("name", ["period", "from", "to"])
def test_leader_with_a_strange_address_never_gets_a_fault(app: Flask, histories: Histories, name: str) -> None:
    browser = leader(app)
    for value in STRANGE:
        assert browser.get(f"/review?{name}={value}").status_code in (200, 422), value


@pytest.mark.parametrize("name", ["from", "to", "by", "key", "measure", "part", "unit", "cursor"])
def test_leader_with_a_strange_list_gets_words(app: Flask, histories: Histories, name: str) -> None:
    browser = leader(app)
    good = {"from": "2026-03-01", "to": "2026-03-31", "by": "unit", "measure": "claimed", "part": "numerator"}
    for value in STRANGE:
        query = "&".join(f"{key}={each}" for key, each in {**good, name: value}.items())
        assert browser.get(f"/review/list?{query}").status_code in (200, 404, 422), value
    assert browser.get("/review/list").status_code == 422


def test_leader_with_a_strange_cursor_gets_the_first_page_and_a_word(app: Flask, histories: Histories) -> None:
    browser = leader(app)
    for value in STRANGE:
        answer = browser.get(f"/review/now/late?cursor={value}")
        assert answer.status_code == 200, value
    assert "Place in the list" in browser.get("/review/now/late?cursor=e30").text


def test_review_of_many_tickets_costs_as_many_statements_as_of_few(app: Flask, histories: Histories) -> None:
    browser = leader(app)
    recent = (utc_now() - timedelta(days=20)).strftime("%Y-%m-%d %H:%M")

    def add(number: int) -> None:
        for lead in ("water", "roads", "a", "b", "c")[:number]:
            ticket = histories.add(lead, submitted=recent, due=recent, category="water")
            assert ticket.id

    def spent() -> int:
        with counted_statements() as sent:
            assert browser.get("/review").status_code == 200
        return len(sent)

    for _time in range(3):
        add(2)
    spent()  # what the process keeps is read once
    few = spent()
    for _time in range(8):
        add(5)
    assert spent() == few
    assert few <= 35


def test_handler_may_not_open_the_review(app: Flask, histories: Histories) -> None:
    browser = leader(app, "hw")
    for path in ("/review", "/review/list", "/review/now/late"):
        assert browser.get(path).status_code == 403


@time_machine.travel(NOW, tick=False)
def test_each_part_of_each_bar_opens_a_list_of_as_many(app: Flask, histories: Histories) -> None:
    fill(histories)
    histories.add("water", ("2026-02-05 10:00", "resolve"), due="2026-02-09 10:00", submitted="2026-02-02 09:00")
    browser = leader(app)
    text = browser.get(f"/review?{MARCH}").text
    charts = re.findall(r"<figure.*?</figure>", text, re.S)
    assert ["by unit" in chart.split("</figcaption>")[0] for chart in charts] == [True, False]
    assert "2026-02" in charts[1]
    parts = re.findall(r'<a href="(/review/list[^"]+)"><rect[^>]+aria-label="[^"]*: (\d+) [^"]*"', "".join(charts))
    assert len(parts) == 3 + 2 + 1 + 3
    for url, number in parts:
        assert f"counted: {number}" in browser.get(html.unescape(url)).text, url
    listed = browser.get(html.unescape(parts[0][0])).text
    assert re.search(r'href="/review" aria-current="true"', listed)
