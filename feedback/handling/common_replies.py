"""A unit's own list of common replies: kept by its handlers and heads, and refused as a first response where unchanged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from feedback.handling.models import CommonReply
from feedback.kernel import audit
from feedback.kernel.actor import Actor
from feedback.kernel.command import Code, Command, Words
from feedback.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction
from feedback.people.queries import find_unit
from feedback.tickets.hold import Held

KEEPERS = ("handler", "unit_head")
MOST_REPLIES = 40
LONGEST_BODY = 2_000


def _one_line(value: str) -> str:
    return " ".join(value.split())


class KeepReply(Command):
    """A new common reply of a unit (by code), or with `id` new words for one that is there."""

    unit: Code
    title: Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_one_line)]
    body: Words
    id: int | None = None


def list_replies(session: Session, unit_ids: Iterable[int]) -> list[CommonReply]:
    """The common replies of these units, by unit and title, in one query."""
    ids = set(unit_ids)
    if not ids:
        return []
    return list(session.scalars(_OF_UNITS, {"ids": sorted(ids)}))


_OF_UNITS = (
    select(CommonReply)
    .where(CommonReply.unit_id.in_(bindparam("ids", expanding=True)))
    .order_by(CommonReply.unit_id, CommonReply.title)
)


def keep_reply(fields: Mapping[str, Any], *, actor: Actor, now: datetime) -> int:
    """Add or change a common reply and give back its id. Only handlers and heads of its unit may.

    Raises Forbidden, NotFound (no such reply there), Invalid (title taken, no words), Conflict above 40 of a unit.
    """
    command = KeepReply.parse(fields)
    if len(command.body) > LONGEST_BODY:
        raise Invalid({"body": Text(N_("Must be at most %(limit)s characters."), limit=LONGEST_BODY)})
    with transaction() as session:
        unit = find_unit(session, command.unit)
        if unit is None or unit.id not in _unit_ids(actor):
            raise Forbidden(Text(N_("Common replies are kept by the handlers and heads of their unit.")))
        row = session.get(CommonReply, command.id) if command.id is not None else CommonReply(unit_id=unit.id)
        if row is None or row.unit_id != unit.id:
            raise NotFound
        same_title = select(CommonReply.id).where(CommonReply.unit_id == unit.id, CommonReply.title == command.title)
        if session.scalar(same_title) not in (None, row.id):
            raise Invalid({"title": Text(N_("There is one of this name already. Choose another name."))})
        count = select(func.count()).select_from(CommonReply).where(CommonReply.unit_id == unit.id)
        if command.id is None and (session.scalar(count) or 0) >= MOST_REPLIES:
            raise Conflict(
                Text(N_("A unit can keep %(most)s at most. Delete one that nobody uses."), most=MOST_REPLIES),
                code="limit_reached",
            )
        row.title, row.body, row.changed_at = command.title, command.body, now
        session.add(row)
        session.flush()
        _record(session, row, "common_reply.kept", actor, now)
        return row.id


def drop_reply(reply_id: int, *, actor: Actor, now: datetime) -> None:
    """Delete a common reply. Raises NotFound where none of the actor's units has it."""
    with transaction() as session:
        row = session.get(CommonReply, reply_id)
        if row is None or row.unit_id not in _unit_ids(actor):
            raise NotFound
        session.delete(row)
        _record(session, row, "common_reply.dropped", actor, now)


def refuse_unchanged(held: Held, text: str) -> None:
    """Raise Invalid where the submitter's first answer would be a common reply as it stands in the unit's list.

    Source: the first response is a human word about this matter, never a template alone.
    """
    grant = held.standing.grant
    if held.ticket.first_responded_at is not None or grant is None:
        return
    if any(_one_line(reply.body) == _one_line(text) for reply in list_replies(held.session, [grant.unit_id])):
        raise Invalid(
            {"text": Text(N_("This is a common reply as it stands. Add a word about this matter before you send it."))}
        )


def _unit_ids(actor: Actor) -> set[int]:
    return {grant.unit_id for grant in actor.grants_for(*KEEPERS)}


def _record(session: Session, row: CommonReply, action: str, actor: Actor, now: datetime) -> None:
    facts = {"reply": row.id, "title": audit.digest(row.title), "body": audit.digest(row.body)}
    audit.record(session, f"unit:{row.unit_id}", actor=actor.audit_name(), action=action, now=now, facts=facts)
