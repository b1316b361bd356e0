"""Tickets from files: each row once, bad rows named, history apart; and a run that is killed in the middle."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from openpyxl import Workbook
from sqlalchemy import event, func, select
from sqlalchemy.exc import IntegrityError

from feedback.intake.imports import TicketImport, import_tickets
from feedback.intake.submission import submit_ticket
from feedback.intake.ticket_rows import ImportOptions
from feedback.kernel import audit
from feedback.kernel.db import db
from feedback.kernel.errors import Invalid
from feedback.reading.queries import allowed_actions
from feedback.sla.models import SlaClock
from feedback.tickets.models import Leg, Message, Seat, Ticket, TimelineEntry
from feedback.tickets.visibility import get_ticket
from tests.conftest import KEY
from tests.support.county import START, County

SHANGHAI = ZoneInfo("Asia/Shanghai")
ROOT = Path(__file__).parents[2]


def options(**more: Any) -> ImportOptions:
    return ImportOptions(**{"zone": SHANGHAI, "source": "old", "submitter": "s", **more})


def write(folder: Path, rows: list[dict[str, str]], name: str = "tickets.csv") -> Path:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(rows)
    path = folder / name
    path.write_text(text.getvalue(), "utf-8-sig")
    return path


def rows_of_loop(count: int) -> list[dict[str, str]]:
    return [{"source_id": f"n{number}", "text": f"第{number}盏路灯不亮"} for number in range(count)]


def tickets() -> list[Ticket]:
    return list(db.session().scalars(select(Ticket).order_by(Ticket.id)))


def counts(result: TicketImport) -> tuple[int, int, int]:
    return result.added, result.already, len({refused.row for refused in result.refused})


def test_rows_become_tickets_of_the_loop_that_are_routed(any_county: County, tmp_path: Path) -> None:
    path = write(
        tmp_path,
        [
            {
                "source_id": "1",
                "text": "村口路灯不亮",
                "title": "路灯",
                "occurred_at": "2026/3/1 7:05:09",
                "submitter": "s2",
            },
            {"source_id": "2", "text": "Please look at this", "category": "water", "area": "p1", "urgency": "urgent"},
            {"source_id": "3", "text": "Nobody knows whose this is", "kind": "question", "privacy": "confidential"},
        ],
    )
    assert counts(import_tickets(path, options(), now=START)) == (3, 0, 0)
    first, second, third = tickets()
    units = any_county.units
    assert [t.status for t in (first, second, third)] == ["dispatched", "dispatched", "submitted"]
    assert (first.lead_unit_id, second.lead_unit_id) == (units["roads"].id, units["water"].id)
    assert (second.area_id, second.urgency, third.kind, third.privacy) == (
        units["p1"].id,
        "urgent",
        "question",
        "confidential",
    )
    assert first.occurred_at == datetime(2026, 2, 28, 23, 5, 9, tzinfo=UTC)
    assert {(t.channel, t.source, t.submitted_at) for t in (first, second, third)} == {("import", "old", START)}
    assert get_ticket(db.session(), any_county.actor("s2"), first.reference).id == first.id
    assert get_ticket(db.session(), any_county.actor("s"), second.reference).id == second.id


def test_three_bad_rows_of_a_hundred_are_named_and_the_same_file_again_adds_none(
    county: County, tmp_path: Path
) -> None:
    rows = rows_of_loop(100)
    rows[10] |= {"category": "nonsense"}
    rows[20] |= {"urgency": "yesterday"}
    rows[30] |= {"text": ""}
    path = write(tmp_path, rows)
    result = import_tickets(path, options(), now=START)
    assert counts(result) == (97, 0, 3)
    assert [(r.row, r.column) for r in result.refused] == [(12, "category"), (22, "urgency"), (32, "text")]
    again = import_tickets(path, options(), now=START)
    assert counts(again) == (0, 97, 3)
    assert len(tickets()) == 97


def test_mended_rows_are_taken_by_the_next_run(county: County, tmp_path: Path) -> None:
    rows = rows_of_loop(3)
    rows[1] |= {"area": "nowhere"}
    import_tickets(write(tmp_path, rows), options(), now=START)
    rows[1] |= {"area": "town"}
    assert counts(import_tickets(write(tmp_path, rows), options(), now=START)) == (1, 2, 0)


def test_row_that_stands_twice_is_taken_once(county: County, tmp_path: Path) -> None:
    rows = rows_of_loop(2) + rows_of_loop(2)
    assert counts(import_tickets(write(tmp_path, rows), options(), now=START)) == (2, 2, 0)


@pytest.mark.parametrize(
    ("fields", "column"),
    [
        ({"submitter": "ha"}, "submitter"),
        ({"submitter": "nobody"}, "submitter"),
        ({"privacy": "anonymous"}, "privacy"),
        ({"occurred_at": "last week"}, "occurred_at"),
        ({"occurred_at": "2026-13-01 10:00"}, "occurred_at"),
        ({"occurred_at": "2027-01-01"}, "occurred_at"),
        ({"status": "closed"}, "status"),
        ({"title": "x" * 201}, "title"),
        ({"text": "x" * 20_001}, "text"),
        ({"source_id": ""}, "source_id"),
        ({"source_id": "x" * 121}, "source_id"),
    ],
)
def test_bad_field_is_named_and_the_other_row_is_taken(
    county: County, tmp_path: Path, fields: dict[str, str], column: str
) -> None:
    bad = {"source_id": "bad", "text": "Something is wrong", **fields}
    result = import_tickets(write(tmp_path, [bad, *rows_of_loop(1)]), options(), now=START)
    assert counts(result) == (1, 0, 1)
    assert [(r.row, r.column) for r in result.refused] == [(2, column)]


def test_rows_without_a_submitter_need_one_for_all(county: County, tmp_path: Path) -> None:
    rows = rows_of_loop(2)
    rows[1] |= {"submitter": "s2"}
    result = import_tickets(write(tmp_path, rows), options(submitter=None), now=START)
    assert (counts(result), result.refused[0].column) == ((1, 0, 1), "submitter")
    for login in ("ha", "nobody"):
        with pytest.raises(Invalid, match="submitter"):
            import_tickets(write(tmp_path, rows), options(submitter=login), now=START)


def test_source_comes_from_its_column_or_from_the_option(county: County, tmp_path: Path) -> None:
    rows = [row | {"source": "hotline"} for row in rows_of_loop(1)]
    path = write(tmp_path, rows)
    assert counts(import_tickets(path, options(source=None), now=START)) == (1, 0, 0)
    assert counts(import_tickets(path, options(source="other"), now=START)) == (1, 0, 0)
    assert [t.source for t in tickets()] == ["hotline", "other"]
    with pytest.raises(Invalid, match="source"):
        import_tickets(write(tmp_path, rows_of_loop(1)), options(source=None), now=START)


def test_columns_are_renamed_and_what_is_left_over_is_told(county: County, tmp_path: Path) -> None:
    path = write(tmp_path, [{"id": "7", "body": "水管漏水", "label": "roads", "stars": "5"}])
    renamed = {"source_id": "id", "text": "body", "category": "label"}
    result = import_tickets(path, options(renamed=renamed), now=START)
    assert (counts(result), result.ignored) == ((1, 0, 0), ("stars",))
    assert tickets()[0].lead_unit_id == county.units["roads"].id
    with pytest.raises(Invalid, match="points"):
        import_tickets(path, options(renamed={"points": "stars"}), now=START)


def test_workbooks_gzip_and_gb18030_are_read_alike(county: County, tmp_path: Path) -> None:
    book = Workbook()
    for cells in (("source_id", "text"), (101, "路灯不亮"), (102, "水管漏水")):
        book.worksheets[0].append(cells)
    book.save(tmp_path / "a.xlsx")
    text = "source_id,text\n101,路灯不亮\n103,道路\n"
    (tmp_path / "b.csv").write_bytes(text.encode("gb18030"))
    (tmp_path / "c.csv.gz").write_bytes(gzip.compress(text.encode()))
    assert counts(import_tickets(tmp_path / "a.xlsx", options(), now=START)) == (2, 0, 0)
    assert counts(import_tickets(tmp_path / "b.csv", options(), now=START)) == (1, 1, 0)
    assert counts(import_tickets(tmp_path / "c.csv.gz", options(), now=START)) == (0, 2, 0)
    assert {t.source_id for t in tickets()} == {"101", "102", "103"}
    (tmp_path / "d.csv.gz").write_bytes(b"no gzip at all")
    with pytest.raises(Invalid, match=r"d\.csv\.gz"):
        import_tickets(tmp_path / "d.csv.gz", options(), now=START)


def test_dry_run_says_the_same_and_writes_nothing(county: County, tmp_path: Path) -> None:
    rows = [*rows_of_loop(3), {"source_id": "bad", "text": "Something", "category": "nonsense"}, legacy("h1")]
    path = write(tmp_path, rows)
    entries = audit.count_entries(db.session())
    dry = import_tickets(path, options(is_dry_run=True), now=START)
    assert counts(dry) == (4, 0, 1)
    assert (tickets(), audit.count_entries(db.session())) == ([], entries)
    assert counts(import_tickets(path, options(), now=START)) == counts(dry)


def legacy(source_id: str, **more: str) -> dict[str, str]:
    return {
        "source_id": source_id,
        "text": "Street light out",
        "status": "legacy",
        "unit": "roads",
        "created_at": "2025-07-01 01:32:33",
        **more,
    }


def test_history_is_kept_with_its_times_and_has_no_clocks_and_no_actions(any_county: County, tmp_path: Path) -> None:
    row = legacy(
        "h1",
        due_at="2025-07-15T01:32:33+08:00",
        first_response_at="2025-07-01 09:00",
        resolved_at="2025-07-02 10:00",
        outcome="Case closed",
        department="Public Works",
        raised_by="staff",
        on_time="yes",
        category="Lights",
        submitter="s",
    )
    result = import_tickets(write(tmp_path, [row, legacy("h2")]), options(submitter=None), now=START)
    assert counts(result) == (2, 0, 0)
    first, second = tickets()
    assert (first.status, first.origin, first.closure_reason, first.closed_at) == ("legacy", "legacy", None, None)
    assert first.submitted_at == datetime(2025, 6, 30, 17, 32, 33, tzinfo=UTC)
    assert first.due_at == datetime(2025, 7, 14, 17, 32, 33, tzinfo=UTC)
    assert first.first_responded_at == datetime(2025, 7, 1, 1, 0, tzinfo=UTC)
    assert first.resolved_at == datetime(2025, 7, 2, 2, 0, tzinfo=UTC)
    assert first.lead_unit_id == any_county.units["roads"].id
    assert first.area_id == any_county.units["root"].id
    assert first.routing["legacy"] == {
        "department": "Public Works",
        "raised_by": "staff",
        "on_time": "yes",
        "outcome": "Case closed",
        "category": "Lights",
    }
    assert (second.resolved_at, second.routing["legacy"]) == (None, {})
    session = db.session()
    assert session.scalar(select(func.count()).select_from(SlaClock)) == 0
    for login in ("s", "hr", "d", "su", "lr"):
        actor = any_county.actor(login)
        assert allowed_actions(session, actor, get_ticket(session, actor, first.reference), START) == []
    assert session.scalar(select(func.count()).select_from(Seat)) == 1
    assert all(leg.ended_at for leg in session.scalars(select(Leg)))
    assert list(audit.verify(session)) == []


@pytest.mark.parametrize(
    ("fields", "column"),
    [
        ({"unit": ""}, "unit"),
        ({"unit": "nobody"}, "unit"),
        ({"created_at": ""}, "created_at"),
        ({"created_at": "2030-01-01"}, "created_at"),
        ({"resolved_at": "2025-06-01"}, "resolved_at"),
        ({"on_time": "ONTIME"}, "on_time"),
        ({"raised_by": "nobody"}, "raised_by"),
        ({"submitter": "nobody"}, "submitter"),
    ],
)
def test_bad_row_of_history_is_named(county: County, tmp_path: Path, fields: dict[str, str], column: str) -> None:
    path = write(tmp_path, [legacy("bad", **fields), legacy("good", on_time="no")])
    result = import_tickets(path, options(), now=START)
    assert counts(result) == (1, 0, 1)
    assert [(r.row, r.column) for r in result.refused] == [(2, column)]


def test_same_row_can_never_be_written_twice(any_county: County) -> None:
    actor = any_county.actor("s")
    submit_ticket({"text": "路灯不亮"}, actor=actor, now=START, source=("old", "1"))
    with pytest.raises(IntegrityError):
        submit_ticket({"text": "路灯不亮"}, actor=actor, now=START, source=("old", "1"))
    assert len(tickets()) == 1


def test_row_that_another_run_wrote_meanwhile_counts_as_there(any_county: County, tmp_path: Path) -> None:
    path = write(tmp_path, [*rows_of_loop(2), legacy("h1"), legacy("h2")])

    def overtaken(rows: Any) -> Any:
        only = write(tmp_path, [rows_of_loop(2)[1], legacy("h2")], "other.csv")
        assert counts(import_tickets(only, options(), now=START)) == (2, 0, 0)
        return rows

    assert counts(import_tickets(path, options(), now=START, track=overtaken)) == (2, 2, 0)
    assert Counter(t.source_id for t in tickets()) == Counter(["n0", "n1", "h1", "h2"])


def test_operator_imports_by_command_and_reads_one_document(county: County, app: Flask, tmp_path: Path) -> None:
    path = write(tmp_path, [{"id": "1", "text": "路灯不亮"}, {"id": "2", "text": "?"}, {"id": "", "text": "水管漏水"}])
    arguments = ["tickets", "import", str(path), "--source", "old", "--map", "source_id=id", "--submitter", "s"]
    runner = app.test_cli_runner()
    done = runner.invoke(args=[*arguments, "--json"])
    answer = json.loads(done.stdout)
    assert (answer["added"], answer["already"], answer["ignored_columns"]) == (2, 0, [])
    assert [(r["row"], r["field"]) for r in answer["refused"]] == [(4, "source_id")]
    assert done.exit_code == 1
    plain = runner.invoke(args=arguments)
    assert "0 added, 2 there already." in plain.stdout
    for bad, word in (
        (["--map", "source_id"], "source_id"),
        (["--timezone", "Mars/Base"], "Mars/Base"),
        (["--submitter", "ha"], "ha"),
    ):
        failed = runner.invoke(args=[*arguments, *bad])
        assert failed.exit_code == 1
        assert word in failed.stderr
        assert "Traceback" not in failed.stderr
    missing = runner.invoke(args=["tickets", "import", str(tmp_path / "none.csv"), "--source", "old"])
    assert missing.exit_code == 1
    assert "none.csv" in missing.stderr


def test_operator_kills_a_run_three_times_and_each_row_is_there_once(
    county: County, app: Flask, tmp_path: Path
) -> None:
    """The process is killed by SIGKILL when a few more rows are in the database than before, then run to its end."""
    rows = [row for n, loop in enumerate(rows_of_loop(240)) for row in (loop, legacy(f"h{n}"))]
    path = write(tmp_path, rows)
    settings = app.config["SETTINGS"]
    command = [sys.executable, "-m", "flask", "tickets", "import", str(path), "--source", "old", "--submitter", "s"]
    environment = {
        **os.environ,
        "FEEDBACK_ENV": "testing",
        "SECRET_KEY": KEY,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "BASE_URL": "http://127.0.0.1:8000",
        "INSTANCE_DIR": str(tmp_path),
    }
    for _ in range(3):
        there = _count()
        running = subprocess.Popen(
            command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 60
        while _count() < there + 12 and time.monotonic() < deadline:
            time.sleep(0.01)
        running.send_signal(signal.SIGKILL)
        assert running.wait() == -signal.SIGKILL
        assert there + 12 <= _count() < len(rows)
    done = subprocess.run([*command, "--json"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert answer["added"] + answer["already"] == len(rows)
    assert answer["already"] >= 36
    session = db.session()
    session.rollback()
    assert Counter(t.source_id for t in tickets()) == Counter(row["source_id"] for row in rows)
    for part in (Message, TimelineEntry, Leg):
        whole = set(session.scalars(select(part.ticket_id)))
        assert whole == {t.id for t in tickets()}
    assert list(audit.verify(session)) == []


def _count() -> int:
    session = db.session()
    session.rollback()
    return session.scalar(select(func.count()).select_from(Ticket)) or 0


@pytest.mark.skipif("FEEDBACK_DATA_DIR" not in os.environ, reason="FEEDBACK_DATA_DIR is not set: no measuring data")
def test_real_messages_become_tickets_of_the_loop(county: County, tmp_path: Path) -> None:
    source = Path(os.environ["FEEDBACK_DATA_DIR"]) / "messages" / "labelled_raw.csv.gz"
    with gzip.open(source, "rt", encoding="utf-8", newline="") as file:
        rows = [row for _, row in zip(range(100), csv.DictReader(file), strict=False)]
    for label in {row["label"] for row in rows}:
        county.add_catalogue(label, "c")
    path = write(tmp_path, rows)
    renamed = {"source_id": "id", "category": "label", "occurred_at": "msg_time"}
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    result = import_tickets(path, options(renamed=renamed), now=START)
    assert result.added >= 95, result.as_json()
    assert len(tickets()) == result.added
    assert {t.status for t in tickets()} == {"dispatched"}
    assert len(statements) / len(rows) < 120
