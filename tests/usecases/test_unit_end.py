"""A unit ends while it has tickets: they go on at its successor with every clock as it was, or back to the dispatcher."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from feedback.kernel.audit import verify
from feedback.kernel.outbox import Outbox
from feedback.kernel.transaction import transaction
from feedback.people.models import Unit
from feedback.reports.invariants import find_faults
from feedback.sla.models import SlaClock
from feedback.supervision.unit_end import EndUnit, end_unit
from feedback.supervision.unit_tickets import pass_on_tickets
from feedback.tickets.models import Leg, TicketAbout, TicketRequest
from tests.support.county import START, County
from tests.support.story import PLAIN, Story

LATER = START + timedelta(days=1)


@pytest.fixture
def merging(county: County) -> County:
    """A county in which `c` (of no catalogue row) has a handler of its own."""
    county.add_person("hc", "handler@c")
    return county


def led_by_c(county: County, *steps: tuple[str, str, dict[str, Any]]) -> Story:
    story = Story(county).submit(text=PLAIN).act("dp1", "dispatch", lead="c")
    for login, name, fields in steps:
        story.act(login, name, **fields)
    return story


def end(county: County, successor: str | None = None) -> None:
    end_unit(EndUnit(code="c", successor=successor), actor=county.actor("adm", LATER), now=LATER)


def clocks_of(story: Story) -> list[dict[str, Any]]:
    """Every clock of the ticket with all that must not change when a unit is merged."""
    kept = [column for column in SlaClock.__table__.columns if column.name != "unit_id"]
    rows = select(*kept).where(SlaClock.ticket_id == story.ticket.id).order_by(SlaClock.id)
    return [dict(row) for row in story.county.session.execute(rows).mappings()]


def is_whole(county: County) -> None:
    assert [str(fault) for fault in find_faults(county.session)] == []
    assert list(verify(county.session)) == []


def test_merged_unit_passes_its_open_parts_and_clocks_unchanged(any_county: County) -> None:
    """Case 77."""
    any_county.add_person("hc", "handler@c")
    fresh = led_by_c(any_county)
    begun = led_by_c(any_county, ("hc", "acknowledge", {}))
    asking = led_by_c(any_county, ("hc", "acknowledge", {}), ("hc", "ask_submitter", {"text": "请问是哪一间？"}))
    helped = Story(any_county).submit().act("dp1", "add_leg", unit="c", task="请配合核实")
    stories = (fresh, begun, asking, helped)
    before = [(clocks_of(story), story.state) for story in stories]
    end(any_county, "b")
    assert [(clocks_of(story), story.state) for story in stories] == before
    heir = any_county.units["b"].id
    assert [story.ticket.lead_unit_id for story in stories] == [heir, heir, heir, any_county.units["water"].id]
    open_units = select(SlaClock.unit_id).where(SlaClock.met_at.is_(None), SlaClock.dropped_at.is_(None))
    assert any_county.units["c"].id not in set(any_county.session.scalars(open_units))
    assert [story.actions()[-1] for story in stories] == ["hand_over"] * 4
    assert any_county.session.get_one(Leg, begun.ticket.lead_leg_id).assignee_id == any_county.accounts["hc"].id
    begun.now = LATER
    begun.act("hc", "resolve", outcome="solved", text="活动室已延长开放时间。")
    helped.now = LATER
    helped.act("hb", "answer_leg", text="已到现场核实清楚")
    is_whole(any_county)


def test_unit_without_a_successor_gives_its_tickets_back_as_if_a_return_were_granted(any_county: County) -> None:
    any_county.add_person("hc", "handler@c")
    begun = led_by_c(any_county, ("hc", "acknowledge", {}))
    asking = led_by_c(any_county, ("hc", "acknowledge", {}), ("hc", "ask_submitter", {"text": "请问是哪一间？"}))
    helped = Story(any_county).submit().act("dp1", "add_leg", unit="c", task="请配合核实")
    due = begun.ticket.due_at
    end(any_county)
    for story in (begun, asking):
        assert (story.state, story.ticket.lead_unit_id, story.ticket.lead_leg_id) == ("submitted", None, None)
        assert story.actions()[-1] == "give_back"
    assert begun.ticket.due_at == due
    kinds = select(SlaClock.kind).where(
        SlaClock.ticket_id == begun.ticket.id, SlaClock.met_at.is_(None), SlaClock.dropped_at.is_(None)
    )
    assert sorted(any_county.session.scalars(kinds)) == ["dispatch", "first_response", "resolution"]
    legs = any_county.session.scalars(select(Leg).where(Leg.ticket_id == helped.ticket.id, Leg.role == "assist"))
    assert [leg.ended_at for leg in legs] == [LATER]
    asking.now = LATER
    asking.act("dp1", "dispatch", lead="b").act("hb", "acknowledge")
    is_whole(any_county)


def test_successor_with_a_part_of_its_own_keeps_one(merging: County) -> None:
    leads = led_by_c(merging).act("dp1", "add_leg", unit="b", task="请配合核实")
    helps = Story(merging).submit(text=PLAIN).act("dp1", "dispatch", lead="b")
    helps.act("dp1", "add_leg", unit="c", task="请配合核实")
    end(merging, "b")
    for story in (leads, helps):
        legs = merging.session.scalars(
            select(Leg).where(Leg.ticket_id == story.ticket.id, Leg.ended_at.is_(None))
        ).all()
        assert [(leg.unit_id, leg.role) for leg in legs] == [(merging.units["b"].id, "lead")]
    is_whole(merging)


def test_successor_whom_a_ticket_is_about_never_gets_it(merging: County) -> None:
    story = led_by_c(merging)
    with transaction() as session:
        session.add(TicketAbout(ticket_id=story.ticket.id, unit_id=merging.units["b"].id))
    end(merging, "b")
    assert (story.state, story.ticket.lead_unit_id) == ("submitted", None)


def test_people_of_a_merged_unit_still_do_not_see_what_is_about_it(merging: County) -> None:
    story = Story(merging).submit(text=PLAIN, about=["c"])
    end(merging, "b")
    about = select(TicketAbout.unit_id).where(TicketAbout.ticket_id == story.ticket.id)
    assert set(merging.session.scalars(about)) == {merging.units["c"].id, merging.units["b"].id}


def test_request_of_a_merged_unit_waits_on_and_is_the_successors(merging: County) -> None:
    story = led_by_c(merging, ("hc", "acknowledge", {}))
    due = story.ticket.due_at
    assert due is not None
    more: dict[str, Any] = {
        "reason": "要开会商量",
        "interim": "周末先开门",
        "due_at": (due + timedelta(days=1)).isoformat(),
    }
    story.act("hc", "request_extension", **more)
    end(merging, "b")
    request = merging.session.scalars(select(TicketRequest)).one()
    assert (request.state, request.unit_id) == ("pending", merging.units["b"].id)


def test_what_was_cut_short_is_passed_on_later_and_only_once(county: County) -> None:
    story = led_by_c(county)
    with transaction() as session:
        unit = session.get_one(Unit, county.units["c"].id)
        unit.valid_to, unit.succeeded_by_id = LATER, county.units["b"].id
    assert pass_on_tickets(LATER) == 1
    assert pass_on_tickets(LATER) == 0
    assert story.ticket.lead_unit_id == county.units["b"].id
    told = select(Outbox.event).where(Outbox.ticket_id == story.ticket.id).order_by(Outbox.id.desc())
    assert county.session.scalars(told).first() == "ticket.handed_over"


def test_answered_ticket_of_a_unit_that_is_gone_comes_back_when_it_is_disputed(merging: County) -> None:
    solved = ("hc", "resolve", {"outcome": "solved", "text": "活动室已延长开放时间。"})
    story = led_by_c(merging, ("hc", "acknowledge", {}), solved)
    end(merging)
    assert story.state == "resolved"
    story.now = LATER
    story.act("s", "dispute", reason="晚上还是没开门")
    assert pass_on_tickets(story.now) == 1
    assert story.state == "submitted"
