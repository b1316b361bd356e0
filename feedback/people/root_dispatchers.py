"""Who takes tickets that are about the top unit itself: named people, because its other dispatchers must not see them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field
from sqlalchemy import select

from feedback.kernel.actor import Actor
from feedback.kernel.command import Code, Command
from feedback.kernel.errors import Conflict, Invalid
from feedback.kernel.site import change_setting, get_setting
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction
from feedback.people.models import Account, RoleGrant
from feedback.people.names import fold_login
from feedback.people.queries import in_force, root_unit
from feedback.people.rights import check_site_admin

SETTING = "root_dispatchers"


class SetRootDispatchers(Command):
    """Their logins. `seen` is the list as the writer saw it, so that no one undoes another's change."""

    logins: Annotated[list[Code], Field(max_length=20)]
    seen: Annotated[list[str], Field(max_length=20)] | None = None


def set_root_dispatchers(cmd: SetRootDispatchers, *, actor: Actor, now: datetime) -> list[str]:
    """Name them, from the next click on. Forbidden for who is no admin of the site; Conflict where another changed it.

    Invalid (`logins`) for somebody who is unknown, shut, or no dispatcher at the top unit.
    """
    check_site_admin(actor)
    logins = list(dict.fromkeys(fold_login(login) for login in cmd.logins))
    with transaction() as session:
        before = list(get_setting(session, SETTING))
        if cmd.seen is not None and cmd.seen != before:
            raise Conflict(Text(N_("Somebody changed this list while you were writing. Look at it again, then save.")))
        root = root_unit(session)
        known = session.scalars(
            select(Account.login)
            .join(RoleGrant, RoleGrant.account_id == Account.id)
            .where(
                Account.login.in_([login for login in logins if login.isprintable()]),
                Account.is_active,
                RoleGrant.role == "dispatcher",
                RoleGrant.unit_id == (root.id if root else 0),
                in_force(RoleGrant.valid_from, RoleGrant.valid_to, now),
            )
        ).all()
        missing = next((login for login in logins if login not in known), None)
        if missing is not None:
            text = N_("“%(login)s” is no dispatcher at the top unit. Give them that role first.")
            raise Invalid({"logins": Text(text, login=missing)})
        if logins != before:
            change_setting(session, SETTING, logins, actor=actor, now=now)
    return logins
