"""Few hits of a search come the best first, many the newest; each page goes on where the last ended."""

from __future__ import annotations

from typing import Any

import pytest

from feedback.reading import ranking
from feedback.reading.queries import BEST, list_tickets
from feedback.reading.search import TicketFilters
from tests.support.county import County
from tests.support.journey import Journey


def test_few_hits_come_the_best_first_and_page_by_page(any_county: County) -> None:
    journey = Journey(any_county)
    in_text = journey.submit(title="The square", text="It is dark since the lamp broke")
    closed = journey.to("closed.withdrawn", title="Lamp", text="Dark")
    in_title = journey.submit(title="Lamp on the square", text="It is dark")
    newest = journey.submit(title="The well", text="No lamp there")
    session, reader = any_county.session, any_county.actor("d", journey.now)

    def found(q: str, **more: Any) -> list[str]:
        shown, cursor = [], None
        while True:
            page = list_tickets(
                session, reader, TicketFilters(q=q), now=journey.now, sort=BEST, limit=2, cursor=cursor, **more
            )
            shown += [row.reference for row in page.items]
            cursor = page.next
            if cursor is None:
                return shown

    assert found("lamp") == [in_title, closed, newest, in_text]
    assert found(newest.lower()) == [newest]
    assert found("lamp square") == [in_title, in_text]
    assert found("nothing") == []


def test_many_hits_come_the_newest_first(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "MOST_RANKED", 2)
    journey = Journey(county)
    made = [journey.submit(title="Lamp", text="Dark") for _each in range(3)]
    reader = county.actor("d", journey.now)
    first = list_tickets(county.session, reader, TicketFilters(q="lamp"), now=journey.now, sort=BEST, limit=2)
    rest = list_tickets(
        county.session, reader, TicketFilters(q="lamp"), now=journey.now, sort=BEST, limit=2, cursor=first.next
    )
    assert [row.reference for row in (*first.items, *rest.items)] == made[::-1]
