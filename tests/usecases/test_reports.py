"""The figures over a hand-made set of histories. Every number expected here was worked out by hand from domain.md."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from feedback.kernel.db import db
from feedback.kernel.errors import Forbidden, Invalid
from feedback.kernel.transaction import transaction
from feedback.reports.documents import report_document
from feedback.reports.listing import list_counted
from feedback.reports.period import ListQuery, ReportQuery
from feedback.reports.queries import closure_report
from feedback.tickets.figures import keep_figures
from feedback.tickets.models import TicketAbout, TicketLink
from tests.support.calendars import at
from tests.support.county import County, build_county
from tests.support.histories import Histories

NOW = at("2026-05-15 09:00")
HOUR = 3600
DAY = 24 * HOUR
MARCH = {"from": "2026-03-01", "to": "2026-03-31"}


def lay_histories(county: County) -> Histories:
    """Twenty tickets of March 2026: seven count for water, five for roads, one for no unit, seven are left out or outside."""
    made = Histories(county)
    add = made.add
    # 1 on time, confirmed, stable; sent by the catalogue
    add("water", ("2026-03-05 10:00", "resolve"), ("2026-03-06 10:00", "confirm", "solved", 5), by_catalogue=True)
    # 2 answered late, resolved after the original due but by the extended one
    add(
        "water",
        ("2026-03-12 10:00", "resolve"),
        ("2026-03-13 10:00", "confirm", "partly", 3),
        extended="2026-03-13 10:00",
        responded="2026-03-04 10:00",
    )
    # 3 the first, timely answer was disputed; the second came late; confirmed too lately to be stable yet
    add(
        "water",
        ("2026-03-06 10:00", "resolve"),
        ("2026-03-07 10:00", "dispute"),
        ("2026-03-20 10:00", "resolve"),
        ("2026-04-20 10:00", "confirm", "solved", 2),
    )
    # 4 disputed, and still resolved for good by the original due
    add(
        "water",
        ("2026-03-06 10:00", "resolve"),
        ("2026-03-07 10:00", "dispute"),
        ("2026-03-10 10:00", "resolve"),
        ("2026-03-11 10:00", "confirm", "accepted"),
        due="2026-03-20 10:00",
    )
    # 5 reopened ten days after it was confirmed
    add(
        "water",
        ("2026-03-09 10:00", "resolve"),
        ("2026-03-10 10:00", "confirm", "solved", 1),
        ("2026-03-20 10:00", "reopen"),
        ("2026-03-30 10:00", "resolve"),
        ("2026-04-01 10:00", "confirm", "solved", 4),
        due="2026-03-12 10:00",
    )
    # 6 confirmed, and raised again fifteen days later as 7, which is due in April
    six = add(
        "water", ("2026-03-09 10:00", "resolve"), ("2026-03-10 10:00", "confirm", "solved"), due="2026-03-12 10:00"
    )
    seven = add("water", submitted="2026-03-25 09:00", due="2026-04-01 09:00")
    # 8 resolved in time, never answered
    add("water", ("2026-03-08 10:00", "resolve"), ("2026-03-15 10:00", "lapse"))
    # 9 transferred to roads, disputed, still at work
    add(
        "water",
        ("2026-03-03 10:00", "transfer", "roads"),
        ("2026-03-09 09:00", "resolve"),
        ("2026-03-10 10:00", "dispute"),
    )
    # 10 withdrawn; 11 joined; 12 excluded for good; 13 excluded, but an appeal is still possible
    add("roads", ("2026-03-04 10:00", "withdraw"), responded=None)
    add("roads", ("2026-03-04 10:00", "join"), responded=None)
    add("roads", ("2026-03-10 10:00", "exclude"))
    add("roads", ("2026-05-01 10:00", "exclude"))
    # 14 raised by roads itself
    add("roads", ("2026-03-04 10:00", "resolve"), ("2026-03-05 10:00", "confirm", "solved", 5), is_own_unit=True)
    # 15 returned, sent out again to the same unit, overdue and silent
    add("roads", ("2026-03-03 10:00", "return"), ("2026-03-04 10:00", "dispatch", "roads"), responded=None)
    # 16 due in the last minute of the month; 17 in the first of the next
    add("roads", ("2026-03-31 10:00", "resolve"), ("2026-04-02 10:00", "confirm", "solved", 1), due="2026-03-31 23:59")
    add("roads", due="2026-04-01 00:00")
    # 18 declined; 19 imported history; 20 returned and with nobody
    add(None, ("2026-03-03 10:00", "decline"))
    add("roads", origin="legacy")
    add("roads", ("2026-03-05 10:00", "return"), responded=None)
    with transaction() as session:
        session.add(TicketLink(from_id=seven.id, to_id=six.id, kind="recurrence", score=0.9, at=seven.submitted_at))
        session.flush()
        keep_figures(session, [six.id])
    return made


def report(county: County, login: str = "lr", **query: Any) -> dict[str, Any]:
    asked = ReportQuery.parse({**MARCH, **query})
    return report_document(closure_report(db.session(), county.actor(login, NOW), asked, now=NOW))


def fractions(row: dict[str, Any], kind: str = "measures") -> dict[str, tuple[Any, Any]]:
    return {name: (found["numerator"], found["denominator"]) for name, found in row[kind].items()}


def by_key(document: dict[str, Any]) -> dict[str, Any]:
    return {row["key"]: row for row in document["rows"]}


def test_leader_reads_every_figure_as_worked_out_by_hand(any_county: County) -> None:
    lay_histories(any_county)
    document = report(any_county)
    rows = by_key(document)
    assert set(rows) == {"water", "roads", "root", "p1", "none"}
    water = fractions(rows["water"])
    assert water == {
        "response": (6, 7),
        "on_time": (5, 7),
        "on_time_extended": (6, 7),
        "claimed": (7, 7),
        "confirmed": (6, 7),
        "stable": (3, 7),
        "stable_pending": (1, 7),
        "raised_again": (1, 7),
        "resolution": (4.5, 6),
        "satisfaction": (3, 4),
        "first_dispatch_right": (0, 0),
    }
    assert rows["water"]["measures"]["confirmed"]["parts"] == {"solved": 4, "partly": 1, "accepted": 1}
    assert rows["water"]["measures"]["resolution"]["coverage"] == round(6 / 7, 4)
    assert rows["water"]["measures"]["satisfaction"]["coverage"] == round(4 / 6, 4)
    assert rows["water"]["measures"]["resolution"]["rate"] == 0.75
    roads = fractions(rows["roads"])
    assert roads == {
        "response": (3, 5),
        "on_time": (1, 5),
        "on_time_extended": (1, 5),
        "claimed": (2, 5),
        "confirmed": (1, 5),
        "stable": (1, 5),
        "stable_pending": (0, 5),
        "raised_again": (0, 5),
        "resolution": (1, 2),
        "satisfaction": (0, 1),
        "first_dispatch_right": (0, 0),
    }
    assert rows["roads"]["measures"]["claimed"]["left_out"] == {"joined": 1, "excluded": 1, "own_unit": 1}
    assert fractions(rows["roads"], "hatches") == {
        "returned": (1, 5),
        "extended": (0, 5),
        "suspended": (0, 5),
        "excluded": (2, 8),
        "joined": (1, 8),
        "withdrawn": (1, 5),
        "unanswered": (0, 5),
        "declined": (0, 0),
    }
    assert fractions(rows["water"], "hatches")["unanswered"] == (1, 7)
    assert fractions(rows["none"])["claimed"] == (0, 1)
    assert fractions(document["total"])["stable"] == (4, 13)
    assert fractions(document["total"], "hatches")["declined"] == (1, 19)


def test_first_dispatch_right_goes_to_the_office_that_dispatched(any_county: County) -> None:
    lay_histories(any_county)
    rows = by_key(report(any_county))
    assert fractions(rows["p1"])["first_dispatch_right"] == (1, 1)
    assert fractions(rows["root"])["first_dispatch_right"] == (9, 12)
    total = report(any_county, by="month")["total"]
    assert fractions(total)["first_dispatch_right"] == (10, 13)


def test_leader_reads_medians_from_submission_to_confirmation(any_county: County) -> None:
    lay_histories(any_county)
    document = report(any_county)
    times = by_key(document)["water"]["times"]
    assert times["median_seconds"] == 10 * DAY + HOUR
    assert times["p90_seconds"] == 49 * DAY + HOUR
    assert times["stages"]["to_dispatch"] == {"median_seconds": 900, "p90_seconds": 900}
    assert document["total"]["times"]["median_seconds"] == 11 * DAY + HOUR


def check_lists(county: County, by: str, keys: set[str | None]) -> None:
    """Each number of these rows is the sum of what its list counts."""
    document = report(county, by=by)
    session, actor = db.session(), county.actor("lr", NOW)
    rows = [row for row in [*document["rows"], document["total"]] if row["key"] in keys]
    assert {row["key"] for row in rows} == keys
    for row in rows:
        for measure, found in {**row["measures"], **row["hatches"]}.items():
            for part in ("numerator", "denominator"):
                query = ListQuery.parse({**MARCH, "by": by, "measure": measure, "part": part, "key": row["key"]})
                answer = list_counted(session, actor, query, now=NOW, limit=None)
                assert sum(ticket.counts for ticket in answer.page.items) == found[part], (row["key"], measure, part)


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        ("unit", {"water", "root"}),
        ("month", {"2026-03"}),
        pytest.param("area", {None}, marks=pytest.mark.slow),
        pytest.param("category", {"water"}, marks=pytest.mark.slow),
    ],
)
def test_leader_opens_every_number_and_finds_what_it_counts(county: County, by: str, keys: set[str | None]) -> None:
    lay_histories(county)
    check_lists(county, by, keys)


@pytest.mark.postgres
def test_leader_opens_every_number_on_the_other_database_too(postgres_app: Flask) -> None:
    county = build_county(db.session())
    lay_histories(county)
    check_lists(county, "unit", {"roads"})


def test_leader_opens_what_was_left_out(any_county: County) -> None:
    lay_histories(any_county)
    query = ListQuery.parse({**MARCH, "by": "unit", "measure": "stable", "part": "left_out", "key": "roads"})
    answer = list_counted(db.session(), any_county.actor("lr", NOW), query, now=NOW)
    assert [t.reference for t in answer.page.items] == ["H0011", "H0012", "H0014"]


def test_leader_pages_through_a_list_without_loss(any_county: County) -> None:
    lay_histories(any_county)
    query = ListQuery.parse({**MARCH, "measure": "claimed", "part": "denominator"})
    session, actor = db.session(), any_county.actor("lr", NOW)
    cursor, seen = None, []
    while True:
        page = list_counted(session, actor, query, now=NOW, limit=3, cursor=cursor).page
        seen += [ticket.reference for ticket in page.items]
        if page.next is None:
            break
        cursor = page.next
    assert len(seen) == len(set(seen)) == 13


def test_by_month_keeps_the_cohort_of_the_original_due_date(any_county: County) -> None:
    lay_histories(any_county)
    document = report(any_county, by="month", to="2026-04-30")
    rows = by_key(document)
    assert list(rows) == ["2026-03", "2026-04"]
    assert fractions(rows["2026-03"])["claimed"] == (9, 13)
    assert fractions(rows["2026-04"])["claimed"] == (0, 2)
    assert rows["2026-03"]["final"] is True
    assert rows["2026-04"]["final"] is False


def test_supervisor_changes_nothing_in_a_ticket_not_yet_due(county: County) -> None:
    made = Histories(county)
    made.add("water", due="2026-05-15 08:59", submitted="2026-05-11 09:00")
    made.add("water", due="2026-05-15 09:01", submitted="2026-05-11 09:00")
    document = report(county, **{"from": "2026-05-01", "to": "2026-05-31"})
    assert fractions(document["total"])["claimed"] == (0, 1)


def test_leader_of_one_branch_counts_that_branch_alone(county: County) -> None:
    made = Histories(county)
    made.add("a")
    made.add("c", area="p2")
    assert fractions(report(county, "lp")["total"])["claimed"] == (0, 1)
    assert fractions(report(county, "lr")["total"])["claimed"] == (0, 2)
    assert fractions(report(county, "lr", unit="p2")["total"])["claimed"] == (0, 1)


def test_handler_reads_their_own_unit_and_submitter_nothing(county: County) -> None:
    made = Histories(county)
    made.add("water")
    made.add("roads")
    document = report(county, "hw")
    assert [row["key"] for row in document["rows"] if row["measures"]["claimed"]["denominator"]] == ["water"]
    assert fractions(document["total"])["claimed"] == (0, 1)
    with pytest.raises(Forbidden):
        report(county, "s")


def test_reader_is_told_which_day_is_wrong(county: County) -> None:
    with pytest.raises(Invalid) as refusal:
        report(county, to="2026-02-01")
    assert set(refusal.value.errors) == {"to"}
    with pytest.raises(Invalid) as refusal:
        list_counted(
            db.session(),
            county.actor("lr", NOW),
            ListQuery.parse({**MARCH, "measure": "speed"}),
            now=NOW,
        )
    assert set(refusal.value.errors) == {"measure"}


def test_report_of_more_rows_takes_no_more_queries(county: County) -> None:
    def queries() -> int:
        seen: list[str] = []

        def count(_c: Any, _cur: Any, statement: str, *_rest: Any) -> None:
            seen.append(statement)

        actor = county.actor("lr", NOW)
        event.listen(db.engine, "before_cursor_execute", count)
        closure_report(db.session(), actor, ReportQuery.parse(MARCH), now=NOW)
        event.remove(db.engine, "before_cursor_execute", count)
        return len([s for s in seen if s.lstrip().upper().startswith(("SELECT", "WITH"))])

    made = Histories(county)
    made.add("water", ("2026-03-05 10:00", "resolve"), ("2026-03-06 10:00", "confirm", "solved", 5))
    queries()  # what the process keeps is read once
    few = queries()
    for lead in ("roads", "a", "b", "c", "water"):
        for _ in range(3):
            made.add(lead, ("2026-03-05 10:00", "resolve"), ("2026-03-06 10:00", "confirm", "solved", 5))
    assert queries() == few <= 10


def test_leader_is_shown_no_small_cell_with_a_confidential_ticket(any_county: County) -> None:
    made = Histories(any_county)
    for _ in range(6):
        made.add("water")
    for _ in range(5):
        made.add("roads", privacy="confidential")
    made.add("a", privacy="confidential")
    made.add("b")
    document = report(any_county)
    rows = by_key(document)
    hidden = {key for key, row in rows.items() if row["measures"]["claimed"]["suppressed"]}
    assert hidden == {"a", "b", "roads"}
    assert rows["a"]["measures"]["claimed"] == {
        "numerator": None,
        "denominator": None,
        "left_out": None,
        "rate": None,
        "coverage": None,
        "suppressed": True,
        "small": False,
    }
    assert rows["a"]["times"]["median_seconds"] is None
    assert fractions(rows["a"], "hatches")["withdrawn"] == (None, None)
    assert fractions(document["total"])["claimed"] == (0, 13)
    shown = sum(row["measures"]["claimed"]["denominator"] or 0 for row in rows.values())
    assert 13 - shown >= 5


def test_leader_can_not_open_the_list_behind_a_hidden_cell(county: County) -> None:
    made = Histories(county)
    for _ in range(6):
        made.add("water")
    hidden = made.add("a", privacy="confidential")
    session, actor = db.session(), county.actor("lr", NOW)
    query = ListQuery.parse({**MARCH, "measure": "claimed", "part": "denominator", "key": "a"})
    answer = list_counted(session, actor, query, now=NOW)
    assert answer.is_suppressed
    assert not answer.page.items
    whole = list_counted(session, actor, query.model_copy(update={"key": None}), now=NOW)
    assert hidden.reference not in [ticket.reference for ticket in whole.page.items]


def test_leader_counts_no_ticket_about_themselves(county: County) -> None:
    made = Histories(county)
    about = made.add("water", is_about=True)
    made.add("water")
    with transaction() as session:
        session.add(TicketAbout(ticket_id=about.id, account_id=county.accounts["lr"].id))
    assert fractions(report(county, "lr")["total"])["claimed"] == (0, 1)
    assert fractions(report(county, "su")["total"])["claimed"] == (0, 2)


def test_head_sees_no_rating_that_a_single_submitter_gave(county: County) -> None:
    made = Histories(county)
    for rating in (1, 5, 4):
        made.add("water", ("2026-03-05 10:00", "resolve"), ("2026-03-06 10:00", "confirm", "solved", rating))
    total = report(county, "lw")["total"]
    assert fractions(total)["confirmed"] == (3, 3)
    assert fractions(total)["satisfaction"] == (None, None)
    query = ListQuery.parse({**MARCH, "measure": "satisfaction", "part": "numerator"})
    assert list_counted(db.session(), county.actor("lw", NOW), query, now=NOW).is_suppressed
    assert fractions(report(county, "lr")["total"])["satisfaction"] == (2, 3)
