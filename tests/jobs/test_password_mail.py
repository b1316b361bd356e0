"""The mail with a one-time link: to its owner, in their language, at once; and what is said where it did not go out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from feedback.notifications.password_mail import mail_link
from feedback.people.models import Account
from feedback.people.password_links import IssuedLink, issue_link
from feedback.people.usecases import OfAccount
from tests.jobs.test_mail import MakeSink, settings
from tests.support.county import START, County

URL = "http://127.0.0.1:8000/choose-password/abc"


def link(county: County, email: str | None = "hw@county.test", locale: str | None = "en") -> IssuedLink:
    account = county.session.get_one(Account, county.accounts["hw"].id)
    account.email, account.locale = email, locale
    county.session.commit()
    return issue_link(OfAccount(login="hw"), actor=county.actor("adm"), now=START)


@pytest.mark.parametrize(("locale", "words"), [("en", "choose your password"), ("zh_CN", "设置密码")])
def test_owner_gets_the_link_in_their_language(county: County, sink: MakeSink, locale: str, words: str) -> None:
    server = sink()
    assert mail_link(link(county, locale=locale), URL, settings=settings(server.url), now=START)
    (taken,) = server.taken
    assert taken.to == ["hw@county.test"]
    assert words in str(taken.message["Subject"])
    body = taken.message.get_content()
    assert URL in body
    assert "hw" in body


def test_link_is_not_mailed_without_server_or_address_or_where_it_is_refused(county: County, sink: MakeSink) -> None:
    server = sink()
    server.refusals["hw@county.test"] = "550 no such mailbox"
    made = link(county)
    assert not mail_link(made, URL, settings=settings(None), now=START)
    assert not mail_link(replace(made, email=None), URL, settings=settings(server.url), now=START)
    assert not mail_link(replace(made, email="a@b\nBcc: c@d"), URL, settings=settings(server.url), now=START)
    assert not mail_link(made, URL, settings=settings(server.url), now=START)
    assert server.taken == []
