"""From where somebody looks at a ticket: as who raised it, as staff, as one whom its verdict judges. Pure of rendering.

Reading takes the union of all roles a person holds, whichever one they act in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.tickets.models import Ticket
from feedback.tickets.visibility import WORKING_ROLES, standings

UNSEEN_BY_WORKERS = ("rating", "comment", "pressed")
"""What the one who is judged never sees of a verdict."""


@dataclass(frozen=True)
class Sight:
    """How a reader stands to a ticket. `seat_ids`: their own seats; `works`: their unit has or had a leg."""

    seat_ids: frozenset[int]
    is_staff: bool
    works: bool

    def shows_words(self, *, is_public: bool, seat_id: int | None, action: str) -> bool:
        """Whether the text and facts of an entry are for this reader."""
        if seat_id is not None and seat_id in self.seat_ids:
            return True
        if self.works and action == "confirm":
            return False
        if self.is_staff:
            return True
        return is_public and seat_id is None

    def cut_facts(self, facts: Mapping[str, Any], *, seat_id: int | None) -> dict[str, Any]:
        """The facts of an entry whose words are shown, without what this reader must never see of a verdict."""
        is_theirs = seat_id is not None and seat_id in self.seat_ids
        hidden = UNSEEN_BY_WORKERS if self.works and not is_theirs else ()
        return {name: value for name, value in facts.items() if name not in hidden}


def sight_of(session: Session, actor: Actor, ticket: Ticket, now: datetime) -> Sight:
    """How this actor, who may see the ticket, looks at it."""
    if actor.is_system:
        return Sight(frozenset(), is_staff=True, works=False)
    mine = standings(session, replace(actor, acting_as=None), ticket, now)
    return Sight(
        seat_ids=frozenset(s.seat_id for s in mine if s.seat_id is not None),
        is_staff=any(s.relation not in ("own", "none") for s in mine),
        works=any(s.role in WORKING_ROLES and s.relation != "none" for s in mine),
    )
