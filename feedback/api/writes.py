"""What all writes of this door have in common: done once for a key, answered with the ticket as its caller sees it then."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Response, request

from feedback.api.auth import Caller, caller
from feedback.api.body import Body
from feedback.api.render import Json, answer, ticket
from feedback.kernel import keyring
from feedback.kernel.actor import SYSTEM
from feedback.kernel.db import session
from feedback.kernel.errors import Invalid, NotFound
from feedback.kernel.idempotency import Once
from feedback.kernel.text import N_, Text
from feedback.reading.queries import ticket_view
from feedback.tickets.actions import TicketRef
from feedback.tickets.answers import find_answer, keep_answer
from feedback.tickets.attachments import list_files
from feedback.tickets.models import Ticket
from feedback.tickets.visibility import get_ticket

KEY = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_KEY_SHAPE = re.compile(r"[\x21-\x7e]{1,120}")


def answer_once(route: str, body: Body, write: Callable[[Once | None], TicketRef], status: int) -> Response:
    """Do the write, or find that it was done with this key; answer with the ticket and, for a new one, its address."""
    who = caller()
    once = once_asked(who, route, body.digest)
    kept = find_answer(session(), once, who.now) if once else None
    if kept:
        return _with_address(_still_theirs(who, kept["body"]), kept["status"], replayed=True)
    done = write(once)
    document = as_seen(who, done)
    if once:
        keep_answer(once, {"status": status, "body": document}, now=who.now)
    return _with_address(document, status, replayed=done.is_replay)


def as_seen(who: Caller, done: TicketRef) -> Json:
    """The ticket as its caller sees it now; where they no longer do, no more than that their act was done."""
    try:
        found = get_ticket(session(), who.actor, done.reference)
    except NotFound:
        gone = get_ticket(session(), SYSTEM, done.reference)
        return _out_of_sight(
            {"reference": gone.reference, "status": gone.status, "channel": gone.channel, "version": done.version}
        )
    return document_of(found, who)


def _still_theirs(who: Caller, first: Json) -> Json:
    """The first answer again; to somebody who has lost sight of the ticket meanwhile, no more than that it was done."""
    try:
        get_ticket(session(), who.actor, first["reference"])
    except NotFound:
        return _out_of_sight(first)
    return first


def _out_of_sight(document: Json) -> Json:
    """Members of schemas.TicketOutOfSight."""
    return {name: document[name] for name in ("reference", "status", "channel", "version")}


def document_of(found: Ticket, who: Caller) -> Json:
    """A ticket that the caller may see, as they see it now."""
    view = ticket_view(session(), found, who.actor, who.now)
    return ticket(view, list_files(session(), found, who.actor, who.now))


def _with_address(document: Json, status: int, *, replayed: bool) -> Response:
    headers = {REPLAYED: "true"} if replayed else {}
    if status == 201:
        headers["Location"] = f"/api/v1/tickets/{document['reference']}"
    return answer(document, status, headers)


def once_asked(who: Caller, route: str, digest: str) -> Once | None:
    """The caller's wish, by Idempotency-Key, that a write be made once. Raises Invalid for a key that can be none."""
    key = request.headers.get(KEY)
    if key is None:
        return None
    if not _KEY_SHAPE.fullmatch(key):
        raise Invalid({KEY: Text(N_("Must be 1 to 120 visible ASCII characters, such as a UUID."))})
    return Once(
        caller_key=keyring.mac("idempotency", who.actor.account_id),
        route=route,
        key=key,
        body_digest=digest,
    )
