"""Stopping a process inside an open write, or only outside of one: the database tells."""

from __future__ import annotations

import signal
import sqlite3
import time
from contextlib import closing
from random import Random

from sqlalchemy import text

from feedback.kernel.db import db
from tests.faults.site import Site, send

LASTS = 2.0
"""Seconds after which a write that is still open is that of the stopped process: nobody else's takes so long."""
OPEN_WRITES = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL"
    " AND pid <> pg_backend_pid() AND clock_timestamp() - xact_start > make_interval(secs => :lasts)"
)


def stop_outside_a_write(site: Site, pid: int) -> None:
    """Stop a process where it writes nothing just then: on SQLite nobody else could write until it wakes."""
    while True:
        send(signal.SIGSTOP, pid)
        if not is_write_open(site):
            return
        send(signal.SIGCONT, pid)
        time.sleep(0.1)


def stop_in_a_write(site: Site, pid: int, draw: Random, seconds: float = 30) -> bool:
    """Stop a process where its transaction has written and is not ended; False where that moment was not met."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        send(signal.SIGSTOP, pid)
        if is_write_open(site):
            return True
        send(signal.SIGCONT, pid)
        time.sleep(draw.uniform(0.0, 0.03))
    return False


def is_write_open(site: Site, lasts: float = LASTS) -> bool:
    """Whether a write is open that began at least so long ago (on SQLite: is, and after LASTS still is)."""
    with site.app.app_context():
        address = db.engine.url
        if address.get_backend_name() == "sqlite":
            return not _can_write(str(address.database), 0.0) and not _can_write(str(address.database), LASTS)
        with db.engine.connect() as link:
            began = time.monotonic()
            while (passed := time.monotonic() - began) < LASTS:
                if not link.scalar(OPEN_WRITES, {"lasts": passed}):
                    return False
                time.sleep(LASTS / 50)
            return bool(link.scalar(OPEN_WRITES, {"lasts": lasts}))


def _can_write(path: str, patience: float) -> bool:
    with closing(sqlite3.connect(path, timeout=patience)) as link:
        try:
            link.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        link.rollback()
        return True
