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
    elder, *younger = stories
    page = dispatcher.get(f"/topics/{address}").text
    assert all(f'name="ticket" value="{story.reference}" checked' in page for story in younger)
    assert f'value="{elder.reference}"' not in page
    assert "Choose at least one" in dispatcher.post(f"/topics/{address}/join", {}).text
    ticked = [younger[0].reference, younger[1].reference, elder.reference, "ZD-22222-22222"]
    answer = dispatcher.post(f"/topics/{address}/join", {"ticket": ticked})
    assert "2 tickets are joined." in answer.text
    assert [story.state for story in younger[:2]] == ["closed.joined"] * 2
    assert {"closed.joined"}.isdisjoint({elder.state, younger[2].state})
    assert "joined ·" in answer.text, "in words, and not by its code"
    leader = Browser(app, **{"Accept-Language": "en"})
    leader.sign_in("lp")
    assert leader.post(f"/topics/{address}/join", {}).status_code == 403
