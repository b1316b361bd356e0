"""When a clock is due and when each of its alarms rings. Pure: instants, amounts and a calendar in, instants out.

Pauses lengthen natural clocks by their length and working clocks (days too, after the base target) by the working time
inside them. Taken in order of start, overlapping ones merged, each cut to what lies after the clock's start; one counts
only if it begins before the due instant as moved by those before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from feedback.calendars.worktime import (
    Calendar,
    add_working_days,
    add_working_time,
    subtract_working_days,
    subtract_working_time,
    working_time_between,
)
from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text
from feedback.sla.amounts import Amount


@dataclass(frozen=True)
class PauseSpan:
    """A stretch in which the clock stands still, half-open; an open pause ends at its `wake_at`. Raises Invalid."""

    begins: datetime
    ends: datetime
    reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.begins.tzinfo is None or self.ends.tzinfo is None:
            raise Invalid({"pause": Text(N_("Both ends of a pause need their offset from UTC."))})
        if self.ends < self.begins:
            raise Invalid({"pause": Text(N_("A pause can't end before it begins."))})


@dataclass(frozen=True)
class CountedPause:
    """What one merged pause did: how much it added (nothing if it came too late) and the due instant after it."""

    span: PauseSpan
    has_counted: bool
    added: timedelta
    due_at: datetime


@dataclass(frozen=True)
class Extension:
    """A later due instant that was granted, and when. It stands, but for pauses that begin after the grant."""

    granted_at: datetime
    until: datetime


def due_at(started_at: datetime, amount: Amount, calendar: Calendar, pauses: Iterable[PauseSpan] = ()) -> datetime:
    """The due instant in UTC. Raises Invalid for a start without an offset or a calendar that runs out of time."""
    base = base_due_at(started_at, amount, calendar)
    counted = count_pauses(started_at, base, amount, calendar, pauses)
    return counted[-1].due_at if counted else base


def base_due_at(started_at: datetime, amount: Amount, calendar: Calendar) -> datetime:
    """The due instant before any pause."""
    return _forward(_aware(started_at), amount, calendar)


def extended_due_at(
    due: datetime, extensions: Sequence[Extension], amount: Amount, calendar: Calendar, pauses: Iterable[PauseSpan]
) -> datetime:
    """`due` as pauses have moved it, or the last instant granted (with the pauses since then) where that is later."""
    if not extensions:
        return due
    counted = count_since_grant(extensions[-1], amount, calendar, pauses)
    return max(due, counted[-1].due_at if counted else extensions[-1].until)


def count_since_grant(
    extension: Extension, amount: Amount, calendar: Calendar, pauses: Iterable[PauseSpan]
) -> tuple[CountedPause, ...]:
    """What each pause since the grant does to the instant granted."""
    return count_pauses(extension.granted_at, extension.until.astimezone(UTC), amount, calendar, pauses)


def count_pauses(
    started_at: datetime, base: datetime, amount: Amount, calendar: Calendar, pauses: Iterable[PauseSpan]
) -> tuple[CountedPause, ...]:
    """What each pause does to the due instant `base` of a clock of this kind, in order."""
    counted: list[CountedPause] = []
    due = base
    for span in merge_pauses(pauses, started_at):
        if span.begins >= due:
            counted.append(CountedPause(span, False, timedelta(0), due))
            continue
        if amount.is_natural:
            added = span.ends - span.begins
            due += added
        else:
            added = working_time_between(span.begins, span.ends, calendar)
            due = add_working_time(due, added, calendar)
        counted.append(CountedPause(span, True, added, due))
    return tuple(counted)


def merge_pauses(pauses: Iterable[PauseSpan], started_at: datetime) -> tuple[PauseSpan, ...]:
    """In order of start, cut to what lies after the clock's start, overlapping and touching ones made one."""
    merged: list[PauseSpan] = []
    for pause in sorted(pauses, key=lambda span: (span.begins, span.ends)):
        begins = max(pause.begins, started_at).astimezone(UTC)
        ends = pause.ends.astimezone(UTC)
        if ends <= begins:
            continue
        if merged and begins <= merged[-1].ends:
            last = merged[-1]
            reasons = last.reasons + tuple(reason for reason in pause.reasons if reason not in last.reasons)
            merged[-1] = PauseSpan(last.begins, max(last.ends, ends), reasons)
        else:
            merged.append(PauseSpan(begins, ends, pause.reasons))
    return tuple(merged)


def share_at(
    started_at: datetime, amount: Amount, calendar: Calendar, pauses: Iterable[PauseSpan], percent: int
) -> datetime:
    """The instant by which `percent` of the time between start and due has passed, in the clock's own kind of time."""
    due = due_at(started_at, amount, calendar, pauses)
    return share_between(started_at, due, amount, calendar, percent)


def share_between(started_at: datetime, due: datetime, amount: Amount, calendar: Calendar, percent: int) -> datetime:
    """As `share_at`, for a due instant that is known already. 100 is the due instant itself, more lies after it."""
    if percent == 100 or due <= started_at:
        return due.astimezone(UTC)
    if amount.is_natural:
        return started_at.astimezone(UTC) + _share(due - started_at, percent)
    return add_working_time(started_at, _share(working_time_between(started_at, due, calendar), percent), calendar)


def offset_at(due: datetime, amount: Amount, calendar: Calendar, *, is_before: bool = False) -> datetime:
    """The instant that lies `amount` after (or before) `due`, by the calendar where the amount is of working time."""
    if not is_before:
        return _forward(_aware(due), amount, calendar)
    if amount.is_natural:
        return _aware(due) - timedelta(minutes=amount.count)
    if amount.unit == "wmin":
        return subtract_working_time(due, timedelta(minutes=amount.count), calendar)
    return subtract_working_days(due, amount.count, calendar)


def _forward(start: datetime, amount: Amount, calendar: Calendar) -> datetime:
    if amount.is_natural:
        return start + timedelta(minutes=amount.count)
    if amount.unit == "wmin":
        return add_working_time(start, timedelta(minutes=amount.count), calendar)
    return add_working_days(start, amount.count, calendar)


def _share(duration: timedelta, percent: int) -> timedelta:
    return timedelta(microseconds=duration // timedelta(microseconds=1) * percent // 100)


def _aware(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise Invalid({"start": Text(N_("An instant needs its offset from UTC, such as 2026-10-09T09:00:00+08:00."))})
    return instant.astimezone(UTC)
