"""What the events of a ticket say for the figures, kept on its row: each said once in SQL, and the one statement that keeps it.

A step keeps its ticket's (`transition.perform`). Nothing else can change them: a sweep writes breaches of open clocks alone,
a new policy or calendar moves open clocks, and what is counted are clocks that were met. `raised_again` is of the elder ticket:
what says of what a younger one is calls `mark_elders`. A new ticket's are all 0. What depends on the present is
a comparison of plain columns, in reports/conditions.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Integer,
    SQLColumnExpression,
    TextClause,
    Update,
    and_,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session, aliased

from feedback.kernel.db import Instant
from feedback.kernel.sqltime import seconds_between
from feedback.sla.models import SlaClock
from feedback.tickets.models import Seat, Ticket, TicketLink, TicketRequest, TimelineEntry, Verdict
from feedback.tickets.visibility import PROTECTED

STABLE_DAYS = 30
STABLE_SECONDS = STABLE_DAYS * 86400
GOOD_RATING = 3
Condition = ColumnElement[bool]


def _last_verdict_says(verdict: str) -> Condition:
    return (
        select(Verdict.id)
        .where(Verdict.ticket_id == Ticket.id, Verdict.verdict == verdict, _is_last_verdict())
        .exists()
    )


def _is_last_verdict() -> Condition:
    """SQL on Verdict: its seat said nothing later."""
    later = aliased(Verdict)
    return ~select(later.id).where(later.seat_id == Verdict.seat_id, later.round > Verdict.round).exists()


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


EVENTS: dict[str, Condition] = {
    "response": _responded_in_time(),
    "on_time": _resolved_for_good_by(Ticket.original_due_at),
    "on_time_extended": _resolved_for_good_by(func.coalesce(_extended_due(), Ticket.original_due_at)),
    "redirected": or_(_has_step("transfer", "adjudicate"), _has_request("return", "granted")),
    "returned": _has_request("return", "granted"),
    "extended": _has_request("extension", "granted"),
    "suspended": _has_request("suspension", "granted"),
    "appeal_refused": _has_request("appeal", "refused"),
    "appeal_pending": _has_request("appeal", "pending"),
    "partly": _last_verdict_says("partly"),
    "accepted": _last_verdict_says("accepted"),
    "reopened": _was_reopened_soon(),
    "raised_again": and_(Ticket.closure_reason == "confirmed", _was_raised_again()),
}
"""What `ticket.figures` has a bit for, in the order of the bits (migration 0023 fills them: a new one goes to the end)."""
BITS: dict[str, int] = {name: 1 << place for place, name in enumerate(EVENTS)}


def has(name: str, figures: SQLColumnExpression[int] = Ticket.figures) -> Condition:
    """SQL: the kept figures say so."""
    return figures.bitwise_and(BITS[name]) != 0


def _first_office() -> ColumnElement[int | None]:
    """The office whose dispatcher took the first step `dispatch`; NULL where the catalogue did."""
    return (
        select(TimelineEntry.unit_id)
        .where(TimelineEntry.ticket_id == Ticket.id, TimelineEntry.action == "dispatch")
        .order_by(TimelineEntry.version)
        .limit(1)
        .correlate(Ticket)
        .scalar_subquery()
    )


def _of_last_verdicts(adds: Any) -> ColumnElement[int]:
    """Summed over the last verdict of each seat that nobody has left."""
    found = (
        select(func.sum(adds))
        .select_from(Verdict)
        .join(Seat, Seat.id == Verdict.seat_id)
        .where(Verdict.ticket_id == Ticket.id, _is_last_verdict(), Seat.left_at.is_(None))
        .correlate(Ticket)
        .scalar_subquery()
    )
    return func.coalesce(found, 0).cast(Integer)


def _one_where(condition: Condition) -> ColumnElement[int]:
    return case((condition, 1), else_=0)


_IS_RATED, _IS_PROTECTED = Verdict.rating.is_not(None), Seat.privacy.in_(PROTECTED)
VERDICT_SUMS: dict[str, ColumnElement[int]] = {
    "verdicts": _of_last_verdicts(literal(1)),
    "verdicts_protected": _of_last_verdicts(_one_where(_IS_PROTECTED)),
    "halves": _of_last_verdicts(case((Verdict.verdict == "solved", 2), (Verdict.verdict == "partly", 1), else_=0)),
    "ratings": _of_last_verdicts(_one_where(_IS_RATED)),
    "ratings_protected": _of_last_verdicts(_one_where(and_(_IS_RATED, _IS_PROTECTED))),
    "good_ratings": _of_last_verdicts(_one_where(and_(_IS_RATED, Verdict.rating >= GOOD_RATING))),
}
"""What the verdicts of a ticket add to the resolution and satisfaction rates; `halves` counts solved twice, partly once."""


def _all_bits() -> ColumnElement[int]:
    found: ColumnElement[int] = literal(0)
    for name, condition in EVENTS.items():
        found = found + case((condition, BITS[name]), else_=0)
    return found


KEPT: dict[str, ColumnElement[Any]] = {"figures": _all_bits(), "first_office_id": _first_office(), **VERDICT_SUMS}
"""By column of the ticket: the full count of it."""


def _keeping(*which: Condition) -> Update:
    return update(Ticket).where(*which).values(KEPT)


def _of_the_matter(*more: Condition) -> Update:
    """Tickets confirmed in the 30 days before an instant that name this place, area and category."""
    return _keeping(
        Ticket.place == literal_column(":of_place"),
        Ticket.area_id == literal_column(":of_area"),
        Ticket.category_id == literal_column(":of_category"),
        Ticket.closure_reason == "confirmed",
        Ticket.closed_at <= literal_column(":raised_at"),
        Ticket.closed_at >= literal_column(":since"),
        *more,
    )


_STATEMENTS: dict[str, Update] = {
    "keep": _keeping(Ticket.id == literal_column(":of_id")),
    "mark": _of_the_matter(~has("raised_again")),
    "unmark": _of_the_matter(has("raised_again")),
}
_INSTANTS = tuple(bindparam(name, type_=Instant) for name in ("raised_at", "since"))


@lru_cache(maxsize=16)
def _written(name: str, dialect: Dialect) -> TextClause:
    """The statement as text: to recognise so long a one each time takes ten times as long as to carry it out."""
    said = text(str(_STATEMENTS[name].compile(dialect=dialect, compile_kwargs={"literal_binds": True})))
    return said if name == "keep" else said.bindparams(*_INSTANTS)


def _send(session: Session, name: str, values: dict[str, Any] | Sequence[dict[str, Any]]) -> None:
    connection = session.connection()
    connection.execute(_written(name, connection.dialect), values)


Matter = tuple[str | None, int, int | None]
"""Place, area and category of a ticket: what tells that it raises again what another one raised."""


def keep_figures(session: Session, ticket_ids: Sequence[int]) -> None:
    """Write on these tickets what their rows say, once everything is flushed. One statement for each."""
    if ticket_ids:
        _send(session, "keep", [{"of_id": ticket_id} for ticket_id in ticket_ids])


def matter_of(ticket: Ticket) -> Matter:
    """What it raises, as far as a later ticket could raise it again."""
    return ticket.place, ticket.area_id, ticket.category_id


def mark_elders(session: Session, ticket: Ticket, was: Matter | None = None) -> None:
    """A ticket now raises this matter, and no longer what it `was`: the confirmed ones that it raises again are told.

    Its row must be written already. At most a statement each, and none where it names no place or no category.
    """
    now = matter_of(ticket)
    if was == now:
        return
    hold_matters(session, now, was)
    if was is not None:
        _tell(session, "unmark", was, ticket.submitted_at)
    _tell(session, "mark", now, ticket.submitted_at)


_HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended(:matter, 0))")


def hold_matters(session: Session, *matters: Matter | None) -> None:
    """Let those who confirm or raise the same matter at once follow one another: each then sees what the other wrote.

    On PostgreSQL only: elsewhere writers do so anyway.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    told = (f"{matter[0]}\n{matter[1]}\n{matter[2]}" for matter in matters if matter and matter[0] and matter[2])
    for matter in sorted(told):
        session.execute(_HOLD, {"matter": matter})


def _tell(session: Session, name: str, matter: Matter, raised_at: datetime) -> None:
    place, area_id, category_id = matter
    if place is None or category_id is None:
        return
    since = raised_at - timedelta(days=STABLE_DAYS, seconds=1)
    where = {"of_place": place, "of_area": area_id, "of_category": category_id}
    _send(session, name, {**where, "raised_at": raised_at, "since": since})


def find_wrongly_marked(session: Session) -> Sequence[int]:
    """Confirmed tickets whose mark of `raised_again` is not what the other tickets say: after a bulk import of rows."""
    differs = has("raised_again") != _was_raised_again()
    return session.scalars(select(Ticket.id).where(Ticket.closure_reason == "confirmed", differs)).all()
