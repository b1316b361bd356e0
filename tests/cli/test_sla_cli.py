"""The deadline commands, run as an operator and as a program run them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from tests.support.county import County
from tests.support.story import PLAIN, Story

CALENDARS = """calendar,rule,days,date,windows,timezone,base,note
town,week,mon;tue;wed;thu;fri,,09:00-12:00;14:00-17:30,Asia/Shanghai,cn,
town,half,,2026-03-04,09:00-11:00,,,
york,week,mon;tue;wed;thu;fri,,09:00-17:00,America/New_York,,
"""


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=words)


def answer(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def calendars(app: Flask, tmp_path: Path) -> Path:
    path = tmp_path / "calendars.csv"
    path.write_text(CALENDARS, encoding="utf-8")
    assert answer(run(app, "calendars", "import", str(path), "--json"))["added"] == 3
    return path


@pytest.mark.parametrize(
    ("calendar", "start", "amount", "pauses", "due"),
    [
        ("town", "2026-03-02T11:30:00+08:00", "4wh", [], "2026-03-02T17:30:00+08:00"),
        ("town", "2026-03-02T18:00:00+08:00", "1wd", [], "2026-03-04T09:00:00+08:00"),
        ("town", "2026-03-02T03:30:00Z", "90wmin", [], "2026-03-02T15:00:00+08:00"),
        ("town", "2026-09-30T17:00:00+08:00", "1wd", [], "2026-10-08T17:00:00+08:00"),
        ("town", "2026-03-02T11:30:00+08:00", "2h", ["2026-03-02T12:00:00+08:00/2026-03-02T12:10:00+08:00"],
         "2026-03-02T13:40:00+08:00"),
        ("york", "2026-03-06T16:30:00-05:00", "1wh", [], "2026-03-09T09:30:00-04:00"),
    ],
)  # fmt: skip
def test_program_asks_for_a_deadline_with_its_trace(
    app: Flask, calendars: Path, calendar: str, start: str, amount: str, pauses: list[str], due: str
) -> None:
    words = [part for pause in pauses for part in ("--pause", pause)]
    told = answer(
        run(app, "sla", "deadline", "--calendar", calendar, "--start", start, "--amount", amount, *words, "--json")
    )
    assert told["due_at"] == due
    assert told["trace"][-1]["kind"] == "due"
    assert [step["kind"] for step in told["trace"]].count("pause") == len(pauses)


def test_program_asks_for_many_deadlines_at_once(app: Flask, calendars: Path, tmp_path: Path) -> None:
    path = tmp_path / "batch.csv"
    path.write_text(
        "id,calendar,start,amount,pauses\n"
        "a,town,2026-03-02T09:00:00+08:00,2wh,\n"
        "b,town,2026-03-02T09:00:00+08:00,2wh,"
        "2026-03-02T09:30:00+08:00/2026-03-02T10:00:00+08:00;2026-03-02T10:15:00+08:00/2026-03-02T10:30:00+08:00\n",
        encoding="utf-8",
    )
    told = answer(run(app, "sla", "deadline", "--batch", str(path), "--json"))
    assert told == {"a": "2026-03-02T11:00:00+08:00", "b": "2026-03-02T11:45:00+08:00"}


def test_program_is_warned_of_deadlines_in_a_year_without_official_days(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "batch.csv"
    path.write_text("id,calendar,start,amount\na,site,2039-12-30T09:00:00+08:00,5wd\n", encoding="utf-8")
    told = run(app, "sla", "deadline", "--batch", str(path), "--json")
    assert set(answer(told)) == {"a"}
    assert "2039" in told.stderr
    assert "2040" in told.stderr


def test_program_measures_working_time(app: Flask, calendars: Path) -> None:
    told = answer(
        run(app, "sla", "elapsed", "--calendar", "town", "--start", "2026-03-03T17:00:00+08:00",
            "--end", "2026-03-05T09:10:30+08:00", "--json")
    )  # fmt: skip
    assert told == {"working_seconds": 1800 + 7200 + 630}


@pytest.mark.parametrize(
    "words",
    [
        ["--calendar", "nowhere", "--start", "2026-03-02T09:00:00+08:00", "--amount", "2wh"],
        ["--calendar", "town", "--start", "2026-03-02T09:00:00", "--amount", "2wh"],
        ["--calendar", "town", "--start", "soon", "--amount", "2wh"],
        ["--calendar", "town", "--start", "2026-03-02T09:00:00+08:00", "--amount", "0wh"],
        ["--calendar", "town", "--start", "2026-03-02T09:00:00+08:00", "--amount", ""],
        ["--calendar", "town", "--start", "2026-03-02T09:00:00+08:00"],
        ["--calendar", "town", "--start", "2026-03-02T09:00:00+08:00", "--amount", "2wh", "--pause", "x"],
        ["--calendar", "town", "--start", "2026-03-02T09:00:00+08:00", "--amount", "2wh", "--pause",
         "2026-03-02T11:00:00+08:00/2026-03-02T10:00:00+08:00"],
        ["--batch", "nowhere.csv"],
    ],
)  # fmt: skip
def test_bad_question_is_refused_in_one_line(app: Flask, calendars: Path, words: list[str]) -> None:
    result = run(app, "sla", "deadline", *words, "--json")
    assert result.exit_code == 1
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("kind", "row", "column"),
    [
        ("calendars", "calendar,rule,days,windows\nx,week,mon,\n", "windows"),
        ("calendars", "calendar,rule,days,windows\nx,week,mon,09:00-12:00;11:00-17:00\n", "windows"),
        ("calendars", "calendar,rule,days,windows\nx,week,mon,17:00-09:00\n", "windows"),
        ("calendars", "calendar,rule,days,date,windows\nx,week,mon,2026-01-01/2026-12-31,09:00-17:00\n", "windows"),
        ("policies", "name,order,first_response,resolution\nx,1,1wd,0wd\n", "resolution"),
        ("policies", "name,order,first_response,resolution\nx,1,1wd,-2wd\n", "resolution"),
        ("policies", "name,order,first_response,resolution\nx,1,3wd,2wd\n", "first_response"),
        ("policies", "name,order,first_response,resolution\nx,1,1wd,2weeks\n", "resolution"),
    ],
)
def test_operator_reads_which_field_of_a_bad_rule_is_refused_and_why(
    app: Flask, tmp_path: Path, kind: str, row: str, column: str
) -> None:
    path = tmp_path / "rules.csv"
    path.write_text(row, encoding="utf-8")
    result = run(app, kind, "import", str(path), "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (told["added"], told["updated"]) == (0, 0)
    assert [(error["row"], error["column"]) for error in told["errors"]] == [(2, column)]
    assert told["errors"][0]["error"]


def test_operator_sweeps_at_a_chosen_time_in_testing(app: Flask, county: County) -> None:
    story = Story(county).submit(text=PLAIN)
    told = answer(run(app, "sla", "sweep", "--at", "2026-03-03T09:00:00+08:00", "--json"))
    assert told["alarms"] >= 2
    assert told["failures"] == 0
    assert run(app, "sla", "sweep", "--at", "2026-03-03T09:00:00+08:00").stdout.startswith("0 alarms")
    assert run(app, "sla", "sweep", "--at", "2026-03-03").exit_code == 1
    assert story.state == "submitted"


def test_operator_tries_policies_out_and_then_takes_them(app: Flask, county: County, tmp_path: Path) -> None:
    reference = Story(county).submit(text=PLAIN).reference
    path = tmp_path / "policies.csv"
    path.write_text("name,order,first_response,resolution\nquick,1,1wd,1wd\n", encoding="utf-8")
    tried = answer(run(app, "sla", "dry-run", str(path), "--json"))
    assert tried["dry_run"] is True
    assert {move["reference"] for move in tried["moves"]} == {reference}
    again = answer(run(app, "policies", "import", str(path), "--dry-run", "--apply-to-open", "--json"))
    assert again == tried
    done = answer(run(app, "policies", "import", str(path), "--apply-to-open", "--json"))
    assert done["added"] == 1
    assert done["moves"] == tried["moves"]
    words = run(app, "policies", "import", str(path))
    assert words.stdout == "0 added, 0 updated, 1 unchanged.\n"


def test_operator_sees_rows_that_were_not_taken(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "policies.csv"
    path.write_text("name,order,resolution\nquick,1,soon\n", encoding="utf-8")
    result = run(app, "policies", "import", str(path), "--json")
    assert result.exit_code == 1
    assert [(e["row"], e["column"]) for e in json.loads(result.stdout)["errors"]] == [(2, "resolution")]
