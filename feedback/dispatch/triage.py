"""What a dispatcher says of a ticket: its kind, category, area and urgency, or that it can't be taken; and what is decided."""

from __future__ import annotations

from typing import Literal

from feedback.kernel.command import Code, Command, Words
from feedback.kernel.errors import Conflict, Invalid
from feedback.kernel.text import N_, Text
from feedback.people.queries import find_unit
from feedback.routing.queries import find_category
from feedback.tickets.actions import ticket_action
from feedback.tickets.figures import mark_elders, matter_of
from feedback.tickets.hold import Held
from feedback.tickets.models import Decision
from feedback.tickets.requests import make_request, refuse_pointless
from feedback.tickets.transition import perform
from feedback.tickets.units import NO_SUCH_UNIT

URGENCY_RANK = {"complex": 0, "normal": 1, "urgent": 2, "critical": 3}
DECLINE_REASONS = ("legal_procedure", "not_a_public_duty", "outside_the_area", "nothing_to_act_on")


class ReclassifyTicket(Command):
    """Any of kind, category (path) and area (code), and why."""

    reason: Words
    kind: Literal["demand", "suggestion", "question", "burden_lead"] | None = None
    category: Code | None = None
    area: Code | None = None


class SetUrgency(Command):
    """How urgent, and why."""

    urgency: Literal["critical", "urgent", "normal", "complex"]
    reason: Words


class DeclineTicket(Command):
    """Why it can't be taken, and where to go instead."""

    reason_code: Literal["legal_procedure", "not_a_public_duty", "outside_the_area", "nothing_to_act_on"]
    instead: Words


class DecideRequest(Command):
    """Granted or refused, and the grounds."""

    request: int
    decision: Literal["granted", "refused"]
    text: Words


@ticket_action("reclassify", ReclassifyTicket)
def reclassify_ticket(held: Held, command: ReclassifyTicket) -> None:
    """Correct what a ticket is. Its policy is chosen anew from the receipt; nothing already judged is unjudged."""
    ticket, was = held.ticket, matter_of(held.ticket)
    facts: dict[str, str | int] = {}
    errors: dict[str, Text] = {}
    if command.kind and command.kind != ticket.kind:
        facts["kind"] = ticket.kind = command.kind
    if command.category:
        category = find_category(held.session, command.category)
        if category is None:
            errors["category"] = Text(
                N_("There is no category %(path)s. Choose one from the list."), path=command.category
            )
        elif category.id != ticket.category_id:
            facts["category"] = ticket.category_id = category.id
    if command.area:
        area = find_unit(held.session, command.area)
        if area is None:
            errors["area"] = Text(NO_SUCH_UNIT, code=command.area)
        elif area.id != ticket.area_id:
            facts["area"] = ticket.area_id = area.id
    if not facts and not errors:
        errors["kind"] = Text(N_("Nothing would change. Choose another kind, category or area."))
    if errors:
        raise Invalid(errors)
    perform(held, text=command.reason, facts=facts)
    mark_elders(held.session, ticket, was)


@ticket_action("set_urgency", SetUrgency)
def set_urgency(held: Held, command: SetUrgency) -> None:
    """Raise the urgency at once; lowering it, and `complex`, become a request that a supervisor decides.

    More time that was granted while it was calmer counts no longer once it is raised.
    """
    ticket = held.ticket
    if command.urgency == ticket.urgency:
        raise Invalid({"urgency": Text(N_("It has this urgency already."))})
    if URGENCY_RANK[command.urgency] > URGENCY_RANK[ticket.urgency]:
        facts = {"urgency": command.urgency, "from_urgency": ticket.urgency}
        ticket.urgency = command.urgency
        perform(held, text=command.reason, facts=facts, clocks=("forget extension", *held.rule.clocks))
        return
    held.request = make_request(held, "lower_urgency", {"urgency": command.urgency})
    perform(
        held,
        text=command.reason,
        facts={"request": held.request.id, "wanted_urgency": command.urgency},
        clocks=("start decision",),
        event="request.lower_urgency.made",
        is_public=False,
    )


@ticket_action("decline", DeclineTicket)
def decline_ticket(held: Held, command: DeclineTicket) -> None:
    """Ask that a ticket not be taken; a second dispatcher or a supervisor decides, until then it stays and its clocks run."""
    payload = {"reason_code": command.reason_code, "instead": command.instead}
    held.request = make_request(held, "decline", payload)
    perform(held, text=command.instead, facts={"request": held.request.id, "reason_code": command.reason_code})


@ticket_action("decide", DecideRequest)
def decide_request(held: Held, command: DecideRequest) -> None:
    """Grant or refuse a pending request. The grounds are public: the submitter reads them.

    Raises Conflict (`pointless`) for granting what time or another step has made pointless.
    """
    request = held.request
    if request is None:
        raise Conflict(Text(N_("There is nothing to decide on this ticket.")))
    if command.decision == "granted":
        refuse_pointless(held, request)
    request.state, request.decided_at = command.decision, held.now
    grant = held.standing.grant
    if grant is None or held.actor.account_id is None:
        raise RuntimeError("a decider always holds the role at a unit")
    held.session.add(
        Decision(
            request_id=request.id,
            account_id=held.actor.account_id,
            role=grant.role,
            unit_id=grant.unit_id,
            decision=command.decision,
            text=command.text,
            at=held.now,
        )
    )
    facts = {"request": request.id, "kind": request.kind, "decision": command.decision}
    if request.kind == "decline":
        facts |= {"reason_code": request.payload["reason_code"]}
    elif request.kind == "extension":
        facts |= {"due_at": request.payload["due_at"]}
    elif request.kind == "lower_urgency" and command.decision == "granted":
        facts |= {"urgency": request.payload["urgency"], "from_urgency": held.ticket.urgency}
        held.ticket.urgency = request.payload["urgency"]
    text = command.text
    if request.kind == "decline" and command.decision == "granted":
        text = f"{command.text}\n\n{request.payload['instead']}"
    perform(held, text=text, facts=facts)
