"""A unit asks for more time, before its time is over; somebody else decides. What was asked for can be taken back."""

from __future__ import annotations

from datetime import UTC, datetime

from feedback.kernel.command import Command, InstantField, Words
from feedback.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from feedback.kernel.text import N_, Text
from feedback.sla.extensions import Reach, reach_of
from feedback.sla.timers import calendar_zone
from feedback.tickets.actions import ticket_action
from feedback.tickets.deciders import ASKED_BY_OFFICE
from feedback.tickets.hold import Held
from feedback.tickets.parts import requests_of
from feedback.tickets.requests import EXTENSIONS_A_TICKET, is_asked_by, make_request, times_decided
from feedback.tickets.transition import perform


class RequestExtension(Command):
    """Why the time is too short, by when it will be done, and what is done for the people until then."""

    reason: Words
    due_at: InstantField
    interim: Words


class WithdrawRequest(Command):
    """Which request is no longer wanted."""

    request: int


@ticket_action("request_extension", RequestExtension)
def request_extension(held: Held, command: RequestExtension) -> None:
    """Ask for a later due time: a dispatcher decides, the second time a leader; the time runs on until then.

    Raises Conflict once the time is over, for a third one and while one waits; Invalid (`due_at`) for a date that is
    not later than the due time or further off than may be granted.
    """
    reach = reach_of(held.session, held.ticket.id)
    if reach is None or held.now >= reach.due_at:
        raise Conflict(
            Text(N_("More time must be asked for before the due time, and that has passed.")),
            code="too_late",
        )
    decided = times_decided(requests_of(held.session, held.ticket), "extension")
    if decided >= EXTENSIONS_A_TICKET:
        raise Conflict(
            Text(N_("More time was asked for twice on this ticket. There is no third time.")), code="limit_reached"
        )
    _check_date(held, command.due_at, reach)
    payload = {
        "reason": command.reason,
        "due_at": command.due_at.astimezone(UTC).isoformat(),
        "interim": command.interim,
        "ordinal": decided + 1,
    }
    held.request = make_request(held, "extension", payload)
    perform(
        held,
        text=f"{command.reason}\n\n{command.interim}",
        facts={"request": held.request.id, "due_at": payload["due_at"]},
    )


def _check_date(held: Held, wanted: datetime, reach: Reach) -> None:
    zone = calendar_zone(held.session, held.ticket.lead_unit_id)
    if wanted <= reach.due_at:
        due = reach.due_at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
        raise Invalid({"due_at": Text(N_("Must be later than the due time, %(due)s."), due=due)})
    if wanted > reach.latest:
        latest = reach.latest.astimezone(zone).strftime("%Y-%m-%d %H:%M")
        raise Invalid({"due_at": Text(N_("Can be %(latest)s at the latest."), latest=latest)})


@ticket_action("withdraw_request", WithdrawRequest)
def withdraw_request(held: Held, command: WithdrawRequest) -> None:
    """Take back a request that waits; its decision clock stops. Only whoever made it may.

    Raises NotFound for a request that is not on this ticket, Forbidden for somebody else's, Conflict for a decided one.
    """
    made = requests_of(held.session, held.ticket)
    request = next((each for each in made if each.id == command.request), None)
    if request is None:
        raise NotFound
    if not is_asked_by(request, held.actor.account_id, held.standing.seat_id):
        raise Forbidden(Text(N_("Only whoever asked can take it back.")))
    if request.state != "pending":
        raise Conflict(Text(N_("This waits for no decision any more.")))
    request.state, held.request = "withdrawn", request
    perform(
        held,
        facts={"request": request.id, "kind": request.kind},
        is_public=request.kind not in ASKED_BY_OFFICE,
    )
