"""The scheduler process: puts periodic jobs on the queues, and does itself what may not wait where no worker does it.

It holds no state that matters. Two at once, or none for a while, change nothing but the time at which things happen.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from datetime import datetime, timedelta
from types import FrameType

from flask import Flask

from feedback.jobs.queues import Queues
from feedback.jobs.schedule import Periodic, schedule
from feedback.kernel import outbox
from feedback.kernel.clock import utc_now
from feedback.kernel.db import session as current_session
from feedback.notifications.delivery import deliver_events
from feedback.settings import Settings
from feedback.supervision.escalation import run_sweep
from feedback.supervision.heartbeat import PATIENCE, last_sweep, write_heartbeat

ROUND_SECONDS = 1.0
LONGEST_WAIT = 30.0
MOST_EVENTS = 100
"""Events that the scheduler tells of in one round where no worker does, so that sweeps are not held up."""

log = logging.getLogger(__name__)


class Scheduler:
    """Goes round once a second until it is told to stop."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.settings: Settings = app.config["SETTINGS"]
        self.queues: Queues = app.extensions["queues"]
        self.interval = timedelta(seconds=self.settings.sweep_seconds)
        self.stopping = threading.Event()
        self._due: dict[Periodic, float] = dict.fromkeys(schedule(self.settings.sweep_seconds), 0.0)
        self._since = utc_now()
        self._is_alone = False

    def catch_signals(self) -> None:
        """SIGTERM and Ctrl-C end the present round, then the process."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping.set()

    def run(self) -> int:
        """Go round until stopped; answers the exit code. An outage of the database makes the rounds rarer, no more."""
        wait = ROUND_SECONDS
        while not self.stopping.is_set():
            try:
                with self.app.app_context():
                    self.go_round(utc_now())
                wait = ROUND_SECONDS
            except Exception:
                wait = min(wait * 2, LONGEST_WAIT)
                log.exception("scheduler: a round failed; the next one in %.0f s", wait)
            self.stopping.wait(wait)
        return 0

    def go_round(self, now: datetime) -> None:
        """One round: jobs on their queues, then whatever the workers leave undone."""
        self._put_jobs()
        self._beat(now)
        if self._no_worker_sweeps(now):
            run_sweep(now, by="scheduler")
        self._tell_what_waits_too_long(now)

    def _put_jobs(self) -> None:
        clock = time.monotonic()
        for periodic, due in self._due.items():
            if clock >= due and self.queues.put_unless_waiting(periodic.task):
                self._due[periodic] = clock + periodic.every_seconds

    def _beat(self, now: datetime) -> None:
        try:
            write_heartbeat(self.settings.instance_dir, now)
        except OSError as error:
            log.warning("scheduler: no heartbeat file: %s", error)

    def _no_worker_sweeps(self, now: datetime) -> bool:
        """No worker has finished a sweep for three intervals, and nobody at all for one."""
        session = current_session()
        by_worker = last_sweep(session, now, by="worker")
        worker_at = max(self._since, by_worker.at) if by_worker else self._since
        is_alone = now - worker_at > PATIENCE * self.interval
        by_anybody = last_sweep(session, now) if is_alone else by_worker
        session.rollback()
        if is_alone is not self._is_alone:
            self._is_alone = is_alone
            log.warning("scheduler: %s", "no worker sweeps; doing it here" if is_alone else "a worker sweeps again")
        return is_alone and (by_anybody is None or now - by_anybody.at >= self.interval)

    def _tell_what_waits_too_long(self, now: datetime) -> None:
        """Events that no worker took for three intervals are told from here; mails wait for a worker."""
        session = current_session()
        late = outbox.due_events(session, now, MOST_EVENTS, but_not_since=now - PATIENCE * self.interval)
        session.rollback()
        for start in range(0, len(late), outbox.TOGETHER):
            if self.stopping.is_set():
                return
            deliver_events(late[start : start + outbox.TOGETHER], now=now, settings=self.settings)
