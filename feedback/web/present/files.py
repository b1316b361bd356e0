"""Files as the templates show them: names, sizes in words, and why one was refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for

from feedback.files.cleaning import problem_text
from feedback.files.uploads import REFUSED
from feedback.tickets.attachments import FileView
from feedback.web.translate import gettext as _


def files_of(files: Sequence[FileView]) -> list[dict[str, Any]]:
    """Files for the macro `files`: {name, url, size, state, problem}."""
    return [
        {
            "name": file.name,
            "url": url_for("attachments.download", attachment_id=file.id) if file.state != REFUSED else None,
            "size": size_words(file.size) if file.size else "",
            "state": file.state,
            "problem": problem_text(file.problem).render(_) if file.problem else "",
        }
        for file in files
    ]


def size_words(size: int) -> str:
    """Bytes as people say them: `340 KB`, `1.2 MB`."""
    return f"{size / 1_000_000:.1f} MB" if size >= 1_000_000 else f"{max(1, round(size / 1000))} KB"
