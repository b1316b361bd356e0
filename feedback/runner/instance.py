"""One instance folder: private directories, the lock that keeps a second start out, settings.env, what was done."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from feedback.settings import Settings
from feedback.settings_file import read_file, write_values

FOLDERS = ("", "logs", "run", "run/metrics", "files")
LARGEST_LOG = 10 * 1024 * 1024


class AlreadyRunning(Exception):
    """Another ./start has this instance; the message says which."""


@dataclass(slots=True)
class Instance:
    """An instance folder that this process has locked until it ends."""

    path: Path
    lock: int
    was_killed: bool

    @property
    def log_dir(self) -> Path:
        """Where each part writes NAME.log."""
        return self.path / "logs"

    @property
    def settings_path(self) -> Path:
        """The settings that every part and every flask command of this instance reads."""
        return self.path / "settings.env"

    def tell_lock(self, url: str) -> None:
        """Leave word, for a second start, of who has the instance and where it answers."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        os.ftruncate(self.lock, 0)
        os.pwrite(self.lock, json.dumps({"pid": os.getpid(), "url": url, "since": now}).encode(), 0)

    def release(self) -> None:
        """Give the instance back after an orderly end."""
        os.ftruncate(self.lock, 0)
        os.close(self.lock)


def open_instance(path: Path) -> Instance:
    """Make the folders (mode 0700) and lock the instance. Raises AlreadyRunning, or OSError where it can't be made."""
    for name in FOLDERS:
        folder = path / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _holder(lock)
        os.close(lock)
        raise AlreadyRunning(
            f"Zhida already runs in {path} (process {holder.get('pid', 'starting')}, {holder.get('url', 'starting')}). "
            "It was left alone. Stop it there, or choose another folder with --instance."
        ) from None
    instance = Instance(path, lock, was_killed=bool(_holder(lock)))
    _turn_logs(instance.log_dir)
    for old in (path / "run" / "metrics").iterdir():
        old.unlink()
    return instance


def choose_settings(
    instance: Instance, environ: Mapping[str, str], *, port: int, own_redis_url: str
) -> tuple[Settings, dict[str, str]]:
    """The settings to run with, checked, and those of them that belong into settings.env.

    own_redis_url is empty where another server is used. Raises SettingsError and writes nothing but a missing
    development key.
    """
    saved = read_file(instance.settings_path)
    given = {**saved, **{name: value for name, value in environ.items() if value}}
    values = {"PORT": str(port)}
    own_base = f"http://127.0.0.1:{saved.get('PORT', port)}"
    if given.get("BASE_URL", own_base) == own_base:
        values["BASE_URL"] = f"http://127.0.0.1:{port}"
    if own_redis_url:
        values["REDIS_URL"] = own_redis_url
    settings = Settings.from_env({**environ, **values, "INSTANCE_DIR": str(instance.path)})
    values |= {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url, "BASE_URL": settings.base_url}
    values |= {name: environ[name] for name in ("FEEDBACK_ENV", "ALLOW_HTTP") if environ.get(name)}
    if not settings.is_production:
        values["SECRET_KEY"] = settings.secret_key
    return settings, values


def keep_settings(instance: Instance, values: Mapping[str, str]) -> None:
    """Write them to settings.env, mode 0600."""
    write_values(instance.settings_path, values)


def wants_own_redis(instance: Instance, environ: Mapping[str, str], own_url: str) -> bool:
    """Whether no other Redis is named, neither in the environment nor by hand in settings.env."""
    named = environ.get("REDIS_URL") or read_file(instance.settings_path).get("REDIS_URL") or own_url
    return named == own_url


def is_port_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port(host: str) -> int:
    """A port nobody uses at the moment."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def is_done(instance: Instance, what: str, database_url: str) -> bool:
    """Whether this was done before in this instance with this database."""
    return _mark(instance, what, database_url).exists()


def set_done(instance: Instance, what: str, database_url: str) -> None:
    """Remember that it was done, so that it never is done twice."""
    _mark(instance, what, database_url).touch(mode=0o600)


def _mark(instance: Instance, what: str, database_url: str) -> Path:
    digest = hashlib.sha256(database_url.encode()).hexdigest()[:16]
    return instance.path / "run" / f"{what}-{digest}.done"


def _holder(lock: int) -> dict[str, object]:
    try:
        told = json.loads(os.pread(lock, 4096, 0) or b"{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _turn_logs(folder: Path) -> None:
    for log in folder.glob("*.log"):
        if log.stat().st_size > LARGEST_LOG:
            log.replace(log.with_suffix(".log.1"))
