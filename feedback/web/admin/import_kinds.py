"""The five kinds of files that an admin brings in and takes away on a page: what each is called, holds, and is read by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from feedback.calendars import export as calendar_export
from feedback.kernel.actor import Actor
from feedback.kernel.db import session
from feedback.kernel.tabular import read_rows
from feedback.kernel.text import N_
from feedback.people import account_import, unit_import
from feedback.people.directory import export_accounts, export_units
from feedback.routing import imports as catalogue_import
from feedback.routing import listing as catalogue_listing
from feedback.sla import policies
from feedback.sla.calendar_import import import_calendars
from feedback.sla.export import export_policies
from feedback.sla.policy_import import import_policies
from feedback.sla.rollout import Rollout
from feedback.supervision.left_behind import free_left_tickets
from feedback.supervision.open_tickets import OpenTickets


@dataclass(frozen=True)
class Sent:
    """A file, who sends it, when, and what is to be done with it."""

    content: bytes
    name: str
    actor: Actor
    now: datetime
    apply_to_open: bool
    is_dry_run: bool


Take = Callable[[Sent], Rollout]
Export = Callable[[Actor, datetime], Iterable[list[str]]]


@dataclass(frozen=True)
class Kind:
    """One kind: its title, what a row says, where its list stands, its columns, and the two ways."""

    title: str
    sentence: str
    page: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    take: Take
    export: Export
    is_site_wide: bool = False
    moves_open: bool = False


def _take_units(sent: Sent) -> Rollout:
    table = read_rows(sent.content, sent.name, required=unit_import.REQUIRED, optional=unit_import.OPTIONAL)
    result = unit_import.import_units(table, actor=sent.actor, now=sent.now, is_dry_run=sent.is_dry_run)
    return Rollout(result, is_dry_run=sent.is_dry_run)


def _take_accounts(sent: Sent) -> Rollout:
    table = read_rows(sent.content, sent.name, required=account_import.REQUIRED, optional=account_import.OPTIONAL)
    result = account_import.import_accounts(table, actor=sent.actor, now=sent.now, is_dry_run=sent.is_dry_run)
    if not sent.is_dry_run:
        free_left_tickets(sent.now)
    return Rollout(result, is_dry_run=sent.is_dry_run)


def _take_catalogue(sent: Sent) -> Rollout:
    result = catalogue_import.import_catalogue(
        sent.content, sent.name, actor=sent.actor, now=sent.now, is_dry_run=sent.is_dry_run
    )
    return Rollout(result, is_dry_run=sent.is_dry_run)


def _take_policies(sent: Sent) -> Rollout:
    return import_policies(
        sent.content,
        sent.name,
        actor=sent.actor,
        now=sent.now,
        tickets=OpenTickets(),
        apply_to_open=sent.apply_to_open,
        is_dry_run=sent.is_dry_run,
    )


def _take_calendars(sent: Sent) -> Rollout:
    return import_calendars(
        sent.content,
        sent.name,
        actor=sent.actor,
        now=sent.now,
        tickets=OpenTickets(),
        is_dry_run=sent.is_dry_run,
    )


KINDS: dict[str, Kind] = {
    "units": Kind(
        N_("Units"),
        N_(
            "A row adds a unit, or gives one of that code another name or place. Units that the file doesn't name stay."
        ),
        "admin_units.index",
        unit_import.REQUIRED,
        unit_import.OPTIONAL,
        _take_units,
        lambda actor, now: export_units(session(), actor, now),
    ),
    "accounts": Kind(
        N_("People"),
        N_(
            "A row adds an account, or changes the one of that login: its roles are then exactly those of the row. Accounts "
            "that the file doesn't name stay. There are no passwords in files; make a link for each on its page."
        ),
        "admin_accounts.index",
        account_import.REQUIRED,
        account_import.OPTIONAL,
        _take_accounts,
        lambda actor, now: export_accounts(session(), actor, now),
    ),
    "catalogue": Kind(
        N_("Duty catalogue"),
        N_(
            "For each category and area that the file names, its rows are the whole answer to who leads. What it doesn't "
            "name stays. Tickets that are on their way are not touched."
        ),
        "admin_rules.catalogue",
        catalogue_import.REQUIRED,
        catalogue_import.OPTIONAL,
        _take_catalogue,
        lambda actor, now: catalogue_listing.export_rows(session()),
        is_site_wide=True,
    ),
    "policies": Kind(
        N_("Deadline policies"),
        N_(
            "A policy of a name that is there becomes its next version; those that the file doesn't name stay. They count "
            "for tickets submitted from now on."
        ),
        "admin_rules.policies",
        policies.REQUIRED,
        policies.OPTIONAL,
        _take_policies,
        lambda actor, now: export_policies(session()),
        is_site_wide=True,
        moves_open=True,
    ),
    "calendars": Kind(
        N_("Calendars"),
        N_(
            "A calendar that the file gives week rows is replaced as a whole; rows of dates alone are added to it. Open "
            "tickets move to the new version, verdicts that were given stay."
        ),
        "admin_rules.calendars",
        ("calendar", "rule"),
        calendar_export.COLUMNS[2:],
        _take_calendars,
        lambda actor, now: calendar_export.export_calendars(session()),
        is_site_wide=True,
    ),
}
