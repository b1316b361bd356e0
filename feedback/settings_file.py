"""INSTANCE_DIR/settings.env: KEY=VALUE lines, for its owner alone. What a value means is in settings.py."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

LINE = re.compile(r"(?:export\s+)?([A-Z][A-Z0-9_]*)\s*=\s*(.*)")
PLAIN = re.compile(r"[\w@%+=:,./?&~\[\]-]*", re.ASCII)
HEAD = (
    "# Written by ./start; read by every part of this instance. The environment wins over it.\n"
    "# Holds secrets: keep it to yourself, and in your backups.\n"
)


class FileError(ValueError):
    """A line of the file is no setting; the message has its number, never its text."""


def read_file(path: Path) -> dict[str, str]:
    """The settings in the file, {} where there is none. Raises FileError for a line that isn't KEY=VALUE."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path} cannot be read: {error}.") from error
    values: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        match = LINE.fullmatch(line)
        if match is None:
            raise FileError(f"line {number} of {path} is not KEY=VALUE.")
        value = _unquote(match[2])
        if value is None:
            raise FileError(f"line {number} of {path} has a quote that doesn't end.")
        values[match[1]] = value
    return values


def write_values(path: Path, changes: Mapping[str, str]) -> None:
    """Set these values in the file, whole or not at all, mode 0600; other settings and comments stay."""
    with _alone(path):
        _rewrite(path, changes)


def keep_missing(path: Path, defaults: Mapping[str, str]) -> dict[str, str]:
    """The file's values, with those of defaults that it lacked added; safe with several processes at once."""
    with _alone(path):
        values = read_file(path)
        missing = {name: value for name, value in defaults.items() if not values.get(name)}
        if missing:
            _rewrite(path, missing)
        return {**values, **missing}


def _unquote(text: str) -> str | None:
    if text[:1] in ("'", '"'):
        return text[1:-1] if len(text) > 1 and text.endswith(text[0]) else None
    return re.split(r"\s+#", text, maxsplit=1)[0].rstrip()


def _quote(value: str) -> str:
    if "\n" in value or ("'" in value and '"' in value):
        raise FileError("a value with line ends or with both kinds of quotes cannot be kept.")
    if PLAIN.fullmatch(value):
        return value
    return f'"{value}"' if "'" in value else f"'{value}'"


def _rewrite(path: Path, changes: Mapping[str, str]) -> None:
    lines = (path.read_text(encoding="utf-8") if path.exists() else HEAD).splitlines()
    left = dict(changes)
    for index, line in enumerate(lines):
        match = LINE.fullmatch(line.strip())
        if match is not None and match[1] in left:
            lines[index] = f"{match[1]}={_quote(left.pop(match[1]))}"
    lines += [f"{name}={_quote(value)}" for name, value in left.items()]
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One writer at a time, by a lock on a file beside it that goes with the process that holds it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
