"""Policies from a file: new versions of those it names, ties refused, and what that does to clocks that run already."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from feedback.calendars.queries import list_calendars
from feedback.calendars.sheets import read_sheet
from feedback.kernel import audit
from feedback.kernel.actor import Actor
from feedback.kernel.errors import Invalid
from feedback.kernel.imports import ImportResult, RowError
from feedback.kernel.tabular import Table
from feedback.kernel.text import N_, Text
from feedback.people.queries import list_units
from feedback.people.rights import check_site_admin
from feedback.sla.models import SlaPolicy
from feedback.sla.policies import OPTIONAL, REQUIRED, PolicyRow, Surroundings, find_tie, read_row
from feedback.sla.queries import live_policies
from feedback.sla.rollout import PolicyChange, Rollout, TicketSide, roll_out


def import_policies(
    source: Path | str | bytes,
    name: str,
    *,
    actor: Actor,
    now: datetime,
    tickets: TicketSide | None = None,
    apply_to_open: bool = False,
    is_dry_run: bool = False,
) -> Rollout:
    """Take the policies of a file; `name` is what people call it. One of a name that is there becomes its next version.

    Policies that the file does not name stay. They count for new tickets; with `apply_to_open` (which needs `tickets`)
    for open clocks too, never for verdicts. A dry run changes nothing and tells the same. A row that can't be taken is
    reported and loses no other. Raises Forbidden for anybody but an admin of the whole site, Invalid (`file`) for a file
    that is none.
    """
    check_site_admin(actor)
    table = read_sheet(source, name, required=REQUIRED, optional=OPTIONAL)

    def save(session: Session) -> ImportResult:
        result = save_policies(session, table, now)
        if result.added or result.updated:
            audit.record(
                session,
                "settings",
                actor=actor.audit_name(),
                action="policies.imported",
                now=now,
                facts={"added": result.added, "updated": result.updated, "applied_to_open": apply_to_open},
            )
        return result

    change = PolicyChange(tickets) if tickets and apply_to_open else None
    return roll_out(save, change, tickets=tickets, now=now, is_dry_run=is_dry_run)


def save_policies(session: Session, table: Table, now: datetime) -> ImportResult:
    """Write the policies of a table's rows in the present transaction, and say what each row did."""
    result = ImportResult(ignored=table.ignored)
    result.refuse_all(table.errors)
    around = Surroundings(
        {unit.code: unit.path for unit in list_units(session, now)},
        frozenset(row.code for row in list_calendars(session)),
    )
    present = {policy.name: policy for policy in live_policies(session)}
    rows = _readable(table, around, result)
    standing = {name: PolicyRow.of(policy) for name, policy in present.items()}
    standing |= {row.name: row for row in rows.values()}
    for number, row in rows.items():
        tie = find_tie(row, standing.values(), around)
        if tie:
            text = Text(N_("“%(other)s” has the same order and fits the same tickets; give one another order."))
            result.refuse(number, Text(text.msgid, other=tie.name), "order")
            continue
        before = present.get(row.name)
        if before is None:
            result.added += 1
        elif PolicyRow.of(before) == row:
            result.unchanged += 1
            continue
        else:
            result.updated += 1
            before.superseded_at = now
        session.add(_version(session, row, now))
        session.flush()
    return result


def _readable(table: Table, around: Surroundings, result: ImportResult) -> dict[int, PolicyRow]:
    rows: dict[int, PolicyRow] = {}
    places: dict[str, int] = {}
    for each in table.rows:
        try:
            row = read_row(each.values, around)
        except Invalid as invalid:
            result.refuse_all(RowError.of_invalid(each.number, invalid))
            continue
        earlier = places.setdefault(row.name, each.number)
        if earlier != each.number:
            result.refuse(each.number, Text(N_("Row %(row)s has the same name."), row=earlier), "name")
            continue
        rows[each.number] = row
    return rows


def _version(session: Session, row: PolicyRow, now: datetime) -> SlaPolicy:
    latest = session.scalar(select(func.max(SlaPolicy.version)).where(SlaPolicy.name == row.name)) or 0
    return SlaPolicy(
        name=row.name,
        version=latest + 1,
        order=row.order,
        kind=row.kind,
        urgency=row.urgency,
        category=row.category,
        unit_code=row.unit_code,
        calendar_code=row.calendar_code,
        amounts=dict(row.amounts),
        alarms=row.alarms,
        created_at=now,
    )
