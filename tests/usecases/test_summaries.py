"""A neutral summary is published to an area: who there may join by it, and who learns nothing."""

from __future__ import annotations

import pytest

from feedback.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from feedback.reading.queries import allowed_actions
from feedback.tickets.summaries import find_ticket_to_join, may_join_by_summary, summary_of
from feedback.tickets.visibility import get_ticket
from tests.support.county import County
from tests.support.story import PLAIN, Story

WORDS = "村口水管漏水"


@pytest.fixture
def story(any_county: County) -> Story:
    any_county.add_person("s3", "submitter@p2")
    any_county.add_person("s4", "submitter@town")
    return Story(any_county).submit(text=PLAIN, area="village")


def may_join(story: Story, login: str) -> bool:
    county = story.county
    return may_join_by_summary(county.session, county.actor(login), story.ticket, story.now)


def joins(story: Story, login: str, named: str) -> bool:
    county = story.county
    return find_ticket_to_join(county.session, county.actor(login), named, story.now) is not None


def test_only_people_of_the_area_may_join_by_it_and_the_ticket_stays_hidden(story: Story) -> None:
    assert not any(may_join(story, login) for login in ("s2", "s3", "s4"))
    story.act("dp1", "publish_summary", text=WORDS)
    assert [may_join(story, login) for login in ("s2", "s3", "s4", "hb", "lp")] == [True, False, False, False, False]
    story.act("dp1", "publish_summary", text=WORDS, area="town")
    assert [may_join(story, login) for login in ("s2", "s3", "s4")] == [True, False, True]
    with pytest.raises(NotFound):
        get_ticket(story.county.session, story.county.actor("s2"), story.reference)


def test_a_summary_is_named_by_a_token_that_ends_with_it(story: Story) -> None:
    story.act("dp1", "publish_summary", text=WORDS)
    first = summary_of(story.county.session, story.ticket)
    assert first is not None
    assert joins(story, "s2", first.token.lower())
    assert joins(story, "s2", story.reference)
    assert not joins(story, "s3", first.token)
    assert joins(story, "s", story.reference)
    story.act("dp1", "withdraw_summary")
    assert not joins(story, "s2", first.token)
    assert not joins(story, "s2", story.reference)
    assert not joins(story, "s2", "S-NOTHING")
    with pytest.raises(Conflict):
        story.act("dp1", "withdraw_summary")


def test_nothing_is_published_of_a_protected_ticket_nor_of_one_about_somebody(any_county: County) -> None:
    for fields in ({"privacy": "confidential"}, {"about": ["water"]}):
        story = Story(any_county).submit(text=PLAIN, area="village", **fields)
        actor = any_county.actor("dp1")
        assert not {"publish_summary", "withdraw_summary"} & set(
            allowed_actions(any_county.session, actor, story.ticket, story.now)
        )
        with pytest.raises(Conflict):
            story.act("dp1", "publish_summary", text=WORDS)


def test_only_the_office_publishes_and_only_to_what_it_has(story: Story) -> None:
    for login in ("s", "lp", "d"):
        with pytest.raises(Forbidden):
            story.act(login, "publish_summary", text=WORDS)
    for area in ("p2", "root", "water", "nowhere"):
        with pytest.raises(Invalid) as refused:
            story.act("dp1", "publish_summary", text=WORDS, area=area)
        assert set(refused.value.errors) == {"area"}
    for text in ("", ".", "长" * 301):
        with pytest.raises(Invalid) as refused:
            story.act("dp1", "publish_summary", text=text)
        assert set(refused.value.errors) == {"text"}


def test_a_closed_ticket_is_joined_no_more(story: Story) -> None:
    story.act("dp1", "publish_summary", text=WORDS)
    story.act("s", "withdraw", reason="已经好了")
    assert not may_join(story, "s2")


def test_publishing_is_no_response_to_the_submitter(story: Story) -> None:
    before = story.ticket.last_word_at
    story.act("dp1", "publish_summary", text=WORDS)
    assert story.ticket.last_word_at == before
    assert story.ticket.first_responded_at is None
