"""Files on pages: read from a form and handed out to be saved. What is taken is for files/ to say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint, current_app, request
from werkzeug.wrappers import Response

from feedback.files.kinds import MOST_BYTES, MOST_FILES
from feedback.files.refusals import FIELD
from feedback.files.store import Store
from feedback.files.uploads import KeptFile, Upload, discard, download_headers, fetch, kept_files
from feedback.kernel.db import session
from feedback.kernel.errors import Invalid, NotFound
from feedback.kernel.text import N_, Text
from feedback.tickets.actions import TicketRef
from feedback.tickets.attachments import find_file
from feedback.web.session import request_now, require, signed_in_actor

attachment_pages = Blueprint("attachments", __name__)

LARGEST_ID = 2**63 - 1
CHOOSE_AGAIN = N_("Please choose your files once more: a browser does not keep them.")


@attachment_pages.get("/attachments/<int:attachment_id>")
@require("signed_in")
def download(attachment_id: int) -> Response:
    """One file, to be saved; 404 for whoever may not have it."""
    if attachment_id > LARGEST_ID:
        raise NotFound
    view, key = find_file(session(), attachment_id, signed_in_actor(), request_now())
    data = fetch(_store(), key)
    if data is None:
        raise NotFound
    return Response(data, headers=download_headers(view.content_type, view.name))


class Sending:
    """The files of one form: kept while its act is done, removed again where it comes to nothing."""

    def __init__(self, files: tuple[KeptFile, ...]) -> None:
        self.files = files

    def done(self, reference: TicketRef) -> TicketRef:
        """To be told what was done; files of a form that had arrived before are not needed."""
        if reference.is_replay:
            discard(_store(), self.files)
        return reference


@contextmanager
def sent_files() -> Iterator[Sending]:
    """The files of the present form, checked, cleaned and kept for the act in the block.

    Raises Invalid for the field `file`; where anything else of the form is refused, it is said there that the files must
    be chosen again, since no browser keeps them.
    """
    uploads = _uploads()
    try:
        with kept_files(_store(), uploads) as files:
            yield Sending(files)
    except Invalid as invalid:
        if uploads and FIELD not in invalid.errors:
            raise Invalid({**invalid.errors, FIELD: Text(CHOOSE_AGAIN)}) from invalid
        raise


def has_files() -> bool:
    """Whether files were chosen in the present form."""
    return any(file.filename for file in request.files.getlist(FIELD))


def _uploads() -> list[Upload]:
    """The files that were chosen; an empty field sends one without a name and without a byte. At most one too many is read."""
    chosen = [file for file in request.files.getlist(FIELD)[: MOST_FILES + 1] if file.filename]
    return [Upload(file.filename or "", file.content_type or "", file.stream.read(MOST_BYTES + 1)) for file in chosen]


def _store() -> Store:
    found: Store = current_app.extensions["files"]
    return found
