"""A year's official notice as people copy it, a span a line, into rows of a calendars file. Pure: nothing is read or kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from feedback.calendars.definition import OFFICIAL_CODE
from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text

_DAY = r"(?:(?P<{0}y>[0-9]{{4}})\s*[-年./])?\s*(?:(?P<{0}m>[0-9]{{1,2}})\s*[-月./]\s*)?(?P<{0}d>[0-9]{{1,2}})\s*日?"
_DASH = r"(?:/|~|～|至|到|—|–|-|\bto\b)"
_LINE = re.compile(
    rf"{_DAY.format('a')}(?:[(（][^)）]*[)）])?(?:\s*{_DASH}\s*{_DAY.format('b')}(?:[(（][^)）]*[)）])?)?(?![0-9])\s*[:：,，]?\s*(?P<note>.*)"
)
LONGEST_NOTE = 120


def notice_rows(year: int, holidays: str, workdays: str) -> list[dict[str, str]]:
    """Rows of a calendars file (calendar, rule, date, note) for the lines of a notice of `year`.

    A line is a day or a span and perhaps a note: `10-01/10-07 National Day`, `2027-10-01`, `10月1日至7日 国庆节`. Raises
    Invalid (`holidays`, `workdays`) that names the line which is none, or lies in another year.
    """
    rows = []
    errors = {}
    for field, rule, text in (("holidays", "holiday", holidays), ("workdays", "workday", workdays)):
        try:
            rows += [
                {"calendar": OFFICIAL_CODE, "rule": rule, "date": f"{first}/{last}", "note": note[:LONGEST_NOTE]}
                for first, last, note in _spans(year, text, field)
            ]
        except Invalid as invalid:
            errors.update(invalid.errors)
    if not errors and not any(row["rule"] == "holiday" for row in rows):
        errors["holidays"] = Text(N_("A notice has days off: write at least one line."))
    if errors:
        raise Invalid(errors)
    return rows


def _spans(year: int, text: str, field: str) -> Iterator[tuple[date, date, str]]:
    for line in text.splitlines():
        if not line.strip():
            continue
        found = _LINE.fullmatch(line.strip())
        span = _span(found, year) if found else None
        if found is None or span is None or span[1] < span[0]:
            advice = N_("“%(line)s” is no day and no span; write 10-01/10-07 or 10月1日至7日, and a note after it.")
            raise Invalid({field: Text(advice, line=line.strip()[:60])})
        if (span[0].year, span[1].year) != (year, year):
            raise Invalid(
                {field: Text(N_("“%(line)s” does not lie in %(year)s."), line=line.strip()[:60], year=str(year))}
            )
        yield *span, found["note"].strip()


def _span(found: re.Match[str], year: int) -> tuple[date, date] | None:
    if found["am"] is None:
        return None
    first_year, month = int(found["ay"] or year), int(found["am"])
    try:
        first = date(first_year, month, int(found["ad"]))
        if found["bd"] is None:
            return first, first
        return first, date(int(found["by"] or first_year), int(found["bm"] or month), int(found["bd"]))
    except ValueError:
        return None
