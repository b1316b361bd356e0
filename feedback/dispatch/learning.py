"""What the site's own tickets teach about categories, and the training on it: which count, which are held back, how many there are.

A ticket teaches its category where a person stood by it: its submitter confirmed the answer, a dispatcher dispatched it or
corrected it, or it came with an import. What the model alone decided teaches nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.kernel.db import session as current_session
from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text
from feedback.people.rights import check_site_admin
from feedback.routing.catalogue import load_catalogue
from feedback.routing.examples import Example
from feedback.routing.keywords import fold
from feedback.routing.learning import FEWEST_EXAMPLES, Trained, examples_from_files, train_model
from feedback.routing.models import CategoryModel
from feedback.tickets.models import Message, Ticket, TimelineEntry

MOST_TICKETS = 20_000
"""The newest so many; older ones speak of a catalogue that is no more."""
HELD_OF = 10
"""Every how manieth ticket is held back, by a hash of what it says."""
FEWEST_NEW = 30
"""Labels that must have come since the last training before another one is worth its time."""

TOO_FEW = N_(
    "The site has %(labelled)s labelled tickets and needs %(missing)s more before it can learn from them. "
    "Until then the keywords of the catalogue alone propose a category. "
    "A ticket is labelled once a dispatcher has dispatched or corrected it, or its submitter has confirmed the answer."
)


@dataclass(frozen=True)
class LabelledTickets:
    """What there is to learn from, and what is held back to judge by; never a ticket in both."""

    learn: tuple[Example, ...]
    held: tuple[Example, ...]

    @property
    def total(self) -> int:
        """How many labelled tickets there are."""
        return len(self.learn) + len(self.held)


def labelled_tickets(session: Session) -> LabelledTickets:
    """The site's labelled tickets, as examples. Those that were joined, or say word for word the same, lie on one side."""
    catalogue = load_catalogue(session)
    query = (
        select(Ticket.joined_into_id, Ticket.id, Ticket.category_id, Message.title, Message.body)
        .join(Message, (Message.ticket_id == Ticket.id) & (Message.version == 1) & Message.is_current)
        .where(Ticket.id.in_(_newest()), _is_labelled(), Message.erased_at.is_(None))
        .order_by(Ticket.id.desc())
    )
    rows = session.execute(query).all()
    said = {row.id: hashlib.sha256(fold(row.body).encode()).hexdigest() for row in rows}
    learn: list[Example] = []
    held: list[Example] = []
    for joined_into_id, ticket_id, category_id, title, body in rows:
        matter = said.get(joined_into_id or ticket_id, str(joined_into_id))
        label = catalogue.paths[catalogue.present_id(category_id or 0)]
        example = Example(label, body, _given_title(title, body), matter)
        (held if _is_held(matter) else learn).append(example)
    return LabelledTickets(tuple(learn), tuple(held))


def _newest() -> Select[int]:
    query = select(Ticket.id).where(Ticket.category_id.is_not(None))
    return query.order_by(Ticket.id.desc()).limit(MOST_TICKETS)


def _is_labelled(since: datetime | None = None) -> ColumnElement[bool]:
    """Whether a person stood by the category (`since` then)."""
    entry = exists().where(
        TimelineEntry.ticket_id == Ticket.id,
        or_(
            TimelineEntry.action.in_(("dispatch", "reclassify")) & TimelineEntry.account_id.is_not(None),
            TimelineEntry.action == "confirm",
        ),
    )
    return entry.where(TimelineEntry.at > since) if since else or_(entry, Ticket.origin == "legacy")


def _given_title(title: str | None, body: str) -> str:
    """The title that somebody gave; one that was made of the text's own first words says nothing more."""
    return "" if not title or body.strip().startswith(title.rstrip("…")) else title


def _is_held(matter: str) -> bool:
    return hashlib.sha256(matter.encode()).digest()[0] % HELD_OF == 0


def train_on_tickets(*, actor: Actor, now: datetime) -> Trained:
    """Train on the site's labelled tickets and what the model in force learned from files.

    Forbidden for who is no admin; Invalid where there are too few, with how many are still needed; Conflict where the
    training process failed.
    """
    check_site_admin(actor)
    session = current_session()
    tickets, kept = labelled_tickets(session), examples_from_files(session)
    missing = FEWEST_EXAMPLES - tickets.total - len(kept)
    if missing > 0:
        raise Invalid({"file": Text(TOO_FEW, labelled=tickets.total, missing=missing)})
    return train_model(
        [*kept, *tickets.learn],
        holdout=tickets.held,
        from_files=kept,
        tickets=tickets.total,
        actor=actor,
        now=now,
    )


def train_on_files(examples: Sequence[Example], *, actor: Actor, now: datetime) -> Trained:
    """Train on examples from files alone; the site's held-back tickets judge whether it is put in force. Raises as above."""
    held = labelled_tickets(current_session()).held
    return train_model(examples, holdout=held, from_files=examples, actor=actor, now=now)


def retrain_if_due(*, actor: Actor, now: datetime) -> Trained | None:
    """Train again where enough labels came since the last training; None where they did not. Raises as `train_on_tickets`."""
    state = learning_state(current_session())
    return None if state.missing or state.new < FEWEST_NEW else train_on_tickets(actor=actor, now=now)


@dataclass(frozen=True)
class LearningState:
    """How many labelled tickets there are, how many were labelled since the last training, how many are missing for a first."""

    labelled: int
    new: int
    missing: int


def learning_state(session: Session) -> LearningState:
    """How far the site is."""
    labelled = _count(session, _is_labelled())
    trained_at = session.scalar(select(func.max(CategoryModel.trained_at)))
    new = _count(session, _is_labelled(trained_at)) if trained_at else labelled
    return LearningState(labelled, new, max(0, FEWEST_EXAMPLES - labelled - len(examples_from_files(session))))


def _count(session: Session, condition: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(Ticket).where(Ticket.id.in_(_newest()), condition)
    return session.scalar(query) or 0
