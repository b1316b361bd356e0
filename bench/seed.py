"""Fills a database with many tickets in bulk, each a copy of a pattern that the use-cases made: `python -m bench.seed`.

A copy has all rows of its pattern under new ids: ticket, seat, sealed identity, legs, timeline, words, verdicts, requests,
clocks, pauses, alarms, audit chain (its MACs made anew) and outbox (done). So `flask check` and `flask audit verify` hold.
Times move by whole weeks into the past where nothing lies ahead any more, else by minutes.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import Table, func, insert, select, text
from sqlalchemy.orm import Session

from bench import county
from bench.copies import Copier, Pattern, load_patterns
from feedback.factory import create_app
from feedback.kernel import audit
from feedback.kernel.clock import utc_now
from feedback.kernel.db import Base, db
from feedback.kernel.db import session as current_session
from feedback.kernel.transaction import transaction
from feedback.tickets.search_index import reindex

BATCH = 400
DAYS = 365
DUE_PATTERN_STATES = ("in_progress",)


@dataclass
class Seeded:
    """What was made, and what it cost."""

    tickets: int
    rows: int = 0
    pattern_seconds: float = 0.0
    bulk_seconds: float = 0.0
    search_seconds: float = 0.0
    size_mb: float = 0.0
    by_table: dict[str, int] = field(default_factory=dict)


def seed(tickets: int, *, now: datetime) -> Seeded:
    """Fill an empty migrated database with the bench's county and this many tickets."""
    done = Seeded(tickets)
    began = time.monotonic()
    session = current_session()
    county.load_people(now=now - timedelta(days=DAYS + 70))
    made = county.play_patterns(session, now=now)
    with transaction() as writing:
        writing.execute(text("UPDATE outbox SET state = 'done'"))
        audit.add_checkpoint(writing, now=now)
    done.pattern_seconds = round(time.monotonic() - began, 1)
    began = time.monotonic()
    patterns = load_patterns(session)
    copier = Copier(session, now)
    draw = Random(2)  # noqa: S311
    for batch in _batches(tickets - made, patterns):
        _write(copier, [(pattern, _shift(pattern, now, draw)) for pattern in batch], done, draw)
    done.bulk_seconds = round(time.monotonic() - began, 1)
    began = time.monotonic()
    deque(reindex(), maxlen=0)
    done.search_seconds = round(time.monotonic() - began, 1)
    _finish(session)
    done.size_mb = round(_size(session) / 1e6, 1)
    return done


def add_due(tickets: int, *, at: datetime, now: datetime) -> Seeded:
    """Add tickets in work whose resolution clock reaches its next level just before `at`, all at once."""
    session = current_session()
    done = Seeded(tickets)
    copier = Copier(session, now)
    patterns = [p for p in load_patterns(session) if p.status in DUE_PATTERN_STATES and p.next_level_at]
    if not patterns:
        raise RuntimeError("no pattern has a level before it")
    pattern = patterns[0]
    move = at - timedelta(minutes=1) - (pattern.next_level_at or at)
    draw = Random(3)  # noqa: S311
    left = tickets
    while left:
        count = min(BATCH, left)
        _write(copier, [(pattern, move)] * count, done, draw)
        left -= count
    deque(reindex(), maxlen=0)
    _finish(session)
    return done


def _batches(count: int, patterns: list[Pattern]) -> Iterator[list[Pattern]]:
    batch: list[Pattern] = []
    for number in range(max(0, count)):
        batch.append(patterns[number % len(patterns)])
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _shift(pattern: Pattern, now: datetime, draw: Random) -> timedelta:
    """Whole weeks into the past for what is over; up to three quarters of an hour for what still has times before it."""
    if pattern.is_quiet:
        weeks = max(0, (DAYS - (now - pattern.begins).days) // 7)
        return -timedelta(weeks=draw.randint(0, weeks), seconds=draw.randint(0, 3000))
    back = timedelta(seconds=draw.randint(0, 2700))
    return -back if pattern.may_go_back(now, back) else timedelta()


def _write(copier: Copier, wanted: list[tuple[Pattern, timedelta]], done: Seeded, draw: Random) -> None:
    rows: dict[str, list[dict[str, Any]]] = {}
    for pattern, move in wanted:
        copier.copy(pattern, move, rows, draw)
    tables: dict[str, Table] = dict(Base.metadata.tables)
    with transaction() as session:
        for name in copier.ORDER:
            if rows.get(name):
                session.execute(insert(tables[name]), rows[name])
                done.rows += len(rows[name])
                done.by_table[name] = done.by_table.get(name, 0) + len(rows[name])
        session.info.pop("published", None)


def _finish(session: Session) -> None:
    """Sequences and statistics as they would be had the rows come one by one."""
    with transaction() as writing:
        if db.engine.dialect.name == "postgresql":
            for table in Base.metadata.sorted_tables:
                if "id" in table.c and table.c.id.primary_key:
                    writing.execute(
                        text(
                            f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), "  # noqa: S608
                            f"GREATEST((SELECT max(id) FROM {table.name}), 1))"
                        )
                    )
        writing.execute(text("ANALYZE"))
    session.rollback()


def _size(session: Session) -> int:
    if db.engine.dialect.name == "postgresql":
        return int(session.scalar(text("SELECT pg_database_size(current_database())")) or 0)
    pages = session.scalar(text("PRAGMA page_count")) or 0
    return int(pages) * int(session.scalar(text("PRAGMA page_size")) or 0)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.seed", description=__doc__)
    parser.add_argument("--tickets", type=int, default=10_000)
    parser.add_argument("--due", type=int, default=0, help="instead: add this many whose next level is reached now")
    options = parser.parse_args()
    app = create_app()
    with app.app_context():
        now = utc_now()
        done = add_due(options.due, at=now, now=now) if options.due else seed(options.tickets, now=now)
        count = current_session().scalar(select(func.count()).select_from(Base.metadata.tables["ticket"]))
        print(json.dumps({**vars(done), "tickets_there": count}))


if __name__ == "__main__":
    main()
