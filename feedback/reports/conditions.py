"""The SQL conditions of every figure, each said once: numbers, the lists behind them and exports are built from these.

What events say is kept on the ticket (tickets/figures.py); here it is put together with what depends on the present.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from feedback.tickets.figures import has

Condition = ColumnElement[bool]


@dataclass(frozen=True)
class Facts:
    """The columns that conditions are told by: of a ticket, or of a sort of tickets that agree in them.

    `is_claimed`: a unit said that it was done; `is_settled`: closed for 30 days.
    """

    figures: ColumnElement[int]
    closure_reason: ColumnElement[str | None]
    is_own_unit: Condition
    is_claimed: Condition
    is_settled: Condition

    def closed_as(self, reason: str) -> Condition:
        return self.closure_reason.is_not_distinct_from(reason)

    def has(self, event: str) -> Condition:
        return has(event, self.figures)


def left_out_conditions(of: Facts) -> dict[str, Condition]:
    """What is not counted among the dispatched, by reason; a ticket fits one at most."""
    joined = of.closed_as("joined")
    excluded = and_(
        of.closed_as("excluded"),
        or_(of.has("appeal_refused"), and_(of.is_settled, ~of.has("appeal_pending"))),
    )
    return {
        "joined": joined,
        "excluded": excluded,
        "own_unit": and_(of.is_own_unit, ~joined, ~excluded),
    }


def ticket_conditions(of: Facts) -> dict[str, Condition]:
    """The numerators that count tickets, by the name of their measure; `reopened` and `settled` are what stability is
    told by (`stability` below).
    """
    confirmed = of.closed_as("confirmed")
    return {
        "response": of.has("response"),
        "on_time": of.has("on_time"),
        "on_time_extended": of.has("on_time_extended"),
        "claimed": of.is_claimed,
        "confirmed": confirmed,
        "raised_again": and_(confirmed, of.has("raised_again")),
        "reopened": and_(confirmed, of.has("reopened")),
        "settled": and_(confirmed, of.is_settled),
        "first_dispatch_right": ~of.has("redirected"),
    }


def stability(flags: Mapping[str, Any]) -> dict[str, bool]:
    """Stable closure of one ticket or sort of tickets, from its `ticket_conditions`; `is_held` says it in SQL."""
    held = bool(flags["confirmed"] and not flags["reopened"] and not flags["raised_again"])
    return {"stable": held and bool(flags["settled"]), "stable_pending": held and not flags["settled"]}


def is_held(flags: Mapping[str, Condition]) -> Condition:
    """SQL from the `ticket_conditions`: confirmed, and not back so far; with `settled` that is stable."""
    return and_(flags["confirmed"], ~flags["reopened"], ~flags["raised_again"])


def confirmed_parts(of: Facts) -> dict[str, Condition]:
    """How a confirmed ticket was confirmed: partly if one seat said so, else accepted if one did, else solved."""
    confirmed, partly, accepted = of.closed_as("confirmed"), of.has("partly"), of.has("accepted")
    return {
        "solved": and_(confirmed, ~partly, ~accepted),
        "partly": and_(confirmed, partly),
        "accepted": and_(confirmed, accepted, ~partly),
    }


def hatch_conditions(of: Facts) -> dict[str, Condition]:
    """The escape hatches that tickets once dispatched may have taken (`declined` has a cohort of its own)."""
    return {
        "returned": of.has("returned"),
        "extended": of.has("extended"),
        "suspended": of.has("suspended"),
        **{reason: of.closed_as(reason) for reason in ("excluded", "joined", "withdrawn", "unanswered")},
    }


def flags_of(of: Facts) -> dict[str, Condition]:
    """All of these by name: `left_…`, the names of measures, `confirmed_…` and `hatch_…`."""
    return {
        **{f"left_{name}": condition for name, condition in left_out_conditions(of).items()},
        **ticket_conditions(of),
        **{f"confirmed_{name}": condition for name, condition in confirmed_parts(of).items()},
        **{f"hatch_{name}": condition for name, condition in hatch_conditions(of).items()},
    }
