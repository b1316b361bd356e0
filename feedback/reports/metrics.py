"""What each figure counts, in a sentence that is printed beside it, and the plain arithmetic of rates. PURE: no SQL here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from feedback.kernel.text import N_

SMALL_NUMBER = 10
"""Below this many counted a share says little; a warning stands beside it."""
MONTH_CLOSES_AFTER_DAYS = 35

TICKETS, VERDICTS, RATINGS, OFFICE = "tickets", "verdicts", "ratings", "office"
"""What a figure's denominator consists of."""


@dataclass(frozen=True)
class Definition:
    """A figure: its name and its definition for readers; `base` is what its denominator consists of."""

    name: str
    sentence: str
    base: str = TICKETS


MEASURES: dict[str, Definition] = {
    "response": Definition(
        N_("Response rate"),
        N_("Tickets that got a first response in time, of those dispatched."),
    ),
    "on_time": Definition(
        N_("On-time rate"),
        N_("Tickets resolved by their original due date and not disputed afterwards, of those dispatched."),
    ),
    "on_time_extended": Definition(
        N_("On time by the extended date"),
        N_("As the on-time rate, by the due date as pauses and granted extensions moved it."),
    ),
    "claimed": Definition(
        N_("Claimed closure"),
        N_("Tickets that a unit said were done at least once, of those dispatched. It is a claim."),
    ),
    "confirmed": Definition(
        N_("Confirmed closure"),
        N_(
            "Tickets whose submitter confirmed them (solved, partly, or accepted as not possible or planned), "
            "of those dispatched."
        ),
    ),
    "stable": Definition(
        N_("Stable closure"),
        N_(
            "Tickets confirmed, and neither reopened nor raised again at the same place within 30 days, "
            "of those dispatched."
        ),
    ),
    "stable_pending": Definition(
        N_("Stable closure still open"),
        N_("Tickets confirmed less than 30 days ago and not reopened so far, of those dispatched."),
    ),
    "raised_again": Definition(
        N_("Raised again"),
        N_(
            "Tickets confirmed, whose matter was raised again at the same place within 30 days, of those dispatched. "
            "They are not stable."
        ),
    ),
    "resolution": Definition(
        N_("Resolution rate"),
        N_(
            "Verdicts solved and half of those partly, of all verdicts given; each submitter's last verdict counts, "
            "accepted and disputed as nothing. Coverage: dispatched tickets that have a verdict."
        ),
        VERDICTS,
    ),
    "satisfaction": Definition(
        N_("Satisfaction rate"),
        N_("Ratings of 3 to 5, of all ratings given. Coverage: verdicts that came with a rating."),
        RATINGS,
    ),
    "first_dispatch_right": Definition(
        N_("First dispatch right"),
        N_(
            "Tickets never returned, transferred or adjudicated, of those dispatched; by unit it is counted for the "
            "office that dispatched."
        ),
        OFFICE,
    ),
}

HATCHES: dict[str, Definition] = {
    "returned": Definition(N_("Returned"), N_("Tickets that a unit gave back with the dispatcher's consent.")),
    "extended": Definition(N_("Extended"), N_("Tickets with a granted extension.")),
    "suspended": Definition(N_("Suspended"), N_("Tickets that were suspended at least once.")),
    "excluded": Definition(N_("Excluded"), N_("Tickets excluded as unreasonable.")),
    "joined": Definition(N_("Joined"), N_("Tickets joined to an elder one; they are counted with it.")),
    "withdrawn": Definition(N_("Withdrawn"), N_("Tickets withdrawn by their submitter after dispatch.")),
    "unanswered": Definition(N_("Unanswered"), N_("Tickets closed because their submitter said nothing.")),
    "declined": Definition(N_("Declined"), N_("Tickets declined before dispatch, of those submitted in the period.")),
}

SHARES: dict[str, Definition] = {
    "holding": Definition(
        N_("Confirmed and holding"),
        N_("Tickets confirmed, and not reopened or raised again within 30 days so far, of those dispatched."),
    ),
    "unstable": Definition(
        N_("Confirmed, then back"),
        N_("Tickets confirmed, and then reopened or raised again at the same place within 30 days."),
    ),
    "unconfirmed": Definition(
        N_("Only said to be done"),
        N_("Tickets that a unit said were done and whose submitter did not confirm it."),
    ),
    "undone": Definition(N_("Not done"), N_("Tickets dispatched that no unit has said to be done.")),
}
"""The four parts into which the three closures cut what was dispatched: together they are all of it."""

NOTES: dict[str, str] = {
    "dispatched": N_(
        "Dispatched: tickets given to a unit at least once whose original due date lies in the period and is past."
    ),
    "left_out": N_(
        "Left out: joined (counted with their elder), excluded for good, and raised by the responsible unit itself."
    ),
    "unit": N_("A ticket counts for the unit that first said it was done, else for the unit that has it now."),
    "times": N_(
        "Times run from submission to confirmation, pauses included: the median, and the time within which nine of ten "
        "were done."
    ),
    "suppressed": N_("Not shown: fewer than five, and a confidential ticket is among them."),
    "small": N_("Fewer than ten: a share of so few says little."),
}

LEFT_OUT = ("joined", "excluded", "own_unit")
STAGES = ("whole", "to_dispatch", "to_resolution", "to_confirmation")


@dataclass(frozen=True)
class Measure:
    """A figure of one row. None where it is suppressed; `rate` and `coverage` are shares from 0 to 1."""

    numerator: float | None
    denominator: int | None
    left_out: Mapping[str, int] | None = None
    coverage: float | None = None
    suppressed: bool = False
    parts: Mapping[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float | None:
        """Numerator by denominator; None when there is nothing to divide by."""
        if self.numerator is None or not self.denominator:
            return None
        return round(self.numerator / self.denominator, 4)

    @property
    def is_small(self) -> bool:
        """Whether the small-number warning stands beside it."""
        return self.denominator is not None and 0 < self.denominator < SMALL_NUMBER


SUPPRESSED = Measure(None, None, None, None, suppressed=True)


@dataclass(frozen=True)
class Times:
    """Seconds of one stage: median and 90th percentile (nearest rank), None where nothing was counted."""

    median_seconds: int | None = None
    p90_seconds: int | None = None


@dataclass(frozen=True)
class Row:
    """One unit, area, category or month, or the total (key None)."""

    key: str | None
    name: str
    name_en: str | None = None
    measures: Mapping[str, Measure] = field(default_factory=dict)
    times: Mapping[str, Times] = field(default_factory=dict)
    hatches: Mapping[str, Measure] = field(default_factory=dict)
    is_final: bool = True

    @property
    def is_suppressed(self) -> bool:
        """Whether the row as a whole is hidden."""
        return self.measures["claimed"].suppressed


def measure_of(row: Row, name: str) -> Measure:
    """The figure of that name: of MEASURES, HATCHES or SHARES. KeyError for another."""
    if name not in SHARES:
        return {**row.measures, **row.hatches}[name]
    claimed, confirmed, stable, pending = (
        row.measures[each] for each in ("claimed", "confirmed", "stable", "stable_pending")
    )
    if claimed.suppressed:
        return SUPPRESSED
    holding = (stable.numerator or 0) + (pending.numerator or 0)
    number = {
        "holding": holding,
        "unstable": (confirmed.numerator or 0) - holding,
        "unconfirmed": (claimed.numerator or 0) - (confirmed.numerator or 0),
        "undone": (claimed.denominator or 0) - (claimed.numerator or 0),
    }[name]
    return Measure(number, claimed.denominator, claimed.left_out)


def share(part: float, whole: int) -> float | None:
    """part / whole, None for an empty whole."""
    return round(part / whole, 4) if whole else None
