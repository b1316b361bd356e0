"""The leader's pages of hot topics."""

from __future__ import annotations

from flask import Flask

from feedback.kernel.clock import utc_now
from feedback.supervision.hot_topics import renew_topics
from tests.support.browser import Browser, give_password
from tests.support.county import County
from tests.usecases.test_hot_topics import PUMPS, raise_all


def test_a_leader_sees_a_topic_its_trend_and_its_tickets_and_a_submitter_nothing(app: Flask, county: County) -> None:
    give_password(county.accounts["lp"], county.accounts["s"])
    stories = raise_all(county, PUMPS, at=utc_now())
    leader = Browser(app, **{"Accept-Language": "en"})
    leader.sign_in("lp")
    assert "No topic yet" in leader.get("/topics").text
    renew_topics(utc_now())
    county.session.rollback()
    page = leader.get("/topics").text
    assert "More than usual" in page
    assert "4 tickets" in page
    address = page.split('href="/topics/')[1].split('"')[0]
    one = leader.get(f"/topics/{address}").text
    assert all(f"/tickets/{story.reference}" in one for story in stories)
    assert "Week by week" in one
    assert leader.get("/topics/999").status_code == 404
    other = Browser(app)
    other.sign_in("s")
    assert other.get("/topics").status_code == 403


def test_a_dispatcher_makes_it_one_matter_and_each_who_raised_it_still_votes(app: Flask, county: County) -> None:
    give_password(county.accounts["dp1"], county.accounts["lp"])
    stories = raise_all(county, PUMPS, at=utc_now())
    renew_topics(utc_now())
    county.session.rollback()
    dispatcher = Browser(app, **{"Accept-Language": "en"})
    dispatcher.sign_in("dp1")
    address = dispatcher.get("/topics").text.split('href="/topics/')[1].split('"')[0]
    elder = stories[0].reference
    assert f"3 open tickets end in the eldest, {elder}" in dispatcher.get(f"/topics/{address}").text
    answer = dispatcher.post(f"/topics/{address}/join", {})
    assert "3 tickets are joined." in answer.text
    assert "Join them to the eldest" not in answer.text
    assert [story.state for story in stories[1:]] == ["closed.joined"] * 3
    assert stories[0].state != "closed.joined"
    leader = Browser(app, **{"Accept-Language": "en"})
    leader.sign_in("lp")
    assert leader.post(f"/topics/{address}/join", {}).status_code == 403
