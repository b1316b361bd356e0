"""Topics as they are kept and shown: under one number while they are the same, and to nobody more than they may see."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from feedback.reports.topics import TopicView, list_topics
from feedback.supervision.hot_topics import renew_topics
from feedback.supervision.models import HotTopic, HotTopicTicket
from tests.support.county import START, County
from tests.support.story import Story

PUMPS = (
    "幸福小区三栋的水泵坏了，高层住户每天停水，请派人来修。",
    "反映幸福小区水泵损坏，高层住户停水两天了",
    "幸福小区停水，物业说是水泵坏了，没有人来修",
    "幸福小区高层又停水了，水泵还是坏的",
)
LAMPS = (
    "东风路口的路灯坏了三盏，晚上很黑",
    "东风路口路灯不亮，晚上走路很黑，有人摔倒",
    "晚上东风路口没有路灯，路灯坏了半个月",
)
OTHERS = ("希望村里的活动室晚上也能开门。", "建议增加去县医院的公交车。", "桃园市场的摊位占道，无法通行。")
NOW = START + timedelta(days=1)


def raise_all(county: County, texts: tuple[str, ...], at: datetime = START, **fields: str) -> list[Story]:
    return [Story(county, now=at).submit(text=text, area="village", **fields) for text in texts]


def topics_of(county: County, login: str, now: datetime = NOW) -> list[TopicView]:
    county.session.rollback()
    return list_topics(county.session, county.actor(login, now), now=now)


def test_what_three_raise_is_a_topic_for_who_oversees_it_and_for_nobody_else(any_county: County) -> None:
    pumps = raise_all(any_county, PUMPS)
    raise_all(any_county, OTHERS)
    assert renew_topics(NOW) == 1
    for login in ("lp", "lr", "dp1", "su"):
        (topic,) = topics_of(any_county, login)
        assert [one.reference for one in topic.tickets] == [story.reference for story in pumps]
        assert (topic.size, topic.weeks) == (4, (0, 0, 0, 0, 0, 0, 0, 4))
        assert topic.area is not None
        assert topic.area.code == "village"
    assert topics_of(any_county, "s") == topics_of(any_county, "hb") == topics_of(any_county, "adm") == []


def test_more_than_a_usual_week_is_a_burst(any_county: County) -> None:
    raise_all(any_county, PUMPS)
    renew_topics(NOW)
    assert [topic.is_burst for topic in topics_of(any_county, "lp")] == [True]
    later = START + timedelta(days=20)
    raise_all(any_county, LAMPS[:1], at=later)
    renew_topics(later)
    assert [topic.is_burst for topic in topics_of(any_county, "lp", later)] == [False]


def test_a_topic_keeps_its_number_while_others_come_and_go(any_county: County) -> None:
    raise_all(any_county, PUMPS[:3])
    renew_topics(NOW)
    first = any_county.session.scalars(select(HotTopic.id)).one()
    raise_all(any_county, LAMPS)
    raise_all(any_county, PUMPS[3:])
    assert renew_topics(NOW + timedelta(hours=1)) == 2
    any_county.session.rollback()
    sizes = {topic.id: topic.size for topic in any_county.session.scalars(select(HotTopic))}
    assert sizes[first] == 4
    assert renew_topics(NOW + timedelta(days=100)) == 0
    any_county.session.rollback()
    assert any_county.session.scalars(select(HotTopicTicket)).all() == []
    assert topics_of(any_county, "lp") == []


def test_fewer_than_five_with_a_confidential_one_are_not_shown(any_county: County) -> None:
    raise_all(any_county, PUMPS[:3])
    raise_all(any_county, PUMPS[3:], privacy="confidential")
    renew_topics(NOW)
    assert topics_of(any_county, "lp") == []
    raise_all(any_county, ("幸福小区水泵坏了，高层停水第三天",), at=START - timedelta(days=8))
    renew_topics(NOW)
    (topic,) = topics_of(any_county, "lp")
    assert (topic.size, topic.weeks) == (5, None)


def test_whom_a_ticket_is_about_sees_the_topic_without_it(any_county: County) -> None:
    raise_all(any_county, PUMPS[:3])
    any_county.add_person("lwt", "leader@town")
    about = Story(any_county).submit(text=PUMPS[3], area="village", about=["town"])
    renew_topics(NOW)
    assert about.reference in {one.reference for topic in topics_of(any_county, "lr") for one in topic.tickets}
    assert [topic.size for topic in topics_of(any_county, "lwt")] == [3]
