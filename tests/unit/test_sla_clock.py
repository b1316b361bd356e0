"""When clocks are due: units, pauses and their edge cases (numbers as in the list they were designed against)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from feedback.calendars.worktime import Calendar
from feedback.kernel.errors import Invalid
from feedback.sla.amounts import need_amount
from feedback.sla.clock import PauseSpan, due_at, merge_pauses, offset_at, share_at
from tests.support.calendars import CHINA, at, calendar, dated, week

TOWN = calendar(week(), base=CHINA)


def due(start: str, amount: str, *pauses: str, of: Calendar = TOWN) -> datetime:
    """Pauses are written `2026-10-12 09:00/2026-10-12 10:00`."""
    return due_at(at(start), need_amount(amount), of, spans(*pauses))


def spans(*pauses: str) -> list[PauseSpan]:
    return [PauseSpan(at(begins), at(ends)) for begins, ends in (pause.split("/") for pause in pauses)]


def test_units_of_one_policy_run_each_in_their_own_time() -> None:
    """Case 25: the same Friday afternoon, three kinds of clock."""
    start = "2026-10-16 16:30"
    assert due(start, "2h") == at("2026-10-16 18:30")
    assert due(start, "2d") == at("2026-10-18 16:30")
    assert due(start, "90wmin") == at("2026-10-19 09:30")
    assert due(start, "4wh") == at("2026-10-19 12:00")
    assert due(start, "2wd") == at("2026-10-20 16:30")


PAUSES = (
    ("natural: by its length", "4h", "2026-10-12 10:00/2026-10-12 10:45", "2026-10-12 13:45"),
    ("natural: nights count too", "4h", "2026-10-12 10:00/2026-10-13 10:00", "2026-10-13 13:00"),
    ("39 working: only working time inside", "4wh", "2026-10-12 11:00/2026-10-12 14:30", "2026-10-12 16:30"),
    ("39 working: a weekend adds nothing", "5wd", "2026-10-16 18:00/2026-10-19 08:00", "2026-10-19 09:00"),
    ("39 working: a holiday adds nothing", "5wd", "2026-10-17 00:00/2026-10-19 00:00", "2026-10-19 09:00"),
    ("40 over local midnight", "4wh", "2026-10-12 11:00/2026-10-13 10:00", "2026-10-13 12:00"),
    ("days: working time after the base target", "1wd", "2026-10-12 11:00/2026-10-12 15:00", "2026-10-13 11:00"),
    ("42 begun exactly at the due instant", "4h", "2026-10-12 13:00/2026-10-12 18:00", "2026-10-12 13:00"),
    ("42 begun after the due instant", "4wh", "2026-10-12 15:30/2026-10-12 16:00", "2026-10-12 15:00"),
    ("43 ends exactly at the base due", "4h", "2026-10-12 12:00/2026-10-12 13:00", "2026-10-12 14:00"),
    ("ended before the start", "4h", "2026-10-11 12:00/2026-10-12 09:00", "2026-10-12 13:00"),
    ("37 born paused, by half", "4h", "2026-10-12 08:00/2026-10-12 10:00", "2026-10-12 14:00"),
)


@pytest.mark.parametrize(("case", "amount", "pause", "expected"), PAUSES, ids=[row[0] for row in PAUSES])
def test_pause_lengthens_a_clock_in_its_own_time(case: str, amount: str, pause: str, expected: str) -> None:
    assert due("2026-10-12 09:00", amount, pause) == at(expected), case


def test_clock_born_paused_begins_when_the_pause_ends() -> None:
    """Case 37."""
    assert due("2026-10-12 09:00", "90wmin", "2026-10-12 08:00/2026-10-12 15:00") == at("2026-10-12 16:30")


def test_many_pauses_of_one_day_add_up_whatever_their_order() -> None:
    """Case 38."""
    pauses = [
        "2026-10-12 09:30/2026-10-12 09:40",
        "2026-10-12 10:00/2026-10-12 10:05",
        "2026-10-12 11:50/2026-10-12 14:10",
    ]
    assert due("2026-10-12 09:00", "4wh", *pauses) == at("2026-10-12 15:35")
    assert due("2026-10-12 09:00", "4wh", *reversed(pauses)) == at("2026-10-12 15:35")


def test_pause_counts_only_because_an_earlier_one_moved_the_due_instant() -> None:
    first, second = "2026-10-12 12:00/2026-10-12 15:00", "2026-10-12 14:00/2026-10-12 15:30"
    late = "2026-10-12 15:45/2026-10-12 16:45"
    assert due("2026-10-12 09:00", "4h", late) == at("2026-10-12 13:00")
    assert due("2026-10-12 09:00", "4h", first, late) == at("2026-10-12 17:00")
    assert due("2026-10-12 09:00", "4h", first, second, late) == at("2026-10-12 17:30")


def test_pausing_twice_at_once_counts_once() -> None:
    """Case 44: the same pause twice, one inside another, and one cut into touching halves."""
    whole = "2026-10-12 10:00/2026-10-12 11:00"
    expected = due("2026-10-12 09:00", "4h", whole)
    assert due("2026-10-12 09:00", "4h", whole, whole) == expected
    assert due("2026-10-12 09:00", "4h", whole, "2026-10-12 10:15/2026-10-12 10:30") == expected
    halves = ("2026-10-12 10:00/2026-10-12 10:20", "2026-10-12 10:20/2026-10-12 11:00")
    assert due("2026-10-12 09:00", "4h", *halves) == expected


def test_touching_halves_of_a_pause_count_like_the_whole_even_at_the_due_instant() -> None:
    """Case 44: a day clock due at an opening, paused from the gap before it over that opening."""
    cal = calendar(week("09:00-12:00;14:00-18:00"), dated("half", "2026-10-12", "09:00-18:00"))
    start = "2026-10-12 13:00"
    assert due(start, "1wd", of=cal) == at("2026-10-13 14:00")
    whole = due(start, "1wd", "2026-10-13 12:30/2026-10-13 15:00", of=cal)
    halves = ("2026-10-13 12:30/2026-10-13 14:30", "2026-10-13 14:30/2026-10-13 15:00")
    assert due(start, "1wd", *halves, of=cal) == whole == at("2026-10-13 15:00")


def test_pause_that_ends_before_it_begins_or_has_no_offset_is_refused() -> None:
    with pytest.raises(Invalid):
        PauseSpan(at("2026-10-12 10:00"), at("2026-10-12 09:00"))
    with pytest.raises(Invalid):
        PauseSpan(datetime(2026, 10, 12, 9), at("2026-10-12 10:00"))  # noqa: DTZ001


def test_merged_pauses_keep_every_reason_once() -> None:
    pauses = [
        PauseSpan(at("2026-10-12 10:00"), at("2026-10-12 11:00"), ("suspended",)),
        PauseSpan(at("2026-10-12 10:30"), at("2026-10-12 12:00"), ("waiting_for_submitter",)),
        PauseSpan(at("2026-10-12 10:40"), at("2026-10-12 10:50"), ("suspended",)),
    ]
    (merged,) = merge_pauses(pauses, at("2026-10-12 10:15"))
    assert (merged.begins, merged.ends) == (at("2026-10-12 10:15"), at("2026-10-12 12:00"))
    assert merged.reasons == ("suspended", "waiting_for_submitter")


@pytest.mark.parametrize(
    ("amount", "percent", "expected"),
    [
        ("4h", 50, "2026-10-16 18:00"),
        ("4wh", 50, "2026-10-19 09:30"),
        ("4wh", 25, "2026-10-16 17:00"),
        ("2wd", 50, "2026-10-19 16:00"),
        ("2wd", 100, "2026-10-20 16:00"),
    ],
)
def test_share_of_a_clock_is_counted_in_its_own_time(amount: str, percent: int, expected: str) -> None:
    assert share_at(at("2026-10-16 16:00"), need_amount(amount), TOWN, [], percent) == at(expected)


def test_share_is_of_the_time_up_to_the_due_instant_as_pauses_moved_it() -> None:
    pauses = spans("2026-10-12 10:00/2026-10-12 12:00")
    assert share_at(at("2026-10-12 09:00"), need_amount("4h"), TOWN, pauses, 50) == at("2026-10-12 12:00")


@pytest.mark.parametrize(
    ("amount", "is_before", "expected"),
    [
        ("1wd", False, "2026-10-20 09:10"),
        ("1wh", True, "2026-10-16 16:40"),
        ("1wd", True, "2026-10-16 09:10"),
        ("1h", True, "2026-10-19 08:10"),
        ("30min", False, "2026-10-19 09:40"),
    ],
)
def test_offset_from_a_due_instant_goes_both_ways(amount: str, is_before: bool, expected: str) -> None:
    """Case 24 among them: Monday 09:10 minus a working hour lands on Friday."""
    assert offset_at(at("2026-10-19 09:10"), need_amount(amount), TOWN, is_before=is_before) == at(expected)


def test_due_instants_are_in_utc_and_a_start_without_offset_is_refused() -> None:
    assert due("2026-10-12 09:00", "4wh").utcoffset() == timedelta(0)
    for amount in ("2h", "4wh", "3wd"):
        with pytest.raises(Invalid):
            due_at(datetime(2026, 10, 12, 9), need_amount(amount), TOWN)  # noqa: DTZ001
