"""Tokens for programs: kept as a hash, with no more scope than the roles allow, dead at once when revoked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from feedback.kernel.actor import SYSTEM
from feedback.kernel.errors import Forbidden, Invalid, NotFound
from feedback.people.models import ApiToken
from feedback.people.tokens import IssuedToken, IssueToken, find_token, issue_token, list_tokens, revoke_token
from feedback.people.usecases import OfAccount, disable_account
from tests.support.county import START, County

DAY = timedelta(days=1)


def issue(login: str = "ha", **more: object) -> IssuedToken:
    return issue_token(IssueToken.parse({"login": login, **more}), actor=SYSTEM, now=START)


def test_a_token_opens_its_account_until_it_ends(any_county: County) -> None:
    issued = issue(days=2)
    owner = find_token(any_county.session, issued.token, START + 2 * DAY - timedelta(seconds=1))
    assert owner is not None
    assert owner.account.login == "ha"
    assert find_token(any_county.session, issued.token, START + 2 * DAY) is None
    kept = any_county.session.scalars(select(ApiToken.token_hash)).one()
    assert issued.token.startswith("zd_")
    assert issued.token not in kept


@pytest.mark.parametrize(
    ("login", "scopes"),
    [
        ("s", {"read", "write"}),
        ("ha", {"read", "write"}),
        ("lr", {"read", "write", "reports"}),
        ("adm", {"read", "write", "reports", "admin"}),
    ],
)
def test_without_scopes_a_token_gets_what_the_roles_allow(county: County, login: str, scopes: set[str]) -> None:
    owner = find_token(county.session, issue(login).token, START)
    assert owner is not None
    assert owner.scopes == scopes


def test_a_token_gets_no_more_scope_than_asked_for(county: County) -> None:
    owner = find_token(county.session, issue("adm", scopes=["read"]).token, START)
    assert owner is not None
    assert owner.scopes == {"read"}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"scopes": ["admin"]}, "scopes"),
        ({"scopes": ["everything"]}, "scopes.0"),
        ({"days": 0}, "days"),
        ({"days": 366}, "days"),
    ],
)
def test_a_token_that_can_not_be_is_refused(county: County, fields: dict[str, object], named: str) -> None:
    with pytest.raises(Invalid) as refused:
        issue("ha", **fields)
    assert set(refused.value.errors) == {named}
    assert county.session.scalars(select(ApiToken)).all() == []


def test_people_make_tokens_for_themselves_and_admins_for_others(county: County) -> None:
    issue_token(IssueToken(login="ha", scopes=[]), actor=county.actor("ha"), now=START)
    issue_token(IssueToken(login="ha", scopes=[]), actor=county.actor("adm"), now=START)
    with pytest.raises(Forbidden):
        issue_token(IssueToken(login="ha", scopes=[]), actor=county.actor("hb"), now=START)


def test_a_revoked_token_is_dead_at_once_and_only_its_owner_or_an_admin_revokes_it(any_county: County) -> None:
    first, second = issue(), issue()
    rows = {row.id: row for row in list_tokens(any_county.session, any_county.accounts["ha"].id, START)}
    newest, oldest = list(rows)
    with pytest.raises(NotFound):
        revoke_token(oldest, actor=any_county.actor("hb"), now=START)
    revoke_token(oldest, actor=any_county.actor("ha"), now=START)
    assert find_token(any_county.session, first.token, START) is None
    assert find_token(any_county.session, second.token, START) is not None
    revoke_token(newest, actor=any_county.actor("adm"), now=START)
    assert find_token(any_county.session, second.token, START) is None
    with pytest.raises(NotFound):
        revoke_token(newest, actor=any_county.actor("adm"), now=START)


def test_a_shut_account_gets_no_token(county: County) -> None:
    disable_account(OfAccount(login="ha"), actor=SYSTEM, now=START)
    with pytest.raises(Forbidden):
        issue()


@pytest.mark.parametrize("token", ["", "zd_", "x" * 46, "zd_" + "é" * 43, "zd_" + "A" * 43])
def test_a_made_up_token_opens_nothing(county: County, token: str) -> None:
    assert find_token(county.session, token, START) is None
