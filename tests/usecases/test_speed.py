"""What keeps pages and sweeps quick stays true: shortcuts say the same as the rule, and work does not grow by the row."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import ColumnElement, select

from feedback.reading.desks import is_on_units_desk
from feedback.reading.queries import (
    BY_DUE,
    MOST_DISPUTED,
    NEWEST,
    OLDEST,
    count_each,
    count_each_up_to,
    count_tickets,
    list_tickets,
)
from feedback.reading.search import RUNNING, TicketFilters
from feedback.reports import kept
from feedback.reports.kept import recent_report
from feedback.reports.period import ReportQuery
from feedback.sla.sweep import fire_due
from feedback.tickets.models import Leg, Ticket
from feedback.tickets.visibility import has_seat, is_own, oversees, visible
from tests.support.calendars import at
from tests.support.clocks import Clocks
from tests.support.county import START, County
from tests.support.histories import Histories
from tests.support.journey import Journey
from tests.support.statements import counted_statements

NOW = START + timedelta(days=1)
MARCH = ReportQuery.parse({"from": "2026-03-01", "to": "2026-03-31", "by": "unit"})


@pytest.fixture
def busy(any_county: County) -> County:
    journey = Journey(any_county, now=START)
    for state in ("submitted", "dispatched", "in_progress", "waiting_for_submitter", "resolved", "closed.confirmed"):
        journey.to(state)
    helped = journey.to("in_progress")
    journey.act(helped, "add_leg", "hw", unit="roads", task="Look at the road.")
    dropped = journey.to("in_progress")
    journey.act(dropped, "add_leg", "hw", unit="roads", task="Look at the road.")
    journey.act(dropped, "drop_leg", "hw", unit="roads", reason="Not needed.")
    return any_county


def _ids(county: County, condition: ColumnElement[bool]) -> set[int]:
    return set(county.session.scalars(select(Ticket.id).where(condition)))


def test_desk_by_columns_and_parts_agrees_with_the_legs(busy: County) -> None:
    for login in ("hw", "hr", "ha", "lw"):
        actor = busy.actor(login, NOW)
        units = [grant.unit_id for grant in actor.grants_for("handler", "unit_head")]
        leg = select(Leg.id).where(Leg.ticket_id == Ticket.id, Leg.unit_id.in_(units), Leg.ended_at.is_(None))
        assert _ids(busy, is_on_units_desk(actor)) == _ids(busy, leg.exists()), login
    assert _ids(busy, is_on_units_desk(busy.actor("hr", NOW)))


def test_lists_from_a_narrow_base_agree_with_the_rule_of_who_sees_what(busy: County) -> None:
    desk, mine, overseen = TicketFilters(desk=True), TicketFilters(mine=True), TicketFilters(overseen=True)
    for login, narrowed, rule in (
        ("hw", desk, is_on_units_desk),
        ("hr", desk, is_on_units_desk),
        ("s", mine, is_own),
        ("su", overseen, oversees),
        ("lr", overseen, oversees),
    ):
        actor = busy.actor(login, NOW)
        by_rule = _ids(busy, visible(actor) & rule(actor))
        for sort in (BY_DUE, NEWEST, OLDEST, MOST_DISPUTED):
            page = list_tickets(busy.session, actor, narrowed, now=NOW, sort=sort, limit=3)
            found = [row.reference for row in page.items]
            while page.next:
                page = list_tickets(busy.session, actor, narrowed, now=NOW, sort=sort, limit=3, cursor=page.next)
                found += [row.reference for row in page.items]
            assert len(found) == len(set(found)) == len(by_rule), (login, sort)
        assert count_tickets(busy.session, actor, narrowed, now=NOW) == len(by_rule)
    assert _ids(busy, has_seat(busy.actor("s", NOW))) == _ids(busy, is_own(busy.actor("s", NOW)))


def test_lists_of_what_is_open_hold_what_is_open_in_each_order(busy: County) -> None:
    journey = Journey(busy, now=NOW)
    journey.act(journey.to("resolved"), "dispute", "s", reason="It is dark still.")
    actor = busy.actor("lr", NOW)
    is_open = Ticket.status != "closed"
    late = NOW + timedelta(days=90)
    for narrowed, rule in (
        (TicketFilters(overseen=True, status=("open", "resolved")), is_open),
        (TicketFilters(overseen=True, status=("open",)), is_open & (Ticket.status != "resolved")),
        (TicketFilters(overseen=True, status=("open", "resolved"), disputed=True), is_open & (Ticket.reopen_count > 0)),
        (TicketFilters(overseen=True, overdue=True), Ticket.status.in_(RUNNING) & (Ticket.due_at < late)),
        (TicketFilters(overseen=True, silent=True), is_open & (Ticket.status != "resolved")),
    ):
        expected = _ids(busy, visible(actor) & oversees(actor) & rule)
        for sort in (BY_DUE, NEWEST, OLDEST, MOST_DISPUTED):
            page = list_tickets(busy.session, actor, narrowed, now=late, sort=sort)
            assert {row.reference for row in page.items} == set(
                busy.session.scalars(select(Ticket.reference).where(Ticket.id.in_(expected)))
            ), (narrowed, sort)
        assert expected


def test_counts_with_an_end_agree_with_those_without(busy: County) -> None:
    actor = busy.actor("hw", NOW)
    lists = {
        "all": TicketFilters(desk=True),
        "work": TicketFilters(desk=True, status=("in_progress",), disputed=False),
        "mine": TicketFilters(desk=True, status=("open",), assigned=True),
    }
    for more in ({}, {"overdue": True}, {"area": "village"}, {"q": "water"}):
        asked = {name: filters.model_copy(update=more) for name, filters in lists.items()}
        exact = count_each(busy.session, actor, asked, now=NOW)
        assert count_each_up_to(busy.session, actor, asked, now=NOW) == exact, more
    capped = count_each_up_to(busy.session, actor, lists, now=NOW, most=2)
    assert capped == {name: min(number, 3) for name, number in count_each(busy.session, actor, lists, now=NOW).items()}
    assert capped["all"] == 3


def test_sweep_sends_as_many_statements_for_many_clocks_as_for_few(any_county: County) -> None:
    clocks = Clocks(any_county)

    def spent(day: str, count: int) -> int:
        for _number in range(count):
            clocks.begin("resolution", f"{day} 09:00")
            clocks.ticket_id += 1
        with counted_statements() as sent:
            assert fire_due(at(f"{day} 09:00") + timedelta(days=9), 500).alarms >= count
        return len(sent)

    assert spent("2026-03-02", 2) == spent("2026-04-13", 30)


def test_leader_of_a_large_site_is_given_the_same_report_for_a_while_and_then_a_new_one(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    histories = Histories(county)
    histories.add("water", ("2026-03-05 10:00", "resolve"))
    leader, later = county.actor("lr"), at("2026-04-10 10:00")
    assert recent_report(county.session, leader, MARCH, now=later).total.measures["claimed"].denominator == 1
    monkeypatch.setattr(kept, "LARGE", 1)
    monkeypatch.setattr(kept, "KEPT_FOR_EACH_SECOND", timedelta(days=365))
    first = recent_report(county.session, leader, MARCH, now=later)
    histories.add("water", ("2026-03-05 10:00", "resolve"))
    again = recent_report(county.session, leader, MARCH, now=later + timedelta(minutes=1))
    assert again is first
    assert again.now == later
    other = recent_report(county.session, county.actor("su"), MARCH, now=later + timedelta(minutes=1))
    assert other.total.measures["claimed"].denominator == 2
    anew = recent_report(county.session, leader, MARCH, now=later + timedelta(minutes=6))
    assert anew.total.measures["claimed"].denominator == 2
    assert anew.query.first == date(2026, 3, 1)


def test_kept_figures_are_counted_anew_beside_while_the_reader_is_still_given_the_old_ones(
    any_county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "LARGE", 1)
    monkeypatch.setattr(kept, "KEPT_FOR_EACH_SECOND", timedelta(days=365))
    histories = Histories(any_county)
    histories.add("water", ("2026-03-05 10:00", "resolve"))
    leader, later = any_county.actor("lr"), at("2026-04-10 10:00")
    first = recent_report(any_county.session, leader, MARCH, now=later)
    histories.add("water", ("2026-03-05 10:00", "resolve"))
    given = recent_report(any_county.session, leader, MARCH, now=later + timedelta(minutes=3))
    assert given is first
    for thread in threading.enumerate():
        if thread.name == "figures":
            thread.join(20)
    anew = recent_report(any_county.session, leader, MARCH, now=later + timedelta(minutes=4))
    assert anew.now == later + timedelta(minutes=3)
    assert anew.total.measures["claimed"].denominator == 2
