"""What processes keep of rows that hardly change: a change made anywhere counts at the very next request."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from feedback.kernel.db import db
from feedback.kernel.reference import kept
from feedback.kernel.transaction import transaction
from feedback.people.models import Account, Deputy, RoleGrant, Unit
from feedback.people.queries import Holder, list_units, load_actor, office_ids, units_by_id
from feedback.routing.models import Category
from feedback.routing.queries import list_categories
from tests.support.county import START, County
from tests.support.statements import counted_statements


def elsewhere(statement: str, **values: object) -> None:
    """Change something as another process would: on a connection of its own, past every session."""
    with db.engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(text(statement), values)


def ask_anew(county: County) -> None:
    """As the next request would: with nothing remembered of this one."""
    county.session.rollback()
    county.session.info.clear()


@pytest.fixture
def warm(any_county: County) -> County:
    """The county, with everything asked for once."""
    any_county.actor("hw")
    list_units(any_county.session, START)
    list_categories(any_county.session)
    ask_anew(any_county)
    return any_county


def test_nothing_is_asked_again_but_whether_something_changed(warm: County) -> None:
    town = warm.units["town"].id
    handler = Holder(warm.accounts["hw"].id, "hw", "Somebody", locale=None, must_change_password=False)
    ask_anew(warm)
    with counted_statements() as sent:
        assert units_by_id(warm.session, [town])[town].name == "Town"
        assert list_categories(warm.session)
        assert load_actor(warm.session, handler, now=START).has_role("handler")
    asked = [one for one in sent if not one.startswith("BEGIN")]
    assert len(asked) == 1
    assert "reference_state" in asked[0]


def test_a_unit_renamed_elsewhere_has_its_new_name_at_the_next_request(warm: County) -> None:
    elsewhere("UPDATE unit SET name = 'Newtown' WHERE code = 'town'")
    ask_anew(warm)
    assert units_by_id(warm.session, [warm.units["town"].id])[warm.units["town"].id].name == "Newtown"


def test_a_role_taken_away_elsewhere_is_gone_at_the_next_request(warm: County) -> None:
    assert warm.actor("hw").has_role("handler")
    elsewhere("DELETE FROM role_grant WHERE account_id = :id", id=warm.accounts["hw"].id)
    ask_anew(warm)
    assert not warm.actor("hw").has_role("handler")


def test_a_role_counts_from_its_day_to_its_day_without_any_change(warm: County) -> None:
    with transaction() as session:
        session.execute(
            update(RoleGrant)
            .where(RoleGrant.account_id == warm.accounts["hw"].id)
            .values(valid_from=START, valid_to=START + timedelta(days=1))
        )
    assert warm.actor("hw", START).has_role("handler")
    assert not warm.actor("hw", START - timedelta(seconds=1)).has_role("handler")
    assert not warm.actor("hw", START + timedelta(days=1)).has_role("handler")


def test_a_deputy_named_elsewhere_stands_in_at_the_next_request(warm: County) -> None:
    assert warm.actor("hw").stands_in_for == ()
    with transaction() as session:
        session.add(Deputy(account_id=warm.accounts["lw"].id, deputy_id=warm.accounts["hw"].id))
    assert warm.actor("hw").stands_in_for == (warm.accounts["lw"].id,)


def test_an_office_closes_with_the_account_of_its_only_dispatcher(warm: County) -> None:
    assert warm.units["p1"].id in office_ids(warm.session, START)
    elsewhere("UPDATE account SET is_active = :no WHERE login = 'dp1'", no=False)
    ask_anew(warm)
    assert warm.units["p1"].id not in office_ids(warm.session, START)


def test_a_transaction_sees_its_own_change_and_a_failed_one_leaves_none(warm: County) -> None:
    town = warm.units["town"].id

    def fail() -> None:
        with transaction() as session:
            session.get_one(Unit, town).name = "Never"
            assert units_by_id(session, [town])[town].name == "Never"
            assert "Never" in [unit.name for unit in list_units(session, START)]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert units_by_id(warm.session, [town])[town].name == "Town"


def test_any_watched_table_throws_all_away(warm: County) -> None:
    first = kept(warm.session, "probe", lambda reading: reading.scalar(select(Unit.name).limit(1)))
    assert kept(warm.session, "probe", lambda _reading: "asked again") == first
    elsewhere("UPDATE category SET name = 'Other'")
    ask_anew(warm)
    assert kept(warm.session, "probe", lambda _reading: "asked again") == "asked again"
    assert {category.name for category in warm.session.scalars(select(Category))} == {"Other"}


def test_a_sign_in_elsewhere_throws_nothing_away(warm: County) -> None:
    with transaction() as session:
        account = session.get_one(Account, warm.accounts["hw"].id)
        account.password_hash = "changed"
    with counted_statements() as sent:
        list_categories(warm.session)
    assert [one for one in sent if "category" in one] == []
