"""From an event to notices and messages, and from a message to the mail server. May run any number of times, anywhere.

An event becomes all its rows in one transaction; a message is sent under a lease with an id that never changes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from feedback.kernel import outbox
from feedback.kernel.db import session as current_session
from feedback.kernel.outbox import Delivery, Outbox
from feedback.kernel.text import Text
from feedback.kernel.transaction import transaction
from feedback.notifications.audience import recipients
from feedback.notifications.channels import Mail, Never, NotNow, is_address, parse_server, send_mail
from feedback.notifications.circle import Circle
from feedback.notifications.gathered import Gathered, News
from feedback.notifications.mail_choices import DAILY, NEVER, choice_for, next_digest
from feedback.notifications.models import Notice
from feedback.notifications.queries import count_undelivered, is_seat
from feedback.notifications.quiet import held_until
from feedback.notifications.words import Translate, Translator, day_words, mail_words, sentence, translator
from feedback.people.models import Account
from feedback.settings import Settings
from feedback.sla.models import SlaClock
from feedback.tickets.identity import account_to_notify
from feedback.tickets.models import Seat, Ticket

MAIL, DAY_MAIL = "mail", "daily"
MOST_IN_A_MAIL = 100
"""So many pieces of news go into one day's mail; more than that go into another."""
BATCH = 200
MOST_EVENT_ATTEMPTS = len(outbox.EVENT_GAPS) + 1
MOST_DELIVERY_ATTEMPTS = len(outbox.DELIVERY_GAPS) + 1

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Telling:
    """An event that this process holds under a lease: the rows that it becomes."""

    outbox_id: int
    attempt: int
    notices: tuple[dict[str, Any], ...] = ()
    mails: tuple[dict[str, Any], ...] = ()
    is_held_back: bool = False


def deliver_events(ids: Sequence[int], *, now: datetime, settings: Settings) -> list[int]:
    """Turn events into notices and messages, each once; gives the ids of messages to be sent now.

    Nothing for one that is done, put off, or under way elsewhere. What fails is put off by a growing gap, and in the end
    listed as dead; nothing is raised for it. Whom to tell is worked out between two short transactions: on SQLite
    nobody else can write while one is open.
    """
    with transaction() as session:
        taken = outbox.claim_events(session, ids, now=now)
        for outbox_id, attempt in taken:
            if attempt > MOST_EVENT_ATTEMPTS:
                outbox.end_event(session, outbox_id, attempt, state=outbox.DEAD, error="each attempt broke off")
    tellings = _prepare_events([each for each in taken if each[1] <= MOST_EVENT_ATTEMPTS], now, settings)
    try:
        return _write_down(tellings)
    except Exception as error:
        if len(tellings) == 1:
            _put_off(tellings[0].outbox_id, tellings[0].attempt, now, error)
            return []
    return [mail for telling in tellings for mail in _write_alone(telling, now)]


def _prepare_events(taken: Sequence[tuple[int, int]], now: datetime, settings: Settings) -> list[_Telling]:
    """What these events become, read together; where anything fails in that, each by itself, and only its own failure counts."""
    session = current_session()
    try:
        together = Gathered(session, [outbox_id for outbox_id, _attempt in taken], now)
        return [_prepare_event(together, *each, settings) for each in taken]
    except Exception as error:
        log.warning("events are prepared one by one: %s", type(error).__name__)
    tellings = []
    for outbox_id, attempt in taken:
        session.rollback()
        try:
            tellings.append(_prepare_event(Gathered(session, [outbox_id], now), outbox_id, attempt, settings))
        except Exception as error:
            _put_off(outbox_id, attempt, now, error)
    return tellings


def _write_alone(telling: _Telling, now: datetime) -> list[int]:
    """One of several that could not be written together: the others must not suffer from it."""
    try:
        return _write_down([telling])
    except Exception as error:
        _put_off(telling.outbox_id, telling.attempt, now, error)
        return []


def _put_off(outbox_id: int, attempt: int, now: datetime, error: Exception) -> None:
    log.error("event %s: attempt %s failed", outbox_id, attempt, exc_info=error)
    with transaction() as session:
        outbox.put_off_event(session, outbox_id, attempt, now=now, error=type(error).__name__)


def _prepare_event(gathered: Gathered, outbox_id: int, attempt: int, settings: Settings) -> _Telling:
    """Whom an event is told to, and in what; nobody where it was told before (a replayed outbox)."""
    session, now, row = gathered.session, gathered.now, gathered.rows[outbox_id]
    ticket = gathered.tickets.get(row.ticket_id) if row.ticket_id else None
    if ticket is None or outbox_id in gathered.already_told:
        return _Telling(outbox_id, attempt)
    told = recipients(Circle(gathered, row, ticket))
    facts = _facts(session, row, ticket)
    common = {"outbox_id": row.id, "ticket_id": ticket.id, "event": row.event, "created_at": row.created_at}
    notices = tuple({**common, "recipient": recipient, "facts": facts} for recipient in told)
    if settings.smtp_url is None:
        return _Telling(outbox_id, attempt, notices)
    held = held_until(session, ticket, now)
    mails = [_mail_row(session, row, ticket, recipient, held, now) for recipient in told]
    return _Telling(outbox_id, attempt, notices, tuple(m for m in mails if m), is_held_back=held > now)


def _mail_row(
    session: Session, row: News, ticket: Ticket, recipient: str, held: datetime, now: datetime
) -> dict[str, Any] | None:
    """The message to one recipient as they chose it: at once, with the day's mail, or none."""
    account = reach(session, ticket.id, recipient)
    if account is None or not account.email:
        return None
    choice = choice_for(session, account.id, row.event, row.payload, is_own=is_seat(recipient))
    if choice == NEVER:
        return None
    is_daily = choice == DAILY
    return {
        "outbox_id": row.id,
        "recipient": recipient,
        "channel": DAY_MAIL if is_daily else MAIL,
        "state": outbox.NEW,
        "attempts": 0,
        "next_try_at": max(held, next_digest(now)) if is_daily else held,
    }


def _write_down(tellings: Sequence[_Telling]) -> list[int]:
    """Write the rows of events that are still held, in one transaction; gives the ids of messages to be sent now."""
    if not tellings:
        return []
    with transaction() as session:
        ended = outbox.end_events(session, [(each.outbox_id, each.attempt) for each in tellings])
        mine = [each for each in tellings if each.outbox_id in ended]
        notices = [row for each in mine for row in each.notices]
        if notices:
            session.execute(insert(Notice), notices)
        ready: list[int] = []
        for each in mine:
            mails = [Delivery(**row) for row in each.mails]
            session.add_all(mails)
            session.flush()
            ready += [] if each.is_held_back else [mail.id for mail in mails]
        return ready


def _facts(session: Session, row: News, ticket: Ticket) -> dict[str, Any]:
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


@dataclass(frozen=True)
class _Prepared:
    """A message that this process holds under a lease, and the others that go out in the same mail, with their attempts."""

    attempt: int
    mail: Mail
    others: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class _Told:
    """One message in words: to whom, about which ticket, what happened."""

    address: str
    reference: str
    text: Text
    translate: Translate


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
        for one, tried in ((delivery_id, attempt), *prepared.others):
            if state == outbox.NEW:
                outbox.put_off_delivery(session, one, tried, now=now, error=error or "")
            else:
                outbox.end_delivery(session, one, tried, now=now, state=state, error=error)
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
    told = _put_in_words(session, row, now, settings, translate)
    if isinstance(told, str):
        return told
    message_id = f"<delivery-{row.id}.outbox@{_mail_host(settings)}>"
    others: list[tuple[int, int]] = []
    news = [(told.reference, told.text)]
    if row.channel == DAY_MAIL:
        for other in _rest_of_the_day(session, row, now):
            also = _put_in_words(session, other, now, settings, translate)
            if not isinstance(also, str):
                others.append((other.id, other.attempts))
                news.append((also.reference, also.text))
    if others:
        words = day_words(news, settings.base_url, told.translate)
    else:
        words = mail_words(told.text, told.reference, settings.base_url, told.translate)
    return _Prepared(row.attempts, Mail(message_id, told.address, words.subject, words.body, now), tuple(others))


def _rest_of_the_day(session: Session, row: Delivery, now: datetime) -> list[Delivery]:
    """What else is due in the same recipient's day's mail, taken under a lease of its own each."""
    waiting = outbox.due_in_day_mail(session, row.recipient, row.channel, now, MOST_IN_A_MAIL)
    taken = [outbox.claim_delivery(session, each, now=now) for each in waiting if each != row.id]
    return [each for each in taken if each is not None]


def _put_in_words(
    session: Session, row: Delivery, now: datetime, settings: Settings, translate: Translator
) -> _Told | str:
    """What a message that is held says; how it stands where it ends here."""
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
    return _Told(account.email or "", ticket.reference, text, translate(account.locale or settings.default_locale))


def _end(session: Session, row: Delivery, now: datetime, state: str, error: str) -> str:
    outbox.end_delivery(session, row.id, row.attempts, now=now, state=state, error=error)
    return state


def _may_be_told(session: Session, event: Outbox, ticket: Ticket, recipient: str, now: datetime) -> bool:
    """Rights as they are at this instant: staff who were moved get nothing more of it."""
    key = recipient.partition(":")[2]
    return is_seat(recipient) or ticket.id in Gathered(session, [event.id], now).seen_by(int(key))


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
    due = _each_once(outbox.due_events, now, most)
    while together := list(islice(due, outbox.TOGETHER)):
        deliver_events(together, now=now, settings=settings)
        events += len(together)
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
