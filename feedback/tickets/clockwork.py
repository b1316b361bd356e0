"""What a step does to the clocks and legs of its ticket: each effect that a line of the lifecycle names, as a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from feedback.kernel.errors import Conflict
from feedback.sla import extensions, revival, timers
from feedback.tickets import lifecycle
from feedback.tickets.hold import Held
from feedback.tickets.identity import is_raised_by
from feedback.tickets.models import Leg


@dataclass(frozen=True)
class NewLeg:
    """A unit that gets a part of the ticket by this step (or whose part the step ends)."""

    unit_id: int
    role: str
    task: str | None = None
    due_at: datetime | None = None


@dataclass(frozen=True)
class Step:
    """One step being taken: the ticket held, the units named in it, until when a pause may last, by whom.

    `was_closed_at` is since when the ticket was closed before it.
    """

    held: Held
    legs: Sequence[NewLeg]
    wait_until: datetime | None
    by: str
    was_closed_at: datetime | None = None

    @property
    def request_id(self) -> int | None:
        return self.held.request.id if self.held.request else None

    def start(self, kind: str, **more: Any) -> None:
        """Start a clock of this kind at this instant."""
        ticket = self.held.ticket
        spec = timers.ClockStart(ticket_id=ticket.id, kind=kind, at=self.held.now, round=ticket.round, **more)
        timers.start(self.held.session, spec, self.held.facts())

    def meet(self, kind: str, **more: Any) -> None:
        timers.meet(self.held.session, self.held.ticket.id, kind, at=self.held.now, **more)

    def drop(self, kind: str, **more: Any) -> None:
        timers.drop(self.held.session, self.held.ticket.id, kind, at=self.held.now, **more)


def run_effects(step: Step, effects: Sequence[str]) -> None:
    """Carry out the effects in their order, then copy the due time that lists sort by. KeyError: no such effect."""
    for effect in effects:
        EFFECTS[effect](step)
    ticket = step.held.ticket
    ticket.due_at = timers.current_due(step.held.session, ticket.id)
    _keep_original_due(step.held)


def _keep_original_due(held: Held) -> None:
    """The first resolution due as it stands at the first dispatch; raising the urgency may move it earlier, never later."""
    ticket = held.ticket
    if ticket.status == lifecycle.SUBMITTED or ticket.due_at is None or ticket.round > 1:
        return
    if ticket.first_dispatched_at is None:
        if ticket.lead_unit_id is None:
            return
        ticket.first_dispatched_at = held.now
        ticket.first_lead_unit_id, ticket.first_area_id = ticket.lead_unit_id, ticket.area_id
        ticket.first_category_id = ticket.category_id
        ticket.original_due_at = ticket.due_at
        ticket.is_own_unit = is_raised_by(held.session, ticket, ticket.lead_unit_id)
    elif "repolicy" in held.rule.clocks and ticket.original_due_at:
        due = extensions.due_before_extension(held.session, ticket.id) or ticket.due_at
        ticket.original_due_at = min(ticket.original_due_at, due)


def _restart_resolution(step: Step) -> None:
    step.held.ticket.round += 1
    step.held.ticket.reopen_count += 1
    step.start("resolution", amount="rework")


def _start_lead_clock(step: Step) -> None:
    ticket = step.held.ticket
    if ticket.lead_leg_id:
        step.start(
            "leg",
            amount="leg_floor",
            unit_id=ticket.lead_unit_id,
            leg_id=ticket.lead_leg_id,
            follows_resolution=True,
        )


def _start_signing(step: Step) -> None:
    step.start("signing", unit_id=step.held.ticket.lead_unit_id, leg_id=step.held.ticket.lead_leg_id)


def _meet_signing(step: Step) -> None:
    step.meet("signing")
    leg = step.held.lead_leg()
    if leg and leg.acknowledged_at is None:
        leg.acknowledged_at, leg.acknowledged_by_system = step.held.now, step.held.actor.is_system


def _meet_first_response(step: Step) -> None:
    step.meet("first_response")
    ticket = step.held.ticket
    ticket.first_responded_at = ticket.first_responded_at or step.held.now


def _start_legs(step: Step) -> None:
    for wanted in step.legs:
        if wanted.role == "lead":
            _start_lead_leg(step, wanted)
        else:
            leg = _open_leg(step, wanted)
            step.start("leg", amount="assist", unit_id=leg.unit_id, leg_id=leg.id, fixed_due_at=wanted.due_at)


def _open_leg(step: Step, wanted: NewLeg) -> Leg:
    leg = Leg(
        ticket_id=step.held.ticket.id,
        unit_id=wanted.unit_id,
        role=wanted.role,
        round=step.held.ticket.round,
        task=wanted.task,
        started_at=step.held.now,
    )
    step.held.session.add(leg)
    step.held.session.flush()
    return leg


def _start_lead_leg(step: Step, wanted: NewLeg) -> None:
    """A unit that led before goes on with its own leg, and the time it used counts; an assist that becomes lead starts anew."""
    session, ticket = step.held.session, step.held.ticket
    for leg in [] if step.held.is_new else step.held.open_legs():
        if leg.unit_id == wanted.unit_id and leg.role == "assist":
            _end(step, leg, "leads")
    former = None if step.held.is_new else _former_lead_leg(step, wanted)
    leg = former or _open_leg(step, wanted)
    if former:
        former.ended_at = former.end_reason = former.acknowledged_at = None
        former.acknowledged_by_system = False
        session.flush()
    ticket.lead_leg_id, ticket.lead_unit_id, ticket.assignee_id = leg.id, leg.unit_id, leg.assignee_id
    if former is None or timers.revive_leg(session, leg.id, at=step.held.now) is None:
        _start_lead_clock(step)


def _former_lead_leg(step: Step, wanted: NewLeg) -> Leg | None:
    return step.held.session.scalars(
        select(Leg)
        .where(Leg.ticket_id == step.held.ticket.id, Leg.unit_id == wanted.unit_id, Leg.role == "lead")
        .where(Leg.ended_at.is_not(None))
        .order_by(Leg.id.desc())
    ).first()


def _end(step: Step, leg: Leg, reason: str) -> None:
    leg.ended_at, leg.end_reason = step.held.now, reason
    step.drop("leg", leg_id=leg.id)
    if leg.id == step.held.ticket.lead_leg_id:
        step.held.ticket.lead_leg_id = step.held.ticket.lead_unit_id = step.held.ticket.assignee_id = None
    step.held.session.flush()


def _end_legs(step: Step, ends: Callable[[Leg], bool]) -> None:
    reason = step.held.rule.action.split(":")[0]
    for leg in step.held.open_legs():
        if ends(leg):
            _end(step, leg, reason)


def _resume_all(step: Step) -> None:
    """What the closing stopped goes on from its own start, the time closed as a pause."""
    if step.was_closed_at is None:
        raise RuntimeError("only a closed ticket is taken up where it stood")
    ticket_id = step.held.ticket.id
    revival.resume_all(step.held.session, ticket_id, closed_at=step.was_closed_at, at=step.held.now, by=step.by)


def _move_due(step: Step) -> None:
    """The date that the request asked for becomes the due time; the original one stays."""
    request = step.held.request
    if request is None:
        raise RuntimeError("only a request moves a due time")
    until = datetime.fromisoformat(request.payload["due_at"])
    extensions.extend(step.held.session, step.held.ticket.id, until=until, at=step.held.now)


def _open_pause(reason: str) -> Callable[[Step], None]:
    def run(step: Step) -> None:
        if step.wait_until is None:
            raise Conflict(lifecycle.NO_WAIT, code="no_wait")
        timers.open_pause(
            step.held.session,
            step.held.ticket.id,
            reason=reason,
            at=step.held.now,
            wake_at=step.wait_until,
            by=step.by,
        )

    return run


def _starts(kind: str) -> Callable[[Step], None]:
    return lambda step: step.start(kind)


def _meets(kind: str) -> Callable[[Step], None]:
    return lambda step: step.meet(kind)


EFFECTS: dict[str, Callable[[Step], None]] = {
    **{
        f"start {kind}": _starts(kind)
        for kind in ("resolution", "first_response", "dispatch", "adjudication", "confirmation", "supervision")
    },
    "start decision": lambda step: step.start("decision", request_id=step.request_id),
    "start appeal": lambda step: step.start("appeal", request_id=step.request_id),
    "start signing": _start_signing,
    "start legs": _start_legs,
    "restart resolution": _restart_resolution,
    "restart lead leg": _start_lead_clock,
    **{
        f"meet {kind}": _meets(kind)
        for kind in ("dispatch", "resolution", "confirmation", "adjudication", "supervision")
    },
    "meet signing": _meet_signing,
    "meet first_response": _meet_first_response,
    "meet leg": lambda step: step.meet("leg", leg_id=step.held.standing.leg_id),
    "meet lead leg": lambda step: step.meet("leg", leg_id=step.held.ticket.lead_leg_id),
    "meet decision": lambda step: step.meet("decision", request_id=step.request_id),
    "meet appeal": lambda step: step.meet("appeal", request_id=step.request_id),
    "drop decision": lambda step: step.drop("decision", request_id=step.request_id),
    "drop appeal": lambda step: step.drop("appeal", request_id=step.request_id),
    "drop signing": lambda step: step.drop("signing"),
    "drop confirmation": lambda step: step.drop("confirmation"),
    "end lead leg": lambda step: _end_legs(step, lambda leg: leg.id == step.held.ticket.lead_leg_id),
    "end leg": lambda step: _end_legs(step, lambda leg: leg.unit_id in {n.unit_id for n in step.legs}),
    "pause wait": _open_pause("wait"),
    "unpause": lambda step: timers.end_pause(step.held.session, step.held.ticket.id, at=step.held.now),
    "stop": lambda step: timers.stop_all(step.held.session, step.held.ticket.id, at=step.held.now),
    "resume all": _resume_all,
    "move due": _move_due,
    "forget extension": lambda step: extensions.forget(step.held.session, step.held.ticket.id),
    "repolicy": lambda step: timers.repolicy(
        step.held.session, step.held.ticket.id, step.held.facts(), at=step.held.now
    ),
}
"""Effects of the actions that exist. The table names some that come with later actions (pause suspension, ...)."""
