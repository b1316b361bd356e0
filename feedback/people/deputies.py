"""Who stands in for whom, from when to when. What a deputy may do is decided where it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from feedback.kernel.actor import Actor
from feedback.kernel.command import Command, InstantField
from feedback.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction
from feedback.people.models import Account, Deputy
from feedback.people.rights import lock_account
from feedback.people.usecases import check_admin_of_account, record


class SetDeputy(Command):
    """`deputy` stands in for `login` from..to (half-open; None: from now, without an end)."""

    login: str
    deputy: str
    valid_from: InstantField | None = None
    valid_to: InstantField | None = None


@dataclass(frozen=True)
class DeputyView:
    """One line: who stands in for whom, and when."""

    deputy_id: int
    absent_login: str
    absent_name: str
    login: str
    name: str
    valid_from: datetime | None
    valid_to: datetime | None


def set_deputy(cmd: SetDeputy, *, actor: Actor, now: datetime) -> int:
    """Let somebody stand in for an account; gives the line's id. The actor must be admin of both.

    Raises NotFound, Forbidden, Conflict where they stand in already, Invalid: `deputy` (unknown, shut, the same person),
    `valid_to` (over already, or before the beginning).
    """
    begins = cmd.valid_from or now
    if cmd.valid_to is not None and cmd.valid_to <= max(begins, now):
        raise Invalid({"valid_to": Text(N_("Must lie after the beginning, and after now."))})
    with transaction() as session:
        account = lock_account(session, cmd.login)
        check_admin_of_account(session, account, actor=actor)
        deputy = _deputy(session, account, cmd.deputy, actor)
        overlapping = select(Deputy.id).where(
            Deputy.account_id == account.id,
            Deputy.deputy_id == deputy.id,
            or_(Deputy.valid_to.is_(None), Deputy.valid_to > begins),
        )
        if cmd.valid_to is not None:
            overlapping = overlapping.where(or_(Deputy.valid_from.is_(None), Deputy.valid_from < cmd.valid_to))
        if session.scalar(overlapping.limit(1)) is not None:
            raise Conflict(Text(N_("This person stands in already in that time. End that first.")))
        row = Deputy(account_id=account.id, deputy_id=deputy.id, valid_from=begins, valid_to=cmd.valid_to)
        session.add(row)
        session.flush()
        until = cmd.valid_to.isoformat() if cmd.valid_to else None
        record(
            session,
            account,
            "deputy.set",
            actor=actor,
            now=now,
            deputy=deputy.id,
            begins=begins.isoformat(),
            until=until,
        )
        return row.id


def end_deputy(deputy_id: int, *, login: str, actor: Actor, now: datetime) -> None:
    """End a line of that account at once; one that has not begun never holds. Raises NotFound, Forbidden."""
    with transaction() as session:
        account = lock_account(session, login)
        check_admin_of_account(session, account, actor=actor)
        row = session.get(Deputy, deputy_id)
        if row is None or row.account_id != account.id or (row.valid_to is not None and row.valid_to <= now):
            raise NotFound
        row.valid_to = now
        record(session, account, "deputy.ended", actor=actor, now=now, deputy=row.deputy_id)


def list_deputies(session: Session, account_id: int, now: datetime) -> Sequence[DeputyView]:
    """Who stands in for an account and for whom it does, now or later, in one query."""
    absent, stand_in = aliased(Account), aliased(Account)
    rows = session.execute(
        select(Deputy, absent.login, absent.name, stand_in.login, stand_in.name)
        .join(absent, absent.id == Deputy.account_id)
        .join(stand_in, stand_in.id == Deputy.deputy_id)
        .where(
            or_(Deputy.account_id == account_id, Deputy.deputy_id == account_id),
            or_(Deputy.valid_to.is_(None), Deputy.valid_to > now),
        )
        .order_by(Deputy.id)
    ).all()
    return [
        DeputyView(row.id, absent_login, absent_name, login, name, row.valid_from, row.valid_to)
        for row, absent_login, absent_name, login, name in rows
    ]


def _deputy(session: Session, account: Account, login: str, actor: Actor) -> Account:
    try:
        found = lock_account(session, login)
        check_admin_of_account(session, found, actor=actor)
    except (NotFound, Forbidden) as error:
        text = N_("Nobody of whom you are admin has this sign-in name.")
        raise Invalid({"deputy": Text(text)}) from error
    if found.id == account.id:
        raise Invalid({"deputy": Text(N_("Nobody can stand in for themselves."))})
    if not found.is_active:
        raise Invalid({"deputy": Text(N_("This account is shut."))})
    return found
