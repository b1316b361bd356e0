"""Who gets a ticket: the catalogue's decision on real rows, case by case, with its reason."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from feedback.kernel.db import db
from feedback.kernel.site import put_setting
from feedback.kernel.transaction import transaction
from feedback.people.models import Unit
from feedback.routing.decision import RoutingDecision, decide_route
from feedback.routing.models import CatalogueRow
from tests.support.county import START, County


def route(
    county: County, text: str = "nothing in particular", *, area: str = "village", **more: Any
) -> RoutingDecision:
    category = county.categories[more.pop("category")] if "category" in more else None
    return decide_route(
        db.session(),
        text=text,
        category=category,
        area=county.units[area],
        kind=more.get("kind"),
        is_about=more.get("is_about", False),
        about_unit_ids=frozenset(more.get("about", ())),
        now=more.get("now", START),
    )


def change(row: CatalogueRow | Unit, **values: Any) -> None:
    with transaction() as session:
        found = session.get_one(type(row), row.id)
        for name, value in values.items():
            setattr(found, name, value)


def lead_of(county: County, decision: RoutingDecision) -> str | None:
    return next((code for code, unit in county.units.items() if unit.id == decision.lead_id), None)


def test_given_category_with_one_row_goes_to_its_lead(any_county: County) -> None:
    decision = route(any_county, category="water")
    assert (decision.reason, lead_of(any_county, decision)) == ("sure", "water")
    assert decision.proposals == ()
    assert decision.row_version == 1


def test_nearest_area_upwards_wins(any_county: County) -> None:
    any_county.add_catalogue("water", "a", area="p1")
    any_county.add_catalogue("water", "b", area="town")
    any_county.add_catalogue("water", "c", area="p2")
    assert lead_of(any_county, route(any_county, category="water", area="village")) == "b"
    assert lead_of(any_county, route(any_county, category="water", area="p1")) == "a"
    assert lead_of(any_county, route(any_county, category="water", area="p2")) == "c"
    assert lead_of(any_county, route(any_county, category="water", area="root")) == "water"


def test_most_exact_category_wins_over_a_nearer_area(county: County) -> None:
    county.add_catalogue("works", "c", area="village")
    assert lead_of(county, route(county, category="works/a")) == "a"


def test_category_without_a_row_here_is_answered_by_the_one_above_it(county: County) -> None:
    county.add_catalogue("works", "roads")
    county.add_catalogue("works/deep/er", "c", area="p2")
    assert lead_of(county, route(county, category="works/deep/er", area="p2")) == "c"
    assert lead_of(county, route(county, category="works/deep/er", area="p1")) == "roads"


def test_category_that_nobody_answers_for_goes_to_the_dispatcher(county: County) -> None:
    county.add_catalogue("sport", "c", area="p2")
    decision = route(county, category="sport", area="p1")
    assert (decision.reason, decision.lead_id) == ("no_row", None)
    assert decision.category_id == county.categories["sport"].id


def test_two_leads_at_the_same_exactness_are_a_tie(county: County) -> None:
    county.add_catalogue("water", "a")
    decision = route(county, category="water")
    assert (decision.reason, decision.lead_id) == ("tie", None)
    assert {p.lead_id for p in decision.proposals} == {county.units["water"].id, county.units["a"].id}


def test_two_rows_of_the_same_lead_are_no_tie(county: County) -> None:
    county.add_catalogue("water", "water", "泵站")
    assert route(county, category="water").reason == "sure"


@pytest.mark.parametrize(
    ("text", "lead"),
    [
        ("村口的路灯坏了三天", "roads"),
        ("A WATER  pipe has burst", "water"),
        ("Ｗａｔｅｒ ｐｉｐｅ leaks", "water"),
        ("There is a Pothole here.", "roads"),
    ],
)
def test_text_with_words_of_one_category_goes_to_its_lead(county: County, text: str, lead: str) -> None:
    decision = route(county, text)
    assert (decision.reason, lead_of(county, decision)) == ("sure", lead)
    assert decision.category_id == county.categories[lead].id
    assert len(decision.words) == 1


def test_text_with_words_of_two_categories_goes_to_the_dispatcher_with_both(county: County) -> None:
    decision = route(county, "道路下面的水管漏水")
    assert (decision.reason, decision.lead_id, decision.category_id) == ("several_categories", None, None)
    assert [p.lead_id for p in decision.proposals] == [county.units["water"].id, county.units["roads"].id]
    assert decision.proposals[0].words == ("水管", "漏水")


def test_longer_word_wins_over_one_inside_it(county: County) -> None:
    county.add_catalogue("parks", "c", "道路绿化")
    assert lead_of(county, route(county, "道路绿化枯死")) == "c"
    assert route(county, "道路绿化枯死, 道路也坏了").reason == "several_categories"


def test_text_without_any_word_goes_to_the_dispatcher(county: County) -> None:
    decision = route(county, "Something is wrong")
    assert (decision.reason, decision.category_id, decision.proposals) == ("no_category", None, ())


def test_given_category_stands_against_the_text(county: County) -> None:
    assert lead_of(county, route(county, "水管漏水", category="roads")) == "roads"


@pytest.mark.parametrize(
    ("more", "reason"), [({"kind": "burden_lead"}, "burden_lead"), ({"is_about": True}, "about_someone")]
)
def test_burden_lead_and_ticket_about_someone_go_to_the_dispatcher(
    county: County, more: dict[str, Any], reason: str
) -> None:
    decision = route(county, "水管漏水", **more)
    assert (decision.reason, decision.lead_id, decision.assist_ids) == (reason, None, ())
    assert [p.lead_id for p in decision.proposals] == [county.units["water"].id]


def test_unit_that_the_ticket_is_about_is_not_even_proposed(county: County) -> None:
    decision = route(county, "水管漏水", is_about=True, about=[county.units["water"].id])
    assert decision.reason == "about_someone"
    assert [p.lead_id for p in decision.proposals] == [None]
    assert route(county, category="water", about=[county.units["water"].id]).reason == "lead_unavailable"


def test_admin_switches_self_dispatch_off_and_the_dispatcher_gets_it(county: County) -> None:
    with transaction() as session:
        put_setting(session, "self_dispatch", False, now=START)
    decision = route(county, category="water")
    assert (decision.reason, decision.lead_id) == ("self_dispatch_off", None)
    assert [p.lead_id for p in decision.proposals] == [county.units["water"].id]


def test_row_counts_on_its_own_days_at_the_site(county: County) -> None:
    row = county.add_catalogue("sport", "c", "球场")
    change(row, valid_from=date(2026, 3, 3), valid_to=date(2026, 3, 4))
    before = datetime(2026, 3, 2, 15, 59, tzinfo=UTC)
    assert route(county, "球场", now=before).reason == "no_category"
    first = before + timedelta(minutes=1)
    assert route(county, "球场", now=first).reason == "sure"
    assert route(county, category="sport", now=first + timedelta(days=2, seconds=-1)).reason == "sure"
    assert route(county, category="sport", now=first + timedelta(days=2)).reason == "no_row"


def test_merged_lead_is_followed_to_its_successor(county: County) -> None:
    change(county.units["water"], valid_to=START, succeeded_by_id=county.units["roads"].id)
    assert lead_of(county, route(county, category="water")) == "roads"


def test_dissolved_lead_goes_to_the_dispatcher(county: County) -> None:
    change(county.units["water"], valid_to=START)
    decision = route(county, category="water")
    assert (decision.reason, decision.lead_id, decision.proposals[0].lead_id) == ("lead_unavailable", None, None)


def test_work_is_not_pushed_below_the_level_of_its_row(county: County) -> None:
    row = county.add_catalogue("permits", "town")
    change(row, not_below="county")
    decision = route(county, category="permits")
    assert (decision.reason, decision.lead_id) == ("not_below", None)
    assert decision.proposals[0].lead_id is None


def test_assists_come_with_the_lead(county: County) -> None:
    row = county.add_catalogue("floods", "water", "积水")
    change(row, assist_ids=[county.units["roads"].id, county.units["water"].id])
    assert route(county, "积水").assist_ids == (county.units["roads"].id,)


def test_superseded_row_no_longer_counts(county: County) -> None:
    assert route(county, category="water").reason == "sure"
    with transaction() as session:
        row = session.scalars(select(CatalogueRow).where(CatalogueRow.lead_id == county.units["water"].id)).one()
        row.superseded_at = START
    assert route(county, category="water").reason == "no_row"


def test_facts_are_codes_and_ids_that_json_keeps(county: County) -> None:
    facts = route(county, "道路下面的水管漏水").facts()
    assert facts["reason"] == "several_categories"
    assert facts["proposals"][0]["lead_id"] == county.units["water"].id


def test_decision_takes_few_queries_however_large_the_catalogue(county: County) -> None:
    for number in range(40):
        county.add_catalogue(f"kind/{number}", "c", f"word{number}")
    route(county, category="water")
    statements: list[str] = []
    engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert route(county, "word7 broke").reason == "sure"
    assert len(statements) <= 3
