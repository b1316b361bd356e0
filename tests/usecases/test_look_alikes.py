"""What says the same as a text: found by its words, shown as far as the reader may see, and never more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedback.kernel.actor import SYSTEM
from feedback.kernel.site import put_setting
from feedback.kernel.transaction import transaction
from feedback.reading.look_alikes import Asked, LookAlike, find_look_alikes, say_the_same
from feedback.tickets.word_weights import get_weights, renew_weights
from tests.support.county import START, County
from tests.support.story import Story

PUMPS = (
    "幸福小区三栋的水泵坏了，高层住户每天停水，请派人来修。",
    "反映幸福小区水泵损坏，高层停水两天了",
    "幸福小区停水，物业说是水泵坏了，没有人来修",
)
OTHERS = (
    "希望村里的活动室晚上也能开门，年轻人下班后才有空。",
    "东风路的路灯坏了三盏，晚上很黑，请派人来修。",
    "建议增加去县医院的公交车，老人看病不方便。",
    "The road sign at Hill Road was blown over by the wind.",
    "😀😀😀 谢谢供水公司的同志",
)
STRANGE = ("", " ", "水", "a", "。。。", "😀", "\u200b\u202e", 'NEAR OR NOT "x" * \' : & | ! <->', "停水 " * 10_000)
NEW = "幸福小区水泵又坏了，停水"


@pytest.fixture
def stories(any_county: County) -> list[Story]:
    found = [Story(any_county).submit(text=text, area="village") for text in (*PUMPS, *OTHERS)]
    renew_weights(START)
    return found


def alike(story: Story, login: str, text: str = NEW, **more: object) -> list[LookAlike]:
    county = story.county
    asked = Asked(None, text, area_id=county.units["village"].id)
    return find_look_alikes(county.session, county.actor(login), asked, now=START + timedelta(hours=1), **more)  # type: ignore[arg-type]


def test_the_same_matter_is_found_and_nothing_else(stories: list[Story]) -> None:
    pumps = {story.reference for story in stories[:3]}
    for login in ("s", "dp1"):
        found = alike(stories[0], login)
        assert {one.reference for one in found} == pumps
        assert all(one.is_near and one.submitted_at and one.token is None for one in found)
    sign = alike(stories[0], "dp1", "road sign blown over, Hill Road")
    assert [one.reference for one in sign] == [stories[6].reference]
    session = stories[0].county.session
    same = say_the_same(session, SYSTEM, stories[0].ticket, now=START + timedelta(hours=1))
    assert {one.reference for one in same[:2]} == pumps - {stories[0].reference}


def test_who_may_not_see_them_learns_nothing(stories: list[Story]) -> None:
    assert [alike(stories[0], login) for login in ("s2", "hb", "adm", "x")] == [[], [], [], []]


def test_a_published_summary_is_all_that_others_of_the_area_read(stories: list[Story]) -> None:
    county = stories[0].county
    county.add_person("s3", "submitter@p2")
    stories[0].act("dp1", "publish_summary", text="幸福小区水泵坏了停水")
    (found,) = alike(stories[0], "s2")
    assert (found.title, found.is_near) == ("幸福小区水泵坏了停水", True)
    assert found.token
    assert (found.reference, found.ticket_id, found.status, found.unit, found.submitted_at) == (None,) * 5
    assert alike(stories[0], "s3") == []
    assert alike(stories[0], "s2", "路灯不亮") == []
    assert {one.token for one in alike(stories[0], "s")} == {None}, "whoever sees the ticket needs no summary"
    stories[0].act("dp1", "withdraw_summary")
    assert alike(stories[0], "s2") == []


def test_what_a_summary_does_not_say_finds_it_for_nobody(stories: list[Story]) -> None:
    stories[0].act("dp1", "publish_summary", text="高楼供水有问题")
    assert alike(stories[0], "s2", PUMPS[0]) == []


def test_whom_a_ticket_is_about_does_not_find_it(any_county: County) -> None:
    story = Story(any_county).submit(text=PUMPS[0], area="village", about=["water"])
    assert alike(story, "hw", PUMPS[0]) == []
    assert [one.reference for one in alike(story, "d", PUMPS[0])] == [story.reference]


def test_what_is_closed_or_old_is_joined_no_more(stories: list[Story]) -> None:
    county = stories[0].county
    stories[0].act("s", "withdraw", reason="已经修好了")
    assert stories[0].reference not in {one.reference for one in alike(stories[0], "dp1")}
    with transaction() as session:
        put_setting(session, "look_alike_days", 7, now=START)
    later = START + timedelta(days=8)
    asked = Asked(None, NEW)
    assert find_look_alikes(county.session, county.actor("dp1"), asked, now=later) == []
    found = find_look_alikes(county.session, SYSTEM, asked, now=later, of_any_age=True)
    assert {story.reference for story in stories[:3]} <= {one.reference for one in found}


def test_what_lies_near_comes_first(stories: list[Story]) -> None:
    far = Story(stories[0].county).submit(text=NEW, area="p1")
    there = Story(stories[0].county).submit(text="幸福小区的水泵声音很大", area="p1", place="三栋")
    county = stories[0].county
    asked = Asked(None, NEW, area_id=county.units["village"].id, place="三栋")
    found = find_look_alikes(county.session, county.actor("dp1"), asked, now=START + timedelta(hours=1), least=0.05)
    assert found[-1].reference == far.reference
    assert found[-1].score > found[0].score
    assert there.reference in {one.reference for one in found if one.is_near}


def test_no_text_however_strange_is_an_error(stories: list[Story]) -> None:
    for text in STRANGE:
        for asked in (Asked(None, text), Asked(text[:200], text), Asked("", text)):
            find_look_alikes(stories[0].county.session, SYSTEM, asked, now=START, least=0)


def test_it_works_before_any_pair_was_counted(any_county: County) -> None:
    story = Story(any_county).submit(text=PUMPS[0])
    assert get_weights(any_county.session).tickets == 0
    assert [one.reference for one in alike(story, "s", PUMPS[1])] == [story.reference]


def test_pairs_are_counted_when_many_tickets_came(any_county: County) -> None:
    assert renew_weights(START) == 0
    assert renew_weights(START) is None
    for text in PUMPS:
        Story(any_county).submit(text=text)
    assert renew_weights(START) == 3
    weights = get_weights(any_county.session)
    assert (weights.count("水泵"), weights.count("三栋"), weights.count("路灯")) == (3, 0, 0)
    assert weights.weight("水泵") < weights.weight("三栋")
    assert renew_weights(START) is None
    assert renew_weights(START, always=True) == 3
