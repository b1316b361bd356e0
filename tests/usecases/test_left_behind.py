"""A handler who is shut out or moved: their tickets fall back to the unit's list, told on the timeline as the system's act."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from feedback.kernel.actor import SYSTEM
from feedback.kernel.audit import verify
from feedback.kernel.errors import Conflict, Forbidden, NotFound
from feedback.people.staffing import MoveAccount, move_account
from feedback.people.usecases import OfAccount, OfRole, disable_account, enable_account, grant_role, revoke_role
from feedback.supervision.left_behind import count_in_hand, free_left_tickets
from feedback.tickets.actions import run_action
from feedback.tickets.models import Leg, TimelineEntry
from tests.support.county import START, County
from tests.support.story import Story

LATER = START + timedelta(hours=8)


def assigned(county: County, login: str = "hw2") -> Story:
    return Story(county).submit().act("hw", "acknowledge").act("hw", "assign", assignee=login)


def leg_of(story: Story) -> Leg:
    return story.county.session.get_one(Leg, story.ticket.lead_leg_id)


def last_entry(story: Story) -> TimelineEntry:
    entries = select(TimelineEntry).where(TimelineEntry.ticket_id == story.ticket.id)
    return story.county.session.scalars(entries.order_by(TimelineEntry.version.desc())).first()  # type: ignore[return-value]


def test_handler_who_is_shut_out_leaves_no_ticket_behind(any_county: County) -> None:
    story = assigned(any_county)
    person = any_county.accounts["hw2"].id
    assert count_in_hand(any_county.session, person) == 1
    disable_account(OfAccount(login="hw2"), actor=any_county.actor("adm"), now=LATER)
    assert free_left_tickets(LATER, account_id=person) == 1
    assert (story.ticket.assignee_id, leg_of(story).assignee_id) == (None, None)
    assert story.state == "in_progress"
    entry = last_entry(story)
    assert (entry.action, entry.account_id, entry.role) == ("unassign", None, "system")
    assert free_left_tickets(LATER) == 0
    assert list(verify(any_county.session)) == []


def test_handler_who_is_moved_keeps_nothing_of_the_old_unit(any_county: County) -> None:
    story = assigned(any_county)
    move_account(MoveAccount(login="hw2", from_unit="water", to_unit="roads"), actor=any_county.actor("adm"), now=LATER)
    free_left_tickets(LATER, account_id=any_county.accounts["hw2"].id)
    assert story.ticket.assignee_id is None
    with pytest.raises(NotFound):
        run_action("reply", story.reference, {"text": "We come"}, actor=any_county.actor("hw2", LATER), now=LATER)


def test_answered_ticket_falls_back_too_so_that_a_dispute_finds_somebody(county: County) -> None:
    story = assigned(county).act("hw", "resolve", outcome="solved", text="The pipe is mended")
    disable_account(OfAccount(login="hw2"), actor=SYSTEM, now=LATER)
    free_left_tickets(LATER)
    assert (story.ticket.assignee_id, story.state) == (None, "resolved")


def test_head_of_unit_who_stays_keeps_tickets_when_another_role_goes(county: County) -> None:
    story = assigned(county)
    grant_role(OfRole(login="hw2", role="unit_head@water"), actor=SYSTEM, now=START)
    revoke_role(OfRole(login="hw2", role="handler@water"), actor=SYSTEM, now=LATER)
    assert free_left_tickets(LATER) == 0
    assert story.ticket.assignee_id == county.accounts["hw2"].id


def test_daily_chore_finds_what_nobody_gave_back(county: County) -> None:
    story = assigned(county)
    disable_account(OfAccount(login="hw2"), actor=SYSTEM, now=LATER)
    enable_account(OfAccount(login="hw2"), actor=SYSTEM, now=LATER)
    assert free_left_tickets(LATER) == 0
    disable_account(OfAccount(login="hw2"), actor=SYSTEM, now=LATER)
    assert free_left_tickets(LATER) == 1
    assert story.ticket.assignee_id is None


def test_nobody_but_the_system_takes_a_ticket_out_of_good_hands(county: County) -> None:
    story = assigned(county)
    with pytest.raises(Forbidden):
        run_action("unassign", story.reference, {"leg": 1}, actor=county.actor("hw", LATER), now=LATER)
    with pytest.raises(Conflict):
        run_action("unassign", story.reference, {"leg": leg_of(story).id}, actor=SYSTEM, now=LATER)
    assert story.ticket.assignee_id == county.accounts["hw2"].id
