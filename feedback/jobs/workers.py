"""The worker process: some RQ workers that share one loaded application, so that a slow mail server holds up nothing else."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import time
from types import FrameType

from flask import Flask
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from feedback.jobs import runner
from feedback.jobs.queues import CHORES, EVENTS, MAIL, QUEUES, SWEEP, ListedJob, patient_connection
from feedback.kernel.db import db
from feedback.settings import Settings

WORKER_SECONDS = 30
MAINTENANCE_SECONDS = 15
"""An idle worker looks after abandoned jobs only when its wait ends, that is, WORKER_SECONDS - 15 after it began."""
AGAIN_SECONDS = 1.0
PR_SET_PDEATHSIG = 1

log = logging.getLogger(__name__)


def lines(settings: Settings) -> tuple[tuple[str, ...], ...]:
    """Which queues each worker of this process empties, in order."""
    if sys.platform == "darwin":
        return (QUEUES,)  # A fork is not safe there once the system's libraries have been used.
    if settings.smtp_url is None:
        return ((SWEEP, EVENTS, CHORES),)
    return ((SWEEP, EVENTS, CHORES), (MAIL,), (MAIL,))


def run_workers(app: Flask) -> int:
    """Work until told to stop; answers the exit code. Should one of several workers end, all do, to be started again."""
    runner.install(app)
    with app.app_context():
        engine = db.engine
    os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))
    settings: Settings = app.config["SETTINGS"]
    wanted = lines(settings)
    if len(wanted) == 1:
        return work_line(settings.redis_url, wanted[0])
    return _Team(settings.redis_url, wanted).run()


class _Told:
    """Remembers that somebody asked for the end: RQ's own loop ends in the same way for an error."""

    was_told = False


def _worker_class(told: _Told) -> type[SimpleWorker]:
    """A worker that runs its jobs itself. One that forks for each begins each without connection and compiled statements:

    work taken from the web processes beside it. A job that dies takes the worker with it; the supervisor starts it again,
    and what was not done is still due.
    """

    class OneWorker(SimpleWorker):
        max_connection_wait_time = 3.0

        def request_stop(self, signum: int, frame: FrameType | None) -> None:
            told.was_told = True
            super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    return OneWorker


def work_line(redis_url: str, names: tuple[str, ...]) -> int:
    """Empty these queues until told to stop. Where Redis goes away in the middle of a job, a new worker takes over."""
    told = _Told()
    make = _worker_class(told)
    while not told.was_told:
        connection: Redis = patient_connection(redis_url)
        try:
            queues = [
                Queue(name, connection=connection, serializer=JSONSerializer, job_class=ListedJob) for name in names
            ]
            worker = make(
                queues,
                connection=connection,
                serializer=JSONSerializer,
                job_class=ListedJob,
                worker_ttl=WORKER_SECONDS,
                maintenance_interval=MAINTENANCE_SECONDS,
            )
            worker.work(logging_level="WARNING")
        except Exception as error:
            log.warning("worker: %s; again in %.0f s", type(error).__name__, AGAIN_SECONDS)
        if not told.was_told:
            _wait_for(told)
    return 0


def _wait_for(told: _Told) -> None:
    """A pause in which SIGTERM still ends the process (RQ's own handlers belong to a worker that is gone)."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        told.was_told = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    time.sleep(AGAIN_SECONDS)


class _Team:
    """Several workers, forked from this process after the application was loaded."""

    def __init__(self, redis_url: str, wanted: tuple[tuple[str, ...], ...]) -> None:
        self.redis_url, self.wanted = redis_url, wanted
        self.pids: set[int] = set()
        self.is_stopping = False

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        for names in self.wanted:
            self._fork(names)
        code = 0
        while self.pids:
            pid, status = os.wait()
            if pid not in self.pids:
                continue
            self.pids.discard(pid)
            if not self.is_stopping:
                log.error("worker: %s ended (%s); ending the others", pid, os.waitstatus_to_exitcode(status))
                code = 1
                self._end_all()
        return code

    def _fork(self, names: tuple[str, ...]) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid:
            self.pids.add(pid)
            return
        code = 1
        try:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            _die_with(parent)
            code = work_line(self.redis_url, names)
        finally:
            logging.shutdown()
            os._exit(code)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        # RQ takes a second signal as an order to break off the job; so it is passed on once.
        if not self.is_stopping:
            self._end_all()

    def _end_all(self) -> None:
        self.is_stopping = True
        for pid in self.pids:
            os.kill(pid, signal.SIGTERM)


def _die_with(parent: int) -> None:
    """Have the kernel end this worker with its parent, however that ends (Linux; elsewhere there is one worker only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)
