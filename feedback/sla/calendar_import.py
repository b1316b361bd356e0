"""Calendars from a file, and the open clocks that move with them. Reading the rows is the calendars' own room's work."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from feedback.calendars.imports import OPTIONAL, REQUIRED, save_rows
from feedback.calendars.sheets import read_sheet
from feedback.kernel import audit
from feedback.kernel.actor import Actor
from feedback.kernel.imports import ImportResult
from feedback.people.rights import check_site_admin
from feedback.sla.rollout import CalendarChange, Rollout, TicketSide, roll_out


def import_calendars(
    source: Path | str | bytes,
    name: str,
    *,
    actor: Actor,
    now: datetime,
    tickets: TicketSide | None = None,
    is_dry_run: bool = False,
) -> Rollout:
    """Take the calendars of a file and move open clocks (never verdicts) to their new versions; `name` is the file's.

    A dry run changes nothing and tells the same. A calendar with a wrong row is reported and loses no other. Raises
    Forbidden for anybody but an admin of the whole site, Invalid (`file`) for a file that is none.
    """
    check_site_admin(actor)
    table = read_sheet(source, name, required=REQUIRED, optional=OPTIONAL)

    def save(session: Session) -> ImportResult:
        result = save_rows(session, table, name, now)
        if result.added or result.updated:
            audit.record(
                session,
                "settings",
                actor=actor.audit_name(),
                action="calendars.imported",
                now=now,
                facts={"added": result.added, "updated": result.updated},
            )
        return result

    return roll_out(save, CalendarChange() if tickets else None, tickets=tickets, now=now, is_dry_run=is_dry_run)
