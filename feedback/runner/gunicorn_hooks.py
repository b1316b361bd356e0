"""What gunicorn calls: in its master once the program is loaded, and when a web process begins or ends.

The program is loaded in the master and shared by its children (--preload), so that they start at once and hold it in
memory once. What a child must not share, open connections above all, is let go of here.
"""

from __future__ import annotations

import gc
import os
from typing import Any

from prometheus_client import multiprocess

COLLECT_AFTER = (50_000, 20, 20)
"""A page makes some ten thousand short-lived objects: by Python's own threshold each would be searched for rings many times."""

gc.disable()  # while the program is loaded, all of which stays; when_ready begins


def when_ready(_server: Any) -> None:
    """What was loaded stays for good: nobody need look through it again, and its memory stays shared."""
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    gc.enable()


def post_fork(server: Any, _worker: Any) -> None:
    """Forget the connections that the master may have opened, without closing them under it."""
    application = server.app.wsgi()
    with application.app_context():
        for engine in application.extensions["sqlalchemy"].engines.values():
            engine.dispose(close=False)


def child_exit(_server: Any, worker: Any) -> None:
    """Forget the live gauges of a process that is gone."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
