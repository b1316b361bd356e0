"""`q` over HTTP: snippets as plain text, a bound in words, and nothing of what the caller may not see."""

from __future__ import annotations

import pytest

from tests.api.conftest import CallAs
from tests.support.county import County
from tests.support.journey import Journey


@pytest.fixture
def journey(county: County) -> Journey:
    return Journey(county)


def test_caller_gets_the_sentence_that_speaks_of_it(call_as: CallAs, journey: Journey) -> None:
    reference = journey.submit(text="前天报过。村口的路灯<b>损坏</b>了！请来修。")
    found = call_as("s").get("/tickets", q="损坏", sort="-created").get_json()
    assert [(item["reference"], item["snippet"]) for item in found["items"]] == [
        (reference, "村口的路灯<b>损坏</b>了！")
    ]
    assert call_as("s").get("/tickets", q=reference).get_json()["items"][0]["snippet"] is None
    assert call_as("s").get("/tickets").get_json()["items"][0]["snippet"] is None
    assert "snippet" not in call_as("s").get(f"/tickets/{reference}").get_json()


def test_caller_is_told_how_long_a_query_may_be(call_as: CallAs, journey: Journey) -> None:
    journey.submit()
    for query in ("路" * 201, "a" * 100_000):
        answer = call_as("d").get("/tickets", q=query)
        assert answer.status_code == 422
        assert answer.get_json()["errors"] == {"q": "Must be at most 200 characters."}


def test_other_units_find_nothing_whatever_they_ask_for(call_as: CallAs, journey: Journey) -> None:
    reference = journey.to("in_progress", text="The weir on the Osprey brook is broken")
    journey.act(reference, "note", "hw", text="The Heron company built it")
    for query in ("weir", "osprey", "heron", reference, "w", "Person s"):
        for more in ({}, {"status": "open"}, {"unit": "water"}, {"area": "p1"}, {"mine": "true"}):
            for login in ("hb", "ha", "hr", "au", "adm", "x", "s2"):
                answer = call_as(login).get("/tickets", q=query, **more)
                assert answer.get_json()["items"] == [], (login, query, more)
    assert call_as("s").get("/tickets", q="heron").get_json()["items"] == []
    assert call_as("hw").get("/tickets", q="heron").get_json()["items"][0]["snippet"] == "The Heron company built it"
