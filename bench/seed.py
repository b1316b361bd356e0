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

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from bench import county
from bench.bulk import DAYS, Batch, Maker, PostgresWriter, SqliteWriter, Writer, made_beside
from bench.copies import Ground, load_patterns
from feedback.factory import create_app
from feedback.kernel import audit
from feedback.kernel.clock import utc_now
from feedback.kernel.db import Base, db
from feedback.kernel.db import session as current_session
from feedback.kernel.transaction import transaction
from feedback.tickets.figures import find_wrongly_marked, keep_figures
from feedback.tickets.search_index import reindex

BATCH = 400
DUE_PATTERN_STATES = ("in_progress",)


@dataclass
class Seeded:
    """What was made, and what it cost."""

    tickets: int
    rows: int = 0
    pattern_seconds: float = 0.0
    bulk_seconds: float = 0.0
    index_seconds: float = 0.0
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
    deque(reindex(), maxlen=0)
    done.pattern_seconds = round(time.monotonic() - began, 1)
    began = time.monotonic()
    maker = Maker(load_patterns(session), Ground(session, now), db.engine.dialect.name)
    _write(maker, maker.batches(max(0, tickets - made), BATCH), done, is_large=True)
    _finish(session)
    done.bulk_seconds = round(time.monotonic() - began, 1)
    done.size_mb = round(_size(session) / 1e6, 1)
    return done


def add_due(tickets: int, *, at: datetime, now: datetime) -> Seeded:
    """Add tickets in work whose resolution clock reaches its next level just before `at`, all at once."""
    session = current_session()
    done = Seeded(tickets)
    patterns = load_patterns(session)
    found = [n for n, p in enumerate(patterns) if p.status in DUE_PATTERN_STATES and p.next_level_at]
    if not found:
        raise RuntimeError("no pattern has a level before it")
    move = at - timedelta(minutes=1) - (patterns[found[0]].next_level_at or at)
    maker = Maker(patterns, Ground(session, now), db.engine.dialect.name)
    _write(maker, maker.batches(tickets, BATCH, only=found[0], move=move), done, is_large=False)
    _finish(session)
    return done


def _write(maker: Maker, batches: Iterator[Batch], done: Seeded, *, is_large: bool) -> None:
    """All batches; `is_large`: so many that the indexes are better made after them."""
    current_session().rollback()
    url = db.engine.url
    db.engine.dispose()
    made_ones = made_beside(maker, batches)
    writer: Writer = (
        SqliteWriter(str(url.database), is_large=is_large)
        if maker.dialect == "sqlite"
        else PostgresWriter(url, is_large=is_large)
    )
    for made in made_ones:
        writer.write(maker.columns, made)
        for name, count in made["rows"].items():
            done.rows += count
            done.by_table[name] = done.by_table.get(name, 0) + count
    began = time.monotonic()
    writer.close()
    done.index_seconds = round(time.monotonic() - began, 1)


def _finish(session: Session) -> None:
    """Sequences, statistics and what tickets say of one another, as they would be had the rows come one by one."""
    with transaction() as writing:
        wrongly = find_wrongly_marked(writing)
        for first in range(0, len(wrongly), BATCH):
            keep_figures(writing, wrongly[first : first + BATCH])
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
