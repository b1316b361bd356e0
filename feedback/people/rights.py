"""Who may change people and units: admins within the subtree of their unit, and the system itself (the command line)."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.errors import Forbidden, Invalid, NotFound
from feedback.kernel.text import N_, Text
from feedback.people.models import Account, Unit
from feedback.people.names import fold_login


def check_admin(actor: Actor) -> None:
    """Forbidden for whoever is neither an admin nor the system."""
    if not actor.is_system and not actor.has_role("admin"):
        raise Forbidden(Text(N_("Only an admin may do this.")))


def is_site_admin(actor: Actor) -> bool:
    """Whether the actor is admin at the top of the tree, or the system: what counts everywhere is theirs to change."""
    return actor.is_system or any(grant.unit_path.count("/") == 2 for grant in actor.grants_for("admin"))


def check_site_admin(actor: Actor) -> None:
    """Forbidden for whoever is no admin of the whole site."""
    check_admin(actor)
    if not is_site_admin(actor):
        raise Forbidden(Text(N_("This counts for the whole site; only an admin at its top unit may change it.")))


def check_admin_of(actor: Actor, unit: Unit) -> None:
    """Forbidden unless the actor is admin at this unit or above it: nobody gives away more than they hold."""
    check_admin(actor)
    if not actor.is_system and not any(unit.path.startswith(grant.unit_path) for grant in actor.grants_for("admin")):
        raise Forbidden(Text(N_("This unit is not below one of which you are admin.")))


def units_of_roles(session: Session, roles: Iterable[tuple[str, str]]) -> list[tuple[str, Unit]]:
    """The units of (role, code). Invalid (`roles`) for a code that is not known."""
    wanted = list(roles)
    found = {u.code: u for u in session.scalars(select(Unit).where(Unit.code.in_({code for _, code in wanted})))}
    for _, code in wanted:
        if code not in found:
            raise Invalid({"roles": Text(N_("There is no unit with the code “%(code)s”."), code=code)})
    return [(role, found[code]) for role, code in wanted]


def lock_account(session: Session, login: str) -> Account:
    """The account of a login, its row locked until the end of the transaction. Raises NotFound."""
    wanted = fold_login(login)
    found = session.scalars(select(Account).where(Account.login == wanted).with_for_update())
    account = found.first() if wanted.isprintable() else None
    if account is None:
        raise NotFound(Text(N_("There is no account with this sign-in name.")))
    return account
