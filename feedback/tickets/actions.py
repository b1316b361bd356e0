"""The shape of an action on a ticket: opened, checked and carried out in one transaction; and the list of those that exist.

An action of the lifecycle table that no room has written yet is not here, and so neither offered nor answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from feedback.files.uploads import KeptFile
from feedback.kernel.actor import Actor
from feedback.kernel.command import Command
from feedback.kernel.errors import NotFound
from feedback.kernel.idempotency import Once, again_if_raced
from feedback.kernel.transaction import transaction
from feedback.tickets.hold import Held, hold_for_decision, hold_ticket

C = TypeVar("C", bound=Command)
Fields = Mapping[str, Any]


@dataclass(frozen=True)
class TicketRef:
    """What a use-case gives back: which ticket, at which version; `is_replay` when an earlier write was found instead."""

    reference: str
    version: int
    is_replay: bool = False


@dataclass(frozen=True)
class TicketAction(Generic[C]):
    """A use-case on one ticket. Call it with the reference and the raw fields of its command.

    It refuses in one order at every door: NotFound (unknown, not visible), Forbidden, Conflict (status), VersionConflict,
    Invalid (fields). That is why the fields come raw: they are checked only after the right to act.
    """

    name: str
    command: type[C]
    run: Callable[[Held, C], object]

    def __call__(
        self,
        reference: str,
        fields: Fields,
        *,
        actor: Actor,
        now: datetime,
        version: int | None = None,
        once: Once | None = None,
        files: tuple[KeptFile, ...] = (),
    ) -> TicketRef:
        return again_if_raced(once, lambda: self._write(reference, fields, actor, now, version, once, files))

    def _write(
        self,
        reference: str,
        fields: Fields,
        actor: Actor,
        now: datetime,
        version: int | None,
        once: Once | None,
        files: tuple[KeptFile, ...],
    ) -> TicketRef:
        with transaction() as session:
            earlier = once.find(session, now) if once else None
            if earlier:
                return TicketRef(earlier.reference, earlier.version, is_replay=True)
            if self.name == "decide":
                request_id = fields.get("request")
                held = hold_for_decision(
                    session,
                    reference,
                    request_id if isinstance(request_id, int) else None,
                    fields.get("decision"),
                    actor=actor,
                    now=now,
                    version=version,
                )
            else:
                held = hold_ticket(session, reference, self.name, actor=actor, now=now, version=version)
            held.files = files
            self.run(held, self.command.parse(fields))
            if once:
                once.keep(session, held.ticket.reference, held.ticket.version, now)
            return TicketRef(held.ticket.reference, held.ticket.version)


ACTIONS: dict[str, TicketAction[Any]] = {}


def ticket_action(name: str, command: type[C]) -> Callable[[Callable[[Held, C], object]], TicketAction[C]]:
    """Make a function of (held, command) the use-case of an action of the lifecycle table."""

    def wrap(run: Callable[[Held, C], object]) -> TicketAction[C]:
        action = TicketAction(name, command, run)
        ACTIONS[name] = action
        return action

    return wrap


def run_action(
    name: str,
    reference: str,
    fields: Fields,
    *,
    actor: Actor,
    now: datetime,
    version: int | None = None,
    once: Once | None = None,
    files: tuple[KeptFile, ...] = (),
) -> TicketRef:
    """Carry out the action of that name; `files` belong to what is said. Raises NotFound for one that does not exist,

    else as TicketAction; Throttled above the day's amount of files.
    """
    action = ACTIONS.get(name)
    if action is None:
        raise NotFound
    return action(reference, fields, actor=actor, now=now, version=version, once=once, files=files)
