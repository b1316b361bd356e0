"""What `audit verify`, `check` and `reports recount` find on a database in which somebody had a hand."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from feedback.intake.submission import submit_ticket
from feedback.kernel.audit import add_checkpoint
from feedback.kernel.db import db
from feedback.kernel.transaction import transaction
from feedback.reports.period import ReportQuery
from feedback.reports.queries import closure_report
from feedback.tickets.actions import run_action
from tests.support.county import START, County

HOUR = timedelta(hours=1)


def lay_loop(county: County) -> str:
    """A ticket driven round the loop, disputed once; gives its reference."""
    county.session.rollback()
    reference = submit_ticket(
        {"text": "The water pipe leaks", "category": "water"}, actor=county.actor("s"), now=START
    ).reference
    steps: list[tuple[str, str, dict[str, object]]] = [
        ("hw", "acknowledge", {}),
        ("hw", "reply", {"text": "We come today."}),
        ("hw", "resolve", {"outcome": "solved", "text": "The pipe was mended."}),
        ("s", "dispute", {"reason": "It leaks again."}),
        ("hw", "resolve", {"outcome": "solved", "text": "The pipe was replaced."}),
        ("s", "confirm", {"verdict": "solved", "rating": 4}),
    ]
    for number, (login, action, fields) in enumerate(steps, start=1):
        now = START + number * HOUR
        run_action(action, reference, fields, actor=county.actor(login, now), now=now)
    with transaction() as session:
        add_checkpoint(session, now=START + 10 * HOUR)
    return reference


def tamper(statement: str, **values: object) -> None:
    """Change the database behind the program's back."""
    with transaction() as session:
        result = session.execute(text(statement), values)
        assert result.rowcount  # type: ignore[attr-defined]


def run(app: Flask, *words: str) -> tuple[int, str]:
    db.session.rollback()
    answer = app.test_cli_runner().invoke(args=list(words))
    return answer.exit_code, answer.output


def test_operator_finds_a_whole_site_whole(any_app: Flask, any_county: County) -> None:
    lay_loop(any_county)
    assert run(any_app, "audit", "verify")[0] == 0
    code, said = run(any_app, "audit", "verify", "--json")
    assert (code, json.loads(said)["broken"]) == (0, [])
    assert json.loads(said)["entries"] > 0
    assert run(any_app, "check") == (0, "1 tickets looked at, 0 faults.\n")
    assert run(any_app, "reports", "recount") == (0, "0 differences.\n")


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE audit_entry SET actor = 'account:99' WHERE stream = 'ticket:1' AND seq = 4", "seq 4"),
        ("DELETE FROM audit_entry WHERE stream = 'ticket:1' AND seq = 3", "seq 3"),
        ("DELETE FROM audit_entry WHERE stream = 'ticket:1'", "ticket:1"),
        (
            "INSERT INTO audit_entry (stream, seq, at, actor, action, facts, prev_mac, mac) SELECT stream, 9, at, actor,"
            " action, facts, mac, mac FROM audit_entry WHERE stream = 'ticket:1' AND seq = 8",
            "seq 9",
        ),
        (
            "UPDATE audit_entry SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE stream = 'ticket:1' AND seq IN (2, 3)",
            "ticket:1",
        ),
    ],
)
def test_operator_finds_a_hand_in_the_audit_trail(app: Flask, county: County, statement: str, named: str) -> None:
    lay_loop(county)
    assert run(app, "audit", "verify")[0] == 0
    tamper(statement)
    code, said = run(app, "audit", "verify")
    assert code == 1
    first = next(line for line in said.splitlines() if line.startswith("Error: audit: "))
    assert named in first
    assert run(app, "check")[0] == 1


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE ticket SET status = 'in_progress', closure_reason = NULL WHERE id = 1", "its history ended in"),
        ("DELETE FROM timeline WHERE ticket_id = 1 AND version = 5", "no version 5"),
        ("UPDATE timeline SET action = 'dispatch' WHERE ticket_id = 1 AND version = 5", "in no line of the lifecycle"),
        ("UPDATE timeline SET role = 'leader' WHERE ticket_id = 1 AND version = 6", "in no line of the lifecycle"),
        ("DELETE FROM outbox WHERE ticket_id = 1 AND version = 4", "version 4 has no event"),
        ("DELETE FROM identity WHERE seat_id = 1", "a seat has no identity"),
        ("UPDATE message SET is_current = false WHERE ticket_id = 1 AND version = 1", "no words of its submitter"),
        ("UPDATE sla_clock SET met_at = NULL WHERE ticket_id = 1 AND kind = 'resolution'", "clock of resolution"),
        ("UPDATE ticket SET version = 9 WHERE id = 1", "version is 9"),
    ],
)
def test_operator_finds_what_must_not_be(app: Flask, county: County, statement: str, said: str) -> None:
    reference = lay_loop(county)
    tamper(statement)
    code, output = run(app, "check")
    assert code == 1
    assert said in output
    assert reference in output


def test_operator_sets_kept_columns_right(any_app: Flask, any_county: County) -> None:
    reference = lay_loop(any_county)
    tamper("UPDATE ticket SET reopen_count = 5, lead_unit_id = NULL, first_resolved_at = NULL WHERE id = 1")
    code, said = run(any_app, "reports", "recount", "--json")
    assert code == 1
    found = {d["column"]: (d["reference"], d["counted"]) for d in json.loads(said)["differences"]}
    assert set(found) == {"reopen_count", "lead_unit_id", "first_resolved_at"}
    assert found["reopen_count"] == (reference, "1")
    assert run(any_app, "reports", "recount", "--fix")[0] == 0
    assert run(any_app, "reports", "recount")[0] == 0
    assert run(any_app, "audit", "verify")[0] == 0
    assert run(any_app, "check")[0] == 0


def test_figures_of_real_steps_are_those_of_the_rows(any_app: Flask, any_county: County) -> None:
    """The use-cases leave what the figures are counted from: one ticket, disputed, resolved again in time, confirmed."""
    lay_loop(any_county)
    now = START + timedelta(days=20)
    query = ReportQuery.parse({"from": "2026-03-01", "to": "2026-03-31", "by": "unit"})
    report = closure_report(db.session(), any_county.actor("lr", now), query, now=now)
    rows = {row.key: row for row in report.rows}
    counted = {name: (m.numerator, m.denominator) for name, m in rows["water"].measures.items()}
    assert counted == {
        "response": (1, 1),
        "on_time": (1, 1),
        "on_time_extended": (1, 1),
        "claimed": (1, 1),
        "confirmed": (1, 1),
        "stable": (0, 1),
        "stable_pending": (1, 1),
        "raised_again": (0, 1),
        "resolution": (1, 1),
        "satisfaction": (1, 1),
        "first_dispatch_right": (0, 0),
    }
    assert rows["water"].times["whole"].median_seconds == 6 * 3600
    assert rows["p1"].measures["first_dispatch_right"].numerator == 1


def test_operator_prints_the_report(app: Flask, county: County) -> None:
    lay_loop(county)
    code, said = run(app, "reports", "closure", "--from", "2026-03-01", "--to", "2026-03-31", "--by", "unit", "--json")
    assert code == 0
    document = json.loads(said)
    assert document["total"]["measures"]["claimed"]["numerator"] == 1
    assert set(document) >= {"from", "to", "by", "unit", "timezone", "definitions", "rows", "total"}
    code, said = run(app, "reports", "closure", "--from", "2026-03-31", "--to", "2026-03-01")
    assert code == 1
    assert "to" in said


def test_operator_finds_steps_whole_that_were_written_in_another_order_than_they_came_in(
    any_app: Flask, any_county: County
) -> None:
    reference = lay_loop(any_county)
    early = START + 3 * HOUR
    run_action("reopen", reference, {"reason": "It leaks."}, actor=any_county.actor("s", early), now=early)
    earlier = early - HOUR
    run_action("reply", reference, {"text": "We come."}, actor=any_county.actor("hw", earlier), now=earlier)
    run_action(
        "resolve", reference, {"outcome": "solved", "text": "Done."}, actor=any_county.actor("hw", early), now=early
    )
    run_action("confirm", reference, {"verdict": "solved"}, actor=any_county.actor("s", early), now=early)
    assert run(any_app, "check") == (0, "1 tickets looked at, 0 faults.\n")
