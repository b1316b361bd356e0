"""Files in a folder of this machine, for its owner's eyes only."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from feedback.files.store import KEY, Stored

_UNFINISHED = ".unfinished-"


class Folder:
    """A store in a folder, which is made when the first file comes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, key: str, data: bytes) -> None:
        """Written beside its place, brought to the disk, then given its name."""
        path = self._path(key)
        if path is None:
            raise OSError("not a key of this store")
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        unfinished = path.with_name(f"{_UNFINISHED}{secrets.token_hex(8)}")
        try:
            number = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(number, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(number)
            unfinished.rename(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)

    def get(self, key: str) -> bytes | None:
        """The bytes, or None where there are none."""
        path = self._path(key)
        try:
            return path.read_bytes() if path else None
        except FileNotFoundError:
            return None

    def delete(self, key: str) -> None:
        """Remove what lies there; nothing there is fine."""
        folder, _, name = key.partition("/")
        is_rest = len(folder) == 2 and name.startswith(_UNFINISHED) and "/" not in name
        path = self.root / folder / name if is_rest else self._path(key)
        if path:
            path.unlink(missing_ok=True)

    def stored(self) -> Iterator[Stored]:
        """Everything that lies there, unfinished files too."""
        for path in self.root.glob("??/*"):
            try:
                at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            except FileNotFoundError:
                continue
            yield Stored(f"{path.parent.name}/{path.name}", at)

    def _path(self, key: str) -> Path | None:
        return self.root / key if KEY.fullmatch(key) else None


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
