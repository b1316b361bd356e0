"""F2: workers are killed in the middle of jobs. F9: each job is put several times, and the whole outbox is told anew."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from feedback.kernel.transaction import transaction
from feedback.people.models import Account
from tests.faults.clients import Clients
from tests.faults.dose import Dose
from tests.faults.ledger import Ledger
from tests.faults.site import Site, children, eventually, kill, snapshot
from tests.faults.told import await_quiet, busy_workers, judge_told, put_jobs, replay_outbox, told_rows
from tests.faults.verdict import Verdict, count_rows, judge_intake
from tests.jobs.sink import Sink

CLIENTS = 4
STALL = 0.3
"""Seconds that the mail server takes for each recipient, so that a worker is found at work."""
KINDS = ("parent", "one", "all", "ended")


def jobs_repeated(site: Site, dose: Dose, verdict: Verdict) -> None:
    """F9: `size` tickets; each delivery three times over two workers, then the outbox anew, three times, out of order."""
    draw = Random(dose.seed)
    verdict.dose["kills"] = 0
    tokens = site.people(CLIENTS, 3)
    site.redis.start()
    site.start_web()
    with _clients(site, tokens, dose) as (ledger, clients):
        while len(ledger.asked()) < dose.size:
            time.sleep(0.1)
        clients.finish()
        put = put_jobs(site, draw, 3)
        for part in ("worker", "worker", "scheduler"):
            site.start_part(part)
        await_quiet(site, verdict)
        with snapshot(site) as session:
            before = told_rows(session)
        put += replay_outbox(site, draw, 3)
        await_quiet(site, verdict)
        with snapshot(site) as session:
            after = told_rows(session)
            verdict.note("double", [f"{each} was told again" for each in sorted((after - before).elements())])
            verdict.note("lost", [f"{each} is gone" for each in sorted((before - after).elements())])
            judge_told(session, None, verdict, most_mails=1)
        verdict.figures["jobs"] = put
        _judge(site, ledger, verdict)


def workers_killed(site: Site, dose: Dose, verdict: Verdict) -> None:
    """F2: a worker's parent, one of its children or all are killed, or asked to end, while Redis says they hold a job."""
    draw = Random(dose.seed)
    tokens = site.people(CLIENTS, 3)
    sink = Sink(stall={f"{login}@people.test": STALL for login in ("hw", "lw", "hr", "ha", "la", "d")})
    try:
        site.environ["SMTP_URL"] = sink.url
        with site.app.app_context(), transaction() as session:
            for account in session.query(Account).filter(Account.login.in_(("hw", "lw", "hr", "ha", "la", "d"))):
                account.email = f"{account.login}@people.test"
        site.redis.start()
        site.start_web()
        site.start_part("scheduler")
        with _clients(site, tokens, dose, pause=max(2.5, dose.kills / 6)) as (ledger, clients):
            for number in range(dose.kills):
                verdict.landed += _kill_one(site, KINDS[number % len(KINDS)], draw)
                verdict.kills += 1
            sink.stall.clear()
            site.start_part("worker")
            clients.finish()
            await_quiet(site, verdict)
            with snapshot(site) as session:
                judge_told(session, sink, verdict, most_mails=2)
            _judge(site, ledger, verdict)
    finally:
        sink.close()


def _kill_one(site: Site, kind: str, draw: Random) -> bool:
    """Start a worker, kill it in its work; whether a job was in its hands."""
    worker = site.start_part("worker")
    eventually(lambda: children(worker.pid), 30)
    eventually(lambda: set(busy_workers(site)) & set(children(worker.pid)), 30)
    time.sleep(draw.uniform(0.0, 0.5))
    team = children(worker.pid)
    busy = eventually(lambda: [pid for pid in busy_workers(site) if pid in team], 20) or []
    if kind == "one":
        victims = [draw.choice(busy or team)]
        kill(*victims)
    elif kind == "all":
        victims = team
        kill(worker.pid, *team)
    elif kind == "parent":
        victims = team
        kill(worker.pid)
    else:
        victims = team
        worker.send_signal(signal.SIGTERM)
    landed = bool(set(busy_workers(site)) & set(victims))
    try:
        worker.wait(40)
    finally:
        kill(worker.pid, *team)
        worker.wait()
        site.beside.remove(worker)
    return landed


@contextmanager
def _clients(site: Site, tokens: list[list[str]], dose: Dose, pause: float = 0.0) -> Iterator[tuple[Ledger, Clients]]:
    ledger = Ledger(site.folder / "ledger.jsonl")
    clients = Clients(site.port, tokens, ledger, dose.seed, pause)
    clients.begin()
    try:
        yield ledger, clients
    finally:
        clients.finish()
        ledger.close()


def _judge(site: Site, ledger: Ledger, verdict: Verdict) -> None:
    with snapshot(site) as session:
        judge_intake(session, ledger, verdict)
        verdict.figures |= {"rows": count_rows(session), "submissions": len(ledger.asked())}
