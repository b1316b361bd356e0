"""The duty catalogue from a file: what is new, equal, changed and wrong, on both databases; and the commands."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from feedback.kernel import audit
from feedback.kernel.actor import SYSTEM
from feedback.kernel.db import db
from feedback.kernel.errors import Forbidden, Invalid
from feedback.kernel.imports import ImportResult
from feedback.routing.decision import decide_route
from feedback.routing.imports import import_catalogue
from feedback.routing.models import CatalogueRow, Category
from tests.support.county import START, County

HEADER = "category,keywords,area,lead,assists,grounds,not_below,valid_from,valid_to\n"
LATER = START + timedelta(hours=1)


def take(text: str, header: str = HEADER) -> ImportResult:
    return import_catalogue((header + text).encode(), "catalogue.csv", actor=SYSTEM, now=LATER)


def counts(result: ImportResult) -> tuple[int, int, int, int]:
    return result.added, result.updated, result.unchanged, len(result.errors)


def live_rows(path: str) -> list[CatalogueRow]:
    return list(
        db.session().scalars(
            select(CatalogueRow)
            .join(Category, CatalogueRow.category_id == Category.id)
            .where(Category.path == path, CatalogueRow.superseded_at.is_(None))
            .order_by(CatalogueRow.id)
        )
    )


def lead_for(county: County, text: str) -> int | None:
    area = county.units["village"]
    return decide_route(
        db.session(),
        text=text,
        category=None,
        area=area,
        kind=None,
        is_about=False,
        about_unit_ids=frozenset(),
        now=LATER,
    ).lead_id


def test_admin_imports_rows_with_everything_in_them(any_county: County) -> None:
    result = take("城建/路灯/不亮,路灯不亮；灯坏,p1,roads,water;a,条例第三条,county,2026-01-01,2026-12-31\n")
    assert counts(result) == (1, 0, 0, 0)
    (row,) = live_rows("城建/路灯/不亮")
    units = any_county.units
    assert (row.keywords, row.area_id, row.lead_id) == (["路灯不亮", "灯坏"], units["p1"].id, units["roads"].id)
    assert (row.assist_ids, row.grounds, row.not_below) == (
        [units["water"].id, units["a"].id],
        "条例第三条",
        "county",
    )
    assert (row.valid_from, row.valid_to, row.version) == (date(2026, 1, 1), date(2026, 12, 31), 1)
    names = {found.path: found.name for found in db.session().scalars(select(Category))}
    assert (names["城建"], names["城建/路灯"], names["城建/路灯/不亮"]) == ("城建", "路灯", "不亮")
    assert lead_for(any_county, "灯坏了") == units["roads"].id


def test_same_file_again_changes_nothing(county: County) -> None:
    text = "parks,公园,,c,,,,,\nparks,,p1,a,,,,,\n"
    assert counts(take(text)) == (2, 0, 0, 0)
    entries = audit.count_entries(db.session())
    assert counts(take(text)) == (0, 0, 2, 0)
    assert audit.count_entries(db.session()) == entries


def test_changed_row_supersedes_and_keeps_the_old_one(county: County) -> None:
    take("parks,公园,,c,,,,,\n")
    assert lead_for(county, "公园") == county.units["c"].id
    assert counts(take("parks,公园,,a,,,,,\n")) == (0, 1, 0, 0)
    assert lead_for(county, "公园") == county.units["a"].id
    category = db.session().scalars(select(Category).where(Category.path == "parks")).one()
    rows = db.session().scalars(select(CatalogueRow).where(CatalogueRow.category_id == category.id)).all()
    assert [(row.version, row.superseded_at) for row in rows] == [(1, LATER), (2, None)]


def test_rows_that_the_file_does_not_name_stay(county: County) -> None:
    take("parks,公园,,c,,,,,\nsport,球场,,c,,,,,\n")
    take("parks,公园,,a,,,,,\n")
    assert lead_for(county, "球场") == county.units["c"].id
    assert lead_for(county, "水管") == county.units["water"].id


def test_two_leads_in_one_place_are_taken_and_tie(county: County) -> None:
    assert counts(take("parks,公园,,c,,,,,\nparks,公园,,a,,,,,\n")) == (2, 0, 0, 0)
    assert lead_for(county, "公园") is None


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("parks,,,nobody,,,,,", "lead"),
        ("parks,,nowhere,a,,,,,", "area"),
        ("parks,,,a,b;nobody,,,,", "assists"),
        ("parks,,,,,,,,", "lead"),
        (",,,a,,,,,", "category"),
        ("parks//x,,,a,,,,,", "category"),
        ("parks,,,a,,,village,,", "not_below"),
        ("parks,,,town,,,county,,", "lead"),
        ("parks,,,a,town,,county,,", "assists"),
        ("parks,,,a,,,,2026-13-01,", "valid_from"),
        ("parks,,,a,,,,2026-02-01,2026-01-31", "valid_to"),
    ],
)
def test_bad_row_is_named_and_the_others_are_taken(county: County, row: str, column: str) -> None:
    result = take(f"sport,球场,,c,,,,,\n{row}\n")
    assert (result.added, result.updated) == (1, 0)
    assert [(error.number, error.column) for error in result.errors] == [(3, column)]
    assert lead_for(county, "球场") == county.units["c"].id


def test_half_an_answer_for_a_place_is_not_taken(county: County) -> None:
    take("parks,公园,,c,,,,,\n")
    result = take("parks,公园,,a,,,,,\nparks,公园,,nobody,,,,,\n")
    assert counts(result) == (0, 0, 0, 2)
    assert lead_for(county, "公园") == county.units["c"].id


def test_row_said_twice_is_taken_once_and_a_contradiction_refused(county: County) -> None:
    assert counts(take("parks,公园,,c,,,,,\nparks,公园,,c,,,,,\n")) == (1, 0, 1, 0)
    assert counts(take("sport,球场,,c,,,,,\nsport,体育,,c,,,,,\n")) == (0, 0, 0, 2)


def test_extra_columns_are_reported_and_a_file_without_leads_refused(county: County) -> None:
    result = take("parks,c,9\n", "category,lead,points\n")
    assert result.ignored == ("points",)
    with pytest.raises(Invalid):
        take("parks\n", "category\n")


def test_handler_may_not_import(county: County) -> None:
    with pytest.raises(Forbidden):
        import_catalogue(HEADER.encode(), "catalogue.csv", actor=county.actor("ha"), now=LATER)
    assert import_catalogue(HEADER.encode(), "catalogue.csv", actor=county.actor("adm"), now=LATER).is_clean


def test_operator_imports_a_catalogue_and_asks_where_a_text_goes(county: County, app: Flask, tmp_path: Path) -> None:
    runner = app.test_cli_runner()
    file = tmp_path / "duties.csv"
    file.write_text(HEADER + "parks,公园,,c,,,,,\nparks/x,,,nobody,,,,,\n", "gb18030")
    imported = runner.invoke(args=["catalogue", "import", str(file), "--json"])
    answer = json.loads(imported.stdout)
    assert (answer["added"], answer["errors"][0]["row"], answer["errors"][0]["column"]) == (1, 3, "lead")
    assert imported.exit_code == 1
    explained = runner.invoke(args=["routing", "explain", "公园的树倒了", "--area", "town", "--json"])
    assert explained.exit_code == 0
    answer = json.loads(explained.stdout)
    assert (answer["reason"], answer["category"], answer["lead"], answer["words"]) == ("sure", "parks", "c", ["公园"])
    unknown = runner.invoke(args=["routing", "explain", "公园", "--area", "mars"])
    assert unknown.exit_code == 1
    assert "mars" in unknown.stderr
