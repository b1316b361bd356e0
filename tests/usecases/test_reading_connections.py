"""On PostgreSQL what only reads can't write, and what a connection has prepared outlives the page that asked it."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import bindparam, select, text
from sqlalchemy.exc import InternalError

from feedback.kernel.db import session as current_session
from feedback.kernel.transaction import transaction
from feedback.people.models import Account
from tests.support.county import County, build_county

pytestmark = pytest.mark.postgres


@pytest.fixture
def on_postgresql(postgres_app: Flask) -> County:
    return build_county(current_session())


def prepared() -> int:
    return current_session().scalar(text("SELECT count(*) FROM pg_prepared_statements")) or 0


def test_what_is_written_outside_a_transaction_is_refused(on_postgresql: County) -> None:
    session = current_session()
    session.rollback()
    with pytest.raises(InternalError, match="read-only transaction"):
        session.execute(text("UPDATE account SET name = 'nobody'"))
    session.rollback()
    with transaction() as session:
        session.execute(text("UPDATE account SET name = 'somebody'"))
    assert set(session.scalars(select(Account.name))) == {"somebody"}
    session.rollback()


def test_statements_stay_prepared_from_one_reading_to_the_next(on_postgresql: County) -> None:
    session = current_session()
    by_login = select(Account.id).where(Account.login == bindparam("login"))
    session.rollback()
    before = prepared()
    for _ in range(7):
        assert session.scalar(by_login, {"login": "s"})
        session.rollback()
    assert prepared() > before


def test_a_list_is_planned_for_its_own_values_each_time(on_postgresql: County) -> None:
    session = current_session()
    session.rollback()
    before = prepared()
    for _ in range(7):
        assert session.scalars(select(Account.id).where(Account.is_active).limit(2)).all()
    assert prepared() <= before + 1  # the question itself
    session.rollback()
