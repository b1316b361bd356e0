"""Why a clock is due when it is: steps in words that a handler and a submitter can read, and a JSON form. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from feedback.calendars.worktime import Calendar, next_opening, unknown_years
from feedback.kernel.text import N_, Text
from feedback.sla.amounts import Amount, describe_amount
from feedback.sla.clock import (
    CountedPause,
    Extension,
    PauseSpan,
    base_due_at,
    count_pauses,
    count_since_grant,
    extended_due_at,
)
from feedback.sla.daywalk import Day, walk_days

SHORT_SPAN = 10
"""Up to so many working days each has a step of its own; in a longer span whole weeks are told together."""

REASONS = {
    "wait": N_("waiting for the submitter"),
    "suspension": N_("suspended until a milestone"),
    "closed": N_("closed in between"),
    "gap": N_("with another unit in between"),
}


@dataclass(frozen=True)
class Step:
    """One step: its kind for programs, its sentence for people, the stretch it is about and the seconds it counted."""

    kind: str
    text: Text
    begins: datetime | None = None
    ends: datetime | None = None
    counted: timedelta | None = None


@dataclass(frozen=True)
class Explanation:
    """A due instant, how it came about, and the years whose official days nobody knows yet."""

    due_at: datetime
    steps: tuple[Step, ...]
    unknown_years: tuple[int, ...]

    @property
    def is_provisional(self) -> bool:
        return bool(self.unknown_years)


def explain(
    started_at: datetime,
    amount: Amount,
    calendar: Calendar,
    pauses: Iterable[PauseSpan] = (),
    extensions: Sequence[Extension] = (),
) -> Explanation:
    """The due instant that `clock.due_at` and `clock.extended_due_at` give, with every step on the way.

    Raises Invalid as they do.
    """
    pauses = tuple(pauses)
    base = base_due_at(started_at, amount, calendar)
    counted = count_pauses(started_at, base, amount, calendar, pauses)
    unextended = counted[-1].due_at if counted else base
    due = extended_due_at(unextended, extensions, amount, calendar, pauses)
    if due > unextended:
        counted = tuple(pause for pause in counted if pause.span.begins < extensions[-1].granted_at)
    unknown = () if amount.is_natural else unknown_years(started_at, due, calendar)
    steps = [*_opening_steps(started_at, amount, calendar)]
    if amount.is_natural:
        steps.append(
            Step(
                "run",
                Text(
                    N_("%(amount)s round the clock end at %(at)s."),
                    amount=describe_amount(amount),
                    at=_at(base, calendar),
                ),
                started_at,
                base,
                base - started_at,
            )
        )
    else:
        steps.extend(_working_steps(started_at, base, amount, calendar))
    steps.extend(_pause_step(pause, amount, calendar) for pause in counted)
    steps.extend(_extension_step(extension, unextended, calendar) for extension in extensions)
    if due > unextended:
        since = count_since_grant(extensions[-1], amount, calendar, pauses)
        steps.extend(_pause_step(pause, amount, calendar) for pause in since)
    steps.extend(
        Step(
            "provisional",
            Text(
                N_("The official days of %(year)s are not announced yet: weekdays were counted, so this may move."),
                year=year,
            ),
        )
        for year in unknown
    )
    steps.append(Step("due", Text(N_("Due at %(at)s."), at=_at(due, calendar)), due, due))
    return Explanation(due, tuple(steps), unknown)


def to_json(
    explanation: Explanation, calendar: Calendar, translate: Callable[[str], str] = str
) -> list[dict[str, Any]]:
    """The steps as plain data: instants with the offset of the calendar's zone, texts as `translate` gives them."""
    return [
        {
            "kind": step.kind,
            "text": step.text.render(translate),
            "from": calendar.local(step.begins).isoformat() if step.begins else None,
            "to": calendar.local(step.ends).isoformat() if step.ends else None,
            "counted_seconds": step.counted.total_seconds() if step.counted is not None else None,
        }
        for step in explanation.steps
    ]


def describe_duration(duration: timedelta) -> Text:
    """Hours, minutes and (where there are any) seconds, for people."""
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if seconds:
        return Text(N_("%(hours)s h %(minutes)s min %(seconds)s s"), hours=hours, minutes=minutes, seconds=seconds)
    return Text(N_("%(hours)s h %(minutes)s min"), hours=hours, minutes=minutes)


def _opening_steps(started_at: datetime, amount: Amount, calendar: Calendar) -> Iterator[Step]:
    yield Step(
        "start",
        Text(
            N_("The clock starts at %(at)s and has %(amount)s."),
            at=_at(started_at, calendar),
            amount=describe_amount(amount),
        ),
        started_at,
        started_at,
    )
    if amount.is_natural:
        return
    opening = next_opening(started_at, calendar)
    if opening != started_at:
        yield Step(
            "opening",
            Text(
                N_("That is outside working time: counting begins at the next opening, %(at)s."),
                at=_at(opening, calendar),
            ),
            started_at,
            opening,
            timedelta(0),
        )


def _working_steps(started_at: datetime, base: datetime, amount: Amount, calendar: Calendar) -> Iterator[Step]:
    days = list(walk_days(next_opening(started_at, calendar), base, calendar))
    is_long = sum(day.is_working for day in days) > SHORT_SPAN
    place = -1
    for _, run in groupby(enumerate(days), key=lambda item: _run_key(item[0], item[1], len(days), is_long)):
        group = [day for _, day in run]
        if not group[0].is_working:
            yield _closed_step(group)
            continue
        place += len(group)
        yield _worked_step(group, place, amount)
    yield Step(
        "target",
        Text(N_("%(amount)s are reached at %(at)s."), amount=describe_amount(amount), at=_at(base, calendar)),
        base,
        base,
    )


def _run_key(place: int, day: Day, count: int, is_long: bool) -> tuple[Any, ...]:
    if not day.is_working:
        return ("closed", day.kind, day.note)
    if is_long and day.kind == "week" and 0 < place < count - 1:
        return ("worked",)
    return ("worked", place)


def _closed_step(group: list[Day]) -> Step:
    first, last = group[0], group[-1]
    text = (
        Text(N_("%(days)s: holiday, not counted."), days=_days(first, last))
        if first.kind == "holiday"
        else Text(N_("%(days)s: no working time, not counted."), days=_days(first, last))
    )
    return Step("holiday" if first.kind == "holiday" else "closed", text, first.begins, last.ends, timedelta(0))


def _worked_step(group: list[Day], place: int, amount: Amount) -> Step:
    first, last = group[0], group[-1]
    counted = sum((day.counted for day in group), timedelta(0))
    values: dict[str, Any] = {"days": _days(first, last), "time": describe_duration(counted), "hours": first.hours}
    if len(group) > 1:
        text = Text(N_("%(days)s: %(count)s working days, %(time)s."), count=len(group), **values)
    elif first.kind == "workday":
        text = Text(N_("%(days)s, a make-up workday: %(hours)s, %(time)s."), **values)
    elif first.kind == "half":
        text = Text(N_("%(days)s, with hours of its own: %(hours)s, %(time)s."), **values)
    else:
        text = Text(N_("%(days)s: %(hours)s, %(time)s."), **values)
    if amount.unit == "wd" and len(group) == 1 and place > 0:
        text = (
            Text(N_("%(day)s This is working day %(place)s."), day=text, place=place)
            if first.hours
            else Text(N_("%(days)s: working day %(place)s begins."), place=place, **values)
        )
    return Step("makeup" if first.kind == "workday" else "worked", text, first.begins, last.ends, counted)


def _pause_step(pause: CountedPause, amount: Amount, calendar: Calendar) -> Step:
    span = pause.span
    values: dict[str, Any] = {
        "begins": _at(span.begins, calendar),
        "ends": _at(span.ends, calendar),
        "reason": _reason(span.reasons),
        "time": describe_duration(pause.added),
        "due": _at(pause.due_at, calendar),
    }
    if not pause.has_counted:
        text = Text(N_("Paused %(begins)s to %(ends)s (%(reason)s): after the due time, so nothing moves."), **values)
        return Step("pause_ignored", text, span.begins, span.ends, timedelta(0))
    if amount.is_natural:
        text = Text(N_("Paused %(begins)s to %(ends)s (%(reason)s): %(time)s more, now due %(due)s."), **values)
    else:
        text = Text(
            N_("Paused %(begins)s to %(ends)s (%(reason)s): %(time)s of working time more, now due %(due)s."), **values
        )
    return Step("pause", text, span.begins, span.ends, pause.added)


def _extension_step(extension: Extension, unextended: datetime, calendar: Calendar) -> Step:
    values = {"at": _at(extension.granted_at, calendar), "until": _at(extension.until, calendar)}
    if extension.until > unextended:
        text = Text(N_("On %(at)s an extension was granted: due not before %(until)s."), **values)
    else:
        text = Text(N_("On %(at)s an extension to %(until)s was granted; it is due later anyway."), **values)
    return Step("extension", text, extension.granted_at, extension.until)


def _reason(reasons: tuple[str, ...]) -> Text | str:
    if not reasons:
        return Text(N_("no reason given"))
    together, *rest = (Text(REASONS[reason]) if reason in REASONS else reason for reason in reasons)
    for reason in rest:
        together = Text(N_("%(first)s, %(second)s"), first=together, second=reason)
    return together


def _days(first: Day, last: Day) -> str:
    return first.on.isoformat() if first.on == last.on else f"{first.on.isoformat()} - {last.on.isoformat()}"


def _at(instant: datetime, calendar: Calendar) -> str:
    local = calendar.local(instant)
    return local.strftime("%Y-%m-%d %H:%M:%S" if local.second else "%Y-%m-%d %H:%M")
