"""Notices and sweeps by real processes (web's side here, workers and scheduler beside) that are killed in the middle."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import pytest
from flask import Flask
from sqlalchemy import func, select

from feedback.intake.submission import submit_ticket
from feedback.jobs.queues import Queues
from feedback.kernel import outbox
from feedback.kernel.clock import utc_now
from feedback.kernel.db import session as current_session
from feedback.kernel.outbox import Delivery, Outbox
from feedback.kernel.transaction import transaction
from feedback.notifications.models import Notice
from feedback.settings import ROOT
from feedback.sla.models import SweepRun
from tests.conftest import KEY
from tests.jobs.conftest import Valkey
from tests.jobs.sink import Sink
from tests.support.county import County

pytestmark = pytest.mark.journey

T = TypeVar("T")


def eventually(look: Callable[[], T], seconds: float = 20.0) -> T:
    """The first true answer of look, or its last one."""
    until = time.monotonic() + seconds
    while not (answer := look()) and time.monotonic() < until:
        time.sleep(0.05)
    return answer


def kill_all(parent: int) -> None:
    """Kill a process and all that it started, at once and by force, as when the power goes."""
    found = [parent]
    for pid in found:
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(stat.parent.name))
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@dataclass
class Machine:
    """An instance with its database, Redis and mail server, and the parts that were started on it."""

    app: Flask
    county: County
    valkey: Valkey
    sink: Sink
    folder: Path
    parts: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, part: str) -> subprocess.Popen[bytes]:
        settings = self.app.config["SETTINGS"]
        environ = {
            **os.environ,
            "FEEDBACK_ENV": "testing",
            "SECRET_KEY": KEY,
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": self.valkey.url,
            "SMTP_URL": self.sink.url,
            "INSTANCE_DIR": str(self.folder),
            "SWEEP_SECONDS": "1",
        }
        log = (self.folder / f"{part}.log").open("ab")
        process = subprocess.Popen([sys.executable, "worker.py", part], cwd=ROOT, env=environ, stdout=log, stderr=log)
        log.close()
        self.parts.append(process)
        return process

    def stop(self) -> None:
        for process in self.parts:
            if process.poll() is None:
                process.terminate()
        for process in self.parts:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def log(self, part: str) -> str:
        return (self.folder / f"{part}.log").read_text()

    def submit(self, count: int = 1) -> None:
        for _ in range(count):
            words = {"text": "The lamp at the bridge is dark.", "category": "water"}
            submit_ticket(words, actor=self.county.actor("s"), now=utc_now())

    def count(self, table: type[Notice | Delivery | Outbox | SweepRun], *conditions: object) -> int:
        session = current_session()
        found = session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0  # type: ignore[arg-type]
        session.rollback()
        return found

    def is_told(self, notices: int) -> bool:
        return self.count(Notice) == notices and self.count(Outbox, Outbox.state != outbox.DONE) == 0

    def is_mailed(self, mails: int) -> bool:
        return self.count(Delivery, Delivery.state == outbox.DONE) == mails

    def mails_by_id(self) -> Counter[str]:
        return Counter(str(taken.message["Message-ID"]) for taken in self.sink.taken)


@pytest.fixture
def machine(app: Flask, county: County, valkey: Valkey) -> Iterator[Machine]:
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], redis_url=valkey.url)
    app.extensions["queues"] = Queues(valkey.url)
    with transaction() as session:
        for login in ("hw", "lw"):
            account = session.merge(county.accounts[login])
            account.email = f"{login}@people.test"
    sink = Sink()
    with tempfile.TemporaryDirectory(prefix="zm-") as folder:
        made = Machine(app, county, valkey, sink, Path(folder))
        yield made
        made.stop()
    sink.close()


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """A real server, stopped by force and started again by the tests."""
    with tempfile.TemporaryDirectory(prefix="zv-") as folder:
        server = Valkey(Path(folder))
        server.start()
        yield server
        server.stop()


def test_two_worker_processes_tell_and_mail_each_event_once(machine: Machine) -> None:
    machine.start("worker")
    machine.start("worker")
    queues: Queues = machine.app.extensions["queues"]
    machine.submit(8)
    ids = list(current_session().scalars(select(Outbox.id)))
    queues.put("deliver", ids * 3)
    assert eventually(lambda: machine.is_told(32)), machine.log("worker")
    assert eventually(lambda: machine.is_mailed(16)), machine.log("worker")
    queues.put("send", list(current_session().scalars(select(Delivery.id))) * 3)
    assert eventually(lambda: sum((queues.waiting() or {"": 1}).values()) == 0)
    time.sleep(0.5)
    assert machine.count(Notice) == 32
    assert set(machine.mails_by_id().values()) == {1}
    assert len(machine.sink.taken) == 16


def test_submitting_goes_on_without_redis_and_notices_go_out_when_it_is_back(machine: Machine) -> None:
    machine.start("worker")
    machine.start("scheduler")
    machine.submit()
    assert eventually(lambda: machine.is_told(4)), machine.log("worker")
    machine.valkey.stop()
    machine.submit(3)
    time.sleep(1)
    machine.valkey.start()
    assert eventually(lambda: machine.is_told(16), 40), machine.log("worker") + machine.log("scheduler")
    assert eventually(lambda: machine.is_mailed(8), 40), machine.log("worker")
    assert set(machine.mails_by_id().values()) == {1}


def test_flushed_redis_and_killed_workers_lose_nothing(machine: Machine) -> None:
    worker = machine.start("worker")
    machine.start("scheduler")
    machine.submit(10)
    machine.app.extensions["queues"].connection.flushall()
    worker.kill()
    worker.wait()
    machine.submit(2)
    machine.start("worker")
    assert eventually(lambda: machine.is_told(48), 60), machine.log("worker") + machine.log("scheduler")
    assert eventually(lambda: machine.is_mailed(24), 120), machine.log("worker") + machine.log("scheduler")
    assert max(machine.mails_by_id().values()) <= 2
    assert len(machine.mails_by_id()) == 24


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers' children in /proc")
def test_workers_killed_while_they_send_leave_nothing_stuck_for_longer_than_the_lease(machine: Machine) -> None:
    machine.sink.stall.update({"hw@people.test": 3, "lw@people.test": 3})
    worker = machine.start("worker")
    machine.submit()
    assert eventually(lambda: len(machine.sink.tries) == 2), machine.log("worker")
    kill_all(worker.pid)
    worker.wait()
    killed_at = time.monotonic()
    assert machine.count(Delivery, Delivery.state == outbox.LEASED) == 2
    machine.start("worker")
    machine.start("scheduler")
    assert eventually(lambda: machine.is_mailed(2), 75), machine.log("worker") + machine.log("scheduler")
    assert time.monotonic() - killed_at < 70
    assert len(machine.mails_by_id()) == 2
    assert max(machine.mails_by_id().values()) <= 2


def test_slow_mail_server_for_one_does_not_hold_the_others(machine: Machine) -> None:
    machine.sink.stall["hw@people.test"] = 6
    machine.start("worker")
    time.sleep(3)
    machine.submit()
    began = time.monotonic()
    assert eventually(lambda: [t.to for t in machine.sink.taken] == [["lw@people.test"]], 5), machine.log("worker")
    machine.submit()
    assert eventually(lambda: machine.is_told(8), 5)
    assert time.monotonic() - began < 6
    assert eventually(lambda: machine.is_mailed(4), 30), machine.log("worker")


def test_scheduler_without_workers_sweeps_and_tells_by_itself(machine: Machine) -> None:
    scheduler = machine.start("scheduler")
    machine.submit()
    machine.app.extensions["queues"].connection.flushall()
    assert eventually(lambda: machine.count(SweepRun, SweepRun.by == "scheduler") >= 2), machine.log("scheduler")
    assert eventually(lambda: machine.is_told(4)), machine.log("scheduler")
    scheduler.send_signal(signal.SIGTERM)
    assert scheduler.wait(10) == 0


def test_workers_sweep_while_they_live_and_the_scheduler_leaves_it_to_them(machine: Machine) -> None:
    worker = machine.start("worker")
    assert eventually(lambda: "Listening" in machine.log("worker") or worker.poll() is None)
    time.sleep(3)
    machine.start("scheduler")
    machine.start("scheduler")
    assert eventually(lambda: machine.count(SweepRun, SweepRun.by == "worker") >= 4), machine.log("worker")
    assert machine.count(SweepRun, SweepRun.by == "scheduler") == 0
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    assert eventually(lambda: machine.count(SweepRun, SweepRun.by == "scheduler") >= 1), machine.log("scheduler")
