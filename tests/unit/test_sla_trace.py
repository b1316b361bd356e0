"""The explanation of a due time: it ends where the clock does and tells every day, pause and unknown year."""

from __future__ import annotations

import json
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback.sla.amounts import Amount, need_amount
from feedback.sla.clock import Extension, PauseSpan, due_at
from feedback.sla.trace import explain, to_json
from tests.support.calendars import CHINA, at, calendar, week
from tests.support.random_calendars import Twin, twins

TOWN = calendar(week(), base=CHINA)


def test_explanation_tells_opening_holiday_makeup_day_and_pause() -> None:
    pause = PauseSpan(at("2026-10-09 10:00"), at("2026-10-09 11:00"), ("wait",))
    told = explain(at("2026-09-30 18:00"), need_amount("3wd"), TOWN, [pause])
    assert told.due_at == at("2026-10-12 10:00")
    assert [step.kind for step in told.steps] == [
        "start",
        "opening",
        "worked",
        "worked",
        "makeup",
        "closed",
        "worked",
        "target",
        "pause",
        "due",
    ]
    words = [str(step.text) for step in told.steps]
    assert "2026-10-08 09:00" in words[1]
    assert "make-up workday" in words[4]
    assert "waiting for the submitter" in words[8]
    assert not told.is_provisional


def test_explanation_names_a_holiday_in_between_and_a_pause_that_came_too_late() -> None:
    late = PauseSpan(at("2026-10-09 10:00"), at("2026-10-09 11:00"), ("50% off",))
    told = explain(at("2026-09-30 17:00"), need_amount("4wh"), TOWN, [late])
    kinds = [step.kind for step in told.steps]
    assert kinds == ["start", "worked", "holiday", "worked", "target", "pause_ignored", "due"]
    assert "2026-10-01 - 2026-10-07" in str(told.steps[2].text)
    assert "50% off" in str(told.steps[-2].text)


def test_explanation_marks_a_year_whose_official_days_are_unknown() -> None:
    """Case 19."""
    told = explain(at("2026-12-30 09:00"), need_amount("10wd"), TOWN)
    assert told.is_provisional
    assert told.unknown_years == (2027,)
    assert any(step.kind == "provisional" and "2027" in str(step.text) for step in told.steps)
    assert not explain(at("2026-12-30 09:00"), need_amount("30d"), TOWN).is_provisional


def test_long_span_is_told_in_weeks_and_its_form_is_plain_json() -> None:
    told = explain(at("2026-03-02 10:00"), need_amount("60wd"), TOWN)
    assert len(told.steps) < 45
    steps = json.loads(json.dumps(to_json(told, TOWN)))
    assert steps[-1]["to"] == told.due_at.astimezone(TOWN.definition.time_zone).isoformat()
    assert all(step["text"] and "%(" not in step["text"] for step in steps)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(twins(), st.integers(-1000, 1000), st.integers(1, 5000), st.integers(-100, 3000))
def test_explanation_ends_where_the_clock_does_and_its_days_add_up(
    twin: Twin, place: int, count: int, pause_place: int
) -> None:
    start = twin.instant(place)
    pause = PauseSpan(twin.instant(pause_place), twin.instant(pause_place + 300), ("suspension",))
    for amount in (Amount(count, "min"), Amount(count, "wmin"), Amount(1 + count % 15, "wd")):
        told = explain(start, amount, twin.engine, [pause])
        assert told.due_at == due_at(start, amount, twin.engine, [pause])
        if amount.unit == "wmin":
            counted = [s.counted for s in told.steps if s.kind in ("worked", "makeup") and s.counted is not None]
            assert sum(counted, timedelta(0)) == timedelta(minutes=count)
        for step in told.steps:
            assert step.begins is None or step.ends is None or step.begins <= step.ends


def test_explanation_says_of_an_extension_whether_it_moved_anything() -> None:
    pause = PauseSpan(at("2026-03-03 10:00"), at("2026-03-04 10:00"), ("wait",))
    granted = Extension(at("2026-03-02 10:00"), at("2026-03-05 09:30"))
    told = explain(at("2026-03-02 09:00"), need_amount("2wd"), TOWN, [pause], [granted])
    assert told.due_at == at("2026-03-06 09:30")
    assert [step.kind for step in told.steps][-4:] == ["target", "extension", "pause", "due"]
    early = Extension(at("2026-03-02 10:00"), at("2026-03-03 09:30"))
    told = explain(at("2026-03-02 09:00"), need_amount("2wd"), TOWN, [pause], [early])
    assert told.due_at == at("2026-03-04 17:30")
    assert [step.kind for step in told.steps][-4:] == ["target", "pause", "extension", "due"]
    assert "later anyway" in str(told.steps[-2].text)
