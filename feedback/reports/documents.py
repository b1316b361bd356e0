"""A report and a list as plain JSON values and as CSV, the same for page, API and command line. Sentences come translated in."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from feedback.kernel.clock import site_zone
from feedback.reports.listing import Counted
from feedback.reports.metrics import HATCHES, MEASURES, NOTES, STAGES, Measure, Row, Times
from feedback.reports.queries import Report

LEADS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
BYTE_ORDER_MARK = "\ufeff"


def neutral_cell(value: object) -> str:
    """A cell that a spreadsheet shows as it is: what would begin a formula gets an apostrophe before it."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(LEADS_A_FORMULA) else text


def to_csv(rows: Iterable[Iterable[object]]) -> str:
    """CSV with a mark, so that spreadsheets read the Chinese right."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([_cell(value) for value in row] for row in rows)
    return BYTE_ORDER_MARK + out.getvalue()


def _cell(value: object) -> object:
    return value if isinstance(value, int | float) else neutral_cell(value)


def report_document(report: Report, translate: Callable[[str], str] = str) -> dict[str, Any]:
    """The JSON of GET /reports/closure and of `reports closure --json`."""
    return {
        "from": report.query.first.isoformat(),
        "to": report.query.last.isoformat(),
        "by": report.query.by,
        "unit": report.query.unit,
        "timezone": report.zone,
        "as_of": _instant(report.now),
        "definitions": definitions(translate),
        "rows": [_row_document(row) for row in report.rows],
        "total": _row_document(report.total),
    }


def definitions(translate: Callable[[str], str] = str) -> dict[str, str]:
    """What each figure and note means, by its code, in the reader's language."""
    sentences = {name: definition.sentence for name, definition in {**HATCHES, **MEASURES}.items()} | NOTES
    return {name: translate(sentence) for name, sentence in sentences.items()}


def _row_document(row: Row) -> dict[str, Any]:
    return {
        "key": row.key,
        "name": row.name,
        "name_en": row.name_en,
        "measures": {name: _measure_document(measure) for name, measure in row.measures.items()},
        "times": _times_document(row),
        "hatches": {name: _measure_document(measure) for name, measure in row.hatches.items()},
        "final": row.is_final,
    }


def _measure_document(measure: Measure) -> dict[str, Any]:
    document: dict[str, Any] = {
        "numerator": measure.numerator,
        "denominator": measure.denominator,
        "left_out": dict(measure.left_out) if measure.left_out is not None else None,
        "rate": measure.rate,
        "coverage": measure.coverage,
        "suppressed": measure.suppressed,
        "small": measure.is_small,
    }
    return document | ({"parts": dict(measure.parts)} if measure.parts else {})


def _times_document(row: Row) -> dict[str, Any]:
    whole = row.times.get("whole", Times())
    stages = {stage: asdict(row.times.get(stage, Times())) for stage in STAGES if stage != "whole"}
    return {**asdict(whole), "stages": stages}


def report_rows(report: Report) -> Iterable[list[object]]:
    """The report as a table: a line a row and figure, the total last."""
    yield [
        "key",
        "name",
        "measure",
        "numerator",
        "denominator",
        "rate",
        "coverage",
        "suppressed",
        "from",
        "to",
        "timezone",
    ]
    for row in (*report.rows, report.total):
        for name, measure in {**row.measures, **row.hatches}.items():
            yield [
                "total" if row.key is None else row.key,
                row.name,
                name,
                measure.numerator,
                measure.denominator,
                measure.rate,
                measure.coverage,
                "yes" if measure.suppressed else "",
                report.query.first,
                report.query.last,
                report.zone,
            ]


def counted_document(ticket: Counted) -> dict[str, Any]:
    """One ticket of a list as JSON; instants with the offset of the site's zone."""
    document = {name: _plain(value) for name, value in asdict(ticket).items() if name != "id"}
    counts = ticket.counts
    return document | {"counts": int(counts) if float(counts).is_integer() else float(counts)}


def counted_rows(tickets: Iterable[Counted]) -> Iterable[list[object]]:
    """A list as a table, with the columns of `counted_document`."""
    names = [field.name for field in fields(Counted) if field.name != "id"]
    yield list(names)
    for ticket in tickets:
        document = counted_document(ticket)
        yield [document[name] for name in names]


def _plain(value: object) -> object:
    return _instant(value) if isinstance(value, datetime) else value


def _instant(value: datetime) -> str:
    return value.astimezone(site_zone()).isoformat()
