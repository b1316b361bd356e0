"""Figures over imported history, apart from the loop's: what an older system published, beside what its dates say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from feedback.kernel.text import N_
from feedback.reports.cohort import count_where
from feedback.reports.metrics import share
from feedback.tickets.models import Ticket

DEFINITIONS = {
    "tickets": N_("Imported tickets of this source that the options leave in."),
    "resolved": N_("Those with a date of resolution."),
    "on_time": N_("Resolved by the due date, of those with a due date; without a resolution it is not on time."),
    "published_on_time": N_("On time as the older system published it, of those for which it published anything."),
    "differs": N_("Tickets with a due date for which what was published is not what the dates say."),
}


@dataclass(frozen=True)
class LegacyRow:
    """One department (None: none was given), or all."""

    key: str | None
    tickets: int
    with_due: int
    responded: int
    resolved: int
    on_time: int
    published_yes: int
    published_no: int
    differs: int

    def document(self) -> dict[str, Any]:
        """As JSON, each rate with its fraction."""
        published = self.published_yes + self.published_no
        return {
            "key": self.key,
            "tickets": self.tickets,
            "responded": self.responded,
            "resolved": _fraction(self.resolved, self.tickets),
            "on_time": _fraction(self.on_time, self.with_due),
            "published_on_time": _fraction(self.published_yes, published),
            "not_published": self.tickets - published,
            "differs": self.differs,
        }


def _fraction(numerator: int, denominator: int) -> dict[str, Any]:
    return {"numerator": numerator, "denominator": denominator, "rate": share(numerator, denominator)}


def legacy_report(
    session: Session, source: str, *, with_due: bool = False, not_staff: bool = False
) -> tuple[list[LegacyRow], LegacyRow]:
    """Rows by department, the most tickets first, and all together, of the history imported under that source.

    `with_due` leaves out tickets without a due date, `not_staff` those that staff raised themselves. Two queries.
    """
    department = _kept("department")
    scope = [Ticket.origin == "legacy", Ticket.source == source]
    if with_due:
        scope.append(Ticket.due_at.is_not(None))
    if not_staff:
        scope.append(func.coalesce(_kept("raised_by"), "") != "staff")
    columns = [column.label(name) for name, column in _columns().items()]
    rows = [
        LegacyRow(row["key"], *(int(row[name]) for name in _columns()))
        for row in session.execute(
            select(department.label("key"), *columns).where(*scope).group_by(department)
        ).mappings()
    ]
    whole = session.execute(select(*columns).where(*scope)).mappings().one()
    rows.sort(key=lambda row: (-row.tickets, row.key or ""))
    return rows, LegacyRow(None, *(int(whole[name]) for name in _columns()))


def legacy_document(
    session: Session, source: str, *, with_due: bool = False, not_staff: bool = False
) -> dict[str, Any]:
    """The JSON of `reports legacy`."""
    rows, total = legacy_report(session, source, with_due=with_due, not_staff=not_staff)
    return {
        "source": source,
        "by": "department",
        "with_due": with_due,
        "not_staff": not_staff,
        "definitions": DEFINITIONS,
        "rows": [row.document() for row in rows],
        "total": total.document(),
    }


def _kept(name: str) -> ColumnElement[str]:
    """SQL: what the import kept of the older system's own words."""
    found: ColumnElement[str] = Ticket.routing["legacy"][name].as_string()
    return found


def _columns() -> dict[str, ColumnElement[int]]:
    """In the order of LegacyRow's members."""
    in_time = and_(Ticket.resolved_at.is_not(None), Ticket.due_at.is_not(None), Ticket.resolved_at <= Ticket.due_at)
    published = func.coalesce(_kept("on_time"), "")
    has_due = Ticket.due_at.is_not(None)
    return {
        "tickets": func.count(),
        "with_due": count_where(has_due),
        "responded": count_where(Ticket.first_responded_at.is_not(None)),
        "resolved": count_where(Ticket.resolved_at.is_not(None)),
        "on_time": count_where(in_time),
        "published_yes": count_where(published == "yes"),
        "published_no": count_where(published == "no"),
        "differs": count_where(
            and_(
                has_due,
                or_(
                    and_(published == "yes", or_(Ticket.resolved_at.is_(None), Ticket.resolved_at > Ticket.due_at)),
                    and_(published == "no", in_time),
                ),
            )
        ),
    }
