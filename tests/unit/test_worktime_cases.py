"""The calendar's edge cases (numbers are those of the list of edge cases that the deadlines were designed against)."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest

from feedback.calendars.definition import CalendarDefinition, from_json, to_json
from feedback.calendars.worktime import (
    Calendar,
    add_working_days,
    add_working_time,
    next_opening,
    previous_closing,
    subtract_working_days,
    subtract_working_time,
    unknown_years,
    working_time_between,
)
from feedback.kernel.errors import Invalid
from tests.support.calendars import CHINA, EVERY_DAY, WEEKDAYS, at, calendar, dated, week

TOWN = calendar(week(), base=CHINA)
ROUND_THE_CLOCK = calendar(week("00:00-24:00", EVERY_DAY))


def minutes(start: str, count: int, of: Calendar = TOWN) -> datetime:
    return add_working_time(at(start), timedelta(minutes=count), of)


MINUTES = (
    ("01 inside a window", "2026-10-12 09:30", 60, "2026-10-12 10:30"),
    ("01 over the noon break", "2026-10-12 11:30", 60, "2026-10-12 14:30"),
    ("02 before opening", "2026-10-12 07:00", 60, "2026-10-12 10:00"),
    ("03 after closing", "2026-10-12 19:00", 60, "2026-10-13 10:00"),
    ("04 exactly at the opening", "2026-10-12 09:00", 60, "2026-10-12 10:00"),
    ("05 exactly at the closing", "2026-10-12 17:30", 60, "2026-10-13 10:00"),
    ("05 exactly at the noon closing", "2026-10-12 12:00", 60, "2026-10-12 15:00"),
    ("06 in the noon break", "2026-10-12 13:00", 60, "2026-10-12 15:00"),
    ("07 Friday evening", "2026-10-16 18:00", 60, "2026-10-19 10:00"),
    ("08 weekend", "2026-10-17 11:00", 60, "2026-10-19 10:00"),
    ("09 first day of a seven-day holiday", "2026-10-01 09:00", 60, "2026-10-08 10:00"),
    ("10 make-up Saturday counts", "2026-10-10 09:00", 60, "2026-10-10 10:00"),
    ("11 make-up Sunday before the holiday", "2026-09-20 16:30", 120, "2026-09-21 10:00"),
    ("19 year end, into a year that is known", "2025-12-31 17:00", 60, "2026-01-04 09:30"),
    ("target exactly at a closing stays there", "2026-10-12 09:00", 180, "2026-10-12 12:00"),
    ("a second and a microsecond are kept", "2026-10-12 17:29:59.000001", 1, "2026-10-13 09:00:59.000001"),
)


@pytest.mark.parametrize(("case", "start", "count", "due"), MINUTES, ids=[row[0] for row in MINUTES])
def test_working_minutes_end_at_the_right_instant(case: str, start: str, count: int, due: str) -> None:
    assert minutes(start, count) == at(due), case
    assert working_time_between(at(start), at(due), TOWN) == timedelta(minutes=count), case


DAYS = (
    ("same time of day", "2026-10-12 10:15", 1, "2026-10-13 10:15"),
    ("over a weekend", "2026-10-16 10:15", 1, "2026-10-19 10:15"),
    ("26 a start after closing counts from the next opening", "2026-10-12 18:00", 1, "2026-10-14 09:00"),
    ("a start at the closing instant too", "2026-10-12 17:30", 1, "2026-10-14 09:00"),
    ("a start in the noon break has the afternoon's opening", "2026-10-12 13:00", 1, "2026-10-13 14:00"),
    ("09 over a seven-day holiday", "2026-09-30 17:00", 1, "2026-10-08 17:00"),
    ("10 a make-up Saturday is a working day", "2026-10-09 17:00", 1, "2026-10-10 17:00"),
    ("08 a weekend start", "2026-10-17 20:00", 2, "2026-10-21 09:00"),
    ("19 leap day", "2028-02-28 10:00", 1, "2028-02-29 10:00"),
)


@pytest.mark.parametrize(("case", "start", "days", "due"), DAYS, ids=[row[0] for row in DAYS])
def test_working_days_end_at_the_right_instant(case: str, start: str, days: int, due: str) -> None:
    assert add_working_days(at(start), days, TOWN) == at(due), case


def test_half_day_has_only_its_own_windows() -> None:
    """Case 12; a working day whose target time of day is past its closing is due at the closing."""
    cal = calendar(week(), dated("half", "2026-10-13", "09:00-11:30"))
    assert minutes("2026-10-13 11:00", 60, cal) == at("2026-10-14 09:30")
    assert add_working_days(at("2026-10-12 16:00"), 1, cal) == at("2026-10-13 11:30")
    assert add_working_days(at("2026-10-12 09:15"), 1, cal) == at("2026-10-13 09:15")


def test_time_of_day_in_a_gap_of_the_target_day_goes_to_the_next_opening() -> None:
    cal = calendar(week(), dated("half", "2026-10-13", "09:00-10:00;11:00-12:00;15:00-16:00"))
    assert add_working_days(at("2026-10-12 10:30"), 1, cal) == at("2026-10-13 11:00")
    assert add_working_days(at("2026-10-12 14:30"), 1, cal) == at("2026-10-13 15:00")
    assert subtract_working_days(at("2026-10-14 10:30"), 1, cal) == at("2026-10-13 10:00")
    assert subtract_working_days(at("2026-10-14 14:30"), 1, cal) == at("2026-10-13 12:00")


def test_time_of_day_at_an_edge_of_the_target_day_counts_as_outside() -> None:
    """Forwards a closing is outside working time, backwards an opening is."""
    forwards = calendar(week(), dated("half", "2026-10-13", "09:00-10:30;15:00-16:00"))
    assert add_working_days(at("2026-10-12 10:30"), 1, forwards) == at("2026-10-13 15:00")
    backwards = calendar(week(), dated("half", "2026-10-13", "09:00-10:00;10:30-16:00"))
    assert subtract_working_days(at("2026-10-14 10:30"), 1, backwards) == at("2026-10-13 10:00")
    assert subtract_working_days(at("2026-10-14 09:00"), 1, forwards) == at("2026-10-12 16:00")
    assert previous_closing(at("2026-10-14 09:00"), forwards) == at("2026-10-13 16:00")


def test_day_that_opens_late_gives_its_opening_backwards() -> None:
    cal = calendar(week(), dated("half", "2026-10-13", "15:00-16:00"))
    assert subtract_working_days(at("2026-10-14 10:30"), 1, cal) == at("2026-10-13 15:00")


def test_holiday_added_later_moves_the_deadline_and_removed_moves_it_back() -> None:
    """Cases 13 and 14."""
    before, after = calendar(week()), calendar(week(), dated("holiday", "2026-10-13"))
    assert minutes("2026-10-12 17:00", 60, before) == at("2026-10-13 09:30")
    assert minutes("2026-10-12 17:00", 60, after) == at("2026-10-14 09:30")


def test_calendar_without_windows_is_refused() -> None:
    """Case 15."""
    with pytest.raises(Invalid) as refused:
        Calendar(CalendarDefinition("empty", base=CHINA))
    assert "windows" in refused.value.errors


def test_calendar_that_runs_out_is_refused_instead_of_looping() -> None:
    """Case 15, for a calendar with a single day."""
    cal = calendar(dated("half", "2026-10-13", "09:00-10:00"))
    with pytest.raises(Invalid) as refused:
        minutes("2026-10-13 09:00", 61, cal)
    assert "calendar" in refused.value.errors
    with pytest.raises(Invalid):
        add_working_days(at("2026-10-13 09:00"), 1, cal)
    with pytest.raises(Invalid):
        subtract_working_time(at("2026-10-13 09:30"), timedelta(hours=1), cal)


def test_round_the_clock_calendar_loses_nothing_at_midnight() -> None:
    """Cases 16 and 17."""
    assert minutes("2026-10-12 23:59", 2, ROUND_THE_CLOCK) == at("2026-10-13 00:01")
    span = working_time_between(at("2026-01-01 00:00"), at("2027-01-01 00:00"), ROUND_THE_CLOCK)
    assert span == timedelta(days=365)
    assert add_working_days(at("2026-10-12 00:00"), 1, ROUND_THE_CLOCK) == at("2026-10-13 00:00")
    assert subtract_working_days(at("2026-10-13 00:00"), 1, ROUND_THE_CLOCK) == at("2026-10-12 00:00")


def test_window_may_end_at_midnight() -> None:
    """Case 17."""
    cal = calendar(week("20:00-24:00"))
    assert minutes("2026-10-12 23:30", 60, cal) == at("2026-10-13 20:30")
    assert minutes("2026-10-12 20:00", 240, cal) == at("2026-10-13 00:00")
    assert previous_closing(at("2026-10-13 08:00"), cal) == at("2026-10-13 00:00")
    assert subtract_working_days(at("2026-10-14 00:00"), 1, cal) == at("2026-10-13 00:00")


def test_summer_hours_hold_inside_their_span_every_year() -> None:
    """Case 18; the later row wins where it speaks, the first row gives the hours of a make-up workday."""
    cal = calendar(week("09:00-17:00"), week("08:00-14:00", span="06-01/09-30"), dated("workday", "2026-07-04"))
    assert minutes("2026-05-29 16:00", 120, cal) == at("2026-06-01 09:00")
    assert minutes("2026-09-30 13:00", 120, cal) == at("2026-10-01 10:00")
    assert minutes("2027-06-01 13:00", 120, cal) == at("2027-06-02 09:00")
    assert minutes("2026-07-04 16:00", 60, cal) == at("2026-07-04 17:00")
    assert add_working_days(at("2026-05-29 16:00"), 1, cal) == at("2026-06-01 14:00")


def test_winter_span_goes_over_new_year_and_a_dated_span_holds_once() -> None:
    """Case 18."""
    winter = calendar(week("08:00-18:00"), week("10:00-16:00", span="11-15/02-15"))
    assert next_opening(at("2026-12-31 07:00"), winter) == at("2026-12-31 10:00")
    assert next_opening(at("2027-02-16 07:00"), winter) == at("2027-02-16 08:00")
    once = calendar(week("08:00-18:00"), week("10:00-16:00", span="2026-07-01/2026-07-31"))
    assert next_opening(at("2026-07-31 07:00"), once) == at("2026-07-31 10:00")
    assert next_opening(at("2027-07-30 07:00"), once) == at("2027-07-30 08:00")


def test_year_without_a_notice_counts_weekdays_and_is_marked() -> None:
    """Case 19."""
    ahead = CHINA.official_through + 1
    assert minutes(f"{ahead}-01-01 09:00", 60) == at(f"{ahead}-01-01 10:00")
    assert unknown_years(at("2026-12-30 09:00"), at(f"{ahead}-01-02 09:00"), TOWN) == (ahead,)
    assert unknown_years(at("2026-12-30 09:00"), at(f"{ahead}-01-02 09:00"), calendar(week())) == ()


def test_imported_notice_makes_its_year_known() -> None:
    """Case 19."""
    notice = CalendarDefinition(
        "cn", dates=(dated("holiday", "2027-01-01/2027-01-03"),), official=True, official_through=2026
    )
    cal = calendar(week(), base=notice)
    assert minutes("2027-01-01 09:00", 60, cal) == at("2027-01-04 10:00")
    assert unknown_years(at("2026-12-30 09:00"), at("2027-06-01 09:00"), cal) == ()


@pytest.mark.parametrize(
    ("zone", "start", "due"),
    [
        ("Asia/Shanghai", "2026-10-12T08:30:00Z", "2026-10-13T01:30:00Z"),
        ("Asia/Urumqi", "2026-10-12T08:30:00Z", "2026-10-12T09:30:00Z"),
        ("America/New_York", "2026-03-06T21:30:00+00:00", "2026-03-09T13:30:00Z"),
        ("America/New_York", "2026-10-30T20:30:00+00:00", "2026-11-02T14:30:00Z"),
    ],
)
def test_zone_of_the_calendar_gives_the_instant(zone: str, start: str, due: str) -> None:
    """Case 20: an hour from half an hour before closing; the weekends in New York have a change of the clocks."""
    cal = calendar(week("09:00-17:00"), zone=zone)
    assert minutes(start, 60, cal) == at(due)


def test_clock_changes_inside_a_window_take_and_give_an_hour() -> None:
    """Case 20: durations are real time."""
    cal = calendar(week("00:00-06:00", EVERY_DAY), zone="America/New_York")
    spring, autumn = at("2026-03-08T05:00:00Z"), at("2026-11-01T04:00:00Z")
    assert working_time_between(spring, spring + timedelta(hours=12), cal) == timedelta(hours=5)
    assert working_time_between(autumn, autumn + timedelta(hours=12), cal) == timedelta(hours=7)
    assert add_working_time(autumn, timedelta(hours=7), cal) == at("2026-11-01T11:00:00Z")
    skipped = add_working_days(at("2026-03-07T02:30:00-05:00"), 1, cal)
    assert skipped == at("2026-03-08T03:00:00-04:00")
    repeated = add_working_days(at("2026-10-31T01:30:00-04:00"), 1, cal)
    assert repeated == at("2026-11-01T01:30:00-04:00")


def test_repeated_hour_counts_twice_in_a_window_that_ends_inside_it() -> None:
    """Case 20: what the wall clock shows decides, both times."""
    cal = calendar(week("00:00-01:30", EVERY_DAY), zone="America/New_York")
    midnight = at("2026-11-01T00:00:00-04:00")
    assert working_time_between(midnight, midnight + timedelta(hours=6), cal) == timedelta(hours=2)


def test_span_of_400_days_costs_well_under_a_millisecond_when_warm() -> None:
    """Case 21."""
    start, end = at("2026-01-05 09:00"), at("2027-02-09 09:00")
    working_time_between(start, end, TOWN)
    fastest = 1.0
    for _ in range(20):
        before = time.perf_counter()
        working_time_between(start, end, TOWN)
        minutes("2026-01-05 09:00", 100_000)
        add_working_days(start, 270, TOWN)
        fastest = min(fastest, time.perf_counter() - before)
    assert fastest < 0.001


def test_region_overlay_follows_the_written_precedence() -> None:
    """Case 22: own dates beat the base's dates, those beat own weeks, those the base's."""
    county = CalendarDefinition(
        "county",
        weeks=(week("09:00-17:00"), week("10:00-12:00", "sat")),
        dates=(dated("holiday", "2026-10-13/2026-10-14"), dated("workday", "2026-10-18")),
        base=CHINA,
    )
    town = calendar(week("08:00-12:00"), dated("half", "2026-10-14", "15:00-16:00"), base=county)
    assert next_opening(at("2026-10-12 00:00"), town) == at("2026-10-12 08:00")
    assert next_opening(at("2026-10-12 12:00"), town) == at("2026-10-14 15:00")
    assert next_opening(at("2026-10-16 12:00"), town) == at("2026-10-17 10:00")
    assert next_opening(at("2026-10-17 12:00"), town) == at("2026-10-18 08:00")
    assert next_opening(at("2026-10-10 00:00"), town) == at("2026-10-10 08:00")


def test_later_row_of_a_layer_wins_and_an_empty_week_row_closes() -> None:
    cal = calendar(
        week("09:00-17:00", EVERY_DAY),
        week("", "sat;sun"),
        dated("holiday", "2026-10-12/2026-10-16"),
        dated("workday", "2026-10-14", "09:00-10:00"),
    )
    assert next_opening(at("2026-10-10 00:00"), cal) == at("2026-10-14 09:00")
    assert next_opening(at("2026-10-14 10:00"), cal) == at("2026-10-19 09:00")


def test_overlapping_and_touching_windows_are_one() -> None:
    """Case 23."""
    cal = calendar(week("13:00-17:00;09:00-12:00;11:00-13:00"))
    plain = calendar(week("09:00-17:00"))
    assert minutes("2026-10-12 11:30", 120, cal) == minutes("2026-10-12 11:30", 120, plain) == at("2026-10-12 13:30")
    assert working_time_between(at("2026-10-12 00:00"), at("2026-10-13 00:00"), cal) == timedelta(hours=8)
    assert previous_closing(at("2026-10-12 13:00"), cal) == at("2026-10-12 13:00")


def test_backward_level_lands_on_friday() -> None:
    """Case 24."""
    assert subtract_working_time(at("2026-10-19 09:10"), timedelta(hours=1), TOWN) == at("2026-10-16 16:40")


@pytest.mark.parametrize(
    ("end", "count", "begin"),
    [
        ("2026-10-12 18:00", 30, "2026-10-12 17:00"),
        ("2026-10-12 09:00", 30, "2026-10-10 17:00"),
        ("2026-10-12 14:00", 30, "2026-10-12 11:30"),
        ("2026-10-12 12:00", 180, "2026-10-12 09:00"),
        ("2026-10-12 15:00", 60, "2026-10-12 14:00"),
    ],
)
def test_backwards_is_the_mirror_image(end: str, count: int, begin: str) -> None:
    assert subtract_working_time(at(end), timedelta(minutes=count), TOWN) == at(begin)


def test_start_without_an_offset_is_refused() -> None:
    naive = datetime(2026, 10, 12, 9)  # noqa: DTZ001
    for ask in (
        lambda: add_working_time(naive, timedelta(hours=1), TOWN),
        lambda: add_working_days(naive, 1, TOWN),
        lambda: working_time_between(naive, at("2026-10-13 09:00"), TOWN),
        lambda: next_opening(naive, TOWN),
    ):
        with pytest.raises(Invalid):
            ask()


def test_end_before_start_and_negative_amounts_are_refused() -> None:
    with pytest.raises(Invalid):
        working_time_between(at("2026-10-13 09:00"), at("2026-10-12 09:00"), TOWN)
    with pytest.raises(Invalid):
        add_working_time(at("2026-10-13 09:00"), timedelta(seconds=-1), TOWN)
    with pytest.raises(Invalid):
        add_working_days(at("2026-10-13 09:00"), 0, TOWN)


def test_definition_survives_its_stored_form() -> None:
    cal = calendar(
        week(),
        week("08:00-24:00", "sat", span="11-15/02-15"),
        week("10:00-16:00", WEEKDAYS, span="2026-07-01/2026-07-31"),
        dated("half", "2026-10-14/2026-10-15", "15:00-16:00"),
        base=CHINA,
        zone="Asia/Urumqi",
    )
    assert from_json(to_json(cal.definition)) == cal.definition
    assert hash(Calendar(from_json(to_json(cal.definition)))) == hash(cal)
