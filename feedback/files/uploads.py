"""From what a door received to bytes in the store: checked, cleaned, kept; or removed again where the act came to nothing."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from feedback.files.cleaning import WAIT_SECONDS, Busy, CleanFile, clean_file
from feedback.files.kinds import MOST_FILES, Kind, check_size, kind_of
from feedback.files.refusals import StoreAway, UnfitFile
from feedback.files.store import Store, new_key
from feedback.kernel.text import N_, Text

PENDING, CLEAN, REFUSED = "pending", "clean", "refused"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Upload:
    """A file as it came. Its name and type are what the sender says; neither is kept."""

    name: str
    content_type: str
    data: bytes


@dataclass(frozen=True)
class KeptFile:
    """A file in the store that no row knows yet. `state`: clean, or pending where nobody had time to clean it."""

    key: str
    kind: Kind
    size: int
    sha256: str
    state: str


@contextmanager
def kept_files(store: Store, uploads: Sequence[Upload]) -> Iterator[tuple[KeptFile, ...]]:
    """Check, clean and keep these files for the act in the block; where that raises they are removed again.

    Raises UnfitFile (FileTooLarge, WrongFileType) that says which file and why, StoreAway.
    """
    if len(uploads) > MOST_FILES:
        raise UnfitFile(
            Text(N_("At most %(most)s files at a time. Send the others with another word."), most=MOST_FILES)
        )
    until = time.monotonic() + WAIT_SECONDS
    ready: list[tuple[CleanFile, str]] = []
    for number, upload in enumerate(uploads, start=1):
        is_late = any(state == PENDING for _cleaned, state in ready)
        wait = 0.0 if is_late else max(0.0, until - time.monotonic())
        ready.append(_ready(upload, number if len(uploads) > 1 else None, wait))
    kept: list[KeptFile] = []
    try:
        for cleaned, state in ready:
            kept.append(keep(store, cleaned, state))
        yield tuple(kept)
    except BaseException:
        discard(store, kept)
        raise


def keep(store: Store, cleaned: CleanFile, state: str = CLEAN) -> KeptFile:
    """Put bytes in the store under a new name. Raises StoreAway."""
    key = new_key()
    try:
        store.put(key, cleaned.data)
    except OSError as error:
        log.exception("a file could not be kept")
        raise StoreAway from error
    return KeptFile(key, cleaned.kind, len(cleaned.data), hashlib.sha256(cleaned.data).hexdigest(), state)


def discard(store: Store, files: Sequence[KeptFile]) -> None:
    """Remove files that no row will know. What can't be removed now is an orphan, and found later."""
    for file in files:
        try:
            store.delete(file.key)
        except OSError as error:
            log.warning("a file that nobody wants could not be removed: %s", error)


def fetch(store: Store, key: str) -> bytes | None:
    """The bytes of a kept file, or None where there are none. Raises StoreAway."""
    try:
        return store.get(key)
    except OSError as error:
        log.exception("a file could not be fetched")
        raise StoreAway from error


def download_headers(content_type: str, name: str) -> dict[str, str]:
    """How any file is handed out: to be saved and never run. The name is one of ours, in plain ASCII (RFC 6266)."""
    return {
        "Content-Type": content_type,
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-store",
    }


def _ready(upload: Upload, number: int | None, wait: float) -> tuple[CleanFile, str]:
    """The clean file, or the file as it came where there was no time to clean it within `wait` seconds."""
    try:
        check_size(upload.data)
        kind = kind_of(upload.data, upload.name, upload.content_type)
        try:
            return clean_file(upload.data, kind, wait=wait), CLEAN
        except Busy:
            return CleanFile(upload.data, kind), PENDING
    except UnfitFile as unfit:
        if number is None:
            raise
        raise type(unfit)(Text(N_("File %(number)s: %(problem)s"), number=number, problem=unfit.problem)) from unfit
