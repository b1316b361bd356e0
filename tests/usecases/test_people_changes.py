"""What the admin's pages do to people and units, on both databases: links, moves, deputies, units added, moved and ended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedback.kernel.actor import SYSTEM
from feedback.kernel.audit import verify
from feedback.kernel.errors import Conflict, Forbidden, NotFound, VersionConflict
from feedback.people.deputies import SetDeputy, end_deputy, list_deputies, set_deputy
from feedback.people.directory import export_accounts, export_units, get_account
from feedback.people.password_links import choose_password, find_link, issue_link
from feedback.people.staffing import ChangeAccount, MoveAccount, change_account, move_account
from feedback.people.unit_changes import AddUnit, ChangeUnit, MoveUnit, add_unit, change_unit, move_unit
from feedback.people.usecases import OfAccount, disable_account
from feedback.routing.listing import count_rows_naming, export_rows, list_rows
from feedback.supervision.unit_end import EndUnit, end_unit
from tests.support.county import START, County

LATER = START + timedelta(hours=1)


def test_link_is_used_once_and_dies_with_the_account(any_county: County) -> None:
    first = issue_link(OfAccount(login="hw"), actor=any_county.actor("adm"), now=START)
    second = issue_link(OfAccount(login="hw"), actor=any_county.actor("adm"), now=START)
    assert find_link(any_county.session, first.token, START) is None
    assert choose_password(second.token, "a quiet river at night", now=LATER).login == "hw"
    with pytest.raises(NotFound):
        choose_password(second.token, "a quiet river at noon", now=LATER)
    third = issue_link(OfAccount(login="hw"), actor=any_county.actor("adm"), now=LATER)
    disable_account(OfAccount(login="hw"), actor=SYSTEM, now=LATER)
    assert find_link(any_county.session, third.token, LATER) is None
    assert list(verify(any_county.session)) == []


def test_person_is_changed_moved_and_stood_in_for(any_county: County) -> None:
    adm = any_county.actor("adm")
    change_account(ChangeAccount(login="hw", name="Anew"), actor=adm, now=START)
    with pytest.raises(VersionConflict):
        change_account(ChangeAccount(login="hw", name="Late", seen="another"), actor=adm, now=START)
    move_account(MoveAccount(login="hw", from_unit="water", to_unit="a"), actor=adm, now=LATER)
    assert [grant.unit_code for grant in any_county.actor("hw", LATER).grants] == ["a"]
    line = set_deputy(SetDeputy(login="hw", deputy="ha", valid_to=LATER + timedelta(days=1)), actor=adm, now=LATER)
    with pytest.raises(Conflict):
        set_deputy(SetDeputy(login="hw", deputy="ha"), actor=adm, now=LATER)
    account = any_county.accounts["hw"].id
    assert [each.login for each in list_deputies(any_county.session, account, LATER)] == ["ha"]
    end_deputy(line, login="hw", actor=adm, now=LATER)
    assert list(list_deputies(any_county.session, account, LATER)) == []
    assert get_account(any_county.session, adm, "hw", LATER)[1].name == "Anew"
    assert ["hw", "Anew", "handler@a", "", "", ""] in list(export_accounts(any_county.session, adm, LATER))


def test_unit_is_added_changed_moved_and_ended(any_county: County) -> None:
    adm = any_county.actor("adm")
    add_unit(AddUnit(code="parks", name="Parks", parent="p1", kind="department", level="county"), actor=adm, now=START)
    change_unit(
        ChangeUnit(code="parks", name="Gardens", kind="department", level="county", calendar="site"),
        actor=adm,
        now=START,
    )
    move_unit(MoveUnit(code="parks", parent="p2"), actor=adm, now=START)
    line = ["parks", "Gardens", "p2", "department", "county", "", "site"]
    assert line in list(export_units(any_county.session, adm, LATER))
    move_account(MoveAccount(login="hr", from_unit="roads", to_unit="parks"), actor=adm, now=START)
    end_unit(EndUnit(code="parks", successor="roads"), actor=adm, now=LATER)
    held = [(grant.role, grant.unit_code) for grant in any_county.actor("hr", LATER).grants]
    assert held == [("handler", "roads")]
    assert line not in list(export_units(any_county.session, adm, LATER))
    assert list(verify(any_county.session)) == []


def test_admin_of_a_part_reaches_no_further(any_county: County) -> None:
    any_county.add_person("part", "admin@p1")
    part = any_county.actor("part")
    for act in (
        lambda: issue_link(OfAccount(login="hw"), actor=part, now=START),
        lambda: move_unit(MoveUnit(code="town", parent="p2"), actor=part, now=START),
        lambda: move_account(MoveAccount(login="la", from_unit="a", to_unit="water"), actor=part, now=START),
        lambda: end_unit(EndUnit(code="roads"), actor=part, now=START),
    ):
        with pytest.raises(Forbidden):
            act()


def test_catalogue_is_listed_page_by_page_once(any_county: County) -> None:
    for number in range(7):
        any_county.add_catalogue(f"parks/{number}", "a", area="p1")
    seen: list[int] = []
    cursor = None
    while True:
        page = list_rows(any_county.session, limit=3, cursor=cursor)
        seen += [view.row.id for view in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 11
    assert len(list(export_rows(any_county.session))) == 12
    assert count_rows_naming(any_county.session, any_county.units["p1"].id) == 7
    assert [view.path for view in list_rows(any_county.session, q="ROADS").items] == ["roads"]
