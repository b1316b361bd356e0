"""A unit works on a ticket: signs for it, asks, replies, notes, and says it is done (which is a claim)."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import func, select

from feedback.handling.common_replies import refuse_unchanged
from feedback.handling.stock_phrases import is_stock_phrase
from feedback.kernel.clock import local_day
from feedback.kernel.command import Command, DateField, ShortText, Words
from feedback.kernel.errors import Conflict, Invalid
from feedback.kernel.text import N_, Text
from feedback.sla import timers
from feedback.tickets.actions import ticket_action
from feedback.tickets.hold import Held
from feedback.tickets.models import TimelineEntry
from feedback.tickets.transition import perform

QUESTIONS_A_ROUND = 2


class NoFields(Command):
    """Nothing needs to be said."""


class Say(Command):
    """Some words."""

    text: Words


class ResolveTicket(Command):
    """What was found and done. `basis` where it was not possible, `planned_on` where it is planned."""

    outcome: Literal["solved", "partly", "not_possible", "planned"]
    text: Words
    basis: ShortText | None = None
    planned_on: DateField | None = None
    override_reason: ShortText | None = None


@ticket_action("acknowledge", NoFields)
def acknowledge_ticket(held: Held, command: NoFields) -> None:
    """Sign for a dispatched ticket; who signs works on it unless somebody does already. The system signs when time is up."""
    leg = held.lead_leg()
    if leg and leg.assignee_id is None and not held.actor.is_system:
        leg.assignee_id = held.ticket.assignee_id = held.actor.account_id
    perform(held)


@ticket_action("ask_submitter", Say)
def ask_submitter(held: Held, command: Say) -> None:
    """Ask who raised it a question, twice a round at most; the clocks wait for the answer, but not for ever."""
    asked = held.session.scalar(
        select(func.count())
        .select_from(TimelineEntry)
        .where(
            TimelineEntry.ticket_id == held.ticket.id,
            TimelineEntry.action == "ask_submitter",
            TimelineEntry.round == held.ticket.round,
        )
    )
    if (asked or 0) >= QUESTIONS_A_ROUND:
        raise Conflict(
            Text(N_("The submitter was asked twice already. Work with what you have, or phone them.")),
            code="limit_reached",
        )
    refuse_unchanged(held, command.text)
    until = timers.after(held.session, held.ticket.id, held.facts(), "wait", held.now)
    perform(held, text=command.text, wait_until=until, facts={"until": until.isoformat() if until else None})


@ticket_action("reply", Say)
def reply_to_submitter(held: Held, command: Say) -> None:
    """Say something to the submitter; the first such word stops the first-response clock, a stock phrase alone does not."""
    refuse_unchanged(held, command.text)
    perform(held, text=command.text, clocks=_clocks_for(held, command.text))


def _clocks_for(held: Held, text: str) -> tuple[str, ...] | None:
    """The rule's effects without that of a first response, where the words only say that something arrived."""
    if not is_stock_phrase(text):
        return None
    return tuple(effect for effect in held.rule.clocks if effect != "meet first_response")


@ticket_action("note", Say)
def write_note(held: Held, command: Say) -> None:
    """Write an internal note; it is never a response and the submitter never sees it."""
    perform(held, text=command.text)


@ticket_action("resolve", ResolveTicket)
def resolve_ticket(held: Held, command: ResolveTicket) -> None:
    """Claim that it is done. Refuses while an assisting unit has not answered, unless a leader overrides with a reason."""
    errors: dict[str, Text] = {}
    if command.outcome == "not_possible" and not command.basis:
        errors["basis"] = Text(N_("Name the rule or the facts that make it impossible."))
    if command.outcome == "planned" and not command.planned_on:
        errors["planned_on"] = Text(N_("Say for which day it is planned."))
    if command.planned_on and command.planned_on < local_day(held.now):
        errors["planned_on"] = Text(N_("Can't lie in the past."))
    if errors:
        raise Invalid(errors)
    refuse_unchanged(held, command.text)
    waiting = [leg for leg in held.open_legs() if leg.id != held.ticket.lead_leg_id and leg.answered_at is None]
    if waiting and not (command.override_reason and held.actor.has_role("leader")):
        raise Conflict(
            Text(N_("An assisting unit has not answered yet. Wait for it, or have a leader override with a reason.")),
            code="assists_open",
        )
    held.ticket.outcome = command.outcome
    held.ticket.planned_on = command.planned_on if command.outcome == "planned" else None
    text = command.text if not command.basis else f"{command.text}\n\n{command.basis}"
    perform(
        held,
        text=text,
        clocks=_clocks_for(held, command.text),
        facts={
            "outcome": command.outcome,
            **({"planned_on": command.planned_on.isoformat()} if command.planned_on else {}),
            **({"override_reason": command.override_reason} if waiting else {}),
        },
    )
