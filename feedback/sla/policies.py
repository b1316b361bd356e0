"""What a policy may say: its columns read and checked, row by row, and ties between policies. No writing here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text
from feedback.sla.amounts import Amount, parse_amount
from feedback.sla.ladder import parse_ladder
from feedback.sla.models import SlaPolicy
from feedback.sla.queries import is_within

AMOUNTS = (
    "dispatch",
    "signing",
    "first_response",
    "return_window",
    "resolution",
    "rework",
    "confirmation",
    "leg_floor",
    "assist",
    "decision",
    "adjudication",
    "appeal",
    "wait",
    "urge",
    "whistle",
)
REQUIRED = ("name", "order")
OPTIONAL = ("kind", "urgency", "category", "unit", "calendar", *AMOUNTS, "alarms")
KINDS = ("demand", "suggestion", "question", "burden_lead")
URGENCIES = ("critical", "urgent", "normal", "complex")
LONGEST_NAME = 80
LARGEST_ORDER = 1_000_000

_NATURAL_MINUTES = {"min": 1, "wmin": 3, "wd": 1440}
"""What a unit comes to at least in natural minutes, to compare amounts of different kinds: eight hours make a working day."""


@dataclass(frozen=True)
class PolicyRow:
    """A policy as a file says it; equal rows are the same policy. None: not narrowed by this."""

    name: str
    order: int
    kind: str | None = None
    urgency: str | None = None
    category: str | None = None
    unit_code: str | None = None
    calendar_code: str | None = None
    amounts: tuple[tuple[str, str], ...] = ()
    alarms: str = ""

    @classmethod
    def of(cls, policy: SlaPolicy) -> PolicyRow:
        return cls(
            policy.name,
            policy.order,
            policy.kind,
            policy.urgency,
            policy.category,
            policy.unit_code,
            policy.calendar_code,
            tuple(sorted((name, amount) for name, amount in policy.amounts.items() if amount)),
            policy.alarms,
        )


@dataclass
class Surroundings:
    """What a row may refer to: paths of the units in force by code, codes of the calendars."""

    unit_paths: Mapping[str, str] = field(default_factory=dict)
    calendars: frozenset[str] = frozenset()


def read_row(values: Mapping[str, str], around: Surroundings) -> PolicyRow:
    """The policy that a row's texts say. Raises Invalid with each column that is wrong."""
    errors: dict[str, Text] = {}
    amounts: dict[str, Amount] = {}
    for name in AMOUNTS:
        try:
            amount = parse_amount(values.get(name), name)
            if amount:
                amounts[name] = amount
        except Invalid as invalid:
            errors.update(invalid.errors)
    try:
        alarms = ";".join(str(rung) for rung in parse_ladder(values.get("alarms", "")))
    except Invalid as invalid:
        errors.update(invalid.errors)
        alarms = ""
    errors |= _wrong_names(values, around) | _out_of_proportion(amounts)
    if errors:
        raise Invalid(errors)
    return PolicyRow(
        values["name"],
        int(values["order"]),
        values.get("kind") or None,
        values.get("urgency") or None,
        (values.get("category") or "").strip("/") or None,
        values.get("unit") or None,
        values.get("calendar") or None,
        tuple(sorted((name, str(amount)) for name, amount in amounts.items())),
        alarms,
    )


def find_tie(row: PolicyRow, others: Iterable[PolicyRow], around: Surroundings) -> PolicyRow | None:
    """A policy of the same order that could fit the same ticket: which of the two counts, nobody could say."""
    return next(
        (
            other
            for other in others
            if other.order == row.order and other.name != row.name and _can_meet(row, other, around)
        ),
        None,
    )


def _can_meet(one: PolicyRow, other: PolicyRow, around: Surroundings) -> bool:
    return (
        _same_or_open(one.kind, other.kind)
        and _same_or_open(one.urgency, other.urgency)
        and _within_either(one.category, other.category)
        and _in_one_line(one.unit_code, other.unit_code, around)
    )


def _same_or_open(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other


def _within_either(one: str | None, other: str | None) -> bool:
    return one is None or other is None or is_within(one, other) or is_within(other, one)


def _in_one_line(one: str | None, other: str | None, around: Surroundings) -> bool:
    if one is None or other is None or one == other:
        return True
    first, second = around.unit_paths.get(one, ""), around.unit_paths.get(other, "")
    return first.startswith(second) or second.startswith(first)


def _wrong_names(values: Mapping[str, str], around: Surroundings) -> dict[str, Text]:
    errors: dict[str, Text] = {}
    if not 0 < len(values.get("name", "")) <= LONGEST_NAME:
        errors["name"] = Text(N_("A policy needs a name of at most %(limit)s characters."), limit=LONGEST_NAME)
    order = values.get("order", "")
    if not (order.isascii() and order.isdigit() and 0 < int(order) <= LARGEST_ORDER):
        errors["order"] = Text(N_("Must be a whole number from 1; the policy with the lowest that fits is used."))
    for column, known in (("kind", KINDS), ("urgency", URGENCIES)):
        if values.get(column) and values[column] not in known:
            errors[column] = Text(N_("Must be one of: %(expected)s, or empty."), expected=tuple(known))
    if values.get("unit") and values["unit"] not in around.unit_paths:
        errors["unit"] = Text(N_("There is no unit %(code)s."), code=values["unit"])
    if values.get("calendar") and values["calendar"] not in around.calendars:
        errors["calendar"] = Text(N_("There is no calendar %(code)s."), code=values["calendar"])
    if len(values.get("category", "")) > 200:
        errors["category"] = Text(N_("Must be at most %(max_length)s characters."), max_length=200)
    return errors


def _out_of_proportion(amounts: Mapping[str, Amount]) -> dict[str, Text]:
    response, resolution = amounts.get("first_response"), amounts.get("resolution")
    if response and resolution and _length(response) > _length(resolution):
        return {"first_response": Text(N_("A first response can't be due later than the resolution."))}
    return {}


def _length(amount: Amount) -> int:
    return amount.count * _NATURAL_MINUTES[amount.unit]
