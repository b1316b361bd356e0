"""Starts and stops what is measured: the bare page, our web processes as ./start runs them, Redis, a PostgreSQL of its own."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from feedback.runner import redis_server
from feedback.runner.instance import free_port
from feedback.runner.parts import redis_part, site_part
from feedback.settings import ROOT
from tests.support.postgres import find_binaries

HOST = "127.0.0.1"


@contextmanager
def running(argv: Sequence[str], environ: Mapping[str, str], log: Path) -> Iterator[int]:
    """A process group of its own while the block runs; yields its id."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            list(argv),
            cwd=ROOT,
            env=dict(environ),
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def await_page(url: str, seconds: float = 30) -> float:
    """Seconds until a page answers with 200. TimeoutError where it doesn't."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 (our own loopback)
                answer.read()
                return time.monotonic() - began
        except OSError:
            time.sleep(0.01)
    raise TimeoutError(url)


@contextmanager
def bare_page(environ: Mapping[str, str], folder: Path) -> Iterator[str]:
    """A Flask page under gunicorn, two sync workers; yields its address."""
    port = free_port(HOST)
    argv = [sys.executable, "-m", "gunicorn", "--bind", f"{HOST}:{port}", "--workers", "2", "--no-control-socket"]
    with running([*argv, "bench.hello:app"], environ, folder / "hello.log"):
        await_page(f"http://{HOST}:{port}/")
        yield f"http://{HOST}:{port}/"


@contextmanager
def redis(environ: Mapping[str, str], folder: Path) -> Iterator[str]:
    """The instance's own Redis; yields its URL."""
    server = redis_server.prepare(folder)
    part = redis_part(server)
    with running(part.argv, {**environ, **part.environ}, folder / "redis.log"):
        time.sleep(0.5)
        yield server.url


def our_site(port: int, folder: Path) -> tuple[tuple[str, ...], dict[str, str]]:
    """Command and environment of worker, scheduler and web, as ./start has them."""
    metrics = folder / "metrics"
    metrics.mkdir(exist_ok=True)
    part = site_part(HOST, port, folder, metrics)
    return part.argv, dict(part.environ)


def memory_of(pid: int) -> dict[str, float]:
    """Proportional memory of the whole site and of its parts, in MiB; the program itself is shared by all."""
    parts = zip(("worker", "scheduler", "web"), sorted(_children(pid)), strict=False)
    return {"site": pss_mib(pid), **{name: pss_mib(child) for name, child in parts}}


def pss_mib(pid: int) -> float:
    """Proportional memory of a process and all below it, in MiB."""
    total = 0.0
    for each in [pid, *_below(pid)]:
        try:
            told = Path(f"/proc/{each}/smaps_rollup").read_text(encoding="ascii")
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in told.splitlines() if line.startswith("Pss:")) / 1024
    return round(total, 1)


def _below(pid: int) -> list[int]:
    return [each for child in _children(pid) for each in (child, *_below(child))]


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text(encoding="ascii").split()]


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A fresh PostgreSQL cluster with its defaults (durable writes); yields a database URL."""
    binaries = find_binaries()
    if binaries is None:
        raise RuntimeError("no PostgreSQL 15 or newer on this machine")
    data = folder / "pg"
    as_user: list[str] = []
    if os.geteuid() == 0:
        as_user = ["runuser", "-u", "postgres", "--"]
        data.mkdir(parents=True, exist_ok=True)
        owner = pwd.getpwnam("postgres")
        os.chown(data, owner.pw_uid, owner.pw_gid)
        folder.chmod(0o711)
    control = [*as_user, str(binaries / "pg_ctl"), "-D", str(data / "cluster"), "-w"]
    if not (data / "cluster").exists():
        initdb = [*as_user, str(binaries / "initdb"), "-D", str(data / "cluster"), "-U", "zhida", "-A", "trust"]
        subprocess.run([*initdb, "-E", "UTF8", "--locale=C.UTF-8"], check=True, capture_output=True)
    options = f"-c listen_addresses='' -c unix_socket_directories={data}"
    subprocess.run([*control, "-l", str(data / "log"), "-o", options, "start"], check=True, stdout=subprocess.DEVNULL)
    try:
        create = [str(binaries / "createdb"), "-h", str(data), "-U", "zhida", "zhida"]
        subprocess.run(create, check=False, capture_output=True)
        yield f"postgresql+psycopg://zhida@/zhida?host={data}"
    finally:
        subprocess.run([*control, "-m", "fast", "stop"], check=False, stdout=subprocess.DEVNULL)
