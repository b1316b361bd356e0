"""Figures over imported history, worked out by hand."""

from __future__ import annotations

import json

from flask import Flask

from feedback.kernel.transaction import transaction
from feedback.tickets.transition import legacy_ticket
from tests.support.calendars import at
from tests.support.county import County

ROWS = (
    # department, raised_by, published on time, due, resolved
    ("parks", "self", "yes", "2025-03-05", "2025-03-04"),
    ("parks", "phone", "yes", "2025-03-05", "2025-03-09"),
    ("parks", "staff", "no", "2025-03-05", "2025-03-01"),
    ("parks", "self", None, None, "2025-03-01"),
    ("streets", "self", "no", "2025-03-05", None),
    (None, None, None, "2025-03-05", "2025-03-05"),
)


def lay(county: County) -> None:
    with transaction() as session:
        for number, (department, raised_by, on_time, due, resolved) in enumerate(ROWS):
            kept = {"department": department, "raised_by": raised_by, "on_time": on_time}
            session.add(
                legacy_ticket(
                    reference=f"L{number}",
                    kind="demand",
                    urgency="normal",
                    privacy="named",
                    channel="import",
                    area_id=county.units["p1"].id,
                    submitted_at=at("2025-02-20 09:00"),
                    received_at=at("2025-02-20 09:00"),
                    due_at=at(f"{due} 12:00") if due else None,
                    resolved_at=at(f"{resolved} 12:00") if resolved else None,
                    routing={"legacy": {name: value for name, value in kept.items() if value}},
                    source="old",
                    source_id=str(number),
                )
            )


def counted(app: Flask, *options: str) -> dict[str | None, list[int]]:
    words = ["reports", "legacy", "--source", "old", "--by", "department", "--json", *options]
    answer = app.test_cli_runner().invoke(args=words)
    assert answer.exit_code == 0, answer.output
    document = json.loads(answer.output)
    return {
        "total" if row is document["total"] else row["key"]: [
            row["tickets"],
            row["resolved"]["numerator"],
            row["on_time"]["numerator"],
            row["on_time"]["denominator"],
            row["published_on_time"]["numerator"],
            row["published_on_time"]["denominator"],
            row["differs"],
        ]
        for row in [*document["rows"], document["total"]]
    }


def test_operator_compares_what_was_published_with_the_dates(any_app: Flask, any_county: County) -> None:
    lay(any_county)
    assert counted(any_app) == {
        "parks": [4, 4, 2, 3, 2, 3, 2],
        "streets": [1, 0, 0, 1, 0, 1, 0],
        None: [1, 1, 1, 1, 0, 0, 0],
        "total": [6, 5, 3, 5, 2, 4, 2],
    }


def test_operator_leaves_out_what_they_say(app: Flask, county: County) -> None:
    lay(county)
    assert counted(app, "--with-due", "--not-staff") == {
        "parks": [2, 2, 1, 2, 2, 2, 1],
        "streets": [1, 0, 0, 1, 0, 1, 0],
        None: [1, 1, 1, 1, 0, 0, 0],
        "total": [4, 3, 2, 4, 2, 3, 1],
    }


def test_legacy_is_in_no_figure_of_the_loop(app: Flask, county: County) -> None:
    lay(county)
    words = ["reports", "closure", "--from", "2025-01-01", "--to", "2025-12-31", "--json"]
    document = json.loads(app.test_cli_runner().invoke(args=words).output)
    assert document["rows"] == []
    assert document["total"]["measures"]["claimed"]["denominator"] == 0
