"""Sending files in tests of use-cases, and moments in which nobody has time to clean one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import current_app
from sqlalchemy import select

from feedback.files import cleaning, uploads
from feedback.files.folder import Folder
from feedback.files.uploads import KeptFile, Upload, kept_files
from feedback.kernel.db import db
from feedback.tickets.models import Attachment
from tests.support import pictures


def store() -> Folder:
    """The store of the present application."""
    found = current_app.extensions["files"]
    assert isinstance(found, Folder)
    return found


def kept(*data: bytes, name: str = "") -> tuple[KeptFile, ...]:
    """Files as a door hands them to a use-case; a small photo without any."""
    with kept_files(store(), [Upload(name, "", each) for each in data or (pictures.jpeg(60, 40),)]) as files:
        return files


def on_disk() -> list[Path]:
    """Every file in the store, unfinished ones too."""
    return sorted(path for path in store().root.rglob("*") if path.is_file())


def rows() -> list[Attachment]:
    """The rows of all files as the database has them now."""
    db.session.rollback()
    db.session.expire_all()
    return list(db.session.scalars(select(Attachment).order_by(Attachment.id)))


@contextmanager
def nobody_cleans(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hold every turn, so that what comes now has to wait."""
    monkeypatch.setattr(uploads, "WAIT_SECONDS", 0.05)
    for _ in range(cleaning.AT_ONCE):
        assert cleaning._turns.acquire(timeout=5)
    try:
        yield
    finally:
        for _ in range(cleaning.AT_ONCE):
            cleaning._turns.release()
