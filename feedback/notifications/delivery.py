"""From an event to notices and messages, and from a message to the mail server. May run any number of times, anywhere.

An event becomes all its rows in one transaction; a message is sent under a lease with an id that never changes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.kernel import outbox
from feedback.kernel.db import session as current_session
from feedback.kernel.outbox import Delivery, Outbox
from feedback.kernel.transaction import transaction
from feedback.notifications.audience import recipients
from feedback.notifications.channels import Mail, Never, NotNow, is_address, parse_server, send_mail
from feedback.notifications.circle import Circle
from feedback.notifications.models import Notice
from feedback.notifications.queries import count_undelivered, is_seat
from feedback.notifications.quiet import held_until
from feedback.notifications.words import Translator, mail_words, sentence, translator
from feedback.people.models import Account
from feedback.settings import Settings
from feedback.sla.models import SlaClock
from feedback.tickets.identity import account_to_notify
from feedback.tickets.models import Seat, Ticket

MAIL = "mail"
BATCH = 200
MOST_EVENT_ATTEMPTS = len(outbox.EVENT_GAPS) + 1
MOST_DELIVERY_ATTEMPTS = len(outbox.DELIVERY_GAPS) + 1

log = logging.getLogger(__name__)


def deliver_event(outbox_id: int, *, now: datetime, settings: Settings) -> list[int]:
    """Turn an event into notices and messages, once; gives the ids of messages to be sent now.

    Nothing where it is done, put off, or under way elsewhere. What fails is put off by a growing gap, and in the end
    listed as dead; nothing is raised for it.
    """
    with transaction() as session:
        row = outbox.claim_event(session, outbox_id, now=now)
        if row is None:
            return []
        attempt = row.attempts
        if attempt > MOST_EVENT_ATTEMPTS:
            outbox.end_event(session, outbox_id, attempt, state=outbox.DEAD, error="each attempt broke off")
            return []
    try:
        with transaction() as session:
            if not outbox.end_event(session, outbox_id, attempt):
                return []
            return _expand(session, session.get_one(Outbox, outbox_id), now, settings)
    except Exception as error:
        log.exception("event %s: attempt %s failed", outbox_id, attempt)
        with transaction() as session:
            outbox.put_off_event(session, outbox_id, attempt, now=now, error=type(error).__name__)
        return []


def _expand(session: Session, row: Outbox, now: datetime, settings: Settings) -> list[int]:
    """Write the notices and messages of an event; none for one that was told before (a replayed outbox)."""
    ticket = session.get(Ticket, row.ticket_id) if row.ticket_id else None
    if ticket is None or session.scalar(select(Notice.id).where(Notice.outbox_id == row.id).limit(1)):
        return []
    circle = Circle(session, ticket, row, now)
    told = recipients(circle)
    facts = _facts(session, row, ticket)
    for recipient in told:
        session.add(
            Notice(
                outbox_id=row.id,
                recipient=recipient,
                ticket_id=ticket.id,
                event=row.event,
                facts=facts,
                created_at=row.created_at,
            )
        )
    if settings.smtp_url is None:
        return []
    held = held_until(session, ticket, now)
    mails = [
        Delivery(outbox_id=row.id, recipient=recipient, channel=MAIL, state=outbox.NEW, attempts=0, next_try_at=held)
        for recipient in told
        if _has_address(reach(session, ticket.id, recipient))
    ]
    session.add_all(mails)
    session.flush()
    return [mail.id for mail in mails] if held <= now else []


def _facts(session: Session, row: Outbox, ticket: Ticket) -> dict[str, Any]:
    """Codes that the sentence of a notice is chosen by, and by when something is due. No texts, no names."""
    if row.event != "sla.alarm":
        return {"due_at": ticket.due_at.isoformat()} if ticket.due_at else {}
    facts = {name: row.payload.get(name) for name in ("kind", "label", "is_breach")}
    clock = session.get(SlaClock, row.payload.get("clock_id"))
    return {**facts, "due_at": clock.due_at.isoformat()} if clock else facts


def reach(session: Session, ticket_id: int, recipient: str) -> Account | None:
    """The active account behind a recipient, for sending it a message and for nothing else; None without one."""
    kind, _, key = recipient.partition(":")
    account: Account | None = None
    if kind == "account":
        account = session.get(Account, int(key))
    elif kind == "seat":
        seat_id = session.scalar(
            select(Seat.id).where(Seat.ticket_id == ticket_id, Seat.submitter_key == key, Seat.left_at.is_(None))
        )
        account = account_to_notify(session, seat_id) if seat_id is not None else None
    return account if account and account.is_active else None


def _has_address(account: Account | None) -> bool:
    return bool(account and account.email)


@dataclass(frozen=True)
class _Prepared:
    """A message that this process holds under a lease."""

    attempt: int
    mail: Mail


def deliver_mail(
    delivery_id: int, *, now: datetime, settings: Settings, translate: Translator = translator
) -> str | None:
    """Send one message if it is due and nobody else's; gives how it stands now (done, new, dead, skipped), else None.

    The mail server is talked to outside every transaction. A refusal for good (5xx) ends it at once, anything else is
    tried again after growing gaps. Nothing is raised for what fails.
    """
    with transaction() as session:
        prepared = _prepare(session, delivery_id, now, settings, translate)
    if not isinstance(prepared, _Prepared):
        return prepared
    attempt = prepared.attempt
    state, error = outbox.DONE, None
    try:
        send_mail(parse_server(settings.smtp_url or "", mail_host=_mail_host(settings)), prepared.mail)
    except Never as refusal:
        state, error = outbox.DEAD, str(refusal)
    except NotNow as trouble:
        state, error = outbox.NEW, str(trouble)
    with transaction() as session:
        if state == outbox.NEW:
            outbox.put_off_delivery(session, delivery_id, attempt, now=now, error=error or "")
        else:
            outbox.end_delivery(session, delivery_id, attempt, now=now, state=state, error=error)
        found = session.get_one(Delivery, delivery_id, populate_existing=True).state
    if error:
        log.warning("mail %s: attempt %s: %s", delivery_id, attempt, error)
    return found


def _prepare(
    session: Session, delivery_id: int, now: datetime, settings: Settings, translate: Translator
) -> _Prepared | str | None:
    """Take the message and put it in words; its state where it ends here, None where it is not for us."""
    if settings.smtp_url is None:
        return None
    row = outbox.claim_delivery(session, delivery_id, now=now)
    if row is None:
        return None
    event = session.get_one(Outbox, row.outbox_id)
    ticket = session.get(Ticket, event.ticket_id) if event.ticket_id else None
    account = reach(session, ticket.id, row.recipient) if ticket else None
    if ticket is None or account is None or not _may_be_told(session, event, ticket, row.recipient, now):
        return _end(session, row, now, outbox.SKIPPED, "may not be told any more")
    if not is_address(account.email):
        return _end(session, row, now, outbox.DEAD, "the address is none")
    if row.attempts > MOST_DELIVERY_ATTEMPTS:
        return _end(session, row, now, outbox.DEAD, "each attempt broke off")
    notice = session.scalars(
        select(Notice).where(Notice.outbox_id == event.id, Notice.recipient == row.recipient)
    ).one()
    text = sentence(notice.event, notice.facts, for_submitter=is_seat(row.recipient))
    locale = account.locale or settings.default_locale
    words = mail_words(text, ticket.reference, settings.base_url, translate(locale))
    message_id = f"<delivery-{row.id}.outbox@{_mail_host(settings)}>"
    return _Prepared(row.attempts, Mail(message_id, account.email or "", words.subject, words.body, now))


def _end(session: Session, row: Delivery, now: datetime, state: str, error: str) -> str:
    outbox.end_delivery(session, row.id, row.attempts, now=now, state=state, error=error)
    return state


def _may_be_told(session: Session, event: Outbox, ticket: Ticket, recipient: str, now: datetime) -> bool:
    """Rights as they are at this instant: staff who were moved get nothing more of it."""
    key = recipient.partition(":")[2]
    return is_seat(recipient) or Circle(session, ticket, event, now).sees(int(key))


def _mail_host(settings: Settings) -> str:
    return urlsplit(settings.base_url).hostname or "localhost"


@dataclass(frozen=True)
class Drained:
    """What one drain did, and what still waits (put off, or in other hands)."""

    events: int
    sent: int
    failed: int
    waiting: int
    dead: int


def drain(*, now: datetime, settings: Settings, most: int | None = None) -> Drained:
    """Deliver in this process whatever is due: events first, then messages, each once. `most` bounds the events."""
    events = 0
    for outbox_id in _each_once(outbox.due_events, now, most):
        deliver_event(outbox_id, now=now, settings=settings)
        events += 1
    states = [
        deliver_mail(delivery_id, now=now, settings=settings)
        for delivery_id in (_each_once(outbox.due_deliveries, now, most) if settings.smtp_url else ())
    ]
    waiting, dead = count_undelivered(current_session())
    sent = states.count(outbox.DONE)
    failed = states.count(outbox.NEW) + states.count(outbox.DEAD)
    return Drained(events=events, sent=sent, failed=failed, waiting=waiting, dead=dead)


def _each_once(due: Callable[[Session, datetime, int], list[int]], now: datetime, most: int | None) -> Iterator[int]:
    """Ids of what is due, in batches and each once, until nothing new is due or `most` were given."""
    given: set[int] = set()
    while most is None or len(given) < most:
        fresh = [i for i in due(current_session(), now, BATCH) if i not in given][
            : None if most is None else most - len(given)
        ]
        if not fresh:
            return
        for found in fresh:
            given.add(found)
            yield found
