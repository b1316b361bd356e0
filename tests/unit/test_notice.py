"""A year's official notice as people copy it: spans and days in several spellings, and lines that are none."""

from __future__ import annotations

import pytest

from feedback.calendars.notice import notice_rows
from feedback.kernel.errors import Invalid


def rows(holidays: str, workdays: str = "", year: int = 2027) -> list[tuple[str, str, str]]:
    return [(row["rule"], row["date"], row["note"]) for row in notice_rows(year, holidays, workdays)]


@pytest.mark.parametrize(
    ("line", "date", "note"),
    [
        ("10-01/10-07 National Day", "2027-10-01/2027-10-07", "National Day"),
        ("2027-10-01/2027-10-07", "2027-10-01/2027-10-07", ""),
        ("10月1日至7日 国庆节", "2027-10-01/2027-10-07", "国庆节"),
        ("10月1日（周五）至10月7日（周四）：国庆节", "2027-10-01/2027-10-07", "国庆节"),
        ("2027年5月1日至5日", "2027-05-01/2027-05-05", ""),
        ("6月9日", "2027-06-09/2027-06-09", ""),
        ("4-5 to 4-7, Qingming", "2027-04-05/2027-04-07", "Qingming"),
    ],
)
def test_admin_types_a_span_as_they_read_it(line: str, date: str, note: str) -> None:
    assert rows(line) == [("holiday", date, note)]


def test_admin_types_days_off_and_make_up_days() -> None:
    assert rows("1-1/1-3 元旦\n\n10-1/10-7\n", "1月4日\n10-09 Saturday") == [
        ("holiday", "2027-01-01/2027-01-03", "元旦"),
        ("holiday", "2027-10-01/2027-10-07", ""),
        ("workday", "2027-01-04/2027-01-04", ""),
        ("workday", "2027-10-09/2027-10-09", "Saturday"),
    ]


@pytest.mark.parametrize(
    ("holidays", "workdays", "field"),
    [
        ("", "", "holidays"),
        ("soon", "", "holidays"),
        ("13-01", "", "holidays"),
        ("02-30", "", "holidays"),
        ("10-07/10-01", "", "holidays"),
        ("2026-10-01", "", "holidays"),
        ("10-01", "2028-01-04", "workdays"),
        ("10-01", "all Saturdays", "workdays"),
        ("10-01", "10-0" + "9" * 400, "workdays"),
    ],
)
def test_admin_whose_line_is_no_day_of_that_year_reads_which(holidays: str, workdays: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        notice_rows(2027, holidays, workdays)
    assert list(refused.value.errors) == [field]
