"""A dispatcher publishes a neutral summary of a matter to its area, so that others there may join it, or takes it back."""

from __future__ import annotations

import secrets
from typing import Annotated

from pydantic import Field

from feedback.kernel.command import Code, Command, Words
from feedback.kernel.errors import Conflict, Invalid
from feedback.kernel.text import N_, Text
from feedback.people.queries import all_units
from feedback.tickets.actions import ticket_action
from feedback.tickets.hold import Held
from feedback.tickets.identity import ALPHABET
from feedback.tickets.summaries import SUMMARY_LIMIT, PublishedSummary, areas_to_publish_to, summary_of
from feedback.tickets.transition import perform
from feedback.tickets.visibility import PROTECTED


class PublishSummary(Command):
    """The neutral words, and to which area (code): the ticket's own where none is named."""

    text: Annotated[Words, Field(max_length=SUMMARY_LIMIT)]
    area: Code | None = None


class WithdrawSummary(Command):
    """Nothing needs to be said."""


@ticket_action("publish_summary", PublishSummary)
def publish_summary(held: Held, command: PublishSummary) -> None:
    """Let people of the area read a neutral summary and join the matter. One published before is replaced.

    Raises Conflict for a protected ticket or one that is about somebody, Invalid for an area that is neither the
    ticket's own nor above it within the office.
    """
    ticket = held.ticket
    if ticket.privacy in PROTECTED or ticket.is_about:
        raise Conflict(Text(N_("Nothing is published of a protected ticket, nor of one that is about somebody.")))
    office = held.standing.grant
    author_id = held.actor.account_id
    if office is None or author_id is None:
        raise RuntimeError("a dispatcher always holds the role at a unit")
    areas = {unit.code: unit for unit in areas_to_publish_to(all_units(held.session), ticket, office.unit_path)}
    own_code = next(iter(areas), "")
    area = areas.get(command.area or own_code)
    if area is None:
        raise Invalid({"area": Text(N_("Choose the ticket's own area, or one above it within your office."))})
    _end_present(held)
    summary = PublishedSummary(
        token=_new_token(),
        ticket_id=ticket.id,
        area_id=area.id,
        text=command.text,
        published_by_id=author_id,
        at=held.now,
    )
    held.session.add(summary)
    held.session.flush()
    perform(held, facts={"summary": summary.id, "area": area.id})


@ticket_action("withdraw_summary", WithdrawSummary)
def withdraw_summary(held: Held, command: WithdrawSummary) -> None:
    """Take the published summary back: nobody can join by it any more.

    Raises Conflict where none is published.
    """
    gone = _end_present(held)
    if gone is None:
        raise Conflict(Text(N_("No summary of this ticket is published.")))
    perform(held, facts={"summary": gone.id})


def _end_present(held: Held) -> PublishedSummary | None:
    present = summary_of(held.session, held.ticket)
    if present is not None:
        present.withdrawn_at = held.now
    return present


def _new_token() -> str:
    """What names a summary to those who may not know the ticket: 30^12 possibilities, such as `S-7K3MQ9QXABCD`."""
    return "S-" + "".join(secrets.choice(ALPHABET) for _ in range(12))
