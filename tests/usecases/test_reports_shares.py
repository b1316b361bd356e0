"""The parts into which closures cut what was dispatched, and what is raised again at the same place."""

from __future__ import annotations

from feedback.kernel.db import db
from feedback.reports.listing import list_counted
from feedback.reports.metrics import SHARES, measure_of
from feedback.reports.period import ListQuery, ReportQuery
from feedback.reports.queries import closure_report
from tests.support.county import County
from tests.support.histories import Histories
from tests.usecases.test_reports import MARCH, NOW, fractions, lay_histories, report


def test_closure_is_not_stable_where_the_same_place_raises_the_same_matter_again(any_county: County) -> None:
    made = Histories(any_county)
    done = (("2026-03-05 10:00", "resolve"), ("2026-03-06 10:00", "confirm", "solved", 5))
    for place in ("村口", "桥头", "学校", "水塔"):
        made.add("water", *done, place=place)
    made.add("water", submitted="2026-04-05 09:00", due="2026-04-20 09:00", place="村口")  # the thirtieth day after
    made.add("water", submitted="2026-04-05 11:00", due="2026-04-20 09:00", place="桥头")  # an hour too late
    made.add("water", submitted="2026-03-20 09:00", due="2026-04-20 09:00", place="学校", category="roads")
    made.add("water", submitted="2026-03-20 09:00", due="2026-04-20 09:00", place="水塔", area="root")
    made.add("water", submitted="2026-03-20 09:00", due="2026-04-20 09:00")  # no place was named
    document = report(any_county)
    assert fractions(document["total"])["stable"] == (3, 4)
    for measure in ("raised_again", "unstable"):
        assert listed(any_county, measure) == ["H0001"]


def test_raised_again_and_reopened_are_counted_apart(any_county: County) -> None:
    made = Histories(any_county)
    done = (("2026-03-05 10:00", "resolve"), ("2026-03-06 10:00", "confirm", "solved", 5))
    made.add("water", *done, place="村口")
    made.add("water", submitted="2026-03-20 09:00", due="2026-04-20 09:00", place="村口")
    reopened = (
        ("2026-03-08 10:00", "reopen"),
        ("2026-03-09 10:00", "resolve"),
        ("2026-03-10 10:00", "confirm", "solved"),
    )
    made.add("water", *done, *reopened)
    assert fractions(report(any_county)["total"])["raised_again"] == (1, 2)
    assert listed(any_county, "raised_again") == ["H0001"]
    assert listed(any_county, "unstable") == ["H0001", "H0003"]
    assert listed(any_county, "stable") == []


def listed(county: County, measure: str) -> list[str]:
    query = ListQuery.parse({**MARCH, "measure": measure, "part": "numerator"})
    found = list_counted(db.session(), county.actor("lr", NOW), query, now=NOW)
    return [ticket.reference for ticket in found.page.items]


def test_four_shares_are_all_that_was_dispatched(any_county: County) -> None:
    lay_histories(any_county)
    actor = any_county.actor("lr", NOW)
    whole = closure_report(db.session(), actor, ReportQuery.parse(MARCH), now=NOW)
    for row in (*whole.rows, whole.total):
        shares = {name: measure_of(row, name) for name in SHARES}
        assert sum(share.numerator or 0 for share in shares.values()) == row.measures["claimed"].denominator
        for name, share in shares.items():
            asked = {**MARCH, "measure": name, "part": "numerator", **({"key": row.key} if row.key else {})}
            listed = list_counted(db.session(), actor, ListQuery.parse(asked), now=NOW, limit=None)
            assert len(listed.page.items) == share.numerator, (row.key, name)
