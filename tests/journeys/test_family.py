"""The site's parts forked from one process: they answer, a killed one comes back, and none outlives the one that forked them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from feedback.runner.instance import free_port
from feedback.runner.parts import site_part
from feedback.settings import ROOT
from feedback.supervision.heartbeat import heartbeat_path
from tests.conftest import KEY
from tests.journeys.test_supervisor import eventually, is_alive

pytestmark = pytest.mark.journey


class Family:
    """A running family.py on a copy of the empty site."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port("127.0.0.1")
        part = site_part("127.0.0.1", self.port, folder, folder / "metrics")
        (folder / "metrics").mkdir()
        environ = {
            **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")},
            "FEEDBACK_ENV": "testing",
            "SECRET_KEY": KEY,
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "DATABASE_URL": f"sqlite:///{folder / 'zhida.db'}",
            "INSTANCE_DIR": str(folder),
            **part.environ,
        }
        self.said = (folder / "console").open("w+b")
        self.process = subprocess.Popen(part.argv, cwd=ROOT, env=environ, stdout=self.said, stderr=self.said)

    def children(self) -> list[int]:
        """Worker, scheduler and web, in the order in which they began."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return sorted(int(word) for word in path.read_text().split()) if path.exists() else []

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@pytest.fixture
def family(sqlite_template: Path, tmp_path: Path) -> Iterator[Family]:
    shutil.copy(sqlite_template, tmp_path / "zhida.db")
    running = Family(tmp_path)
    try:
        assert eventually(running.answers, 30), (tmp_path / "console").read_text()
        yield running
    finally:
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(30) == 0
        running.said.close()


@pytest.mark.skipif(sys.platform != "linux", reason="looks for children under /proc")
def test_family_starts_a_killed_part_again_and_takes_all_along_at_its_end(family: Family) -> None:
    worker, scheduler, web = family.children()
    assert eventually(heartbeat_path(family.folder).exists)
    for killed in (worker, web):
        os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: len(family.children()) == 3 and not {worker, web} & set(family.children()))
    assert scheduler in family.children()
    assert eventually(family.answers, 15)
    assert "worker ended (signal 9); starting it again" in (family.folder / "console").read_text()
    left = family.children()
    family.process.send_signal(signal.SIGTERM)
    assert family.process.wait(30) == 0
    assert not any(is_alive(pid) for pid in left)
