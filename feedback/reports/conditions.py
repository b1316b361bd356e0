"""The SQL conditions of every figure, each said once: numbers, the lists behind them and exports are built from these."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, FromClause, SQLColumnExpression, and_, func, or_, select
from sqlalchemy.orm import aliased

from feedback.reports.metrics import STABLE_DAYS
from feedback.reports.sqltime import seconds_between
from feedback.sla.models import SlaClock
from feedback.tickets.models import Ticket, TicketLink, TicketRequest, TimelineEntry, Verdict

STABLE_SECONDS = STABLE_DAYS * 86400
Condition = ColumnElement[bool]


def left_out_conditions(now: datetime) -> dict[str, Condition]:
    """What is not counted among the dispatched, by reason; a ticket fits one at most."""
    joined = Ticket.closure_reason.is_not_distinct_from("joined")
    excluded = and_(
        Ticket.closure_reason.is_not_distinct_from("excluded"),
        or_(
            _has_request("appeal", "refused"),
            and_(Ticket.closed_at <= now - timedelta(days=STABLE_DAYS), ~_has_request("appeal", "pending")),
        ),
    )
    return {
        "joined": joined,
        "excluded": excluded,
        "own_unit": and_(Ticket.is_own_unit, ~joined, ~excluded),
    }


def ticket_conditions(now: datetime) -> dict[str, Condition]:
    """The numerators that count tickets, by the name of their measure; `reopened` and `settled` are what stability is
    told by (`stability` below).
    """
    confirmed = Ticket.closure_reason.is_not_distinct_from("confirmed")
    return {
        "response": _responded_in_time(),
        "on_time": _resolved_for_good_by(Ticket.original_due_at),
        "on_time_extended": _resolved_for_good_by(func.coalesce(_extended_due(), Ticket.original_due_at)),
        "claimed": Ticket.first_resolved_at.is_not(None),
        "confirmed": confirmed,
        "raised_again": and_(confirmed, _was_raised_again()),
        "reopened": and_(confirmed, _was_reopened_soon()),
        "settled": and_(confirmed, Ticket.closed_at <= now - timedelta(days=STABLE_DAYS)),
        "first_dispatch_right": and_(~_has_step("transfer", "adjudicate"), ~_has_request("return", "granted")),
    }


def stability(flags: Mapping[str, Any]) -> dict[str, bool]:
    """Stable closure of one ticket or sort of tickets, from its `ticket_conditions`; `is_held` says it in SQL."""
    held = bool(flags["confirmed"] and not flags["reopened"] and not flags["raised_again"])
    return {"stable": held and bool(flags["settled"]), "stable_pending": held and not flags["settled"]}


def is_held(table: FromClause) -> Condition:
    """SQL on a table with the `ticket_conditions`: confirmed, and not back so far; with `settled` that is stable."""
    return and_(table.c.confirmed, ~table.c.reopened, ~table.c.raised_again)


def confirmed_parts() -> dict[str, Condition]:
    """How a confirmed ticket was confirmed: partly if one seat said so, else accepted if one did, else solved."""
    confirmed = Ticket.closure_reason.is_not_distinct_from("confirmed")
    partly, accepted = _last_verdict_says("partly"), _last_verdict_says("accepted")
    return {
        "solved": and_(confirmed, ~partly, ~accepted),
        "partly": and_(confirmed, partly),
        "accepted": and_(confirmed, accepted, ~partly),
    }


def hatch_conditions() -> dict[str, Condition]:
    """The escape hatches that tickets once dispatched may have taken (`declined` has a cohort of its own)."""
    closed_as = Ticket.closure_reason.is_not_distinct_from
    return {
        "returned": _has_request("return", "granted"),
        "extended": _has_request("extension", "granted"),
        "suspended": _has_request("suspension", "granted"),
        "excluded": closed_as("excluded"),
        "joined": closed_as("joined"),
        "withdrawn": closed_as("withdrawn"),
        "unanswered": closed_as("unanswered"),
    }


def is_last_verdict() -> Condition:
    """SQL on Verdict: its seat said nothing later."""
    later = aliased(Verdict)
    return ~select(later.id).where(later.seat_id == Verdict.seat_id, later.round > Verdict.round).exists()


def _last_verdict_says(verdict: str) -> Condition:
    return (
        select(Verdict.id).where(Verdict.ticket_id == Ticket.id, Verdict.verdict == verdict, is_last_verdict()).exists()
    )


def _has_step(*actions: str) -> Condition:
    return (
        select(TimelineEntry.id).where(TimelineEntry.ticket_id == Ticket.id, TimelineEntry.action.in_(actions)).exists()
    )


def _has_request(kind: str, state: str) -> Condition:
    return (
        select(TicketRequest.id)
        .where(TicketRequest.ticket_id == Ticket.id, TicketRequest.kind == kind, TicketRequest.state == state)
        .exists()
    )


def _responded_in_time() -> Condition:
    """The first-response clock was met and never breached; where the policy has no such clock, any response will do."""
    clock = select(SlaClock.id).where(SlaClock.ticket_id == Ticket.id, SlaClock.kind == "first_response")
    in_time = clock.where(SlaClock.met_at.is_not(None), SlaClock.breached_at.is_(None))
    return or_(in_time.exists(), and_(~clock.exists(), Ticket.first_responded_at.is_not(None)))


def _extended_due() -> ColumnElement[datetime]:
    """The due time of the first round's resolution after pauses and extensions; where it was late, that at which it was."""
    return (
        select(func.max(func.coalesce(SlaClock.breached_at, SlaClock.due_at)))
        .where(SlaClock.ticket_id == Ticket.id, SlaClock.kind == "resolution", SlaClock.round == 1)
        .correlate(Ticket)
        .scalar_subquery()
    )


def _resolved_for_good_by(due_at: SQLColumnExpression[Any]) -> Condition:
    """A step `resolve` at or before that instant which no dispute followed."""
    resolve, dispute = aliased(TimelineEntry), aliased(TimelineEntry)
    disputed_after = (
        select(dispute.id)
        .where(dispute.ticket_id == Ticket.id, dispute.action == "dispute", dispute.version > resolve.version)
        .correlate(Ticket, resolve)
        .exists()
    )
    return (
        select(resolve.id)
        .where(resolve.ticket_id == Ticket.id, resolve.action == "resolve", resolve.at <= due_at, ~disputed_after)
        .correlate(Ticket)
        .exists()
    )


def _was_reopened_soon() -> Condition:
    """A step `reopen` within 30 days of a confirmation that had closed it."""
    confirm, reopen = aliased(TimelineEntry), aliased(TimelineEntry)
    return (
        select(reopen.id)
        .join(confirm, confirm.ticket_id == reopen.ticket_id)
        .where(
            reopen.ticket_id == Ticket.id,
            reopen.action == "reopen",
            confirm.action == "confirm",
            confirm.to_status == "closed.confirmed",
            confirm.version < reopen.version,
            seconds_between(confirm.at, reopen.at) <= STABLE_SECONDS,
        )
        .correlate(Ticket)
        .exists()
    )


def _was_raised_again() -> Condition:
    """Within 30 days of its closing a later ticket was received that is linked to it as its recurrence,

    or that names the same place and category in the same area.
    """
    later, same = aliased(Ticket), aliased(Ticket)
    gap = seconds_between(Ticket.closed_at, later.submitted_at)
    is_same_matter = (
        select(same.id)
        .where(
            same.area_id == Ticket.area_id,
            same.category_id == Ticket.category_id,
            same.place == Ticket.place,
            same.origin == "loop",
            same.submitted_at >= Ticket.closed_at,
            seconds_between(Ticket.closed_at, same.submitted_at) <= STABLE_SECONDS,
        )
        .correlate(Ticket)
        .exists()
    )
    return is_same_matter | (
        select(TicketLink.id)
        .join(later, TicketLink.from_id == later.id)
        .where(TicketLink.to_id == Ticket.id, TicketLink.kind == "recurrence", gap.between(0, STABLE_SECONDS))
        .correlate(Ticket)
        .exists()
    )
