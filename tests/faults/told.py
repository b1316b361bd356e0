"""Whether everybody was told of each event once: notices and mails beside whom the rules name. Reads, and one replay."""

from __future__ import annotations

import contextlib
import re
import time
from collections import Counter
from random import Random

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from feedback.kernel import outbox
from feedback.kernel.clock import utc_now
from feedback.kernel.db import session as current_session
from feedback.kernel.outbox import Delivery, Outbox
from feedback.kernel.transaction import transaction
from feedback.notifications.audience import recipients
from feedback.notifications.circle import Circle
from feedback.notifications.gathered import Gathered
from feedback.notifications.models import Notice
from feedback.tickets.models import Ticket
from tests.faults.site import Site
from tests.faults.verdict import Verdict
from tests.jobs.sink import Sink

MAIL_ID = re.compile(r"<delivery-([0-9]+)\.")
Told = Counter[tuple[int, str]]


def told_rows(session: Session) -> Told:
    """How many notices each recipient has of each event."""
    return Counter(
        (row.outbox_id, row.recipient) for row in session.execute(select(Notice.outbox_id, Notice.recipient))
    )


def is_quiet(site: Site) -> bool:
    """Whether every event was told, every mail sent, and no job waits."""
    return _left(site) == 0


def _left(site: Site) -> int:
    """Events, mails and jobs that are not done."""
    queues = site.app.extensions["queues"]
    with site.app.app_context():
        session = current_session()
        waiting = select(func.count()).where(Outbox.state != outbox.DONE)
        unsent = select(func.count()).where(Delivery.state.in_((outbox.NEW, outbox.LEASED)))
        left = (session.scalar(waiting) or 0) + (session.scalar(unsent) or 0)
        session.rollback()
    return int(left + sum((queues.waiting() or {"": 1}).values()))


def await_quiet(site: Site, verdict: Verdict, seconds: float = 180) -> None:
    """Wait until nothing is left to do. What is left when nothing became less for so long is stuck, and lost."""
    least, until = _left(site), time.monotonic() + seconds
    while least and time.monotonic() < until:
        time.sleep(0.1)
        left = _left(site)
        if left < least:
            least, until = left, time.monotonic() + seconds
    if least:
        with site.app.app_context():
            rows = current_session().execute(select(Outbox.id, Outbox.state).where(Outbox.state != outbox.DONE)).all()
            current_session().rollback()
        queues = site.app.extensions["queues"].waiting()
        verdict.note("lost", [f"stuck for {seconds:g} s: events {rows[:5]}, queues {queues}"])


def judge_told(session: Session, sink: Sink | None, verdict: Verdict, *, most_mails: int) -> None:
    """Each event has one notice for each whom the rules name; each mail was taken, at most so often, under one id."""
    there, named = told_rows(session), set[tuple[int, str]]()
    for row in session.scalars(select(Outbox).order_by(Outbox.id)):
        ticket = session.get(Ticket, row.ticket_id) if row.ticket_id else None
        if ticket is None:
            verdict.note("lost", [f"event {row.id} is of no ticket"])
        else:
            gathered = Gathered(session, [row.id], utc_now())
            told = recipients(Circle(gathered, gathered.rows[row.id], ticket))
            named |= {(row.id, each) for each in told}
    verdict.note("lost", [f"event {event}: {who} has no notice" for event, who in sorted(named - set(there))])
    verdict.note("double", [f"event {event}: {who} has a notice too many" for event, who in sorted(set(there) - named)])
    verdict.note("double", [f"{each} has {count} notices" for each, count in there.items() if count > 1])
    verdict.figures["notices"] = sum(there.values())
    if sink is not None:
        _judge_mails(session, sink, verdict, most_mails)


def _judge_mails(session: Session, sink: Sink, verdict: Verdict, most_mails: int) -> None:
    """Each mail that was written down was sent and taken, under the id of its own row, at most so often."""
    mails = Counter(str(taken.message["Message-ID"]) for taken in list(sink.taken))
    numbers = {int(found[1]) for name in mails if (found := MAIL_ID.match(name))}
    states = {row.id: row.state for row in session.execute(select(Delivery.id, Delivery.state))}
    sent = {number for number, state in states.items() if state == outbox.DONE}
    verdict.figures |= {"mails": len(sent), "copies": sum(mails.values()) - len(mails)}
    unsent = {number: state for number, state in states.items() if state not in (outbox.DONE, outbox.SKIPPED)}
    verdict.note("lost", [f"mail {number} is {state}" for number, state in unsent.items()])
    verdict.note("lost", [f"mail {number} is marked as sent and was never taken" for number in sorted(sent - numbers)])
    verdict.note("double", [f"mail {number} was taken and is none of ours" for number in sorted(numbers - set(states))])
    verdict.note("double", [f"{each} was taken {n} times" for each, n in mails.items() if n > most_mails])


def replay_outbox(site: Site, draw: Random, times: int, most: int | None = None) -> int:
    """Mark every event as new, as a restored Redis or a hand might, and put their jobs as `put_jobs` does."""
    with site.app.app_context():
        with transaction() as session:
            session.execute(text("UPDATE outbox SET state = 'new', attempts = 0, lease_until = NULL"))
        put = put_jobs(site, draw, times, most)
        current_session().rollback()
    return put


def put_jobs(site: Site, draw: Random, times: int, most: int | None = None) -> int:
    """A job for each event (the newest `most`) so many times, in any order, each a job of its own; how many."""
    with site.app.app_context():
        ids = list(current_session().scalars(select(Outbox.id).order_by(Outbox.id.desc()).limit(most))) * times
        current_session().rollback()
    draw.shuffle(ids)
    queues = site.app.extensions["queues"]
    for event in ids:
        queues.put("deliver", [event])
    return len(ids)


def busy_workers(site: Site) -> list[int]:
    """Process ids of RQ's workers that hold a job; of one that was killed in it Redis goes on saying so."""
    connection = site.app.extensions["queues"].connection
    found = []
    with contextlib.suppress(OSError):
        for name in connection.keys("rq:worker:*"):
            if not re.fullmatch(rb"rq:worker:[0-9a-f]+", name):
                continue
            pid, state = connection.hmget(name, "pid", "state")
            if pid and state == b"busy":
                found.append(int(pid))
    return found
