"""Each person's choice of mails: at once, once a day, never; and what is never held back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import current_app
from sqlalchemy import select

from feedback.intake.submission import submit_ticket
from feedback.kernel.errors import Invalid
from feedback.kernel.outbox import Delivery
from feedback.kernel.transaction import transaction
from feedback.notifications.delivery import drain
from feedback.notifications.mail_choices import ChooseMails, choices_of, choose_mails, next_digest
from feedback.notifications.models import Notice
from feedback.people.models import Account
from feedback.supervision.escalation import run_sweep
from tests.jobs.sink import Sink
from tests.support.calendars import at
from tests.support.county import START, County

MakeSink = Callable[..., Sink]


def give_address(county: County, login: str) -> None:
    with transaction() as session:
        session.get_one(Account, county.accounts[login].id).email = f"{login}@people.test"


def submit(county: County, now: datetime = START) -> str:
    words = {"text": "The lamp at the bridge is dark.", "category": "water"}
    return submit_ticket(words, actor=county.actor("s", now), now=now).reference


def send(server: Sink, now: datetime) -> int:
    return drain(now=now, settings=replace(current_app.config["SETTINGS"], smtp_url=server.url)).sent


def choose(county: County, login: str, **choices: str) -> None:
    choose_mails(ChooseMails.parse(choices), actor=county.actor(login), now=START)


def test_handler_who_wants_one_mail_a_day_gets_everything_in_one(county: County, sink: MakeSink) -> None:
    server = sink()
    give_address(county, "hw")
    choose(county, "hw", work="daily")
    references = [submit(county, START + timedelta(hours=hour)) for hour in range(3)]
    morning = at("2026-03-03 08:00")
    assert send(server, START + timedelta(hours=4)) == 0
    assert send(server, morning - timedelta(seconds=1)) == 0
    send(server, morning)
    (mail,) = server.taken
    assert all(reference in mail.message.get_content() for reference in references)
    assert {row.state for row in county.session.scalars(select(Delivery))} == {"done"}
    send(server, morning + timedelta(days=1))
    assert len(server.taken) == 1


def test_day_mail_that_fails_is_tried_again_whole(county: County, sink: MakeSink) -> None:
    bad, good = sink(data_answer="421 going down"), sink()
    give_address(county, "hw")
    choose(county, "hw", work="daily")
    references = [submit(county), submit(county)]
    morning = at("2026-03-03 08:00")
    send(bad, START + timedelta(hours=1))
    assert send(bad, morning) == 0
    send(good, morning + timedelta(minutes=5))
    (mail,) = good.taken
    assert all(reference in mail.message.get_content() for reference in references)


def test_handler_who_wants_no_mail_still_finds_notices(county: County, sink: MakeSink) -> None:
    server = sink()
    give_address(county, "hw")
    choose(county, "hw", work="never")
    submit(county)
    assert send(server, START + timedelta(hours=1)) == 0
    assert not county.session.scalars(select(Delivery)).all()
    own = select(Notice).where(Notice.recipient == f"account:{county.accounts['hw'].id}")
    assert len(county.session.scalars(own).all()) == 1


def test_breach_reaches_the_supervisor_whatever_they_chose(county: County, sink: MakeSink) -> None:
    server = sink()
    for login in ("su", "hw"):
        give_address(county, login)
        choose(county, login, work="never", alarms="never")
    submit(county)
    late = at("2026-03-03 10:00")
    run_sweep(late, by="test")
    send(server, late)
    assert {row.recipient for row in county.session.scalars(select(Delivery))} == {
        f"account:{county.accounts['su'].id}"
    }
    assert len(server.taken) >= 1


def test_choice_that_is_none_is_refused_and_changes_nothing(county: County) -> None:
    with pytest.raises(Invalid) as refused:
        choose(county, "hw", work="hourly", alarms="daily")
    assert list(refused.value.errors) == ["work"]
    assert set(choices_of(county.session, county.accounts["hw"].id).values()) == {"at_once"}


def test_day_mail_leaves_at_eight_of_the_same_or_the_next_morning() -> None:
    assert next_digest(at("2026-03-02 07:59")) == at("2026-03-02 08:00")
    assert next_digest(at("2026-03-02 08:00")) == at("2026-03-03 08:00")
