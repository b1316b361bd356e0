"""Laws of paused clocks over random calendars, against counting the minutes that are open and not paused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback.calendars.worktime import working_time_between
from feedback.sla.amounts import Amount
from feedback.sla.clock import PauseSpan, due_at, share_at
from tests.support.random_calendars import Twin, twins

MINUTE = timedelta(minutes=1)
PAUSES = st.lists(st.tuples(st.integers(-600, 4000), st.integers(0, 900)), max_size=5)
Law = Callable[[Twin, int, int, list[tuple[int, int]]], None]


def _spans(twin: Twin, pauses: list[tuple[int, int]]) -> list[PauseSpan]:
    return [PauseSpan(twin.instant(begins), twin.instant(begins + length)) for begins, length in pauses]


def _count(start: datetime, minutes: int, runs: Callable[[datetime], bool]) -> datetime:
    instant = start
    while minutes:
        minutes -= runs(instant)
        instant += MINUTE
    return instant


def working_minutes_are_those_open_and_not_paused(
    twin: Twin, place: int, count: int, pauses: list[tuple[int, int]]
) -> None:
    start, spans = twin.instant(place), _spans(twin, pauses)
    due = due_at(start, Amount(count, "wmin"), twin.engine, spans)
    expected = _count(start, count, lambda t: twin.slow.is_open(t) and not any(s.begins <= t < s.ends for s in spans))
    assert due == expected


def natural_minutes_are_those_not_paused(twin: Twin, place: int, count: int, pauses: list[tuple[int, int]]) -> None:
    start, spans = twin.instant(place), _spans(twin, pauses)
    due = due_at(start, Amount(count, "min"), twin.engine, spans)
    assert due == _count(start, count, lambda t: not any(s.begins <= t < s.ends for s in spans))


def working_days_grow_by_the_working_time_paused(
    twin: Twin, place: int, count: int, pauses: list[tuple[int, int]]
) -> None:
    start, days = twin.instant(place), 1 + count % 4
    expected = twin.slow.add_days(start, days)
    covered: list[tuple[datetime, datetime]] = []
    for span in sorted(_spans(twin, pauses), key=lambda s: s.begins):
        begins = max(span.begins, start)
        if covered and begins <= covered[-1][1]:
            covered[-1] = (covered[-1][0], max(covered[-1][1], span.ends))
        elif span.ends > begins:
            covered.append((begins, span.ends))
    for begins, ends in covered:
        if begins < expected:
            expected = twin.slow.add(expected, twin.slow.between(begins, ends))
    assert due_at(start, Amount(days, "wd"), twin.engine, _spans(twin, pauses)) == expected


def shares_never_fall_and_end_at_the_due_instant(
    twin: Twin, place: int, count: int, pauses: list[tuple[int, int]]
) -> None:
    start, spans = twin.instant(place), _spans(twin, pauses)
    for amount in (Amount(count, "min"), Amount(count, "wmin"), Amount(1 + count % 4, "wd")):
        shares = [share_at(start, amount, twin.engine, spans, percent) for percent in (1, 50, 80, 100, 150)]
        assert shares == sorted(shares)
        assert shares[3] == due_at(start, amount, twin.engine, spans)


def natural_and_working_amounts_add_up_and_are_measured_back(
    twin: Twin, place: int, count: int, pauses: list[tuple[int, int]]
) -> None:
    start, more = twin.instant(place), 1 + len(pauses) * 37
    for unit in ("min", "wmin"):
        first = due_at(start, Amount(count, unit), twin.engine)
        at_once = due_at(start, Amount(count + more, unit), twin.engine)
        assert due_at(first, Amount(more, unit), twin.engine) == at_once
        passed = at_once - start if unit == "min" else working_time_between(start, at_once, twin.engine)
        assert passed == (count + more) * MINUTE


def larger_amounts_and_later_starts_are_due_later(
    twin: Twin, place: int, count: int, pauses: list[tuple[int, int]]
) -> None:
    start, later = twin.instant(place), twin.instant(place + 1 + len(pauses) * 101)
    spans = _spans(twin, pauses)
    for amount in (Amount(count, "min"), Amount(count, "wmin"), Amount(1 + count % 4, "wd")):
        larger = Amount(amount.count + 1, amount.unit)
        assert due_at(start, amount, twin.engine) < due_at(start, larger, twin.engine)
        assert due_at(start, amount, twin.engine) <= due_at(start, amount, twin.engine, spans)
        if amount.unit != "wd":  # A day's time of day can come earlier after a clock change in between.
            assert due_at(start, amount, twin.engine, spans) <= due_at(start, larger, twin.engine, spans)
            assert due_at(start, amount, twin.engine) <= due_at(later, amount, twin.engine)


LAWS: list[Law] = [
    natural_and_working_amounts_add_up_and_are_measured_back,
    larger_amounts_and_later_starts_are_due_later,
    working_minutes_are_those_open_and_not_paused,
    natural_minutes_are_those_not_paused,
    working_days_grow_by_the_working_time_paused,
    shares_never_fall_and_end_at_the_due_instant,
]


def _hold(law: Law, examples: int) -> None:
    quiet = settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    quiet(given(twins(), st.integers(-1000, 1000), st.integers(1, 1500), PAUSES)(law))()


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law_of_clocks_holds_over_random_pauses(law: Law) -> None:
    _hold(law, 50)


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law_of_clocks_holds_over_many_random_pauses(law: Law) -> None:
    _hold(law, 1000)
