"""The children of one instance, as data: Redis, then the site. They are started in this order and stopped in
the other one, so that nobody is asked for work while what it leans on is gone."""

from __future__ import annotations

import sys
from pathlib import Path

from feedback.runner.redis_server import RedisServer
from feedback.runner.supervise import Part

WEB_PROCESSES = 2
WEB_THREADS = 4
WEB_PATIENCE, WORKER_PATIENCE, SCHEDULER_PATIENCE = 15.0, 20.0, 10.0
SITE_PATIENCE = WEB_PATIENCE + WORKER_PATIENCE + SCHEDULER_PATIENCE + 5.0
"""Seconds that each gets to end what it is doing."""


def redis_part(server: RedisServer) -> Part:
    """The instance's own Redis-compatible server. LC_ALL, because it refuses to start in an unknown locale."""
    return Part("redis", server.argv, environ={"LC_ALL": "C"})


GIVE_MEMORY_BACK = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}
"""glibc would give each thread an arena of its own, and once a password was hashed in 19 MiB keep blocks as large for good."""


def web_order(host: str, port: int) -> tuple[str, ...]:
    """How gunicorn is started, without its own name."""
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return (
        *("--bind", bind, "--worker-class", "gthread", "--workers", str(WEB_PROCESSES), "--threads", str(WEB_THREADS)),
        *("--timeout", "60", "--graceful-timeout", "10", "--keep-alive", "5"),
        *("--config", "python:feedback.runner.gunicorn_hooks", "--preload", "--no-control-socket", "serve:app"),
    )


def site_part(host: str, port: int, log_dir: Path, metrics_dir: Path) -> Part:
    """Worker, scheduler and web of one machine, forked from one process that loaded the program (family.py)."""
    argv = (sys.executable, "family.py", "--logs", str(log_dir), *web_order(host, port))
    environ = {
        "PROMETHEUS_MULTIPROC_DIR": str(metrics_dir),
        **GIVE_MEMORY_BACK,
    }
    return Part("site", argv, patience=SITE_PATIENCE, environ=environ, is_heard=True)


def flask_order(*words: str) -> tuple[str, ...]:
    """One flask command of this program."""
    return (sys.executable, "-m", "flask", *words)
