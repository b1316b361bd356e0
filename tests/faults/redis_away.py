"""F4: Redis is killed, forgets everything, or stands still, while clients submit: they are told 201 all the same."""

from __future__ import annotations

import signal
import time
from random import Random

from feedback.kernel.db import session as current_session
from feedback.runner import redis_server
from tests.faults.clients import Clients
from tests.faults.dose import Dose
from tests.faults.ledger import ANSWERED, Ledger
from tests.faults.site import Site, eventually
from tests.faults.told import await_quiet, judge_told
from tests.faults.verdict import Verdict, count_rows, judge_intake

CLIENTS = 4
KINDS = ("killed", "flushed", "hung", "killed", "flushed", "away")
LONG_AWAY = 8.0


def redis_away(site: Site, dose: Dose, verdict: Verdict) -> None:
    """F4. A fault landed if a submission was under way at that moment; each must be answered 201 at its first call."""
    draw = Random(dose.seed)
    tokens = site.people(CLIENTS, 3)
    site.start()
    ledger = Ledger(site.folder / "ledger.jsonl")
    clients = Clients(site.port, tokens, ledger, dose.seed, pause=0.05)
    clients.begin()
    try:
        for number in range(dose.kills):
            time.sleep(draw.uniform(0.2, dose.longest_wait))
            eventually(lambda: clients.in_flight() > 0, 10)
            verdict.landed += clients.in_flight() > 0
            _harm(site, KINDS[number % len(KINDS)], draw)
            verdict.kills += 1
        time.sleep(1)
    finally:
        clients.finish()
    await_quiet(site, verdict)
    with site.app.app_context():
        session = current_session()
        judge_intake(session, ledger, verdict)
        judge_told(session, None, verdict, most_mails=1)
        verdict.figures |= {"rows": count_rows(session), "calls": ledger.outcomes(), "submissions": len(ledger.asked())}
        session.rollback()
    calls = ledger.calls()
    refused = [call for call in calls if (call.outcome, call.status) != (ANSWERED, 201)]
    verdict.note("lost", [f"{call.key}: {call.outcome} {call.status}" for call in refused])
    verdict.figures["longest_answer_seconds"] = round(max(call.ended - call.sent for call in calls), 2)
    ledger.close()


def _harm(site: Site, kind: str, draw: Random) -> None:
    redis = site.redis
    assert redis.process is not None
    if kind == "flushed":
        redis_server.ask(redis.url, "FLUSHALL", 2)
    elif kind == "hung":
        redis.process.send_signal(signal.SIGSTOP)
        time.sleep(draw.uniform(1, 4))
        redis.process.send_signal(signal.SIGCONT)
    else:
        redis.stop()
        time.sleep(LONG_AWAY if kind == "away" else draw.uniform(0.3, 2.0))
        redis.start()
