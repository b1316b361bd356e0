"""Which store an instance has, as its STORAGE_URL says."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from feedback.files.bucket import Bucket
from feedback.files.folder import Folder
from feedback.files.store import Store


def open_store(url: str) -> Store:
    """The store of a STORAGE_URL (settings.py has checked it). RuntimeError for s3:// without the package it needs."""
    parts = urlsplit(url)
    return Bucket(url) if parts.scheme == "s3" else Folder(Path(unquote(parts.path)))
