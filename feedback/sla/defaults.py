"""What a site has before anybody sets anything: its calendar and the default policies (default_policies.csv beside this)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from feedback.calendars.usecases import install_site_calendar
from feedback.kernel.imports import ImportResult
from feedback.kernel.tabular import read_rows
from feedback.sla.policies import OPTIONAL, REQUIRED
from feedback.sla.policy_import import save_policies
from feedback.sla.queries import live_policies
from feedback.sla.rollout import CalendarChange, TicketSide, roll_out

DEFAULT_POLICIES = Path(__file__).with_name("default_policies.csv")


def install_deadline_defaults(*, now: datetime, tickets: TicketSide | None = None) -> None:
    """Install what is missing; doing it again changes nothing.

    Where the libraries have learnt a year's official days since, calendars get new versions, and (with `tickets`) open
    clocks move to them.
    """

    def save(session: Session) -> ImportResult:
        install_site_calendar(session, now=now)
        if live_policies(session):
            return ImportResult()
        table = read_rows(DEFAULT_POLICIES, DEFAULT_POLICIES.name, required=REQUIRED, optional=OPTIONAL)
        return save_policies(session, table, now)

    roll_out(save, CalendarChange() if tickets else None, tickets=tickets, now=now, is_dry_run=False)
