"""Files in and out on the admin's pages. A file is first tried out: the page says what it would do, and waits for a yes."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from feedback.kernel.db import session
from feedback.kernel.errors import Invalid, NotFound
from feedback.kernel.pending_import import LONGEST_NAME, drop_file, get_file, keep_file
from feedback.kernel.text import N_, Text
from feedback.people.rights import check_site_admin, is_site_admin
from feedback.reports.documents import to_csv
from feedback.sla.rollout import Rollout
from feedback.web.admin.import_kinds import KINDS, Kind, Sent
from feedback.web.forms.admin_imports import UploadForm
from feedback.web.present.imports import error_rows, move_rows, moves_words, result_facts
from feedback.web.session import request_now, require, signed_in_actor
from feedback.web.translate import gettext as _

import_pages = Blueprint("admin_imports", __name__, url_prefix="/admin")

Page = str | tuple[str, int] | AnyResponse
MOST_BYTES = 4 * 1024 * 1024
KIND = "<any(units, accounts, catalogue, policies, calendars):kind>"


@import_pages.get(f"/imports/{KIND}")
@require("admin")
def start(kind: str) -> str:
    """What such a file holds, and where to choose one."""
    return _start_page(kind, UploadForm())


def _start_page(kind: str, form: UploadForm) -> str:
    return render_template(
        "admin/import.html",
        kind=kind,
        about=KINDS[kind],
        form=form,
        may=not KINDS[kind].is_site_wide or is_site_admin(signed_in_actor()),
        most=MOST_BYTES // 1024 // 1024,
    )


@import_pages.post(f"/imports/{KIND}")
@require("admin")
def try_out(kind: str) -> Page:
    """Read the file, change nothing, and say what it would do."""
    form = UploadForm(request.form)
    try:
        name, content = _sent_file()
        return review(kind, name, content, apply_to_open=bool(form.apply_to_open.data))
    except Invalid as refused:
        form.show_errors(refused.errors)
        return _start_page(kind, form), 422


def _sent_file() -> tuple[str, bytes]:
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid({"file": Text(N_("Choose a file first."))})
    content = sent.stream.read(MOST_BYTES + 1)
    sent.close()
    if len(content) > MOST_BYTES:
        text = N_("At most %(most)s MB on this page. Divide the file, or bring it in on the command line.")
        raise Invalid({"file": Text(text, most=MOST_BYTES // 1024 // 1024)})
    name = "".join(letter for letter in sent.filename if letter.isprintable())
    return name[-LONGEST_NAME:] or "file.csv", content


def review(kind: str, name: str, content: bytes, *, apply_to_open: bool = False) -> str:
    """Try a file out and keep it for the yes. Raises Invalid (`file`) for one that is none, Forbidden."""
    actor, now = signed_in_actor(), request_now()
    outcome = _take(KINDS[kind], name, content, apply_to_open=apply_to_open, is_dry_run=True)
    file_id = keep_file(kind, name, content, actor=actor, now=now)
    return _outcome_page(kind, name, outcome, file_id=file_id, apply_to_open=apply_to_open)


def _take(about: Kind, name: str, content: bytes, *, apply_to_open: bool, is_dry_run: bool) -> Rollout:
    actor = signed_in_actor()
    if about.is_site_wide:
        check_site_admin(actor)
    return about.take(Sent(content, name, actor, request_now(), apply_to_open and about.moves_open, is_dry_run))


def _outcome_page(
    kind: str, name: str, outcome: Rollout, *, file_id: int | None = None, apply_to_open: bool = False
) -> str:
    now = request_now()
    result = outcome.result
    return render_template(
        "admin/import_outcome.html",
        kind=kind,
        about=KINDS[kind],
        name=name,
        file_id=file_id,
        apply_to_open=apply_to_open,
        does_something=bool(result.added or result.updated),
        facts=result_facts(result),
        errors=error_rows(result),
        moves=move_rows(outcome.moves, now),
        moves_words=moves_words(outcome.moves, is_done=file_id is None),
    )


@import_pages.post(f"/imports/{KIND}/<int:file_id>")
@require("admin")
def confirm(kind: str, file_id: int) -> Page:
    """Take the file that was tried out."""
    actor, now = signed_in_actor(), request_now()
    try:
        kept = get_file(session(), kind, file_id, actor=actor, now=now)
    except NotFound:
        flash(_("This file was taken in already, or was sent more than a day ago. Send it again."), "info")
        return redirect(url_for("admin_imports.start", kind=kind), 303)
    name, content = kept.name, kept.content
    apply_to_open = request.form.get("apply_to_open") == "yes"
    outcome = _take(KINDS[kind], name, content, apply_to_open=apply_to_open, is_dry_run=False)
    drop_file(file_id, actor=actor)
    return _outcome_page(kind, name, outcome)


@import_pages.get(f"/exports/{KIND}.csv")
@require("admin")
def export(kind: str) -> Response:
    """All that is in force, in the columns in which it is brought in; cells that a spreadsheet would run are quoted."""
    rows = KINDS[kind].export(signed_in_actor(), request_now())
    answer = Response(to_csv(rows), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f"attachment; filename={kind}.csv"
    return answer
