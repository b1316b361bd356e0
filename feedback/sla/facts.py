"""What the clocks are told about a ticket: plain facts and ids, so that this room needs to know no ticket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Facts:
    """What a policy is chosen by, and whose calendar counts.

    `category` is a path (a policy of `water` also fits `water/leak`); `area_codes` are the ticket's area and the units
    above it, nearest first; `area_id` is where the calendar of the submitter's clocks is looked for, upwards.
    """

    kind: str
    urgency: str
    category: str | None
    area_codes: tuple[str, ...]
    area_id: int


@dataclass(frozen=True)
class ClockStart:
    """A clock to start at `at`.

    `amount` names the policy's column (default: the one called like the kind); `unit_id` is the unit whose calendar
    counts for legs and signing; `fixed_due_at` is an earlier date set with an assist's task (or the only one, where the
    policy has no amount); `follows_resolution`: never due before the ticket's resolution.
    """

    ticket_id: int
    kind: str
    at: datetime
    round: int = 1
    amount: str | None = None
    unit_id: int | None = None
    leg_id: int | None = None
    request_id: int | None = None
    fixed_due_at: datetime | None = None
    follows_resolution: bool = False
