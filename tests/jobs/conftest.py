"""Fixtures of the background parts: a real Valkey on a unix socket, a real SMTP server on loopback."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from feedback.jobs import runner
from feedback.jobs.queues import Queues
from feedback.runner import redis_server
from tests.jobs.sink import Sink


class Valkey:
    """A server that can be stopped and started again; what it holds is on disk."""

    def __init__(self, folder: Path) -> None:
        self.server = redis_server.prepare(folder)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self.server.url

    def start(self, *more: str) -> None:
        self.process = subprocess.Popen((*self.server.argv, *more), stdout=subprocess.DEVNULL, env={"LC_ALL": "C"})
        until = time.monotonic() + 10
        while not redis_server.answers(self.url):
            assert time.monotonic() < until, "valkey does not start"
            time.sleep(0.02)

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """A real server in a folder of its own (short, because socket paths may not be long)."""
    with tempfile.TemporaryDirectory(prefix="zv-") as folder:
        server = Valkey(Path(folder))
        server.start()
        yield server
        server.stop()


@pytest.fixture
def queued_app(app: Flask, valkey: Valkey) -> Flask:
    """The application with its queues on the real server, installed for jobs that run in this process."""
    app.extensions["queues"] = Queues(valkey.url)
    runner.install(app)
    return app


@pytest.fixture
def sink() -> Iterator[Callable[..., Sink]]:
    """Makes SMTP servers on loopback; each keeps what it took and answers as told."""
    made: list[Sink] = []

    def make(**how: object) -> Sink:
        made.append(Sink(**how))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.close()
