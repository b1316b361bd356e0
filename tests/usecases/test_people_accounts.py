"""Accounts and roles: who may make them, which are refused, and that a change holds at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from feedback.kernel import audit
from feedback.kernel.actor import SYSTEM
from feedback.kernel.audit import AuditEntry
from feedback.kernel.errors import Forbidden, Invalid, NotFound, NotSignedIn
from feedback.kernel.imports import ImportResult
from feedback.kernel.tabular import read_rows
from feedback.people import account_import
from feedback.people.account_import import import_accounts
from feedback.people.credentials import find_session, sign_in
from feedback.people.models import Account, RoleGrant
from feedback.people.names import fold_login
from feedback.people.queries import Holder, find_account, load_actor
from feedback.people.tokens import IssueToken, find_token, issue_token
from feedback.people.usecases import (
    CreateAccount,
    OfAccount,
    OfRole,
    SetPassword,
    create_account,
    disable_account,
    enable_account,
    grant_role,
    revoke_role,
    set_password,
)
from tests.support.county import START, County

GOOD = "a fine day for it"


def make(county: County, login: str = "li.wei", **more: Any) -> Account:
    fields = {"login": login, "name": "Li Wei", "roles": ["handler@water"], "password": GOOD, **more}
    create_account(CreateAccount.parse(fields), actor=SYSTEM, now=START)
    account = find_account(county.session, fold_login(login))
    assert account is not None
    return account


def roles_of(county: County, login: str) -> set[str]:
    account = find_account(county.session, login)
    assert account is not None
    return {f"{g.role}@{g.unit_code}" for g in load_actor(county.session, account, now=START).grants}


def actions_of(county: County, account: Account | Holder) -> list[str]:
    stream = f"account:{account.id}"
    statement = select(AuditEntry.action).where(AuditEntry.stream == stream).order_by(AuditEntry.seq)
    return list(county.session.scalars(statement))


def test_admin_creates_an_account_that_signs_in_with_its_roles(any_county: County) -> None:
    fields = {"login": "ＬＩ.Wei", "name": "Li Wei", "roles": ["handler@water", "unit_head@roads"], "password": GOOD}
    create_account(CreateAccount.parse(fields), actor=any_county.actor("adm"), now=START)
    assert roles_of(any_county, "li.wei") == {"handler@water", "unit_head@roads"}
    signed = sign_in("Li.WEI", GOOD, source="::1", device="", now=START)
    opened = find_session(any_county.session, signed.token, START)
    assert opened is not None
    assert opened.account.login == "li.wei"
    assert actions_of(any_county, opened.account) == ["account.created", "signed_in"]
    assert list(audit.verify(any_county.session)) == []


@pytest.mark.parametrize("login", ["ha", "lr", "au", "s"])
def test_people_who_are_no_admin_change_no_account(county: County, login: str) -> None:
    cmd = CreateAccount.parse({"login": "new", "name": "New"})
    with pytest.raises(Forbidden):
        create_account(cmd, actor=county.actor(login), now=START)
    with pytest.raises(Forbidden):
        disable_account(OfAccount(login="hb"), actor=county.actor(login), now=START)
    with pytest.raises(Forbidden):
        grant_role(OfRole(login=login, role="admin@root"), actor=county.actor(login), now=START)
    assert find_account(county.session, "new") is None


def test_admin_of_a_part_gives_no_role_and_no_password_beyond_it(county: County) -> None:
    county.add_person("adm1", "admin@p1")
    actor = county.actor("adm1")
    create_account(CreateAccount.parse({"login": "n1", "name": "N", "roles": ["handler@a"]}), actor=actor, now=START)
    with pytest.raises(Forbidden):
        create_account(
            CreateAccount.parse({"login": "n2", "name": "N", "roles": ["admin@root"]}), actor=actor, now=START
        )
    with pytest.raises(Forbidden):
        grant_role(OfRole(login="adm1", role="admin@root"), actor=actor, now=START)
    with pytest.raises(Forbidden):
        set_password(SetPassword(login="adm", password=GOOD), actor=actor, now=START)
    assert find_account(county.session, "n2") is None


@pytest.mark.parametrize(
    "login",
    ["", "аdmin", "Ηa", "a b", "a@b", "-a", "x" * 41, "a\u200bb", "a/b", "ad\u0131n", "a\x00b", "é"],
)
def test_a_login_that_could_be_taken_for_another_is_refused(county: County, login: str) -> None:
    with pytest.raises(Invalid) as refused:
        make(county, login)
    assert set(refused.value.errors) == {"login"}


def test_a_login_that_is_taken_in_another_spelling_is_refused(any_county: County) -> None:
    make(any_county)
    with pytest.raises(Invalid) as refused:
        make(any_county, "LI.ＷＥＩ")
    assert set(refused.value.errors) == {"login"}


@pytest.mark.parametrize(
    "password",
    ["short", "x" * 201, "1234567890", "aaaaaaaaaaaa", "zhang.sanfeng", "Zhang.SanFeng2026", "Qwertyuiop", "密码" * 2],
)
def test_a_weak_password_is_refused_and_makes_no_account(county: County, password: str) -> None:
    with pytest.raises(Invalid) as refused:
        make(county, "zhang.sanfeng", password=password)
    assert set(refused.value.errors) == {"password"}
    assert find_account(county.session, "zhang.sanfeng") is None


@pytest.mark.parametrize("password", ["中文口令也可以用的呀" * 6, " outer spaces stay ", "x1y2z3w4v5" * 20])
def test_a_long_password_of_any_letters_is_taken(county: County, password: str) -> None:
    make(county, password=password)
    sign_in("li.wei", password, source="::1", device="", now=START)
    with pytest.raises(NotSignedIn):
        sign_in("li.wei", password.strip()[:-1], source="::1", device="", now=START)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"roles": ["handler"]}, "roles"),
        ({"roles": ["boss@water"]}, "roles"),
        ({"roles": ["handler@nowhere"]}, "roles"),
        ({"email": "not an address"}, "email"),
        ({"phone": "call me"}, "phone"),
        ({"locale": "fr"}, "locale"),
        ({"name": ""}, "name"),
        ({"name": "a\x1bb"}, "name"),
    ],
)
def test_a_bad_field_is_named(county: County, fields: dict[str, Any], named: str) -> None:
    with pytest.raises(Invalid) as refused:
        make(county, **fields)
    assert set(refused.value.errors) == {named}


def test_the_commands_never_show_a_password() -> None:
    cmd = CreateAccount.parse({"login": "a", "name": "A", "password": GOOD})
    assert GOOD not in repr(cmd)
    assert GOOD not in repr(SetPassword(login="a", password=GOOD))


def test_a_moved_person_holds_the_new_role_and_not_the_old_at_once(any_county: County) -> None:
    actor = any_county.actor("adm")
    grant_role(OfRole(login="la", role="unit_head@b"), actor=actor, now=START)
    revoke_role(OfRole(login="la", role="unit_head@a"), actor=actor, now=START)
    assert roles_of(any_county, "la") == {"unit_head@b"}
    grant_role(OfRole(login="la", role="unit_head@a"), actor=actor, now=START)
    grant_role(OfRole(login="la", role="unit_head@a"), actor=actor, now=START)
    assert roles_of(any_county, "la") == {"unit_head@a", "unit_head@b"}
    assert actions_of(any_county, any_county.accounts["la"]) == ["role.granted", "role.revoked", "role.granted"]


def test_a_shut_account_loses_session_and_token_and_comes_back_without_them(any_county: County) -> None:
    make(any_county)
    signed = sign_in("li.wei", GOOD, source="::1", device="", now=START)
    token = issue_token(IssueToken(login="li.wei", scopes=[]), actor=SYSTEM, now=START).token
    disable_account(OfAccount(login="li.wei"), actor=any_county.actor("adm"), now=START)
    assert find_session(any_county.session, signed.token, START) is None
    assert find_token(any_county.session, token, START) is None
    with pytest.raises(NotSignedIn):
        sign_in("li.wei", GOOD, source="::1", device="", now=START)
    enable_account(OfAccount(login="li.wei"), actor=any_county.actor("adm"), now=START)
    assert find_session(any_county.session, signed.token, START) is None
    assert find_token(any_county.session, token, START) is None
    assert sign_in("li.wei", GOOD, source="::1", device="", now=START).failures == 1


def test_an_admin_does_not_shut_their_own_account(county: County) -> None:
    with pytest.raises(Forbidden):
        disable_account(OfAccount(login="adm"), actor=county.actor("adm"), now=START)


def test_a_password_set_by_an_admin_ends_sessions_and_tokens(any_county: County) -> None:
    make(any_county)
    signed = sign_in("li.wei", GOOD, source="::1", device="", now=START)
    token = issue_token(IssueToken(login="li.wei", scopes=[]), actor=SYSTEM, now=START).token
    cmd = SetPassword(login="li.wei", password="another fine day", must_change=True)
    set_password(cmd, actor=any_county.actor("adm"), now=START)
    assert find_session(any_county.session, signed.token, START) is None
    assert find_token(any_county.session, token, START) is None
    account = find_account(any_county.session, "li.wei")
    assert account is not None
    assert account.must_change_password
    assert GOOD not in (account.password_hash or "")


def test_an_unknown_account_is_not_found(county: County) -> None:
    with pytest.raises(NotFound):
        set_password(SetPassword(login="nobody", password=GOOD), actor=SYSTEM, now=START)


FILE = """login,name,roles,email,remark
zhao.yi,赵一,handler@water;submitter@village,zhao@example.gov.cn,x
qian.er,钱二,handler@nowhere,,
sun.san,孙三,handler@roads；unit_head@roads,,
sun.san,孙三,,,
la,Li A,unit_head@b,,
"""


def take(text: str) -> ImportResult:
    table = read_rows(text.encode(), "a.csv", required=account_import.REQUIRED, optional=account_import.OPTIONAL)
    return import_accounts(table, actor=SYSTEM, now=START)


def test_an_accounts_file_adds_changes_and_reports_by_row(any_county: County) -> None:
    result = take(FILE)
    assert (result.added, result.updated, result.unchanged) == (2, 1, 0)
    assert [(error.number, error.column) for error in result.errors] == [(3, "roles"), (5, "login")]
    assert result.ignored == ("remark",)
    assert roles_of(any_county, "zhao.yi") == {"handler@water", "submitter@village"}
    assert roles_of(any_county, "sun.san") == {"handler@roads", "unit_head@roads"}
    assert roles_of(any_county, "la") == {"unit_head@b"}
    assert find_account(any_county.session, "qian.er") is None


def test_the_same_accounts_file_again_changes_nothing(any_county: County) -> None:
    take(FILE)
    entries = audit.count_entries(any_county.session)
    again = take(FILE)
    assert (again.added, again.updated, again.unchanged) == (0, 0, 3)
    assert audit.count_entries(any_county.session) == entries


def test_a_role_that_left_the_file_and_came_back_is_held_again(county: County) -> None:
    for roles in ("handler@water", "", "handler@water"):
        take(f"login,name,roles\nzhao.yi,赵一,{roles}\n")
        assert roles_of(county, "zhao.yi") == ({roles} if roles else set())
    grants = select(RoleGrant).join(Account).where(Account.login == "zhao.yi")
    assert len(county.session.scalars(grants).all()) == 1


def test_an_imported_account_signs_in_only_once_a_password_is_set(county: County) -> None:
    take("login,name,roles\nzhao.yi,赵一,handler@water\n")
    with pytest.raises(NotSignedIn):
        sign_in("zhao.yi", "", source="::1", device="", now=START)
    set_password(SetPassword(login="zhao.yi", password=GOOD), actor=SYSTEM, now=START)
    assert sign_in("zhao.yi", GOOD, source="::1", device="", now=START + timedelta(minutes=1)).failures == 0
