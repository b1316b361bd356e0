"""Files over HTTP: one is sent to a ticket as multipart/form-data, and fetched by whoever may have it."""

from __future__ import annotations

import hashlib

from flask import Response, current_app, request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from feedback.api import render, schemas
from feedback.api.access import WRITE, endpoint
from feedback.api.auth import Caller, caller
from feedback.api.tickets import LARGEST_ID, known_reference
from feedback.api.writes import REPLAYED, once_asked
from feedback.files.kinds import MOST_BYTES, check_size
from feedback.files.refusals import FIELD, FileTooLarge, UnfitFile, WrongFileType
from feedback.files.store import Store
from feedback.files.uploads import Upload, discard, download_headers, fetch, kept_files
from feedback.intake.attachments import Attached, attach_file, check_may_attach
from feedback.kernel.db import session
from feedback.kernel.errors import NotFound
from feedback.kernel.idempotency import Once
from feedback.kernel.text import N_, Text
from feedback.tickets.answers import find_answer, keep_answer
from feedback.tickets.attachments import find_file

AROUND = 100_000
"""Bytes of a message around its file."""


@endpoint(
    "POST",
    "/v1/tickets/<reference>/attachments",
    answer=schemas.Attachment,
    status=201,
    scope=WRITE,
    is_repeatable=True,
    takes_file=True,
    summary=N_("Send a file to a ticket: a picture, plain text or CSV."),
    rule=N_(
        "Whoever raised it, where they may comment; staff, where they may write a note. It joins what they just said."
    ),
)
def attach(reference: str) -> Response:
    """Take in one file."""
    who, known = caller(), known_reference(reference)
    check_may_attach(session(), known, who.actor, who.now)
    upload = _read_upload()
    seen = hashlib.sha256(f"{request.path}\n{upload.name}\n{upload.content_type}\n".encode("utf-8", "backslashreplace"))
    seen.update(upload.data)
    once = once_asked(who, "POST /tickets/{reference}/attachments", seen.hexdigest())
    kept = find_answer(session(), once, who.now) if once else None
    if kept:
        return _answer(kept["body"], is_replay=True)
    attached = _keep(known, upload, who, once)
    document = render.attachment(find_file(session(), attached.id, who.actor, who.now)[0])
    if once:
        keep_answer(once, {"status": 201, "body": document}, now=who.now)
    return _answer(document, is_replay=False)


@endpoint(
    "GET",
    "/v1/attachments/<int:attachment_id>",
    answer=None,
    gives_file=True,
    summary=N_("The bytes of a file, as they are kept."),
    rule=N_("Whoever may see the entry it came with; until it is clean, its sender alone. Everybody else gets 404."),
)
def download(attachment_id: int) -> Response:
    """One file, to be saved."""
    who = caller()
    if attachment_id > LARGEST_ID:
        raise NotFound
    view, key = find_file(session(), attachment_id, who.actor, who.now)
    data = fetch(_store(), key)
    if data is None:
        raise NotFound
    return Response(data, headers=download_headers(view.content_type, view.name))


def _keep(reference: str, upload: Upload, who: Caller, once: Once | None) -> Attached:
    with kept_files(_store(), [upload]) as files:
        attached = attach_file(reference, files[0], actor=who.actor, now=who.now, once=once)
        if not attached.is_new:
            discard(_store(), files)
        return attached


def _answer(document: render.Json, *, is_replay: bool) -> Response:
    headers = {"Location": f"/api/v1/attachments/{document['id']}"}
    return render.answer(document, 201, {**headers, **({REPLAYED: "true"} if is_replay else {})})


def _read_upload() -> Upload:
    """The one file of this message. Raises WrongFileType, FileTooLarge, UnfitFile."""
    request.max_content_length = MOST_BYTES + AROUND
    if request.mimetype != "multipart/form-data":
        raise WrongFileType(Text(N_("Send the file as multipart/form-data, in the field “file”.")))
    try:
        sent = request.files.getlist(FIELD)
    except RequestEntityTooLarge as error:
        raise FileTooLarge(Text(N_("A file may have %(most)s MB at most."), most=MOST_BYTES // 1_000_000)) from error
    if len(sent) != 1:
        raise UnfitFile(Text(N_("Send exactly one file a message, in the field “file”.")))
    return _upload(sent[0])


def _upload(sent: FileStorage) -> Upload:
    data = sent.stream.read(MOST_BYTES + 1)
    check_size(data)
    return Upload(sent.filename or "", sent.content_type or "", data)


def _store() -> Store:
    found: Store = current_app.extensions["files"]
    return found
