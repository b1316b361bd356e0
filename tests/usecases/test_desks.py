"""On whose desk a ticket lies, said for all tickets at once: it agrees with the rule for one ticket, and lists narrow by it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from feedback.kernel.errors import Invalid
from feedback.kernel.site import put_setting
from feedback.kernel.transaction import transaction
from feedback.reading.desks import is_at_office
from feedback.reading.queries import MOST_DISPUTED, OLDEST, count_tickets, list_tickets
from feedback.reading.search import TicketFilters
from feedback.tickets.models import Leg, Ticket, TicketAbout
from feedback.tickets.visibility import office_of
from tests.support.county import START, County
from tests.support.histories import Histories

NOW = START + timedelta(days=1)


def _about(county: County, ticket: Ticket, *codes: str) -> None:
    with transaction() as session:
        session.merge(ticket).is_about = True
        for code in codes:
            session.add(TicketAbout(ticket_id=ticket.id, unit_id=county.units[code].id))


@pytest.mark.parametrize("named", [[], ["d"]])
def test_office_rule_for_all_tickets_agrees_with_the_rule_for_one(any_county: County, named: list[str]) -> None:
    any_county.add_person("dtown", "dispatcher@town")
    with transaction() as session:
        put_setting(session, "root_dispatchers", named, now=START)
    histories = Histories(any_county)
    for area in ("village", "town", "p1", "p2", "root"):
        for codes in ((), ("town",), ("p1",), ("town", "p1"), ("root",), ("root", "p1", "town"), ("water",)):
            _about(any_county, histories.add(None, area=area), *codes)
        histories.add(None, area=area)
    session = any_county.session
    tickets = session.scalars(select(Ticket)).all()
    assert len(tickets) == 40
    seen = set()
    for login, code in (("dtown", "town"), ("dp1", "p1"), ("d", "root")):
        actor = any_county.actor(login, NOW)
        found = set(session.scalars(select(Ticket.id).where(is_at_office(session, actor, NOW))))
        assert found == {t.id for t in tickets if office_of(session, t, NOW) == any_county.units[code].id}
        assert found
        seen |= found
    assert seen == {t.id for t in tickets}


def test_dispatcher_of_no_office_lists_nothing_as_theirs(county: County) -> None:
    Histories(county).add(None)
    assert count_tickets(county.session, county.actor("hw"), TicketFilters(office=True), now=NOW) == 0


def test_handler_lists_what_lies_on_the_units_desk_and_no_ended_part(county: County) -> None:
    histories = Histories(county)
    kept, ended = histories.add("water"), histories.add("roads")
    with transaction() as session:
        unit_id = county.units["water"].id
        shared = {"unit_id": unit_id, "role": "lead", "round": 1, "started_at": START}
        session.add(Leg(ticket_id=kept.id, **shared))
        session.add(Leg(ticket_id=ended.id, **shared, ended_at=START, end_reason="transfer"))
    actor = county.actor("hw")
    page = list_tickets(county.session, actor, TicketFilters(desk=True), now=NOW)
    assert [row.reference for row in page.items] == [kept.reference]
    assert page.items[0].opening == "水管漏水"
    assert count_tickets(county.session, actor, TicketFilters(desk=False), now=NOW) == 1


def test_leader_lists_disputed_and_silent_tickets(county: County) -> None:
    histories = Histories(county)
    disputed = histories.add(
        "water", ("2026-03-05 10:00", "resolve"), ("2026-03-05 11:00", "dispute"), urgency="urgent"
    )
    old = histories.add("water", submitted="2026-02-02 09:00")
    spoken = histories.add("water", submitted="2026-02-03 09:00", last_word_at=NOW)
    closed = histories.add("water", ("2026-03-01 10:00", "withdraw"), submitted="2026-02-01 09:00")
    actor = county.actor("lr")

    def found(**filters: object) -> list[str]:
        asked = TicketFilters.parse(filters)
        page = list_tickets(county.session, actor, asked, now=NOW, sort=OLDEST)
        assert count_tickets(county.session, actor, asked, now=NOW) == len(page.items)
        return [row.reference for row in page.items]

    assert found(disputed="yes") == [disputed.reference]
    assert found(silent="yes") == [old.reference]
    assert found(silent="no") == [t.reference for t in (closed, spoken, disputed)]
    assert found(urgency="urgent", overseen="yes") == [disputed.reference]
    with pytest.raises(Invalid) as refusal:
        found(urgency="soon")
    assert list(refusal.value.errors) == ["urgency"]


@pytest.mark.parametrize("sort", [OLDEST, MOST_DISPUTED])
def test_pages_of_each_order_meet_without_gap_or_repeat(any_county: County, sort: str) -> None:
    histories = Histories(any_county)
    for number in range(7):
        back = [("2026-03-05 10:00", "resolve"), ("2026-03-05 11:00", "dispute")] * (number % 3)
        histories.add("water", *back[:2], submitted=f"2026-02-0{number % 4 + 1} 09:00")
    actor, session = any_county.actor("lr"), any_county.session
    whole = [r.reference for r in list_tickets(session, actor, now=NOW, sort=sort, limit=50).items]
    pieces: list[str] = []
    cursor = None
    while True:
        page = list_tickets(session, actor, now=NOW, sort=sort, limit=2, cursor=cursor)
        pieces += [row.reference for row in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert pieces == whole
    assert len(set(whole)) == 7
