"""The ladder of alarms of a clock: levels before and after its due instant, each with whom it tells. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from feedback.calendars.worktime import Calendar
from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text
from feedback.sla.amounts import Amount, need_amount
from feedback.sla.clock import offset_at, share_between

AUDIENCES = ("handler", "unit_head", "dispatcher", "adjudicator", "supervisor", "leader", "submitter")
MAX_LEVELS = 12

_SHARE = re.compile(r"([0-9]{1,3})%")


@dataclass(frozen=True)
class Rung:
    """One level as a policy writes it: `50%:handler`, `+1wd:leader` or `-1wh:unit_head`."""

    label: str
    audience: str
    percent: int | None = None
    offset: Amount | None = None
    is_before: bool = False

    def __str__(self) -> str:
        return f"{self.label}:{self.audience}"


@dataclass(frozen=True)
class Level:
    """One level of a running clock. `level` is its place in the policy's list, from 1."""

    level: int
    label: str
    at: datetime
    audience: str


def parse_ladder(text: str, field: str = "alarms") -> tuple[Rung, ...]:
    """`50%:handler;80%:unit_head;100%:supervisor;+1wd:leader`; empty gives none. Raises Invalid, with `field`."""
    rungs = [_rung(part, field) for part in (piece.strip() for piece in text.split(";")) if part]
    if len(rungs) > MAX_LEVELS:
        raise Invalid({field: Text(N_("At most %(limit)s levels."), limit=MAX_LEVELS)})
    for rung in rungs:
        if rungs.count(rung) > 1:
            raise Invalid({field: Text(N_("“%(value)s” is there twice."), value=str(rung))})
    return tuple(rungs)


def ladder(
    rungs: Iterable[Rung], started_at: datetime, due: datetime, amount: Amount, calendar: Calendar
) -> tuple[Level, ...]:
    """When each level is reached for a clock from `started_at` to `due`, the earliest first; none before the start."""
    levels = [
        Level(place, rung.label, max(_reached_at(rung, started_at, due, amount, calendar), started_at), rung.audience)
        for place, rung in enumerate(rungs, start=1)
    ]
    return tuple(sorted(levels, key=lambda level: (level.at, level.level)))


def _reached_at(rung: Rung, started_at: datetime, due: datetime, amount: Amount, calendar: Calendar) -> datetime:
    if rung.percent is not None:
        return share_between(started_at, due, amount, calendar, rung.percent)
    if rung.offset is None:
        return due
    return offset_at(due, rung.offset, calendar, is_before=rung.is_before)


def _rung(part: str, field: str) -> Rung:
    label, divided, audience = (piece.strip() for piece in part.partition(":"))
    if not divided or audience not in AUDIENCES:
        raise Invalid(
            {
                field: Text(
                    N_("“%(value)s” tells nobody; write when:who, and who is one of %(audiences)s."),
                    value=part[:40],
                    audiences=tuple(AUDIENCES),
                )
            }
        )
    share = _SHARE.fullmatch(label)
    if share and int(share.group(1)) > 0:
        return Rung(f"{int(share.group(1))}%", audience, percent=int(share.group(1)))
    if label[:1] in ("+", "-"):
        offset = need_amount(label[1:], field)
        return Rung(f"{label[0]}{offset}", audience, offset=offset, is_before=label[0] == "-")
    raise Invalid(
        {field: Text(N_("“%(value)s” is no level; write 50%%, 100%%, +1wd or -1wh before the colon."), value=part[:40])}
    )
