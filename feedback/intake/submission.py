"""A demand comes in: one use-case for page, API and import. It is routed in the same transaction where the way is sure."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from feedback.files.uploads import KeptFile
from feedback.intake.joining import join_at_intake
from feedback.intake.particulars import Particulars, SubmitTicket, read_particulars
from feedback.kernel.actor import SYSTEM, Actor, Grant
from feedback.kernel.db import session as current_session
from feedback.kernel.errors import Forbidden, Invalid, Refused
from feedback.kernel.idempotency import Once, again_if_raced
from feedback.kernel.reference import reference_token
from feedback.kernel.text import N_, Text
from feedback.kernel.transaction import transaction
from feedback.routing.danger import raise_urgency
from feedback.routing.decision import RoutingDecision, decide_route
from feedback.sla.queries import begin_clocks
from feedback.tickets import lifecycle
from feedback.tickets.actions import TicketRef
from feedback.tickets.clockwork import NewLeg
from feedback.tickets.hold import Held
from feedback.tickets.identity import ALPHABET, new_alias, note_raisers, seal_identity, town_to_show
from feedback.tickets.models import Seat, Ticket, TicketAbout
from feedback.tickets.transition import new_ticket, perform
from feedback.tickets.visibility import Standing

MADE_TITLE = 40


def submit_ticket(
    fields: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
    once: Once | None = None,
    source: tuple[str, str] | None = None,
    files: tuple[KeptFile, ...] = (),
) -> TicketRef:
    """Take in a ticket, start its clocks at this instant, and dispatch it if the catalogue is sure.

    `source` is (system, its id) of an imported row; `files` come with the words. Raises Forbidden for whoever may not
    submit (or not on behalf), Invalid naming each bad field, Throttled above the day's amount of files.
    """
    grant = _grant_to_submit(actor, on_behalf=bool(fields.get("on_behalf_of")))
    before = _understood_before(fields, grant, actor, now)

    def write() -> TicketRef:
        with transaction() as session:
            earlier = once.find(session, now) if once else None
            if earlier:
                return TicketRef(earlier.reference, earlier.version, is_replay=True)
            is_so_still = before is not None and before.token == reference_token(session)
            meaning = before if before and is_so_still else _understand(session, fields, grant, actor, now)
            with session.no_autoflush:  # what is asked here does not depend on what is being written
                ticket = _take_in(session, meaning, grant, actor, now, source, files)
            if once:
                once.keep(session, ticket.reference, ticket.version, now)
            return TicketRef(ticket.reference, ticket.version)

    return again_if_raced(once, write)


def _grant_to_submit(actor: Actor, *, on_behalf: bool) -> Grant:
    """The grant by which the actor submits. Raises Forbidden, or Invalid where they may only do so for somebody else."""
    for_others = actor.grants_for("handler", "dispatcher")
    if on_behalf:
        if not for_others:
            raise Forbidden(Text(N_("Only handlers and dispatchers may write for somebody else.")))
        return for_others[0]
    own = actor.grants_for("submitter")
    if own:
        return own[0]
    if for_others:
        raise Invalid(
            {"on_behalf_of": Text(N_("Say for whom you are writing this: their login, or name and contact."))}
        )
    raise Forbidden(Text(N_("Your account can't submit. Ask your administrator for the role of submitter.")))


@dataclass(frozen=True)
class _Meaning:
    """What the fields say, by the units, categories, catalogue and settings that bear this token (kernel/reference.py)."""

    token: str
    command: SubmitTicket
    read: Particulars
    urgency: str
    danger: tuple[str, ...]
    route: RoutingDecision


def _understood_before(fields: Mapping[str, Any], grant: Grant, actor: Actor, now: datetime) -> _Meaning | None:
    """The meaning, worked out while others may write: it takes longest, the model's opinion above all.

    None where something is wrong with it: that is said in the transaction, after a look whether it was sent before.
    """
    try:
        return _understand(current_session(), fields, grant, actor, now)
    except Refused:
        return None


def _understand(session: Session, fields: Mapping[str, Any], grant: Grant, actor: Actor, now: datetime) -> _Meaning:
    token = reference_token(session)
    command = SubmitTicket.parse(fields)
    read = read_particulars(session, command, grant, actor, now)
    text = command.text
    urgency, danger = raise_urgency(session, f"{command.title or ''}\n{text}", command.urgency or "normal")
    route = decide_route(
        session,
        text=text,
        title=command.title or "",
        category=read.category,
        area=read.area,
        kind=command.kind,
        is_about=read.is_about,
        about_unit_ids=frozenset(read.about_units),
        now=now,
    )
    return _Meaning(token, command, read, urgency, danger, route)


def _take_in(
    session: Session,
    meaning: _Meaning,
    grant: Grant,
    actor: Actor,
    now: datetime,
    source: tuple[str, str] | None,
    files: tuple[KeptFile, ...],
) -> Ticket:
    command, read, route, urgency = meaning.command, meaning.read, meaning.route, meaning.urgency
    text = command.text
    ticket = new_ticket(
        reference=new_reference(session),
        kind=command.kind or "demand",
        category_id=route.category_id,
        area_id=read.area.id,
        place=command.place or None,
        urgency=urgency,
        requested_urgency=command.urgency,
        privacy=command.privacy or "named",
        channel="on_behalf" if command.on_behalf_of else actor.channel,
        is_about=read.is_about,
        submitted_at=now,
        received_at=now,
        occurred_at=command.occurred_at,
        routing=route.facts(),
        source=source[0] if source else None,
        source_id=source[1] if source else None,
    )
    session.add(ticket)
    session.flush()
    begin_clocks(session, ticket.id)
    note_raisers(
        session,
        ticket.id,
        typed_at=grant.unit_id if command.on_behalf_of else None,
        accounts=[read.person.account_id] if read.person.account_id else [],
    )
    seat = new_seat(session, ticket, read, now)
    for account_id in read.about_accounts:
        session.add(TicketAbout(ticket_id=ticket.id, account_id=account_id))
    for unit_id, is_derived in read.about_units.items():
        session.add(TicketAbout(ticket_id=ticket.id, unit_id=unit_id, is_derived=is_derived))
    if read.is_about:
        session.flush()

    typed_in = Standing(grant.role, "none", grant)
    standing = typed_in if command.on_behalf_of else Standing("submitter", "own", grant, seat_id=seat.id)
    rule, _ = lifecycle.judge("submit", lifecycle.NEW, [(standing.role, "none")])
    perform(
        Held(session, ticket, actor, standing, rule, now, files=files, is_new=True),
        text=text,
        title=command.title or made_title(text),
        facts={"urgency": urgency, **({"danger_words": list(meaning.danger)} if meaning.danger else {})},
    )
    if not (command.join and join_at_intake(session, ticket, standing, actor, command.join, now)):
        _dispatch_if_sure(session, ticket, route, now)
    return ticket


def _dispatch_if_sure(session: Session, ticket: Ticket, route: RoutingDecision, now: datetime) -> None:
    if route.lead_id is None:
        return
    rule, _ = lifecycle.judge("dispatch", ticket.status, [(lifecycle.SYSTEM_ROLE, "any")])
    held = Held(session, ticket, SYSTEM, Standing(lifecycle.SYSTEM_ROLE, "any"), rule, now, is_new=True)
    legs = [NewLeg(route.lead_id, "lead"), *(NewLeg(unit_id, "assist") for unit_id in route.assist_ids)]
    perform(held, legs=legs, facts={"lead": route.lead_id, "routing": route.facts()})


def new_seat(session: Session, ticket: Ticket, read: Particulars, now: datetime) -> Seat:
    """The place of whoever raised it, with their identity sealed behind it."""
    person = read.person
    home = person.home if person.account_id else read.area
    seat = Seat(
        ticket_id=ticket.id,
        origin_ticket_id=ticket.id,
        alias=new_alias(),
        town_id=town_to_show(session, home, now),
        privacy=ticket.privacy,
        submitter_key=person.key,
        joined_at=now,
    )
    session.add(seat)
    session.flush()
    seal_identity(session, seat, account_id=person.account_id, name=person.name, contact=person.contact)
    return seat


def new_reference(session: Session) -> str:
    """A reference that neither counts nor can be guessed: 30^10 possibilities, such as `ZD-7K3MQ-9QXAB`."""
    while True:
        drawn = "".join(secrets.choice(ALPHABET) for _ in range(10))
        reference = f"ZD-{drawn[:5]}-{drawn[5:]}"
        if session.scalar(_OF_REFERENCE, {"reference": reference}) is None:
            return reference


_OF_REFERENCE = select(Ticket.id).where(Ticket.reference == bindparam("reference"))


def made_title(text: str) -> str:
    """A title out of the text's first sentence, at most 40 characters; a word between spaces is not cut."""
    first = re.split(r"[。！？!?\n]|(?<=[a-z])\. ", text.strip(), maxsplit=1)[0].strip() or text.strip()
    if len(first) <= MADE_TITLE:
        return first
    kept = first[: MADE_TITLE - 1]
    if kept[-1].isascii() and not first[MADE_TITLE - 1].isspace():
        whole = kept.rpartition(" ")[0]
        kept = whole if len(whole) > MADE_TITLE // 2 else kept
    return kept.rstrip(" ,;:") + "…"
