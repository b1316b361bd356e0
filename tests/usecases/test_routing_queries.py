"""What doors ask of the catalogue: a category by its path, what a typed text proposes, how low work may go."""

from __future__ import annotations

import pytest

from feedback.kernel.db import db
from feedback.kernel.errors import NotFound
from feedback.kernel.transaction import transaction
from feedback.routing.models import CatalogueRow, Category
from feedback.routing.queries import (
    find_category,
    get_category,
    list_categories,
    lowest_level,
    propose_routes,
)
from tests.support.county import START, County


def test_category_is_found_however_its_path_is_typed(county: County) -> None:
    for typed in ("works/a", " works / a ", "/works/a/", "works／a"):
        assert get_category(db.session(), typed).path == "works/a"
    assert find_category(db.session(), "works/z") is None
    with pytest.raises(NotFound):
        get_category(db.session(), "")


def test_renamed_category_is_found_by_its_old_path_and_no_longer_offered(county: County) -> None:
    with transaction() as session:
        session.get_one(Category, county.categories["water"].id).succeeded_by_id = county.categories["roads"].id
    assert get_category(db.session(), "water").path == "roads"
    assert [found.path for found in list_categories(db.session())] == ["roads", "works/a", "works/b"]


def test_typed_text_proposes_whoever_would_lead(any_county: County) -> None:
    village = any_county.units["village"]

    def proposed(text: str) -> list[tuple[str, str | None, tuple[str, ...]]]:
        found = propose_routes(db.session(), text=text, area=village, now=START)
        return [(p.category.path, p.lead.code if p.lead else None, p.words) for p in found]

    assert proposed("路灯") == [("roads", "roads", ("路灯",))]
    assert proposed("水管在道路下面漏水") == [("water", "water", ("水管", "漏水")), ("roads", "roads", ("道路",))]
    assert proposed("Nothing to go by") == []
    any_county.add_catalogue("sport", "c", "球场", area="p2")
    assert proposed("球场") == [("sport", None, ("球场",))]


def test_strictest_row_here_says_how_low_the_work_may_go(county: County) -> None:
    for code, level in (("a", "town"), ("b", "county"), ("c", None)):
        row = county.add_catalogue("permits", code)
        with transaction() as session:
            session.get_one(CatalogueRow, row.id).not_below = level
    area = county.units["village"]

    def lowest(path: str) -> str | None:
        return lowest_level(db.session(), category_id=county.categories[path].id, area=area, now=START)

    assert lowest("permits") == "county"
    assert lowest("water") is None
    assert lowest_level(db.session(), category_id=None, area=area, now=START) is None
