"""F1: web processes and their master are killed while clients submit, with files or without."""

from __future__ import annotations

import signal
import time
from random import Random

from tests.faults.clients import Clients
from tests.faults.dose import Dose
from tests.faults.files import FileClients, sign_in_all
from tests.faults.kept import is_clean, judge_files
from tests.faults.ledger import ANSWERED, BROKEN, Call, Ledger
from tests.faults.site import Site, eventually, kill, send, snapshot
from tests.faults.verdict import Verdict, count_rows, judge_intake

CLIENTS, TOKENS_EACH = 8, 3
CLEANED_WITHIN = 120.0
"""Seconds after which a file that came when there was no time to clean it must be clean."""
KINDS = ("worker",) * 6 + ("all workers",) * 2 + ("master", "master and workers")


def web_killed(site: Site, dose: Dose, verdict: Verdict) -> None:
    """F1. A kill landed if a call that was sent before it ended without an answer, or was under way (master alone)."""
    tokens = site.people(CLIENTS, TOKENS_EACH)
    browsers = sign_in_all(site, CLIENTS) if dose.has_files else []
    site.start()
    draw = Random(dose.seed)
    ledger = Ledger(site.folder / "ledger.jsonl")
    clients = (
        FileClients(site.port, tokens, ledger, dose.seed, browsers)
        if dose.has_files
        else Clients(site.port, tokens, ledger, dose.seed)
    )
    clients.begin()
    killed: list[tuple[float, str, int]] = []
    try:
        # The first of ten kinds in an order of its own for each ten kills, so that a small dose has the master too.
        kinds = [kind for _ in range(dose.kills // 10 + 1) for kind in draw.sample(KINDS, len(KINDS))][: dose.kills]
        if dose.kills and not any("master" in kind for kind in kinds):
            kinds[-1] = "master and workers"
        for kind in kinds:
            time.sleep(draw.uniform(0.2, dose.longest_wait))
            eventually(lambda: clients.in_flight() >= 4, 60)
            killed.append(strike(site, kind, clients, draw))
        time.sleep(1)
    finally:
        clients.finish()
    calls = ledger.calls() + ledger.file_calls()
    verdict.kills = len(killed)
    verdict.landed = sum(has_landed(at, kind, flying, calls) for at, kind, flying in killed)
    verdict.figures["kills_by_kind"] = {kind: sum(k == kind for _, k, _ in killed) for kind in dict.fromkeys(KINDS)}
    _close(site, ledger, clients, dose, verdict)


def strike(site: Site, kind: str, clients: Clients, draw: Random) -> tuple[float, str, int]:
    """Kill web processes in the middle of a call: when, what kind of kill, how many calls were under way.

    They are stopped first: a call that ended just before would leave nothing to break off.
    """
    until = time.monotonic() + 60
    while time.monotonic() < until:
        victims = _victims(site, kind, draw)
        send(signal.SIGSTOP, *victims)
        if victims and (kind == "master" or any(site.serving(pid) for pid in victims)):
            at, flying = time.monotonic(), clients.in_flight()
            kill(*victims)
            return at, kind, flying
        send(signal.SIGCONT, *victims)
        time.sleep(draw.uniform(0.005, 0.05))
    return time.monotonic(), kind, 0


def _victims(site: Site, kind: str, draw: Random) -> list[int]:
    """The processes that a kill of this kind hits; none while no web process has a call in its hands."""
    master, workers = site.web()
    busy = [pid for pid in workers if site.serving(pid)]
    if not busy:
        return []
    return {
        "worker": [draw.choice(busy)],
        "all workers": workers,
        "master": [master],
        "master and workers": [master, *workers],
    }[kind]


def has_landed(at: float, kind: str, flying: int, calls: list[Call]) -> bool:
    """Whether a call that was sent before the kill broke off by it, or (the master alone) one was under way."""
    if kind == "master":
        return flying > 0
    return any(call.outcome == BROKEN and call.sent < at < call.ended < at + 2 for call in calls)


def _close(site: Site, ledger: Ledger, clients: Clients, dose: Dose, verdict: Verdict) -> None:
    if dose.has_files:
        with snapshot(site) as session:
            eventually(lambda: is_clean(session), CLEANED_WITHIN)
            judge_files(session, site.app.extensions["files"], ledger, verdict)
    with snapshot(site) as session:
        judge_intake(session, ledger, verdict)
        verdict.figures |= {"rows": count_rows(session), "calls": ledger.outcomes(), "submissions": len(ledger.asked())}
    verdict.note("lost", [f"{key} was never answered" for key in clients.stuck])
    calls = ledger.calls() + ledger.file_calls()
    bad = [call for call in calls if call.outcome == ANSWERED and call.status not in (201, 429, 503)]
    verdict.note("lost", [f"{call.key} was answered {call.status}" for call in bad])
    ledger.close()
