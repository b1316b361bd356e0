"""The functions that jobs run. Each takes ids at most, and may run twice or at the same time as another of its kind."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from flask import current_app

from feedback.dispatch.learning import retrain_if_due, train_on_tickets
from feedback.files.store import Store
from feedback.intake.file_care import clean_waiting, remove_orphans
from feedback.jobs.relay import enqueue_due, kick_mails
from feedback.jobs.retention import purge_expired
from feedback.jobs.runner import task
from feedback.kernel import audit, outbox
from feedback.kernel.actor import SYSTEM
from feedback.kernel.clock import utc_now
from feedback.kernel.db import session
from feedback.kernel.errors import Refused
from feedback.kernel.transaction import transaction
from feedback.notifications.delivery import deliver_events, deliver_mail
from feedback.settings import Settings
from feedback.supervision.escalation import run_sweep
from feedback.supervision.hot_topics import renew_topics
from feedback.supervision.left_behind import free_left_tickets
from feedback.supervision.unit_tickets import pass_on_tickets
from feedback.tickets.word_weights import renew_weights

MOST_AT_ONCE = 400
"""Events that one job tells, so that it ends within its time."""
GATHER_SECONDS = 0.05
"""How long news that comes faster than it is told is let gather."""

log = logging.getLogger(__name__)


def _settings() -> Settings:
    found: Settings = current_app.config["SETTINGS"]
    return found


def file_store() -> Store:
    """Where the files of this instance lie."""
    found: Store = current_app.extensions["files"]
    return found


@task
def deliver(*outbox_ids: int) -> None:
    """Tell of some events and of what else is due: notices at once, each mail by a job of its own, so that a slow one

    holds nobody else. Where news comes faster than it is told, some of it is let gather: twenty cost little more than three.
    """
    own = outbox.still_due(session(), outbox_ids, utc_now())
    told = _tell([*own, *_due_beside(own)])
    while told and len(told) < MOST_AT_ONCE and (ids := _due_beside(told)):
        if len(ids) < outbox.TOGETHER:
            session().rollback()
            time.sleep(GATHER_SECONDS)
            ids = _due_beside(told)
        told += _tell(ids)


def _due_beside(ids: Sequence[int]) -> list[int]:
    """Events that are due, the eldest first, without these."""
    return [each for each in outbox.due_events(session(), utc_now(), outbox.TOGETHER) if each not in ids]


def _tell(ids: Sequence[int]) -> list[int]:
    together = list(ids[: outbox.TOGETHER])
    if together:
        kick_mails(deliver_events(together, now=utc_now(), settings=_settings()))
    return together


@task
def send(delivery_id: int) -> None:
    """Send one mail."""
    deliver_mail(delivery_id, now=utc_now(), settings=_settings())


@task
def sweep() -> None:
    """Do what the clocks say is due."""
    run_sweep(utc_now(), by="worker")


@task
def relay_due() -> None:
    """Put back on the queues what was lost on the way."""
    enqueue_due(utc_now())


@task
def purge() -> None:
    """Delete what is kept for a while only, and let go on what somebody or some unit that is gone still has."""
    purge_expired(now=utc_now())
    pass_on_tickets(utc_now())
    free_left_tickets(utc_now())


@task
def clean_files() -> None:
    """Clean files that waited."""
    clean_waiting(session(), file_store(), now=utc_now())


@task
def tidy_files() -> None:
    """Remove files that no ticket names."""
    remove_orphans(session(), file_store(), now=utc_now())


@task
def weigh_words() -> None:
    """Count anew how common each pair of characters is, where many tickets came since."""
    renew_weights(utc_now())


@task
def find_hot_topics() -> None:
    """Find anew which matters many tickets raise."""
    renew_topics(utc_now())


@task
def checkpoint() -> None:
    """Chain the heads of the audit trail."""
    with transaction() as session:
        audit.add_checkpoint(session, now=utc_now())


@task
def learn() -> None:
    """Train the category model again where enough tickets were labelled since the last time."""
    _learn(is_due_only=True)


@task
def learn_now() -> None:
    """Train it because an admin asked."""
    _learn(is_due_only=False)


def _learn(*, is_due_only: bool) -> None:
    """A refusal (too few labels, a training that failed) is no failed job: the log says it, the model before serves."""
    work = retrain_if_due if is_due_only else train_on_tickets
    try:
        trained = work(actor=SYSTEM, now=utc_now())
    except Refused as refused:
        log.warning("category model: %s", refused)
        return
    if trained:
        log.info("category model: version %s, in force: %s", trained.version, trained.is_in_force)
