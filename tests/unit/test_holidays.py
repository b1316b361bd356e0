"""China's official days against the notices of 2025 and 2026, typed in by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from feedback.calendars.holidays import is_year_known, latest_known_year, official_days

NOTICES = {
    2025: (
        "01-01/01-01 01-28/02-04 04-04/04-06 05-01/05-05 05-31/06-02 10-01/10-08",
        "01-26 02-08 04-27 09-28 10-11",
    ),
    2026: (
        "01-01/01-03 02-15/02-23 04-04/04-06 05-01/05-05 06-19/06-21 09-25/09-27 10-01/10-07",
        "01-04 02-14 02-28 05-09 09-20 10-10",
    ),
}


@pytest.mark.parametrize("year", sorted(NOTICES))
def test_official_days_are_those_of_the_notice(year: int) -> None:
    spans, makeup = NOTICES[year]
    expected: dict[date, str] = {}
    for span in spans.split():
        first, last = (date.fromisoformat(f"{year}-{end}") for end in span.split("/"))
        expected.update((first + timedelta(days=n), "holiday") for n in range((last - first).days + 1))
    expected.update((date.fromisoformat(f"{year}-{day}"), "workday") for day in makeup.split())
    assert official_days(year) == expected


def test_year_without_a_notice_is_unknown_and_has_no_guessed_days() -> None:
    ahead = latest_known_year() + 1
    assert not is_year_known(ahead)
    assert official_days(ahead) == {}


def test_years_of_the_notices_are_known() -> None:
    assert all(is_year_known(year) for year in range(2004, 2027))
    assert latest_known_year() >= 2026
