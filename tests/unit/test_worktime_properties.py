"""Laws of working time over random calendars, against an oracle that walks minute by minute and shares no code."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from feedback.calendars.definition import CalendarDefinition, WeekRow
from feedback.calendars.worktime import (
    Calendar,
    add_working_days,
    add_working_time,
    next_opening,
    previous_closing,
    subtract_working_days,
    subtract_working_time,
    working_time_between,
)
from tests.support.random_calendars import Twin, twins

PLACES = st.integers(-2 * 1440, 4 * 1440) | st.integers(-2 * 96, 4 * 96).map(lambda quarters: quarters * 15)
"""Windows open and close on quarters of an hour, so half of the draws meet an opening or a closing exactly."""
AMOUNTS = st.integers(1, 2000) | st.integers(1, 130).map(lambda quarters: quarters * 15)
MINUTE = timedelta(minutes=1)
Law = Callable[[Twin, int, int, int], None]


def adding_agrees_with_the_oracle(twin: Twin, place: int, other: int, amount: int) -> None:
    start = twin.instant(place)
    assert add_working_time(start, amount * MINUTE, twin.engine) == twin.slow.add(start, amount)


def subtracting_agrees_with_the_oracle(twin: Twin, place: int, other: int, amount: int) -> None:
    end = twin.instant(place)
    assert subtract_working_time(end, amount * MINUTE, twin.engine) == twin.slow.subtract(end, amount)


def measuring_agrees_with_the_oracle(twin: Twin, place: int, other: int, amount: int) -> None:
    start, end = sorted((twin.instant(place), twin.instant(other)))
    assert working_time_between(start, end, twin.engine) == twin.slow.between(start, end) * MINUTE


def working_days_agree_with_the_oracle(twin: Twin, place: int, other: int, amount: int) -> None:
    start, days = twin.instant(place), 1 + amount % 5
    assert add_working_days(start, days, twin.engine) == twin.slow.add_days(start, days)
    assert subtract_working_days(start, days, twin.engine) == twin.slow.subtract_days(start, days)


def elapsed_is_the_inverse_of_the_deadline(twin: Twin, place: int, other: int, amount: int) -> None:
    start, duration = twin.instant(place), timedelta(seconds=amount * 61, microseconds=other % 7)
    assert working_time_between(start, add_working_time(start, duration, twin.engine), twin.engine) == duration
    assert working_time_between(subtract_working_time(start, duration, twin.engine), start, twin.engine) == duration


def amounts_add_up(twin: Twin, place: int, other: int, amount: int) -> None:
    start, one, two = twin.instant(place), amount * MINUTE, abs(other) * MINUTE
    at_once = add_working_time(start, one + two, twin.engine)
    assert add_working_time(add_working_time(start, one, twin.engine), two, twin.engine) == at_once


def later_starts_and_larger_amounts_end_later(twin: Twin, place: int, other: int, amount: int) -> None:
    first, second = sorted((twin.instant(place), twin.instant(other)))
    cal = twin.engine
    assert add_working_time(first, amount * MINUTE, cal) <= add_working_time(second, amount * MINUTE, cal)
    assert add_working_time(first, amount * MINUTE, cal) < add_working_time(first, (amount + 1) * MINUTE, cal)
    days = 1 + amount % 5
    assert add_working_days(first, days, cal) < add_working_days(first, days + 1, cal)
    assume(not any(cal.local(next_opening(each, cal)).fold for each in (first, second)))
    assert add_working_days(first, days, cal) <= add_working_days(second, days, cal)


def there_and_back_differ_by_no_working_time(twin: Twin, place: int, other: int, amount: int) -> None:
    start, cal = twin.instant(place), twin.engine
    back = subtract_working_time(add_working_time(start, amount * MINUTE, cal), amount * MINUTE, cal)
    assert working_time_between(min(start, back), max(start, back), cal) == timedelta(0)


def opening_and_closing_bound_the_gap(twin: Twin, place: int, other: int, amount: int) -> None:
    instant, cal = twin.instant(place), twin.engine
    before, after = previous_closing(instant, cal), next_opening(instant, cal)
    assert before <= instant <= after
    assert working_time_between(before, after, cal) == timedelta(0)
    assert twin.slow.is_open(after)
    assert twin.slow.is_open(before - MINUTE)


def order_and_splitting_of_windows_do_not_matter(twin: Twin, place: int, other: int, amount: int) -> None:
    definition = twin.engine.definition
    halves = tuple(
        WeekRow(
            row.days,
            tuple(
                half
                for window in reversed(row.windows)
                for half in (
                    type(window)((window.opens + window.closes) // 2, window.closes),
                    type(window)(window.opens, (window.opens + window.closes) // 2),
                )
            ),
            row.span,
        )
        for row in definition.weeks
    )
    split = Calendar(CalendarDefinition("split", halves, definition.dates, definition.zone, definition.base))
    start = twin.instant(place)
    assert add_working_time(start, amount * MINUTE, split) == add_working_time(start, amount * MINUTE, twin.engine)
    assert add_working_days(start, 1 + amount % 5, split) == add_working_days(start, 1 + amount % 5, twin.engine)


LAWS: list[Law] = [
    adding_agrees_with_the_oracle,
    subtracting_agrees_with_the_oracle,
    measuring_agrees_with_the_oracle,
    working_days_agree_with_the_oracle,
    elapsed_is_the_inverse_of_the_deadline,
    amounts_add_up,
    later_starts_and_larger_amounts_end_later,
    there_and_back_differ_by_no_working_time,
    opening_and_closing_bound_the_gap,
    order_and_splitting_of_windows_do_not_matter,
]


def _hold(law: Law, examples: int) -> None:
    quiet = settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    quiet(given(twins(), PLACES, PLACES, AMOUNTS)(law))()


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law_holds_over_random_calendars(law: Law) -> None:
    _hold(law, 60)


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law_holds_over_many_random_calendars(law: Law) -> None:
    _hold(law, 1000)
