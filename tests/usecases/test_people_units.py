"""The unit tree from files: any order of rows, moves of whole subtrees, and what is refused by row."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from feedback.kernel.actor import SYSTEM
from feedback.kernel.audit import AuditEntry
from feedback.kernel.db import db
from feedback.kernel.errors import Forbidden
from feedback.kernel.imports import ImportResult
from feedback.kernel.tabular import read_rows
from feedback.people import unit_import
from feedback.people.models import Unit
from feedback.people.unit_import import import_units
from tests.support.county import START, County

TREE = """code,name,parent,kind,level
v1,一村,t1,region,village
t1,甲镇,c,region,town
c,某县,,region,county
w,水务局,c,department,county
ws,供水科,w,department,county
"""


def take(rows: str, header: str = "code,name,parent,kind,level\n") -> ImportResult:
    raw = (rows if rows.startswith("code,") else header + rows).encode()
    table = read_rows(raw, "units.csv", required=unit_import.REQUIRED, optional=unit_import.OPTIONAL)
    return import_units(table, actor=SYSTEM, now=START)


def places() -> dict[str, str]:
    """Each unit's path, in codes."""
    units = {unit.id: unit for unit in db.session.scalars(select(Unit))}
    return {
        unit.code: "/".join(units[int(part)].code for part in unit.path.strip("/").split("/"))
        for unit in units.values()
    }


def errors(result: ImportResult) -> list[tuple[int, str | None]]:
    return [(error.number, error.column) for error in result.errors]


def test_rows_in_any_order_make_one_tree(any_app: Flask) -> None:
    result = take(TREE)
    assert (result.added, result.errors) == (5, [])
    assert places() == {"c": "c", "t1": "c/t1", "v1": "c/t1/v1", "w": "c/w", "ws": "c/w/ws"}


def test_the_same_file_again_changes_nothing(any_app: Flask) -> None:
    take(TREE)
    result = take(TREE)
    assert (result.added, result.updated, result.unchanged) == (0, 0, 5)


def test_a_unit_moves_with_all_that_is_below_it(any_app: Flask) -> None:
    take(TREE)
    result = take("t2,乙镇,c,region,town\nw,水务中心,t2,department,town\n")
    assert (result.added, result.updated) == (1, 1)
    assert places()["ws"] == "c/t2/w/ws"
    unit = db.session.scalars(select(Unit).where(Unit.code == "w")).one()
    assert (unit.name, unit.level) == ("水务中心", "town")
    facts = db.session.scalars(select(AuditEntry.facts).where(AuditEntry.stream == f"unit:{unit.id}")).all()
    assert facts[-1]["fields"] == ["name", "level", "parent_id"]


def test_two_units_change_places(any_app: Flask) -> None:
    take(TREE)
    result = take("ws,供水科,c,department,county\nw,水务局,ws,department,county\n")
    assert result.is_clean
    assert (places()["w"], places()["ws"]) == ("c/ws/w", "c/ws")


def test_an_unknown_parent_is_refused_with_all_that_hangs_on_it(any_app: Flask) -> None:
    result = take(TREE + "x,X,nowhere,region,town\ny,Y,x,region,village\n")
    assert result.added == 5
    assert errors(result) == [(7, "parent"), (8, "parent")]


def test_a_circle_is_refused_and_the_good_rows_are_taken(any_app: Flask) -> None:
    take(TREE)
    result = take("t1,甲镇,v1,region,town\nv1,第一村,t1,region,village\nw,水务局,c,department,county\n")
    assert errors(result)[:1] == [(2, "parent")]
    assert places()["t1"] == "c/t1"
    assert places()["v1"] == "c/t1/v1"
    assert take("a,A,b,region,town\nb,B,a,region,town\n").added == 0
    assert errors(take("a,A,a,region,town\n")) == [(2, "parent")]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("c1,,c,region,town", "name"),
        (",N,c,region,town", "code"),
        ("c1,N,c,island,town", "kind"),
        ("c1,N,c,region,planet", "level"),
        ("c 1,N,c,region,town", "code"),
        ("c@1,N,c,region,town", "code"),
        ("c1,N,,department,county", "parent"),
        ("t1,N,c,region,town", "code"),
        (f"c1,{'N' * 121},c,region,town", "name"),
    ],
)
def test_a_bad_row_is_named_and_loses_no_good_one(app: Flask, row: str, column: str) -> None:
    result = take(TREE + row + "\n")
    assert result.added == 5
    assert errors(result) == [(7, column)]


def test_a_tree_too_deep_is_refused_by_row(app: Flask) -> None:
    rows = [f"u{n},N,{f'u{n - 1}' if n else ''},region,village" for n in range(unit_import.MOST_DEPTH + 2)]
    result = take("\n".join(rows) + "\n")
    assert result.added == unit_import.MOST_DEPTH
    assert [error.number for error in result.errors] == [14, 15]


def test_optional_cells_are_kept_where_a_later_file_leaves_them_empty(app: Flask) -> None:
    take("c,某县,,region,county,A county,cal\n", "code,name,parent,kind,level,name_en,calendar\n")
    take("c,本县,,region,county\n")
    unit = db.session.scalars(select(Unit)).one()
    assert (unit.name, unit.name_en, unit.calendar_code) == ("本县", "A county", "cal")


def test_only_an_admin_brings_units_in(county: County) -> None:
    table = read_rows(TREE.encode(), "units.csv", required=unit_import.REQUIRED)
    with pytest.raises(Forbidden):
        import_units(table, actor=county.actor("lr"), now=START)
