"""How well and how fast what says the same is found: `python -m bench.lookalikes --messages FILE --topics FILE`, one JSON.

FILE of messages: CSV (may be .gz) of msg_id, title, text; of topics: CSV of topic, msg_id. Quality is measured among these
messages alone; time among so many tickets whose sentences are drawn from them, so that no pair of characters is rare.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from bench import servers
from bench.empty_site import empty_site
from feedback.kernel.actor import SYSTEM, Actor
from feedback.kernel.db import db
from feedback.kernel.db import session as current_session
from feedback.kernel.transaction import transaction
from feedback.people.models import Account, RoleGrant, Unit
from feedback.people.queries import load_actor
from feedback.reading.look_alikes import Asked, find_look_alikes
from feedback.tickets.models import Message, Ticket
from feedback.tickets.search_index import Said, words_row
from feedback.tickets.search_tables import TicketWords
from feedback.tickets.word_weights import renew_weights

NOW = datetime(2026, 3, 9, 1, 0, tzinfo=UTC)
BATCH = 1_000
TEXTS_TIMED = 150
FORMS: dict[str, Callable[[dict[str, str]], Asked]] = {
    "title and text": lambda row: Asked(row["title"], row["text"]),
    "text alone": lambda row: Asked(None, row["text"]),
    "title alone": lambda row: Asked(None, row["title"]),
}


def main() -> None:
    """Measure on one database and print the JSON document."""
    parser = argparse.ArgumentParser(prog="python -m bench.lookalikes", description=__doc__)
    parser.add_argument("--messages", type=Path, required=True)
    parser.add_argument("--topics", type=Path, required=True)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--tickets", type=int, nargs="*", default=[10_000, 100_000], help="sizes at which to time it")
    options = parser.parse_args()
    messages = _rows(options.messages)
    out: dict[str, Any] = {"database": options.database, "load_before": os.getloadavg()[0], "messages": len(messages)}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder / 'zhida.db'}"
        if options.database == "postgres":
            url = stack.enter_context(servers.postgres(folder))
        with _site(folder, url).app_context():
            _add(messages, range(1, len(messages) + 1))
            began = time.perf_counter()
            renew_weights(NOW, always=True)
            out["weights_seconds"] = round(time.perf_counter() - began, 2)
            out["quality"] = _quality(messages, _rows(options.topics))
            out["milliseconds"] = {}
            there = len(messages)
            for size in sorted(options.tickets):
                _add(_mixed(messages, there, size), range(there + 1, size + 1))
                there = max(there, size)
                renew_weights(NOW, always=True)
                _settle()
                out["milliseconds"][str(size)] = _milliseconds(messages)
            db.session.remove()
            db.engine.dispose()
    print(json.dumps(out, ensure_ascii=False, indent=1))


def _rows(path: Path) -> list[dict[str, str]]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def _site(folder: Path, url: str) -> Any:
    """An empty site with one unit, its dispatcher and somebody who submits."""
    app = empty_site(folder, url, since=NOW - timedelta(days=30))
    with app.app_context(), transaction() as session:
        session.add(Unit(id=1, code="root", name="Root", kind="region", level="county", path="/1/"))
        for number, role in enumerate(("dispatcher", "submitter"), start=1):
            session.add(Account(id=number, login=role, name=role, created_at=NOW, is_active=True))
            session.flush()
            session.add(RoleGrant(account_id=number, role=role, unit_id=1))
    return app


def _add(rows: Iterator[dict[str, str]] | Sequence[dict[str, str]], ids: range) -> None:
    """Write messages as open tickets: the row, what was said, and its words. Nothing else is asked for here."""
    dialect = db.engine.dialect.name
    tickets: list[dict[str, Any]] = []
    said: list[dict[str, Any]] = []
    words: list[dict[str, Any]] = []
    for number, row in zip(ids, rows, strict=False):
        reference = f"ZD-{number:010d}"
        at = NOW - timedelta(minutes=number % 200_000)
        base = {"reference": reference, "source": "bench", "source_id": row["msg_id"], "submitted_at": at}
        fixed = {"kind": "demand", "area_id": 1, "urgency": "normal", "privacy": "named", "channel": "import"}
        tickets.append({"id": number, "status": "submitted", "version": 1, "received_at": at, **base, **fixed})
        said.append({"ticket_id": number, "version": 1, "title": row["title"], "body": row["text"], "written_at": at})
        first = Said(1, row["title"], row["text"], "submit", is_public=True, seat_id=None)
        words.append(words_row(dialect, number, reference, None, [first]))
        if len(tickets) == BATCH or number == ids[-1]:
            with transaction() as session:
                for table, found in ((Ticket, tickets), (Message, said), (TicketWords, words)):
                    session.execute(insert(table), found)
            tickets, said, words = [], [], []


def _mixed(messages: Sequence[dict[str, str]], there: int, size: int) -> Iterator[dict[str, str]]:
    """Messages put together from the sentences of three others, each under the title of a fourth."""
    draw = random.Random(5)  # noqa: S311 (drawn the same in every run)
    for number in range(there, size):
        parts = [part for row in draw.sample(messages, 3) for part in draw.sample(_sentences(row), 1)]
        yield {"msg_id": f"m{number}", "title": draw.choice(messages)["title"][:200], "text": "。".join(parts) + "。"}


def _sentences(row: dict[str, str]) -> list[str]:
    return [part for part in row["text"].split("。") if part.strip()][:20] or [row["title"]]


def _settle() -> None:
    """Let the database be as it is at rest."""
    at_rest = {"sqlite": "PRAGMA wal_checkpoint(TRUNCATE)", "postgresql": "VACUUM ANALYZE"}
    db.session.remove()
    with db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(at_rest[db.engine.dialect.name])


def _quality(messages: Sequence[dict[str, str]], topics: Sequence[dict[str, str]]) -> dict[str, Any]:
    """Of the messages of the topics: how often the first other hit is of the same topic, and one of the first ten."""
    by_id = {row["msg_id"]: row for row in messages}
    members: defaultdict[str, set[str]] = defaultdict(set)
    for row in topics:
        members[row["topic"]].add(row["msg_id"])
    found: dict[str, Any] = {"topics": len(members), "asked": sum(map(len, members.values()))}
    for name, form in FORMS.items():
        first = ten = 0
        for ids in members.values():
            for one in ids:
                hits = find_look_alikes(
                    current_session(), SYSTEM, form(by_id[one]), now=NOW, least=0.0, limit=11, of_any_age=True
                )
                others = [hit.source_id for hit in hits if hit.source_id != one][:10]
                first += bool(others) and others[0] in ids
                ten += any(other in ids for other in others)
        found[name] = {"first": round(first / found["asked"], 4), "within_ten": round(ten / found["asked"], 4)}
    return found


def _milliseconds(messages: Sequence[dict[str, str]]) -> dict[str, Any]:
    """Of one question in this process: wall and CPU, for a dispatcher who sees all and for somebody who sees nothing."""
    session = current_session()
    asked = [Asked(None, row["text"], area_id=1) for row in messages[:: max(1, len(messages) // TEXTS_TIMED)]]
    found: dict[str, Any] = {}
    for number, role in enumerate(("dispatcher", "submitter"), start=1):
        actor = load_actor(session, session.get_one(Account, number), now=NOW)
        _time_all(session, actor, asked[:20])
        walls, cpus = _time_all(session, actor, asked)
        found[role] = {"wall": _spread(walls), "cpu": _spread(cpus)}
    return found


def _time_all(session: Any, actor: Actor, asked: Sequence[Asked]) -> tuple[list[float], list[float]]:
    walls, cpus = [], []
    for one in asked:
        wall, cpu = time.perf_counter(), time.process_time()
        find_look_alikes(session, actor, one, now=NOW)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return walls, cpus


def _spread(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    places = {"median": len(ordered) // 2, "p95": int(len(ordered) * 0.95), "most": len(ordered) - 1}
    return {name: round(1000 * ordered[at], 1) for name, at in places.items()}


if __name__ == "__main__":
    main()
