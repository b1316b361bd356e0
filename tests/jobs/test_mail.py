"""Mails through a real SMTP server: what they say, whom they reach, and what happens when the server is bad."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import current_app
from sqlalchemy import select

from feedback.intake.submission import submit_ticket
from feedback.kernel import outbox
from feedback.kernel.db import session as current_session
from feedback.kernel.outbox import Delivery
from feedback.kernel.site import put_setting
from feedback.kernel.transaction import transaction
from feedback.notifications.channels import is_address
from feedback.notifications.delivery import deliver_events, deliver_mail, drain
from feedback.notifications.queries import list_dead
from feedback.people.models import RoleGrant
from feedback.settings import Settings
from tests.jobs.sink import Sink
from tests.support.county import START, County

LATER = START + timedelta(minutes=1)
MARKER = "Zq7xB2kW9pLm4TnR8vYc"
MakeSink = Callable[..., Sink]


def settings(url: str | None) -> Settings:
    own: Settings = current_app.config["SETTINGS"]
    return replace(own, smtp_url=url, base_url="https://zhida.county.test")


def give_addresses(county: County, *logins: str, **special: str) -> None:
    with transaction():
        for login in logins:
            county.accounts[login].email = f"{login}@people.test"
        for login, address in special.items():
            county.accounts[login].email = address
        for account in county.accounts.values():
            current_session().merge(account)


def submit(county: County, **fields: Any) -> str:
    words = {"text": f"The lamp is dark. {MARKER}", "title": f"Lamp {MARKER}", "category": "water", **fields}
    return submit_ticket(words, actor=county.actor("s"), now=START).reference


def deliveries() -> list[Delivery]:
    return list(
        current_session().scalars(select(Delivery).order_by(Delivery.id).execution_options(populate_existing=True))
    )


def one_mail(county: County, url: str, login: str = "lw") -> Delivery:
    """A ticket of which one person gets a mail, expanded but not yet sent."""
    give_addresses(county, login)
    submit(county)
    for outbox_id in outbox.due_events(current_session(), LATER, 10):
        deliver_events([outbox_id], now=LATER, settings=settings(url))
    (found,) = deliveries()
    return found


@pytest.mark.parametrize("privacy", ["named", "confidential"])
def test_mail_holds_reference_what_happened_and_link_and_nothing_of_the_ticket(
    county: County, sink: MakeSink, privacy: str
) -> None:
    server = sink()
    give_addresses(county, "s", "lw")
    reference = submit(county, privacy=privacy)
    drained = drain(now=LATER, settings=settings(server.url))
    assert (drained.sent, drained.failed, drained.waiting) == (2, 0, 0)
    by_address = {taken.to[0]: taken for taken in server.taken}
    assert set(by_address) == {"s@people.test", "lw@people.test"}
    for taken in server.taken:
        message = taken.message
        link = f"https://zhida.county.test/tickets/{reference}"
        opening, blank, last = message.get_content().replace("\r\n", "\n").removesuffix("\n").split("\n")
        assert reference in opening
        assert (blank, last) == ("", link)
        assert reference in message["Subject"]
        assert message["Subject"].replace(reference, "").strip(": ") in ("Zhida", "直达", "直达：")
        assert message["To"] == taken.to[0]
        assert taken.sender == message["From"] == "zhida@county.test"
        whole = taken.raw.decode("ascii") + message.get_content()
        for forbidden in (MARKER, "Person s", "village", "Village", "water", "confidential"):
            assert forbidden not in whole, forbidden
    shapes = {tuple(sorted(taken.message.keys())) for taken in server.taken}
    assert len(shapes) == 1


def test_mail_is_in_its_readers_language(county: County, sink: MakeSink) -> None:
    server = sink()
    give_addresses(county, "lw", "hw")
    with transaction():
        county.accounts["lw"].locale = "en"
        current_session().merge(county.accounts["lw"])
    submit(county)
    drain(now=LATER, settings=settings(server.url))
    english = next(t.message.get_content() for t in server.taken if t.to == ["lw@people.test"])
    assert english.startswith("Ticket ZD-")
    assert "A ticket came to your unit. Please sign for it." in english


def test_message_id_stays_the_same_when_the_server_breaks_off_after_the_text(county: County, sink: MakeSink) -> None:
    server = sink(drops_after_data=1)
    mail = one_mail(county, server.url)
    assert deliver_mail(mail.id, now=LATER, settings=settings(server.url)) == outbox.NEW
    again = LATER + outbox.DELIVERY_GAPS[0]
    assert deliver_mail(mail.id, now=again, settings=settings(server.url)) == outbox.DONE
    ids = [taken.message["Message-ID"] for taken in server.taken]
    assert ids == [f"<delivery-{mail.id}.outbox@zhida.county.test>"] * 2


def test_refused_recipient_is_given_up_at_once_and_listed_without_an_address(county: County, sink: MakeSink) -> None:
    server = sink(refusals={"lw@people.test": "550 5.1.1 <lw@people.test> unknown here"})
    mail = one_mail(county, server.url)
    assert deliver_mail(mail.id, now=LATER, settings=settings(server.url)) == outbox.DEAD
    letter = list_dead(current_session())[0]
    assert (letter.kind, letter.channel, letter.attempts, letter.error) == ("message", "mail", 1, "550 at recipient")


@pytest.mark.parametrize("how", [{"refusals": {"lw@people.test": "451 later"}}, {"data_answer": "421 going down"}])
def test_mail_that_may_go_later_is_tried_at_growing_gaps_and_then_given_up(
    county: County, sink: MakeSink, how: dict[str, Any]
) -> None:
    server = sink(**how)
    mail = one_mail(county, server.url)
    now, waits = LATER, []
    for _ in outbox.DELIVERY_GAPS:
        assert deliver_mail(mail.id, now=now, settings=settings(server.url)) == outbox.NEW
        row = deliveries()[0]
        assert row.next_try_at is not None
        waits.append(row.next_try_at - now)
        early = row.next_try_at - timedelta(seconds=1)
        assert deliver_mail(mail.id, now=early, settings=settings(server.url)) is None
        now = row.next_try_at
    assert waits == list(outbox.DELIVERY_GAPS)
    assert deliver_mail(mail.id, now=now, settings=settings(server.url)) == outbox.DEAD
    assert len(server.tries) == len(waits) + 1


def test_server_that_is_not_there_or_talks_nonsense_puts_the_mail_off(county: County) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"smtp://127.0.0.1:{nobody.getsockname()[1]}"
        mail = one_mail(county, url)
        assert deliver_mail(mail.id, now=LATER, settings=settings(url)) == outbox.NEW
    assert deliveries()[0].last_error == "ConnectionRefusedError"


@pytest.mark.parametrize(
    "address",
    [
        "lw@people.test\r\nBcc: evil@elsewhere.test",
        "lw@people.test, evil@elsewhere.test",
        "<lw@people.test>",
        "lw@people.test evil@elsewhere.test",
        "lw",
        "@people.test",
    ],
)
def test_address_that_is_more_than_one_address_gets_nothing_sent(county: County, sink: MakeSink, address: str) -> None:
    server = sink()
    assert not is_address(address)
    give_addresses(county, lw=address)
    submit(county)
    drained = drain(now=LATER, settings=settings(server.url))
    assert (drained.sent, drained.dead) == (0, 1)
    assert server.tries == []


def test_handler_moved_between_event_and_mail_gets_no_mail(county: County, sink: MakeSink) -> None:
    server = sink()
    mail = one_mail(county, server.url)
    with transaction() as session:
        for grant in session.scalars(select(RoleGrant).where(RoleGrant.account_id == county.accounts["lw"].id)):
            grant.valid_to = START
    assert deliver_mail(mail.id, now=LATER, settings=settings(server.url)) == outbox.SKIPPED
    assert server.taken == []


def test_mail_whose_sender_died_goes_out_when_the_lease_has_passed(county: County, sink: MakeSink) -> None:
    server = sink()
    mail = one_mail(county, server.url)
    with transaction() as session:
        assert outbox.claim_delivery(session, mail.id, now=LATER) is not None
    assert (
        deliver_mail(mail.id, now=LATER + outbox.DELIVERY_LEASE - timedelta(seconds=1), settings=settings(server.url))
        is None
    )
    after = LATER + outbox.DELIVERY_LEASE
    assert deliver_mail(mail.id, now=after, settings=settings(server.url)) == outbox.DONE
    assert len(server.taken) == 1


def at(hour: int, minute: int = 0) -> datetime:
    """An instant of the first of the county's days, by the clock in Shanghai."""
    return START + timedelta(hours=hour - 9, minutes=minute)


@pytest.mark.parametrize(
    ("urgency", "now", "sent_from"),
    [
        ("normal", at(22, 30), at(24 + 7)),
        ("normal", at(24 + 3), at(24 + 7)),
        ("normal", at(24 + 7), at(24 + 7)),
        ("normal", at(21, 59), at(21, 59)),
        ("urgent", at(23), at(23)),
    ],
)
def test_quiet_hours_hold_back_mails_that_are_not_urgent(
    county: County, sink: MakeSink, urgency: str, now: datetime, sent_from: datetime
) -> None:
    server = sink()
    with transaction() as session:
        put_setting(session, "quiet_hours", "22:00-07:00", now=START)
    give_addresses(county, "lw")
    submit(county, urgency=urgency)
    drained = drain(now=now, settings=settings(server.url))
    assert drained.sent == (1 if sent_from == now else 0)
    assert len(deliveries()) == 1
    drain(now=sent_from - timedelta(seconds=1), settings=settings(server.url))
    assert len(server.taken) == (1 if sent_from == now else 0)
    drain(now=sent_from, settings=settings(server.url))
    assert len(server.taken) == 1
