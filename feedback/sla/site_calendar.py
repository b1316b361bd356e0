"""Which calendar counts where a unit and those above it name none."""

from __future__ import annotations

from datetime import datetime

from feedback.calendars.queries import find_calendar
from feedback.kernel.actor import Actor
from feedback.kernel.command import Code, Command
from feedback.kernel.errors import Invalid
from feedback.kernel.site import change_setting, get_setting
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction
from feedback.people.rights import check_site_admin

SETTING = "default_calendar"


class SetDefaultCalendar(Command):
    """Its code."""

    calendar: Code


def set_default_calendar(cmd: SetDefaultCalendar, *, actor: Actor, now: datetime) -> None:
    """Use it for clocks that begin from now on. Forbidden for who is no admin of the site; Invalid: no such calendar."""
    check_site_admin(actor)
    with transaction() as session:
        if find_calendar(session, cmd.calendar) is None:
            raise Invalid({"calendar": Text(N_("There is no calendar %(code)s."), code=cmd.calendar)})
        if get_setting(session, SETTING) != cmd.calendar:
            change_setting(session, SETTING, cmd.calendar, actor=actor, now=now)
