"""Pages of a process go one after the other on SQLite: Python runs one at a time anyway.

SQLite's driver lets go of the interpreter at each row that it fetches. With other threads waiting for it, a page changed
threads sixty times, which cost up to a sixth of its CPU.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock
from typing import TYPE_CHECKING, Any

from flask import Flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LONGEST_WAIT = 0.05
"""Seconds after which a page goes on beside another: some pages' time, and nobody waits long for one long search."""
READS = frozenset({"GET", "HEAD"})


class OneAtATime:
    """A WSGI application of whose reading requests one runs at a time. Writers wait for each other elsewhere."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._turn = Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        has_turn = environ["REQUEST_METHOD"] in READS and self._turn.acquire(timeout=LONGEST_WAIT)
        try:
            return self._app(environ, start_response)
        finally:
            if has_turn:
                self._turn.release()


def init_turns(app: Flask) -> None:
    """Have the pages of this process take turns where the database is SQLite; with PostgreSQL a page waits, and others run."""
    if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
        wsgi_app: Any = OneAtATime(app.wsgi_app)
        app.wsgi_app = wsgi_app  # type: ignore[method-assign]
