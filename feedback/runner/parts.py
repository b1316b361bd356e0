"""The children of one instance, as data: Redis, worker, scheduler, web. They are started in this order and stopped in
the other one, so that nobody is asked for work while what it leans on is gone."""

from __future__ import annotations

import sys
from pathlib import Path

from feedback.runner.redis_server import RedisServer
from feedback.runner.supervise import Part

WEB_PROCESSES = 2
WEB_THREADS = 4


def redis_part(server: RedisServer) -> Part:
    """The instance's own Redis-compatible server. LC_ALL, because it refuses to start in an unknown locale."""
    return Part("redis", server.argv, environ={"LC_ALL": "C"})


def long_running_parts(host: str, port: int, metrics_dir: Path) -> list[Part]:
    """Worker, scheduler and web, which write their Prometheus figures to metrics_dir."""
    environ = {"PROMETHEUS_MULTIPROC_DIR": str(metrics_dir)}
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    web = (
        *(sys.executable, "-m", "gunicorn", "--bind", bind),
        *("--worker-class", "gthread", "--workers", str(WEB_PROCESSES), "--threads", str(WEB_THREADS)),
        *("--timeout", "60", "--graceful-timeout", "10", "--keep-alive", "5"),
        *("--config", "python:feedback.runner.gunicorn_hooks", "--preload", "--no-control-socket", "serve:app"),
    )
    few_arenas = {
        "MALLOC_ARENA_MAX": "2"
    }  # glibc would give each thread its own, and keep what a large answer once took
    return [
        Part("worker", (sys.executable, "worker.py", "worker"), patience=20, environ=environ),
        Part("scheduler", (sys.executable, "worker.py", "scheduler"), environ=environ),
        Part("web", web, patience=15, environ={**environ, **few_arenas}),
    ]


def flask_order(*words: str) -> tuple[str, ...]:
    """One flask command of this program."""
    return (sys.executable, "-m", "flask", *words)
