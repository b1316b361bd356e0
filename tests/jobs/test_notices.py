"""What somebody reads of their notices, how many are unread, and that nobody reads another's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import current_app

from feedback.intake.submission import submit_ticket
from feedback.kernel.db import session as current_session
from feedback.kernel.errors import Invalid, NotFound
from feedback.kernel.transaction import transaction
from feedback.notifications.delivery import drain
from feedback.notifications.queries import list_notices, unread_count
from feedback.notifications.usecases import read_all_notices, read_notice, read_ticket_notices
from feedback.notifications.words import sentence, translator
from feedback.people.models import RoleGrant
from feedback.tickets.actions import run_action
from feedback.tickets.lifecycle import RULES
from feedback.tickets.visibility import get_ticket
from tests.support.county import START, County

LATER = START + timedelta(minutes=30)


def submit(county: County, minutes: int = 0, **fields: Any) -> str:
    now = START + timedelta(minutes=minutes)
    words = {"text": "The lamp at the bridge is dark.", "category": "water", **fields}
    reference = submit_ticket(words, actor=county.actor("s"), now=now).reference
    drain(now=now, settings=current_app.config["SETTINGS"])
    return reference


def test_reader_sees_the_newest_first_and_pages_through_all(any_county: County) -> None:
    references = [submit(any_county, minutes=n) for n in (0, 1, 1, 2, 3)]
    actor, session = any_county.actor("hw"), current_session()
    seen, cursor = [], None
    while True:
        page = list_notices(session, actor, limit=2, cursor=cursor)
        seen += [notice.reference for notice in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert sorted(seen) == sorted(references)
    assert seen[0] == references[-1]
    assert seen[-1] == references[0]


def test_handler_and_submitter_read_the_same_event_in_their_own_words(county: County) -> None:
    submit(county)
    session = current_session()
    (for_handler,) = list_notices(session, county.actor("hw")).items
    (for_submitter,) = list_notices(session, county.actor("s")).items
    assert str(for_handler.text) == "A ticket came to your unit. Please sign for it."
    assert str(for_submitter.text) == "A department has it now."


def test_reading_a_notice_counts_once_and_nobody_reads_anothers(county: County) -> None:
    submit(county)
    session = current_session()
    (notice,) = list_notices(session, county.actor("hw")).items
    for stranger in ("hw2", "s", "x"):
        with pytest.raises(NotFound):
            read_notice(notice.id, actor=county.actor(stranger), now=LATER)
    read_notice(notice.id, actor=county.actor("hw"), now=LATER)
    read_notice(notice.id, actor=county.actor("hw"), now=LATER + timedelta(days=1))
    (again,) = list_notices(session, county.actor("hw")).items
    assert again.read_at == LATER
    assert unread_count(session, county.actor("hw")) == 0
    assert unread_count(session, county.actor("hw2")) == 1
    assert list_notices(session, county.actor("hw"), unread_only=True).items == []


def test_opening_a_ticket_reads_its_notices_and_no_others(county: County) -> None:
    first, _second = submit(county), submit(county, 1)
    actor, session = county.actor("hw"), current_session()
    assert unread_count(session, actor) == 2
    assert read_ticket_notices(get_ticket(session, actor, first).id, actor=actor, now=LATER) == 1
    assert unread_count(session, actor) == 1
    assert read_all_notices(actor=actor, now=LATER) == 1
    assert unread_count(session, actor) == 0


def test_notices_are_gone_with_the_right_to_see_the_ticket(county: County) -> None:
    submit(county)
    session = current_session()
    assert unread_count(session, county.actor("hw")) == 1
    with transaction() as writing:
        writing.add(RoleGrant(account_id=county.accounts["hw"].id, role="handler", unit_id=county.units["roads"].id))
        for grant in county.accounts["hw"].grants:
            writing.merge(grant).valid_to = START
    actor = county.actor("hw", LATER)
    assert unread_count(session, actor) == 0
    assert list_notices(session, actor).items == []


def test_notice_of_a_handed_over_protected_ticket_is_no_longer_shown(county: County) -> None:
    reference = submit(county, privacy="confidential", area="village")
    now = START + timedelta(minutes=5)
    run_action(
        "transfer", reference, {"unit": "roads", "reason": "It is theirs."}, actor=county.actor("dp1", now), now=now
    )
    assert list_notices(current_session(), county.actor("hw")).items == []


def test_bad_cursor_and_limit_are_refused_by_name(county: County) -> None:
    for asked, field in (({"cursor": "e30"}, "cursor"), ({"limit": 0}, "limit"), ({"limit": 201}, "limit")):
        with pytest.raises(Invalid) as refused:
            list_notices(current_session(), county.actor("hw"), **asked)
        assert list(refused.value.errors) == [field]


def test_cursor_made_by_hand_is_refused_and_not_a_fault(county: County) -> None:
    for cursor in ("WzEsMl0", "WyJ4IiwgInkiXQ", "WyIyMDI2LTAzLTAyIiwgMV0", "W251bGwsbnVsbF0"):
        with pytest.raises(Invalid):
            list_notices(current_session(), county.actor("hw"), cursor=cursor)


def test_every_event_of_the_lifecycle_has_a_sentence_for_both_sides() -> None:
    for rule in RULES:
        for for_submitter in (False, True):
            said = str(sentence(rule.event, {}, for_submitter=for_submitter))
            assert said.endswith((".", "?"))
            assert "%(" not in said


def test_locale_without_a_catalogue_reads_english() -> None:
    assert translator("en")("Work goes on.") == "Work goes on."
