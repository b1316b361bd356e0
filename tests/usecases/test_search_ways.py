"""Wherever a search begins, it finds the same tickets in the same order on the same pages, each once, and counts as many."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import select

from feedback.kernel.actor import Actor
from feedback.reading import full_text, starts
from feedback.reading.queries import (
    BY_DUE,
    MOST_COUNTED,
    NEWEST,
    count_each,
    count_each_up_to,
    count_up_to,
    list_tickets,
    most_counted,
)
from feedback.reading.search import TicketFilters
from feedback.tickets.models import Message, Ticket
from feedback.tickets.visibility import visible
from tests.support.county import County
from tests.support.journey import Journey
from tests.support.search_ways import ALL_WAYS, CUT, LOOKED, WAYS, ask_in_one_way
from tests.support.statements import counted_statements

STATES = ("submitted", "dispatched", "in_progress", "waiting_for_submitter", "resolved", "closed.confirmed")
SORTS = (BY_DUE, NEWEST)
LISTS: tuple[dict[str, Any], ...] = (
    {},
    {"status": ("open",)},
    {"status": ("in_progress", "legacy")},
    {"area": "village"},
    {"desk": True},
    {"desk": True, "disputed": False, "assigned": False},
    {"mine": True},
    {"overseen": True, "overdue": False},
)


@pytest.fixture
def told(any_county: County) -> tuple[County, Journey]:
    """Tickets in every state, some of them about the department, joined by words in text, note and comment."""
    journey = Journey(any_county)
    for number, state in enumerate(STATES * 2):
        journey.to(state, title=f"Pipe {number}", text=("铁门生锈", "木门朽了，铁门也锈")[number % 2])
    helped = journey.to("in_progress", title="Road", text="围墙塌了")
    journey.act(helped, "add_leg", "hw", unit="roads", task="Look at the road.")
    journey.act(helped, "note", "hw", text="铁门在后面")
    journey.submit(title="Them", text="铁门的事局里推诿", about=["water"])
    return any_county, journey


def _pages(county: County, actor: Actor, filters: TicketFilters, sort: str, now: Any) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        page = list_tickets(county.session, actor, filters, now=now, sort=sort, limit=3, cursor=cursor)
        found += [row.reference for row in page.items]
        cursor = page.next
        if cursor is None:
            return found


@pytest.mark.parametrize("queries", [("铁门",), pytest.param(("朽", "铁门 锈"), marks=pytest.mark.slow)])
def test_every_way_finds_the_same_in_the_same_order_page_by_page(
    told: tuple[County, Journey], monkeypatch: pytest.MonkeyPatch, queries: tuple[str, ...]
) -> None:
    county, journey = told
    now = journey.now
    answers: dict[Any, dict[str, Any]] = {}
    is_quick = len(queries) == 1
    on_postgresql = county.session.get_bind().dialect.name == "postgresql"
    ways = WAYS if is_quick and on_postgresql else ALL_WAYS
    for way in ways:
        ask_in_one_way(monkeypatch, way)
        for login in ("s", "hw", "hr", "d", "lr"):
            county.session.rollback()
            actor = county.actor(login, now)
            for query in queries:
                for place, narrowed in enumerate(LISTS):
                    filters = TicketFilters(q=query, **narrowed)
                    sorts = SORTS[place % 2 :][:1] if is_quick else SORTS  # the quick run: the orders by turns
                    pages = [_pages(county, actor, filters, sort, now) for sort in sorts]
                    assert all(max(Counter(page).values(), default=1) == 1 for page in pages)
                    counts = count_each(county.session, actor, {"one": filters}, now=now)["one"]
                    assert counts == len(pages[0]) == count_up_to(county.session, actor, filters, now=now)
                    assert count_each_up_to(county.session, actor, {"one": filters}, now=now) == {"one": counts}
                    answers.setdefault((login, query, str(narrowed)), {})[way] = pages
    assert sum(len(pages[0]) for found in answers.values() for pages in found.values()) > 17 * len(ways) * len(queries)
    for asked, found in answers.items():
        for way in ways:
            assert found[way] == found[full_text.NAMED], (asked, way)


@pytest.mark.parametrize("way", WAYS)
def test_what_a_plain_look_at_every_text_finds_is_found(
    told: tuple[County, Journey], monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    county, journey = told
    ask_in_one_way(monkeypatch, way)
    for login in ("d", "lr"):
        actor = county.actor(login, journey.now)
        seen = set(county.session.scalars(select(Ticket.reference).where(visible(actor))))
        texts = county.session.execute(
            select(Ticket.reference, Message.body, Message.title).join(Message, Message.ticket_id == Ticket.id)
        )
        speaking = {row.reference for row in texts if "铁门" in row.body}
        found = _pages(county, actor, TicketFilters(q="铁门"), NEWEST, journey.now)
        assert sorted(found) == sorted(seen & speaking)


def test_who_only_raises_tickets_is_searched_for_among_their_own(
    told: tuple[County, Journey], monkeypatch: pytest.MonkeyPatch
) -> None:
    county, journey = told
    ask_in_one_way(monkeypatch, full_text.COMMON)
    county.session.rollback()
    assert full_text.way_of(county.session, county.actor("s", journey.now), "铁门") == full_text.NEAR
    assert full_text.way_of(county.session, county.actor("hw", journey.now), "铁门") == full_text.COMMON


def test_list_without_enough_hits_of_a_common_word_begins_with_the_hits(
    told: tuple[County, Journey], monkeypatch: pytest.MonkeyPatch
) -> None:
    county, journey = told
    ask_in_one_way(monkeypatch, full_text.COMMON)
    actor = county.actor("hw", journey.now)
    monkeypatch.setattr(starts, "MOST_COUNTED_OF_COMMON", 2)
    desk, other = TicketFilters(q="铁门", desk=True), TicketFilters(q="铁门", desk=True, area="p2")
    county.session.rollback()
    assert starts.is_walked(county.session, actor, desk, journey.now)
    assert not starts.is_walked(county.session, actor, other, journey.now)
    assert most_counted(county.session, actor, other, now=journey.now) == MOST_COUNTED
    counts = count_each_up_to(
        county.session,
        actor,
        {"all": desk, "work": desk.model_copy(update={"status": ("in_progress",)})},
        now=journey.now,
        most=2,
    )
    assert counts == {"all": 3, "work": 3}


def test_common_word_asks_no_index_of_all_that_have_it(
    told: tuple[County, Journey], monkeypatch: pytest.MonkeyPatch
) -> None:
    county, journey = told
    ask_in_one_way(monkeypatch, full_text.COMMON)
    monkeypatch.setattr(full_text, "MANY", 1)
    actor = county.actor("hw", journey.now)
    county.session.rollback()
    with counted_statements() as sent:
        list_tickets(county.session, actor, TicketFilters(q="铁门", desk=True), now=journey.now)
    asked = [each for each in sent if "MATCH" in each or "ticket_words.everyone @@" in each]
    assert asked
    assert all("LIMIT" in each for each in asked)


@pytest.mark.parametrize("how", [LOOKED, CUT])
def test_list_of_a_common_word_is_looked_into_no_further_than_there_are_hits(
    told: tuple[County, Journey], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    county, journey = told
    ask_in_one_way(monkeypatch, full_text.COMMON + how)
    for login, narrowed in (("lr", {}), ("lr", {"overseen": True}), ("hw", {}), ("hw", {"status": ("in_progress",)})):
        county.session.rollback()
        filters = TicketFilters(q="铁门", **narrowed)
        with counted_statements() as sent:
            found = starts.found_on(county.session, county.actor(login, journey.now), filters, journey.now)
        assert found
        all_hits = [
            each for each in sent if each.startswith(("SELECT ticket_words", "SELECT ticket_search", "SELECT hit"))
        ]
        assert any(each.startswith("SELECT hit") or "LIMIT" not in each for each in all_hits) == (how == CUT)


def test_hits_on_a_desk_are_told_once_for_its_page_and_all_its_tabs(
    told: tuple[County, Journey], monkeypatch: pytest.MonkeyPatch
) -> None:
    county, journey = told
    desk = TicketFilters(q="铁门", desk=True)
    tabs = {
        "all": desk,
        "work": desk.model_copy(update={"status": ("in_progress",)}),
        "mine": desk.model_copy(update={"assigned": True}),
        "old": desk.model_copy(update={"status": ("legacy", "in_progress")}),
    }
    answers = {}
    for way in ALL_WAYS:
        ask_in_one_way(monkeypatch, way)
        county.session.rollback()
        actor = county.actor("hw", journey.now)
        with counted_statements() as sent:
            counts = count_each_up_to(county.session, actor, tabs, now=journey.now, most=MOST_COUNTED)
            page = _pages(county, actor, tabs["work"], BY_DUE, journey.now)
        answers[way] = (counts, page)
        if way in (full_text.NEAR, full_text.COMMON + LOOKED):
            assert sum("instr(" in each or "@@" in each for each in sent) <= 6, (
                "two looks for either list, two at the word"
            )
    assert answers[full_text.NAMED][0]["all"] > answers[full_text.NAMED][0]["work"] > 1
    assert all(answer == answers[full_text.NAMED] for answer in answers.values())
