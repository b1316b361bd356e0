"""Signing in: sessions and their lifetimes, the throttle, changing one's own password, and that unknown names cost the same."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from statistics import median

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from feedback.kernel.audit import AuditEntry
from feedback.kernel.errors import Invalid, NotFound, NotSignedIn, Throttled
from feedback.kernel.transaction import transaction
from feedback.people import throttle
from feedback.people.credentials import (
    IDLE,
    LIFETIME,
    SEEN_EVERY,
    SignedIn,
    change_password,
    end_session,
    find_session,
    sign_in,
    sign_out,
    sign_out_everywhere,
)
from feedback.people.models import Account, SignInAttempt, UserSession
from feedback.people.passwords import hash_password
from tests.support.county import START, County

GOOD, WRONG = "a fine day for it", "a bad day for it"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def people(any_county: County) -> County:
    """The county, in which the handlers of `a` and `water` have a password."""
    with transaction() as session:
        for login in ("ha", "hw"):
            session.get_one(Account, any_county.accounts[login].id).password_hash = hash_password(GOOD)
    return any_county


def enter(login: str = "ha", password: str = GOOD, *, source: str = "192.0.2.1", now: datetime = START) -> SignedIn:
    return sign_in(login, password, source=source, device="a phone", now=now)


def fail(login: str = "ha", *, times: int = 1, source: str = "192.0.2.1", now: datetime = START) -> None:
    for _ in range(times):
        with pytest.raises(NotSignedIn):
            enter(login, WRONG, source=source, now=now)


def is_open(county: County, token: str, now: datetime = START) -> bool:
    return find_session(county.session, token, now) is not None


def test_each_sign_in_gets_a_token_of_its_own_and_only_its_hash_is_kept(people: County) -> None:
    first, second = enter(), enter()
    assert first.token != second.token
    assert is_open(people, first.token)
    assert is_open(people, second.token)
    kept = [row.token_hash for row in people.session.scalars(select(UserSession))]
    assert len(kept) == 2
    assert not {first.token, second.token} & set(kept)


@pytest.mark.parametrize("token", ["", "x", "x" * 101, "\x00" * 43, "é" * 43])
def test_a_made_up_token_opens_nothing(county: County, token: str) -> None:
    assert find_session(county.session, token, START) is None


def test_a_session_ends_after_eight_idle_hours(people: County) -> None:
    token = enter().token
    assert is_open(people, token, START + IDLE - MINUTE)
    assert is_open(people, token, START + IDLE + IDLE - 2 * MINUTE)
    assert not is_open(people, token, START + 3 * IDLE)


def test_a_session_ends_after_seven_days_however_busy(people: County) -> None:
    token = enter().token
    at = START
    while at + IDLE - MINUTE < START + LIFETIME:
        at += IDLE - MINUTE
        assert is_open(people, token, at)
    assert not is_open(people, token, START + LIFETIME)


def test_when_a_session_was_seen_is_written_at_most_every_five_minutes(people: County) -> None:
    token = enter().token

    def seen() -> datetime:
        people.session.rollback()
        return people.session.scalars(select(UserSession)).one().last_seen_at

    assert is_open(people, token, START + SEEN_EVERY - timedelta(seconds=1))
    assert seen() == START
    assert is_open(people, token, START + SEEN_EVERY)
    assert seen() == START + SEEN_EVERY


def test_signing_out_ends_that_session_alone(people: County) -> None:
    here, there = enter().token, enter().token
    sign_out(here, now=START)
    sign_out("unknown", now=START)
    assert not is_open(people, here)
    assert is_open(people, there)


def test_signing_out_everywhere_ends_every_session_of_that_person_alone(people: County) -> None:
    mine, others = [enter().token, enter().token], enter("hw").token
    sign_out_everywhere(actor=people.actor("ha"), now=START)
    assert [is_open(people, token) for token in mine] == [False, False]
    assert is_open(people, others)


def test_a_person_ends_one_of_their_own_sessions_and_none_of_another(people: County) -> None:
    mine, others = enter().token, enter("hw").token
    opened = find_session(people.session, others, START)
    assert opened is not None
    with pytest.raises(NotFound):
        end_session(opened.session_id, actor=people.actor("ha"), now=START)
    assert is_open(people, others)
    own = find_session(people.session, mine, START)
    assert own is not None
    end_session(own.session_id, actor=people.actor("ha"), now=START)
    assert not is_open(people, mine)


def test_five_failures_make_even_the_right_password_wait_at_most_fifteen_minutes(people: County) -> None:
    for minute in range(5):
        fail(now=START + minute * MINUTE)
    with pytest.raises(Throttled) as refused:
        enter(source="192.0.2.9", now=START + 5 * MINUTE)
    assert refused.value.details["retry_after"] == 10 * 60 + 1
    later = START + 5 * MINUTE + timedelta(seconds=refused.value.details["retry_after"])
    assert enter(now=later).failures == 5
    assert enter(now=later).failures == 0


def test_refused_tries_do_not_lengthen_the_wait(people: County) -> None:
    fail(times=5)
    for second in range(0, 15 * 60, 100):
        with pytest.raises(Throttled):
            enter(password=WRONG, now=START + timedelta(seconds=second))
    enter(now=START + throttle.WINDOW + timedelta(seconds=1))


def test_one_source_that_tries_many_names_has_to_wait_and_others_do_not(people: County) -> None:
    for number in range(throttle.MOST_PER_SOURCE):
        fail(f"somebody{number}")
    with pytest.raises(Throttled):
        enter()
    enter(source="192.0.2.2")


def test_a_name_that_nobody_has_is_throttled_too(people: County) -> None:
    fail("nobody", times=5)
    with pytest.raises(Throttled):
        enter("nobody", source="192.0.2.2")


def test_a_right_password_makes_earlier_failures_forgotten(people: County) -> None:
    fail(times=4)
    assert enter().failures == 4
    fail(times=4)
    enter()


def test_neither_name_nor_address_stands_in_the_table_of_failures(people: County) -> None:
    fail("nobody", source="192.0.2.7")
    subjects = " ".join(people.session.scalars(select(SignInAttempt.subject)))
    assert "nobody" not in subjects
    assert "192.0.2.7" not in subjects


def test_each_sign_in_and_each_failure_is_one_audit_entry(people: County) -> None:
    fail()
    fail("nobody")
    enter()
    found = people.session.execute(
        select(AuditEntry.action, AuditEntry.actor)
        .where(AuditEntry.action.in_(["signed_in", "sign_in_failed"]))
        .order_by(AuditEntry.id)
    ).all()
    me = f"account:{people.accounts['ha'].id}"
    assert [tuple(row) for row in found] == [
        ("sign_in_failed", "nobody"),
        ("sign_in_failed", "nobody"),
        ("signed_in", me),
    ]


def test_an_overlong_password_is_refused_before_any_work(people: County) -> None:
    begun = time.perf_counter()
    with pytest.raises(Invalid):
        enter(password="x" * 1_000_000)
    assert time.perf_counter() - begun < 0.05
    assert people.session.scalars(select(SignInAttempt)).all() == []


def test_an_unknown_name_is_answered_like_a_wrong_password_and_as_slowly(people: County) -> None:
    def spent(login: str) -> float:
        begun = time.perf_counter()
        with pytest.raises(NotSignedIn) as refused:
            enter(login, WRONG, source=str(begun))
        texts.add((refused.value.code, str(refused.value)))
        return time.perf_counter() - begun

    texts: set[tuple[str, str]] = set()
    spent("nobody0")
    known = [spent("hw") for _ in range(4)]
    unknown = [spent(f"nobody{number}") for number in range(1, 5)]
    assert len(texts) == 1
    assert median(unknown) > median(known) / 3
    assert median(known) > median(unknown) / 3


def test_a_password_of_older_parameters_is_kept_anew_at_sign_in(people: County) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(GOOD)
    with transaction() as session:
        session.get_one(Account, people.accounts["ha"].id).password_hash = old
    enter()
    people.session.rollback()
    kept = people.session.get_one(Account, people.accounts["ha"].id).password_hash
    assert kept != old
    enter()


def change(county: County, current: str, new: str, keep: int | None = None) -> None:
    change_password(current, new, actor=county.actor("ha"), source="192.0.2.1", keep_session=keep, now=START)


def test_a_person_who_changes_the_password_keeps_this_session_alone(people: County) -> None:
    here, there = enter().token, enter().token
    opened = find_session(people.session, here, START)
    assert opened is not None
    change(people, GOOD, "another fine day", opened.session_id)
    assert is_open(people, here)
    assert not is_open(people, there)
    fail()
    enter(password="another fine day")


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [
        (WRONG, "another fine day", "current"),
        (GOOD, GOOD, "password"),
        (GOOD, "short", "password"),
        (GOOD, "x" * 201, "password"),
        ("x" * 201, "another fine day", "current"),
    ],
)
def test_a_password_that_can_not_be_changed_names_the_field(people: County, current: str, new: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        change(people, current, new)
    assert set(refused.value.errors) == {field}
    enter()


def test_guessing_the_present_password_is_throttled(people: County) -> None:
    for _ in range(throttle.MOST_PER_LOGIN):
        with pytest.raises(Invalid):
            change(people, WRONG, "another fine day")
    with pytest.raises(Throttled):
        change(people, GOOD, "another fine day")
