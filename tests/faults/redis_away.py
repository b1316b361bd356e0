"""F4: Redis is killed, forgets, stands still, is full or takes no writes while clients submit: they are told 201 all the same."""

from __future__ import annotations

import re
import signal
import time
from collections import Counter
from random import Random

from feedback.runner import redis_server
from tests.faults.clients import Clients
from tests.faults.dose import Dose
from tests.faults.ledger import ANSWERED, Ledger
from tests.faults.site import Site, eventually, snapshot
from tests.faults.told import await_quiet, judge_told
from tests.faults.verdict import Verdict, count_rows, judge_intake
from tests.jobs.conftest import Valkey

CLIENTS = 4
KINDS = ("killed", "flushed", "hung", "killed", "flushed", "away", "unsaved", "full", "evicting", "read-only")
"""unsaved: killed while it keeps nothing on disk; what it kept before comes back at the next start, as from an old copy."""
UNSAVED = ("--appendonly", "no")
FILLER, FILLED = "x" * 4000, 200
ROOM = 200_000
"""Bytes that an evicting Redis has for more than it held."""


def redis_away(site: Site, dose: Dose, verdict: Verdict) -> None:
    """F4. A fault landed if a submission was under way at that moment; each must be answered 201 at its first call."""
    draw, kinds, rounds = Random(dose.seed), dose.kinds or KINDS, Counter[str]()
    tokens = site.people(CLIENTS, 3)
    site.start()
    ledger = Ledger(site.folder / "ledger.jsonl")
    clients = Clients(site.port, tokens, ledger, dose.seed, pause=0.05)
    clients.begin()
    try:
        for number in range(dose.kills):
            time.sleep(draw.uniform(0.2, dose.longest_wait))
            eventually(lambda: clients.in_flight() > 0, 10)
            was_active = clients.in_flight() > 0
            kind = kinds[number % len(kinds)]
            verdict.landed += _harm(site, kind, dose, draw, verdict) and was_active
            verdict.kills += 1
            rounds[kind] += 1
        time.sleep(1)
    finally:
        clients.finish()
    await_quiet(site, verdict)
    with snapshot(site) as session:
        judge_intake(session, ledger, verdict)
        judge_told(session, None, verdict, most_mails=1)
        verdict.figures |= {
            "rounds_by_kind": dict(rounds),
            "rows": count_rows(session),
            "calls": ledger.outcomes(),
            "submissions": len(ledger.asked()),
        }
    calls = ledger.calls()
    refused = [call for call in calls if (call.outcome, call.status) != (ANSWERED, 201)]
    verdict.note("lost", [f"{call.key}: {call.outcome} {call.status}" for call in refused])
    verdict.figures["longest_answer_seconds"] = round(max(call.ended - call.sent for call in calls), 2)
    ledger.close()


def _harm(site: Site, kind: str, dose: Dose, draw: Random, verdict: Verdict) -> bool:
    """One round; whether it did what it was to do: where Redis is to refuse writes it is asked whether it does."""
    redis = site.redis
    assert redis.process is not None
    was_harmed = True
    if kind == "flushed":
        _order(redis, "FLUSHALL")
    elif kind == "hung":
        redis.process.send_signal(signal.SIGSTOP)
        time.sleep(draw.uniform(1, 4))
        redis.process.send_signal(signal.SIGCONT)
    elif kind == "full":
        _order(redis, "CONFIG SET maxmemory 1")
        was_harmed = _refuses(redis, b"-OOM", draw.uniform(1, 4))
        _order(redis, "CONFIG SET maxmemory 0")
    elif kind == "read-only":
        _order(redis, "REPLICAOF 127.0.0.1 1")
        was_harmed = _refuses(redis, b"-READONLY", draw.uniform(1, 4))
        _order(redis, "REPLICAOF NO ONE")
    elif kind == "evicting":
        was_harmed = _evict(redis, draw, verdict)
    else:
        redis.stop()
        time.sleep(dose.away if kind == "away" else draw.uniform(0.3, 2.0))
        redis.start(*(UNSAVED if kind == "unsaved" else ()))
    if kind == "unsaved":
        time.sleep(draw.uniform(0.5, 2.0))
        redis.stop()
        redis.start(*UNSAVED)
    return was_harmed


def _refuses(redis: Valkey, answer: bytes, seconds: float) -> bool:
    first = _order(redis, "SET probe 1")
    time.sleep(seconds)
    return first.startswith(answer) and _order(redis, "SET probe 1").startswith(answer)


def _evict(redis: Valkey, draw: Random, verdict: Verdict) -> bool:
    """Throw away keys of any kind for a while, those of jobs among them."""
    before = _number(redis, "stats", "evicted_keys")
    _order(redis, "CONFIG SET maxmemory-policy allkeys-random")
    _order(redis, f"CONFIG SET maxmemory {_number(redis, 'memory', 'used_memory') + ROOM}")
    until = time.monotonic() + draw.uniform(1, 4)
    while time.monotonic() < until:
        for _ in range(FILLED):
            _order(redis, f"SETEX filler:{draw.randrange(10**6)} 20 {FILLER}")
        time.sleep(0.2)
    _order(redis, "CONFIG SET maxmemory 0")
    _order(redis, "CONFIG SET maxmemory-policy noeviction")
    gone = _number(redis, "stats", "evicted_keys") - before
    verdict.figures["evicted_keys"] = verdict.figures.get("evicted_keys", 0) + gone
    return gone > 0


def _number(redis: Valkey, section: str, name: str) -> int:
    found = re.search(rf"^{name}:(\d+)\r$", _order(redis, f"INFO {section}").decode(), re.M)
    return int(found[1]) if found else 0


def _order(redis: Valkey, command: str) -> bytes:
    return redis_server.ask(redis.url, command, 2)
