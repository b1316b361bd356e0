"""What the fields of a submission mean: whose it is, where it lies, whom it is about. Reads and checks; writes nothing."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor, Grant
from feedback.kernel.command import Code, Command, InstantField, Line, LongText
from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text
from feedback.people.models import RoleGrant, Unit
from feedback.people.queries import all_units, find_account, find_unit, in_force, region_of, submitter_key
from feedback.routing.models import Category
from feedback.routing.queries import find_category
from feedback.tickets.identity import town_to_show
from feedback.tickets.units import NO_SUCH_UNIT

CLOCK_SLACK = timedelta(minutes=5)


class OnBehalfOf(Command):
    """For whom it is typed in: somebody with an account, or a name and how to reach them."""

    login: Code | None = None
    name: Code | None = None
    contact: Code | None = None


class SubmitTicket(Command):
    """What somebody has to say. Only `text` is needed; the rest is proposed or has a default.

    `join` names an elder ticket on the same matter, by number or by the token of its summary: this one is joined to it
    at once. Where that is no longer possible it goes its own way.
    """

    text: LongText
    title: Line | None = None
    kind: Literal["demand", "suggestion", "question", "burden_lead"] | None = None
    category: Code | None = None
    area: Code | None = None
    urgency: Literal["critical", "urgent", "normal", "complex"] | None = None
    privacy: Literal["named", "confidential", "anonymous"] | None = None
    occurred_at: InstantField | None = None
    place: Line | None = None
    about: Annotated[list[Code], Field(max_length=10)] | None = None
    on_behalf_of: OnBehalfOf | None = None
    join: Code | None = None


@dataclass(frozen=True)
class Person:
    """Whose seat it will be: an account, or somebody who has none."""

    account_id: int | None
    key: str
    home: Unit
    name: str = ""
    contact: str = ""


@dataclass(frozen=True)
class Particulars:
    """What a submission's fields stand for. `about_units` maps a unit's id to whether it follows from a person named."""

    person: Person
    area: Unit
    category: Category | None
    about_accounts: list[int]
    about_units: dict[int, bool]

    @property
    def is_about(self) -> bool:
        return bool(self.about_accounts or self.about_units)


def read_particulars(session: Session, command: SubmitTicket, grant: Grant, actor: Actor, now: datetime) -> Particulars:
    """Look up everything the command names. Raises Invalid with every field that can't be taken."""
    errors = _check_choices(command, now)
    person = _whose(session, command, grant, actor, now, errors)
    area = _area(session, command, person, now, errors)
    category = find_category(session, command.category) if command.category else None
    if command.category and category is None:
        errors["category"] = Text(N_("There is no category %(path)s. Choose one from the list."), path=command.category)
    accounts, units = _about(session, command.about or [], now, errors)
    if errors or person is None or area is None:
        raise Invalid(errors)
    return Particulars(person, area, category, accounts, units)


def _check_choices(command: SubmitTicket, now: datetime) -> dict[str, Text]:
    errors: dict[str, Text] = {}
    if command.privacy == "anonymous":
        errors["privacy"] = Text(
            N_(
                "Anonymous is not possible yet. Choose confidential: nobody then sees your name, not even an administrator."
            )
        )
    if command.urgency == "complex":
        errors["urgency"] = Text(N_("Only a supervisor can grant the longer time of a complex matter."))
    if command.occurred_at and command.occurred_at > now + CLOCK_SLACK:
        errors["occurred_at"] = Text(N_("Can't lie in the future."))
    return errors


def _whose(
    session: Session, command: SubmitTicket, grant: Grant, actor: Actor, now: datetime, errors: dict[str, Text]
) -> Person | None:
    """Whose ticket it is: the actor's, or that of whoever they write for."""
    wanted = command.on_behalf_of
    if wanted is None:
        return Person(actor.account_id, actor.submitter_key, all_units(session)[grant.unit_id])
    if wanted.login is None:
        if wanted.name and wanted.contact:
            home = all_units(session)[grant.unit_id]
            return Person(None, secrets.token_hex(32), home, wanted.name, wanted.contact)
        errors["on_behalf_of"] = Text(N_("Give a login, or a name and how to reach them."))
        return None
    account_or_none = find_account(session, wanted.login.lower())
    if account_or_none and account_or_none.id == actor.account_id:
        errors["on_behalf_of.login"] = Text(N_("Say for whom you are writing this: their login, or name and contact."))
        return None
    home_id = account_or_none and session.scalar(
        select(RoleGrant.unit_id)
        .where(
            RoleGrant.account_id == account_or_none.id,
            RoleGrant.role == "submitter",
            in_force(RoleGrant.valid_from, RoleGrant.valid_to, now),
        )
        .order_by(RoleGrant.id)
        .limit(1)
    )
    if account_or_none is None or not account_or_none.is_active or not home_id:
        errors["on_behalf_of.login"] = Text(
            N_("Nobody who may submit has this login. Give a name and contact instead.")
        )
        return None
    return Person(account_or_none.id, submitter_key(account_or_none.id), all_units(session)[home_id])


def _area(
    session: Session, command: SubmitTicket, person: Person | None, now: datetime, errors: dict[str, Text]
) -> Unit | None:
    """The area given, else the region at or nearest above the unit of whoever it is for.

    Where the submitter is protected it is not their own village but what is shown of them: the town, or the county.
    """
    if command.area:
        area = find_unit(session, command.area)
        if area is None:
            errors["area"] = Text(NO_SUCH_UNIT, code=command.area)
        return area
    if person is None:
        return None
    if command.privacy == "confidential":
        return all_units(session)[town_to_show(session, person.home, now)]
    return region_of(session, person.home)


def _about(
    session: Session, names: list[str], now: datetime, errors: dict[str, Text]
) -> tuple[list[int], dict[int, bool]]:
    """The accounts and units it is about; for an account also every unit where it holds a role (derived)."""
    accounts: list[int] = []
    units: dict[int, bool] = {}
    for number, name in enumerate(names):
        unit = find_unit(session, name)
        account = None if unit else find_account(session, name.lower())
        if unit:
            units[unit.id] = False
        elif account:
            accounts.append(account.id)
            held_at = session.scalars(
                select(RoleGrant.unit_id).where(
                    RoleGrant.account_id == account.id, in_force(RoleGrant.valid_from, RoleGrant.valid_to, now)
                )
            )
            for unit_id in held_at:
                units.setdefault(unit_id, True)
        else:
            errors[f"about.{number}"] = Text(N_("There is no unit or login %(name)s. Choose from the list."), name=name)
    return sorted(set(accounts)), units
