"""Setting the site's quiet hours. What they do to a message is in quiet.py."""

from __future__ import annotations

from datetime import datetime

from feedback.kernel.actor import Actor
from feedback.kernel.command import Command, Line
from feedback.kernel.errors import Invalid
from feedback.kernel.site import change_setting, get_setting
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction
from feedback.notifications.quiet import is_span
from feedback.people.rights import check_site_admin

SETTING, DAYS_OFF = "quiet_hours", "quiet_days_off"


class SetQuietHours(Command):
    """From when to when, such as 22:00 and 07:00, over midnight too; both empty: none. `days_off`: on days off too."""

    begins: Line = ""
    ends: Line = ""
    days_off: bool = False


def set_quiet_hours(cmd: SetQuietHours, *, actor: Actor, now: datetime) -> str:
    """Set them for mails from now on. Forbidden for who is no admin of the site; Invalid names the time that is none."""
    check_site_admin(actor)
    span = f"{cmd.begins[:5]}-{cmd.ends[:5]}" if cmd.begins or cmd.ends else ""
    if span:
        errors = {
            name: Text(N_("Must be a time of day such as 22:00; leave both empty for no quiet hours."))
            for name, value in (("begins", cmd.begins), ("ends", cmd.ends))
            if not is_span(f"{value[:5]}-00:00")
        }
        if not errors and cmd.begins[:5] == cmd.ends[:5]:
            errors["ends"] = Text(N_("Must be another time than the beginning."))
        if errors:
            raise Invalid(errors)
    with transaction() as session:
        if get_setting(session, SETTING) != span:
            change_setting(session, SETTING, span, actor=actor, now=now)
        if get_setting(session, DAYS_OFF) != cmd.days_off:
            change_setting(session, DAYS_OFF, cmd.days_off, actor=actor, now=now)
    return span
