"""The dispatcher's page: why a ticket waits, one tap to send it, any unit by name or code, and what stands in the way."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask

from feedback.kernel.clock import utc_now
from feedback.kernel.errors import Invalid
from feedback.people.models import Unit
from feedback.web.unit_picker import UnitPicker
from tests.support.browser import Browser, give_password
from tests.support.county import County
from tests.support.journey import Journey
from tests.support.statements import counted_statements
from tests.support.strange import STRANGE


@pytest.fixture
def journey(county: County) -> Journey:
    county.add_person("dp1b", "dispatcher@p1")
    give_password(*(county.accounts[login] for login in ("dp1", "dp1b", "d", "hw")))
    return Journey(county, now=utc_now() - timedelta(hours=3))


@pytest.fixture
def desk(app: Flask, journey: Journey) -> Browser:
    browser = Browser(app, **{"Accept-Language": "en"})
    browser.sign_in("dp1")
    browser.get("/dispatch")
    return browser


def rows(text: str) -> list[str]:
    return re.findall(r'<article class="panel[^"]*" id="row-(ZD-[^"]+)"', text)


def row(text: str, reference: str) -> str:
    return text.partition(f'id="row-{reference}"')[2].partition("</article>")[0]


def test_dispatcher_sees_only_what_waits_for_their_office_and_why(app: Flask, desk: Browser, journey: Journey) -> None:
    unclear = journey.submit(text="The square is dark at night")
    both = journey.submit(text="A water pipe burst below the pothole")
    burden = journey.submit(text="The same water pipe form three times a month", kind="burden_lead")
    journey.to("dispatched")
    page = desk.get("/dispatch").text
    assert sorted(rows(page)) == sorted([unclear, both, burden])
    assert "no keyword of the catalogue" in row(page, unclear)
    assert "several categories" in row(page, both)
    assert "always dispatched by a person" in row(page, burden)
    assert "“water pipe”" in row(page, burden)
    assert " left" in row(page, unclear)
    root = Browser(app)
    root.sign_in("d")
    assert rows(root.get("/dispatch").text) == []


def test_what_must_be_sent_on_first_stands_on_top(desk: Browser, journey: Journey) -> None:
    journey.now -= timedelta(days=4)
    burden = journey.submit(text="The same form three times a month", kind="burden_lead")
    journey.now += timedelta(days=4)
    later = journey.submit(text="The square is dark at night")
    urgent = journey.submit(text="The square is full of glass", urgency="urgent")
    assert rows(desk.get("/dispatch").text) == [burden, urgent, later]


def test_dispatcher_takes_a_proposal_with_one_tap(desk: Browser, journey: Journey) -> None:
    reference = journey.submit(text="The water pipe form comes three times a month", kind="burden_lead")
    text = row(desk.get("/dispatch").text, reference)
    assert "Send to Water" in text
    version = re.search(r'name="version" value="(\d+)"', text)
    assert version
    answer = desk.post(f"/dispatch/{reference}?q=form", {"lead": "water", "version": version.group(1)})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/dispatch?q=form")
    assert "was sent to Water" in desk.get("/dispatch").text
    ticket = journey.ticket(reference)
    assert (ticket.status, ticket.lead_unit_id) == ("dispatched", journey.county.units["water"].id)


def test_dispatcher_sends_to_a_typed_unit_with_assists(desk: Browser, journey: Journey) -> None:
    reference = journey.submit()
    answer = desk.post(f"/dispatch/{reference}", {"lead": "wat", "assists": "Roads (roads)，a", "version": "1"})
    assert answer.status_code == 303
    ticket = journey.ticket(reference)
    assert ticket.lead_unit_id == journey.county.units["water"].id


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "This is needed."),
        ("zzz", "There is no unit “zzz”"),
        ("o", "Several units fit “o”"),
        ("nowhere (zzz)", "There is no unit"),
        ("水\x00", "There is no unit"),
    ],
)
def test_dispatcher_who_names_no_unit_gets_the_row_back_as_typed(
    desk: Browser, journey: Journey, typed: str, words: str
) -> None:
    reference = journey.submit()
    answer = desk.post(f"/dispatch/{reference}", {"lead": typed, "assists": "roads", "version": "1"})
    assert answer.status_code == 422
    text = row(answer.text, reference)
    assert words in text
    assert 'value="roads"' in text
    assert journey.ticket(reference).status == "submitted"


def test_dispatcher_with_a_stale_page_sees_the_ticket_as_it_is_now(desk: Browser, journey: Journey) -> None:
    reference = journey.submit()
    journey.act(reference, "set_urgency", "dp1b", urgency="urgent", reason="People fall there")
    answer = desk.post(f"/dispatch/{reference}", {"lead": "water", "version": "1"})
    assert answer.status_code == 409
    assert "somebody changed this ticket" in row(answer.text, reference)
    assert 'value="water"' in row(answer.text, reference)
    assert journey.ticket(reference).status == "submitted"


def test_dispatcher_who_comes_second_is_told_and_keeps_what_they_chose(desk: Browser, journey: Journey) -> None:
    reference = journey.submit()
    journey.act(reference, "dispatch", "dp1b", lead="roads")
    answer = desk.post(f"/dispatch/{reference}", {"lead": "water", "version": "1"})
    assert answer.status_code == 409
    assert rows(answer.text) == []
    assert reference in answer.text
    assert "You had chosen: water" in answer.text
    assert journey.ticket(reference).lead_unit_id == journey.county.units["roads"].id


def test_dispatcher_of_another_office_may_not_send_it_off(app: Flask, journey: Journey) -> None:
    reference = journey.submit()
    root = Browser(app)
    root.sign_in("d")
    root.get("/dispatch")
    assert root.post(f"/dispatch/{reference}", {"lead": "water"}).status_code == 403
    assert journey.ticket(reference).status == "submitted"


@pytest.mark.parametrize("reference", ["ZD-00000-00000", "%00", "x" * 300, "a%20b", "%F0%9F%92%A7"])
def test_dispatcher_of_no_such_ticket_gets_not_found(desk: Browser, reference: str) -> None:
    desk.get("/dispatch")
    assert desk.post(f"/dispatch/{reference}", {"lead": "water"}).status_code == 404


def test_handler_may_not_open_the_page(app: Flask, journey: Journey) -> None:
    browser = Browser(app)
    browser.sign_in("hw")
    assert browser.get("/dispatch").status_code == 403


def test_second_dispatcher_finds_the_request_that_they_may_decide_and_the_asker_does_not(
    app: Flask, desk: Browser, journey: Journey
) -> None:
    reference = journey.submit()
    journey.act(reference, "decline", "dp1", reason_code="outside_the_area", instead="The city answers for this road.")
    assert "Waiting for your decision" not in desk.get("/dispatch").text
    second = Browser(app, **{"Accept-Language": "en"})
    second.sign_in("dp1b")
    text = second.get("/dispatch").text
    assert "Waiting for your decision" in text
    assert f'href="/tickets/{reference}#do-decide"' in text


@pytest.mark.parametrize("name", ["q", "area", "urgency", "cursor"])
def test_dispatcher_with_a_strange_address_never_gets_a_fault(desk: Browser, name: str) -> None:
    for value in STRANGE:
        answer = desk.get(f"/dispatch?{name}={value}")
        assert answer.status_code in (200, 422), (value, answer.status_code)
        assert "<script>alert" not in answer.text


def test_dispatcher_of_twenty_tickets_costs_as_many_statements_as_of_five(desk: Browser, journey: Journey) -> None:
    def spent() -> int:
        with counted_statements() as sent:
            assert desk.get("/dispatch").status_code == 200
        return len(sent)

    def add(number: int) -> None:
        for _each in range(number):
            reference = journey.submit(text="The water pipe form comes again", kind="burden_lead")
            journey.act(reference, "decline", "dp1b", reason_code="outside_the_area", instead="Ask the city, please")

    add(5)
    spent()  # now this process has what it keeps
    few = spent()
    add(15)
    assert spent() == few
    assert few <= 35


def test_picker_prefers_a_code_then_a_whole_name_then_a_part() -> None:
    def unit(code: str, name: str, name_en: str | None = None) -> Unit:
        return Unit(code=code, name=name, name_en=name_en, kind="department", level="county", path="/1/")

    picker = UnitPicker(
        [unit("water", "水务局", "Water Bureau"), unit("dam", "水库", "Dam"), unit("水库", "水库管理所", None)]
    )
    assert picker.code_of("WATER", "lead") == "water"
    assert picker.code_of("Water Bureau (water)", "lead") == "water"
    assert picker.code_of("水库", "lead") == "水库"
    assert picker.code_of("管理所", "lead") == "水库"
    assert picker.code_of("bureau", "lead") == "water"
    with pytest.raises(Invalid):
        picker.code_of("水", "lead")


def test_dispatcher_who_takes_a_proposal_gives_the_ticket_its_category(app: Flask, journey: Journey) -> None:
    reference = journey.submit(text="水管漏水，路灯不亮")
    assert journey.ticket(reference).category_id is None
    browser = Browser(app, **{"Accept-Language": "en"})
    browser.sign_in("dp1")
    page = browser.get("/dispatch").text
    assert '<input type="hidden" name="category" value="water">' in page
    before = journey.ticket(reference).due_at
    answer = browser.post(f"/dispatch/{reference}", {"lead": "water", "category": "water"})
    assert answer.status_code == 303
    ticket = journey.ticket(reference)
    assert (ticket.status, ticket.category_id) == ("dispatched", journey.county.categories["water"].id)
    assert ticket.due_at == before, "the same policy holds with and without this category"
    assert "Category: water" in browser.get(f"/tickets/{reference}").text


def test_dispatcher_can_not_change_a_category_by_sending_on(app: Flask, journey: Journey) -> None:
    reference = journey.submit(text="Something", category="works/a", kind="burden_lead")
    browser = Browser(app, **{"Accept-Language": "en"})
    browser.sign_in("dp1")
    browser.get("/dispatch")
    assert browser.post(f"/dispatch/{reference}", {"lead": "water", "category": "water"}).status_code == 303
    assert journey.ticket(reference).category_id == journey.county.categories["works/a"].id


def test_dispatcher_with_an_unknown_category_is_refused(app: Flask, journey: Journey) -> None:
    reference = journey.submit()
    browser = Browser(app, **{"Accept-Language": "en"})
    browser.sign_in("dp1")
    browser.get("/dispatch")
    assert browser.post(f"/dispatch/{reference}", {"lead": "water", "category": "nowhere"}).status_code == 422
    assert journey.ticket(reference).status == "submitted"
