"""The figures over HTTP: the same numbers as the rooms give, their lists, their export, and who gets which refusal."""

from __future__ import annotations

import csv
import io

from feedback.kernel.db import db
from tests.api.conftest import CallAs
from tests.support.county import County
from tests.support.histories import Histories

MARCH = {"from": "2026-03-01", "to": "2026-03-31"}


def lay(county: County) -> None:
    made = Histories(county)
    for rating in (5, 2):
        made.add("water", ("2026-03-05 10:00", "resolve"), ("2026-03-06 10:00", "confirm", "solved", rating))
    made.add("water", ("2026-03-12 10:00", "resolve"), ("2026-03-20 10:00", "lapse"))
    made.add("roads")


def test_leader_gets_figures_and_opens_what_they_count(county: County, call_as: CallAs) -> None:
    lay(county)
    leader = call_as("lr")
    document = leader.get("/reports/closure", **MARCH, by="unit").get_json()
    assert document["timezone"] == "Asia/Shanghai"
    assert document["from"] == "2026-03-01"
    rows = {row["key"]: row for row in document["rows"]}
    water = rows["water"]["measures"]
    assert (water["claimed"]["numerator"], water["claimed"]["denominator"], water["claimed"]["rate"]) == (3, 3, 1.0)
    assert (water["stable"]["numerator"], water["stable"]["small"]) == (2, True)
    assert document["definitions"]["stable"].startswith("Tickets confirmed")
    listed = leader.get(
        "/reports/closure/tickets", **MARCH, by="unit", key="water", measure="stable", part="numerator"
    ).get_json()
    assert [item["reference"] for item in listed["items"]] == ["H0001", "H0002"]
    assert listed["items"][0]["submitted_at"] == "2026-03-02T09:00:00+08:00"
    exported = leader.get(
        "/reports/closure/tickets", **MARCH, by="unit", key="water", measure="stable", part="numerator", format="csv"
    )
    assert exported.mimetype == "text/csv"
    rows_of_csv = list(csv.DictReader(io.StringIO(exported.get_data(as_text=True).removeprefix("\ufeff"))))
    assert [row["reference"] for row in rows_of_csv] == ["H0001", "H0002"]


def test_leader_exports_the_same_numbers(county: County, call_as: CallAs) -> None:
    lay(county)
    leader = call_as("lr")
    document = leader.get("/reports/closure", **MARCH).get_json()
    text = leader.get("/reports/closure", **MARCH, format="csv").get_data(as_text=True)
    exported = {(row["key"], row["measure"]): row for row in csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))}
    for row in [*document["rows"], document["total"]]:
        for name, figure in row["measures"].items():
            line = exported[row["key"] or "total", name]
            assert float(line["numerator"]) == figure["numerator"]
            assert int(line["denominator"]) == figure["denominator"]


def test_chinese_reader_gets_numbers_all_the_same(county: County, call_as: CallAs) -> None:
    lay(county)
    there = call_as("lr", language="zh-CN").get("/reports/closure", **MARCH).get_json()
    here = call_as("lr").get("/reports/closure", **MARCH).get_json()
    assert there["rows"] == here["rows"]


def test_submitter_is_refused_and_a_wrong_question_named(county: County, call_as: CallAs) -> None:
    assert call_as("s").get("/reports/closure", **MARCH).status_code == 403
    leader = call_as("lr")
    for path, query, name in (
        ("/reports/closure", {"from": "2026-03-01"}, "to"),
        ("/reports/closure", {**MARCH, "by": "person"}, "by"),
        ("/reports/closure", {"from": "yesterday", "to": "2026-03-01"}, "from"),
        ("/reports/closure", {"from": "2026-03-02", "to": "2026-03-01"}, "to"),
        ("/reports/closure", {**MARCH, "format": "pdf"}, "format"),
        ("/reports/closure", {**MARCH, "speed": "1"}, "speed"),
        ("/reports/closure/tickets", {**MARCH, "measure": "speed"}, "measure"),
        ("/reports/closure/tickets", {**MARCH, "key": "nowhere"}, "key"),
        ("/reports/closure/tickets", {**MARCH, "cursor": "%%%"}, "cursor"),
    ):
        answer = leader.get(path, **query)
        assert answer.status_code == 422, (path, query)
        assert name in answer.get_json()["errors"], (path, query)
    assert leader.get("/reports/closure", **MARCH, unit="nowhere").status_code == 404


def test_token_without_the_scope_reads_no_figures(county: County, call_as: CallAs) -> None:
    db.session.rollback()
    assert call_as("lr", scopes=("read",)).get("/reports/closure", **MARCH).status_code == 403


def test_document_names_the_parameters_of_the_report(call_as: CallAs) -> None:
    paths = call_as("lr").get("/openapi.json").get_json()["paths"]
    parameters = {each.get("name"): each for each in paths["/reports/closure"]["get"]["parameters"]}
    assert parameters["from"]["required"] is True
    assert parameters["by"]["schema"]["enum"] == ["unit", "area", "category", "month"]
