"""The due times of a ticket as the clock panel takes them: what runs first, then what was kept or missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from feedback.reading.clocks import ClockView
from feedback.web.present.labels import name_of, unit_name
from feedback.web.present.status import tone_of
from feedback.web.present.time import left_words, span, when_due, when_past
from feedback.web.present.words import CLOCK_NAMES
from feedback.web.translate import gettext as _

Part = dict[str, Any]
WITH_UNIT = ("leg", "signing")


def clocks_of(
    clocks: Sequence[ClockView],
    now: datetime,
    why: Mapping[int, Sequence[str]] | None = None,
    why_url: str | None = None,
) -> list[Part]:
    """What runs, the nearest due first, then what ended, the newest first; clocks that fell away are left out.

    `why` gives by a clock's id the steps by which its due time came about, in words; `why_url` is where they stand.
    """
    running = sorted((c for c in clocks if c.is_open), key=lambda c: c.due_at)
    ended = sorted((c for c in clocks if c.met_at), key=lambda c: c.met_at or now, reverse=True)
    parts = [_clock(clock, now) | {"id": clock.id} for clock in (*running, *ended)]
    for part in parts:
        part["why"] = list((why or {}).get(part["id"], ()))
        if why_url:
            part["why_url"] = f"{why_url}#clock-{part['id']}"
    return parts


def _clock(clock: ClockView, now: datetime) -> Part:
    label = name_of(CLOCK_NAMES, clock.kind)
    if clock.kind in WITH_UNIT and clock.unit:
        label = _("%(what)s: %(unit)s", what=label, unit=unit_name(clock.unit))
    if clock.round > 1:
        label = _("%(what)s (round %(round)s)", what=label, round=clock.round)
    tone, words = _judged(clock, now)
    part: Part = {"label": label, "tone": tone, "words": words, "due": when_due(clock.due_at, now)}
    if clock.original_due_at != clock.due_at:
        part["original"] = when_due(clock.original_due_at, now)
    if clock.met_at:
        part["met"] = when_past(clock.met_at, now)
    if clock.is_paused:
        part["paused"] = _("It stands still now.")
    elif clock.is_provisional and clock.is_open:
        part["paused"] = _("Provisional: the official holidays of that time are not announced yet.")
    return part


def _judged(clock: ClockView, now: datetime) -> tuple[str, str]:
    """Tone and words: in time, late by how much, how much is left, standing still."""
    if clock.met_at:
        if clock.breached_at is None:
            return "done", _("in time")
        late = max(clock.met_at, clock.breached_at) - clock.due_at
        return "late", _("%(span)s late", span=span(late)) if late.total_seconds() > 0 else _("late")
    if clock.is_paused:
        return "wait", _("stands still")
    return tone_of(clock.due_at, clock.started_at, now), left_words(clock.due_at, now)
