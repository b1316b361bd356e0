"""F1, F2, F8 and F9 on one site within a minute: what ./test does of them. docs/faults.md has each by itself, and larger."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from feedback.kernel.clock import utc_now
from tests.faults.clients import Clients
from tests.faults.dose import Dose
from tests.faults.ledger import ANSWERED, Ledger
from tests.faults.open_write import stop_outside_a_write
from tests.faults.scheduler_killed import sweeps_since
from tests.faults.site import Site, eventually, send, snapshot
from tests.faults.timers import judge_timers
from tests.faults.told import await_quiet, busy_workers, is_quiet, judge_told, put_jobs, replay_outbox, told_rows
from tests.faults.verdict import Verdict, count_rows, judge_intake
from tests.faults.web_killed import KINDS, has_landed, strike

CLIENTS = 6
POLICY = """\
name,order,category,dispatch,signing,first_response,resolution,leg_floor,alarms
minutes,1,roads,1min,1min,1min,1min,1min,10%:handler;30%:unit_head;70%:supervisor
"""
"""For some of the tickets: enough alarms come due within a minute."""
LONG_SLEEP, SHORT_SLEEP = 31.0, 1.0
"""Longer than a lease of the outbox; longer than a round."""
MOST_JOBS = 40
WAITS, BETWEEN = (0.05, 0.4), 4
"""Seconds between two kills, and submissions that are told: however slow the machine is, something goes on there."""
PAUSE = 0.1
"""Seconds between two tickets of a client."""


def all_together(site: Site, dose: Dose, verdict: Verdict) -> None:
    """A quarter of the kills are of the worker (F2), a quarter are sleeps of schedulers (F8), the others of web (F1).

    One scheduler sleeps through all the kills. At the end every event is marked as new and told again (F9).
    """
    draw = Random(dose.seed)
    each = dose.kills // 4
    ledger, clients = _begin(site, dose)
    try:
        scheduler, sleeper = site.background()[1], site.beside[-1].pid
        stop_outside_a_write(site, sleeper)
        fell_asleep, asleep_at = time.monotonic(), utc_now()
        web = [draw.choice(KINDS[:8]) for _ in range(dose.kills - 2 * each - 1)] + ["master and workers"]
        killed: list[tuple[float, str, int]] = []
        for kind in draw.sample([*web, *["background"] * each], dose.kills - each):
            enough = clients.told + BETWEEN
            eventually(lambda enough=enough: clients.told >= enough, 30)  # type: ignore[misc]
            time.sleep(draw.uniform(*WAITS))
            if kind == "background":
                verdict.landed += _kill_worker(site, scheduler, draw)
            else:
                eventually(lambda: clients.in_flight() >= 4, 60)
                killed.append(strike(site, kind, clients, draw))
        clients.finish()
        verdict.landed += sum(_nap(site, draw.choice([scheduler, site.beside[0].pid])) for _ in range(each - 1))
        time.sleep(max(0.0, fell_asleep + LONG_SLEEP - time.monotonic()))
        verdict.landed += sweeps_since(site, asleep_at) > 0
        send(signal.SIGCONT, sleeper)
    finally:
        clients.finish()
    calls = ledger.calls()
    verdict.kills = dose.kills
    verdict.figures["landed_but_for_web"] = verdict.landed
    verdict.landed += sum(has_landed(at, kind, flying, calls) for at, kind, flying in killed)
    bad = [call for call in calls if call.outcome == ANSWERED and call.status not in (201, 429, 503)]
    verdict.note("lost", [f"{call.key} was answered {call.status}" for call in bad])
    verdict.note("lost", [f"{key} was never answered" for key in clients.stuck])
    _end(site, ledger, scheduler, draw, verdict)
    ledger.close()


def _begin(site: Site, dose: Dose) -> tuple[Ledger, Clients]:
    """The family, two schedulers beside it, and clients of whose tickets some are due within a minute."""
    tokens = site.people(CLIENTS, 3)
    policy = site.folder / "policies.csv"
    policy.write_text(POLICY, encoding="utf-8")
    site.flask("policies", "import", str(policy))
    site.start()
    for _ in range(2):
        site.start_part("scheduler")
    ledger = Ledger(site.folder / "ledger.jsonl")
    clients = Clients(site.port, tokens, ledger, dose.seed, pause=PAUSE)
    clients.begin()
    began = utc_now()
    eventually(lambda: sweeps_since(site, began) > 0, 30)
    return ledger, clients


def _kill_worker(site: Site, scheduler: int, draw: Random) -> bool:
    """Kill the family's worker, or ask it to end, in the middle of a job; whether Redis says that it held one."""
    put_jobs(site, draw, 2, MOST_JOBS)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        time.sleep(draw.uniform(0.01, 0.05))
        for pid in (set(site.background()) - {scheduler}) & set(busy_workers(site)):
            send(signal.SIGSTOP, pid)
            if pid in busy_workers(site):
                send(draw.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]), pid)
                send(signal.SIGCONT, pid)
                return True
            send(signal.SIGCONT, pid)
    return False


def _nap(site: Site, scheduler: int) -> bool:
    """Let a scheduler stand still until others have swept; whether they did."""
    began = utc_now()
    send(signal.SIGSTOP, scheduler)
    time.sleep(SHORT_SLEEP)
    have_swept = eventually(lambda: sweeps_since(site, began) > 0, 10)
    send(signal.SIGCONT, scheduler)
    return have_swept


def _end(site: Site, ledger: Ledger, scheduler: int, draw: Random, verdict: Verdict) -> None:
    """Judge, tell everything again, and judge whether that changed anything."""
    await_quiet(site, verdict)
    with snapshot(site) as session:
        judge_intake(session, ledger, verdict)
        judge_timers(session, ledger, verdict)
        before = told_rows(session)
    verdict.figures["jobs_repeated"] = replay_outbox(site, draw, 3, MOST_JOBS)
    await_quiet(site, verdict)
    with _nothing_comes_due(site, scheduler), snapshot(site) as session:
        after = told_rows(session)
        events = {event for event, _ in before}
        verdict.note("lost", [f"{each} is gone" for each in sorted((before - after).elements())])
        again = [each for each in sorted((after - before).elements()) if each[0] in events]
        verdict.note("double", [f"{each} was told again" for each in again])
        judge_told(session, None, verdict, most_mails=1)
        verdict.figures |= {"rows": count_rows(session), "submissions": len(ledger.asked())}
        verdict.figures["calls"] = ledger.outcomes()


@contextmanager
def _nothing_comes_due(site: Site, scheduler: int) -> Iterator[None]:
    """No scheduler runs in the block, and what they brought up before is told: clocks run on while a judge reads."""
    schedulers = [scheduler, *(part.pid for part in site.beside)]
    for _ in range(10):
        for pid in schedulers:
            stop_outside_a_write(site, pid)
        if eventually(lambda: is_quiet(site), 3):
            break
        send(signal.SIGCONT, *schedulers)
        time.sleep(2)
    yield
    send(signal.SIGCONT, *schedulers)
