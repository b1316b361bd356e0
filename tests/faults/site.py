"""The running product, as ./start runs it, in a folder of its own: Redis, then the family of worker, scheduler and web."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from flask import Flask
from sqlalchemy.orm import Session

from bench.servers import await_page
from feedback.cli.commands import add_commands
from feedback.demo.defaults import install_site_defaults
from feedback.factory import create_app
from feedback.kernel.actor import SYSTEM
from feedback.kernel.clock import utc_now
from feedback.kernel.db import db
from feedback.kernel.db import session as current_session
from feedback.people.tokens import IssueToken, issue_token
from feedback.runner.instance import free_port
from feedback.runner.parts import site_part
from feedback.settings import ROOT, Settings
from tests.conftest import KEY
from tests.jobs.conftest import Valkey
from tests.support.county import build_county

HOST = "127.0.0.1"
LISTENING, ESTABLISHED = "0A", "01"
T = TypeVar("T")


def eventually(look: Callable[[], T], seconds: float) -> T:
    """The first true answer of look, or its last one."""
    until = time.monotonic() + seconds
    while not (answer := look()) and time.monotonic() < until:
        time.sleep(0.05)
    return answer


class Site:
    """The product's processes and its database, seen from outside; `app` only reads what they wrote."""

    def __init__(self, folder: Path, database_url: str, smtp_url: str = "", *, is_made: bool = False) -> None:
        self.folder, self.port = folder, free_port(HOST)
        self.redis = Valkey(folder)
        self.environ = {
            **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")},
            "FEEDBACK_ENV": "testing",
            "SECRET_KEY": KEY,
            "DATABASE_URL": database_url,
            "REDIS_URL": self.redis.url,
            "INSTANCE_DIR": str(folder),
            "SWEEP_SECONDS": "1",
            **({"SMTP_URL": smtp_url} if smtp_url else {}),
        }
        if not is_made:
            self._upgrade()
        self.app: Flask = add_commands(create_app(Settings.from_env(self.environ)))
        self.family: subprocess.Popen[bytes] | None = None
        self.beside: list[subprocess.Popen[bytes]] = []

    def _upgrade(self) -> None:
        argv = [sys.executable, "-m", "flask", "db", "upgrade"]
        done = subprocess.run(argv, cwd=ROOT, env=self.environ, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError((done.stdout + done.stderr)[-2000:])

    def flask(self, *words: str) -> str:
        """What a flask command says, run in this process. RuntimeError with its words where it fails."""
        with self.app.app_context():
            done = self.app.test_cli_runner().invoke(args=words)
            db.session.remove()
        if done.exit_code:
            raise RuntimeError(f"{done.output}\n{done.exception!r}"[-2000:])
        return str(done.output)

    def is_clean(self, *words: str) -> str:
        """Empty where a checking command finds nothing, else what it found."""
        try:
            self.flask(*words)
        except RuntimeError as error:
            return str(error)
        return ""

    def people(self, submitters: int, tokens_each: int) -> list[list[str]]:
        """The small county with this many who submit; the tokens of each of them."""
        with self.app.app_context():
            install_site_defaults(now=utc_now())
            county = build_county(db.session())
            tokens = []
            for number in range(submitters):
                county.add_person(f"client{number}", "submitter@village")
                wish = IssueToken(login=f"client{number}", scopes=[], days=1)
                tokens.append([issue_token(wish, actor=SYSTEM, now=utc_now()).token for _ in range(tokens_each)])
            db.session.remove()
            db.engine.dispose()
        return tokens

    def start(self) -> None:
        """Redis and the family."""
        self.redis.start()
        metrics = self.folder / "metrics"
        metrics.mkdir(exist_ok=True)
        part = site_part(HOST, self.port, self.folder, metrics)
        self.family = self._spawn("family", part.argv, dict(part.environ))
        await_page(f"http://{HOST}:{self.port}/healthz", 60)

    def start_part(self, name: str) -> subprocess.Popen[bytes]:
        """One more `worker` or `scheduler` beside the family, as on a second machine."""
        self.beside.append(self._spawn(name, (sys.executable, "worker.py", name), {}))
        return self.beside[-1]

    def start_web(self) -> None:
        """Web processes alone, without worker and scheduler."""
        part = site_part(HOST, self.port, self.folder, self.folder)
        words = part.argv[part.argv.index("--bind") :]
        self.beside.append(self._spawn("web", (sys.executable, "-m", "gunicorn", *words), {}))
        await_page(f"http://{HOST}:{self.port}/healthz", 60)

    def _spawn(self, name: str, argv: tuple[str, ...], more: dict[str, str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.out").open("ab") as log:
            return subprocess.Popen(argv, cwd=ROOT, env={**self.environ, **more}, stdout=log, stderr=log)

    def stop(self) -> None:
        """End all that was started here."""
        for process in [*self.beside, *([self.family] if self.family else [])]:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
                process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(40)
            if process.poll() is None:
                process.kill()
                process.wait()
        self.redis.stop()

    def web(self) -> tuple[int, list[int]]:
        """The master of the web processes (0 while there is none) and the processes below it."""
        held = _sockets_on(self.port)
        for child in children(self.family.pid if self.family else 0):
            if held & _sockets_of(child):
                return child, children(child)
        return 0, []

    def serving(self, pid: int) -> bool:
        """Whether this web process has a call in its hands."""
        return bool(_sockets_on(self.port, ESTABLISHED) & _sockets_of(pid))

    def background(self) -> list[int]:
        """The family's other children: worker and scheduler in the order in which they began."""
        master, _ = self.web()
        return [pid for pid in children(self.family.pid if self.family else 0) if pid != master]


def children(pid: int) -> list[int]:
    """The processes that this one started, the eldest first; none where it is gone."""
    with contextlib.suppress(OSError):
        return sorted(int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return []


def kill(*pids: int) -> None:
    """kill -9, as when memory runs out."""
    send(signal.SIGKILL, *pids)


def send(number: int, *pids: int) -> None:
    """A signal to each that is still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _sockets_on(port: int, state: str = LISTENING) -> set[str]:
    """Inodes of sockets of this port of loopback that listen, or are at the server's end of a call."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {f"socket:[{row[9]}]" for row in rows if row[3] == state and int(row[1].split(":")[1], 16) == port}


def _sockets_of(pid: int) -> set[str]:
    found = set()
    with contextlib.suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                found.add(str(link.readlink()))
    return found


@contextmanager
def snapshot(site: Site) -> Iterator[Session]:
    """The database as it is at one instant, for a judge who reads many tables while the product goes on writing."""
    with site.app.app_context():
        session = current_session()
        session.rollback()
        if db.engine.dialect.name == "postgresql":
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield session
        session.rollback()


@contextmanager
def running_site(folder: Path, database_url: str, smtp_url: str = "", *, is_made: bool = False) -> Iterator[Site]:
    """A site that is prepared but not started, and ends with the block. `is_made`: its database has its tables."""
    site = Site(folder, database_url, smtp_url, is_made=is_made)
    try:
        yield site
    finally:
        site.stop()
        with site.app.app_context():
            db.engine.dispose()
