"""Amounts of time as policies and commands write them: `30min`, `2h`, `2d`, `90wmin`, `4wh`, `5wd`. No arithmetic."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text

Unit = Literal["min", "wmin", "wd"]

_LONGEST: dict[Unit, int] = {"min": 5_270_400, "wmin": 525_600, "wd": 3_660}
_SUFFIXES: dict[str, tuple[Unit, int]] = {
    "min": ("min", 1),
    "h": ("min", 60),
    "d": ("min", 1440),
    "wmin": ("wmin", 1),
    "wh": ("wmin", 60),
    "wd": ("wd", 1),
}
_WORDS = {
    "min": (N_("1 minute"), N_("%(count)s minutes")),
    "h": (N_("1 hour"), N_("%(count)s hours")),
    "d": (N_("24 hours"), N_("%(count)s days of 24 hours")),
    "wmin": (N_("1 working minute"), N_("%(count)s working minutes")),
    "wh": (N_("1 working hour"), N_("%(count)s working hours")),
    "wd": (N_("1 working day"), N_("%(count)s working days")),
}
_WRITTEN = re.compile(r"([0-9]{1,9})(min|h|d|wmin|wh|wd)")


@dataclass(frozen=True)
class Amount:
    """A whole number above 0 of natural minutes (min), working minutes (wmin) or working days (wd)."""

    count: int
    unit: Unit

    @property
    def is_natural(self) -> bool:
        """Whether it runs round the clock."""
        return self.unit == "min"

    def __str__(self) -> str:
        return format_amount(self)


def parse_amount(text: str | None, field: str = "amount") -> Amount | None:
    """Read an amount; empty or None is None (no such clock). Raises Invalid, with `field`, for anything else."""
    if text is None or not text.strip():
        return None
    found = _WRITTEN.fullmatch(text.strip())
    if not found:
        raise Invalid(
            {
                field: Text(
                    N_("“%(value)s” is no amount of time; write 30min, 2h, 2d (round the clock) or 90wmin, 4wh, 5wd."),
                    value=text.strip()[:40],
                )
            }
        )
    unit, size = _SUFFIXES[found.group(2)]
    count = int(found.group(1)) * size
    if count == 0:
        raise Invalid({field: Text(N_("An amount of time must be above 0; leave it empty for no time limit."))})
    if count > _LONGEST[unit]:
        raise Invalid({field: Text(N_("“%(value)s” is too long; ten years is the most."), value=text.strip())})
    return Amount(count, unit)


def need_amount(text: str | None, field: str = "amount") -> Amount:
    """Read an amount that may not be missing. Raises Invalid, with `field`."""
    amount = parse_amount(text, field)
    if amount is None:
        raise Invalid({field: Text(N_("Please give an amount of time, such as 4wh or 3wd."))})
    return amount


def format_amount(amount: Amount) -> str:
    """The shortest way to write it; `parse_amount` reads the same amount back."""
    suffix, size = next(
        (suffix, size)
        for suffix, (unit, size) in reversed(_SUFFIXES.items())
        if unit == amount.unit and amount.count % size == 0
    )
    return f"{amount.count // size}{suffix}"


def describe_amount(amount: Amount) -> Text:
    """The amount in words for people."""
    written = format_amount(amount)
    suffix = written.lstrip("0123456789")
    count = int(written[: -len(suffix)])
    one, many = _WORDS[suffix]
    return Text(one) if count == 1 else Text(many, count=count)
