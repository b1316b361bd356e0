"""The page of one ticket, for everybody who may see it, and the address of each action on it."""

from __future__ import annotations

import re
from contextlib import nullcontext
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from feedback.kernel import keyring
from feedback.kernel.actor import Actor
from feedback.kernel.audit import digest
from feedback.kernel.db import session
from feedback.kernel.errors import Conflict, Invalid, NotFound, Throttled
from feedback.kernel.idempotency import Once
from feedback.reading.queries import allowed_actions
from feedback.tickets.actions import ACTIONS, run_action
from feedback.tickets.models import Ticket
from feedback.tickets.visibility import get_ticket
from feedback.web.attachments import Sending, has_files, sent_files
from feedback.web.doubt import doubt_page, is_in_doubt
from feedback.web.forms.actions import FORMS
from feedback.web.forms.base import PageForm
from feedback.web.present.actions import Sent
from feedback.web.present.home import FROM_HOME
from feedback.web.present.labels import name_of
from feedback.web.present.time import moment
from feedback.web.present.words_actions import DONE_SENTENCES
from feedback.web.replies import asked_reply
from feedback.web.session import local_path, request_now, require, signed_in_actor
from feedback.web.ticket_page import page_of, why_of
from feedback.web.translate import gettext as _

ticket_pages = Blueprint("ticket", __name__)

Answer = str | tuple[str, int] | tuple[str, int, dict[str, str]] | Response

LISTS = ("/", "/mine", "/desk", "/dispatch", "/review")
_REFERENCE = re.compile(r"[A-Za-z0-9-]{1,20}")
_KEY_SHAPE = re.compile(r"[\x21-\x7e]{8,120}")
_NOT_SAID = ("csrf_token", "idempotency_key", "version")


@ticket_pages.get("/tickets/<reference>")
@require("signed_in")
def show(reference: str) -> Answer:
    """The ticket with its history and what this person may do now; with a common reply begun where the address asks for one."""
    begun = asked_reply(session(), signed_in_actor(), request.args.get("use", "")) if "use" in request.args else None
    if begun is None:
        return _page(reference, 200)
    action, words = begun
    return _page(reference, 200, Sent(action, FORMS[action](slug=action, data={"text": words})))


@ticket_pages.get("/tickets/<reference>/why")
@require("signed_in")
def why(reference: str) -> Answer:
    """How each due time of the ticket came about, step by step."""
    found = _seen(reference)
    clocks = why_of(session(), found, request_now())
    return render_template("ticket/why.html", reference=found.reference, clocks=clocks)


@ticket_pages.post("/tickets/<reference>/<action>")
@require("signed_in")
def act(reference: str, action: str) -> Answer:
    """Carry out an action, or show the page again with everything typed and why it was refused."""
    if action not in FORMS or action not in ACTIONS or not _REFERENCE.fullmatch(reference):
        raise NotFound
    slug = f"decide-{request.form.get('request', '')}" if action == "decide" else action
    form = FORMS[action](request.form, slug=slug)
    actor, now = signed_in_actor(), request_now()
    if is_in_doubt(action, form) and action in allowed_actions(session(), actor, found := _seen(reference), now):
        return doubt_page(found, action, form)
    try:
        _run(action, reference, form, actor, now)
    except Invalid as invalid:
        form.show_errors(invalid.errors)
        return _page(reference, 422, Sent(action, form))
    except Throttled as throttled:
        return _too_soon(reference, action, form, throttled)
    except Conflict as conflict:
        return _page(reference, 409, Sent(action, form, conflict.text.render(_)))
    flash(name_of(DONE_SENTENCES, action), "success")
    return redirect(_after(reference, action, actor), 303)


def _run(action: str, reference: str, form: PageForm, actor: Actor, now: datetime) -> None:
    if has_files():
        _seen(reference)
    with sent_files() if "file" in form else nullcontext(Sending(())) as sending:
        sending.done(
            run_action(
                action,
                reference,
                form.raw_fields(ACTIONS[action].command.model_fields),
                actor=actor,
                now=now,
                version=request.form.get("version", type=int),
                once=_once(actor, reference, action),
                files=sending.files,
            )
        )


def _once(actor: Actor, reference: str, action: str) -> Once | None:
    """Makes a form that is sent twice one act; None for a browser that sent no key."""
    key = request.form.get("idempotency_key", "")
    if not _KEY_SHAPE.fullmatch(key):
        return None
    said = sorted(pair for pair in request.form.items(multi=True) if pair[0] not in _NOT_SAID)
    caller_key = keyring.mac("idempotency", actor.account_id)
    return Once(caller_key, f"page:{reference.upper()}:{action}", key, digest(repr(said)))


STAYS_IN_SIGHT = frozenset({"acknowledge", "ask_submitter", "reply", "note", "resolve"})
"""Steps that change neither units, nor seats, nor what the ticket is about: whoever could take them still sees it."""


def _after(reference: str, action: str, actor: Actor) -> str:
    """Where to go when it is done: back to where it was asked, and nowhere that is no longer for this person to see."""
    if request.form.get("back") == FROM_HOME:
        return url_for("submitter.home", sent=f"{reference}.{action}")
    if action not in STAYS_IN_SIGHT:
        try:
            get_ticket(session(), actor, reference)
        except NotFound:
            return url_for("submitter.front")
    sent = f"{action}.{request.form.get('request')}" if action == "decide" else action
    return url_for("ticket.show", reference=reference, sent=sent)


def _too_soon(reference: str, action: str, form: PageForm, throttled: Throttled) -> Answer:
    again = throttled.details.get("again_at")
    problem = throttled.text.render(_)
    if again:
        problem = _("They were reminded already. You can do so again %(at)s.", at=moment(again, request_now()))
    body, _status, headers = _page(reference, 429, Sent(action, form, problem))
    return body, 429, {**headers, "Retry-After": str(throttled.details["retry_after"])}


def _seen(reference: str) -> Ticket:
    """The ticket, if this person may see it. Raises NotFound, before a database is asked for what can be none."""
    if not _REFERENCE.fullmatch(reference):
        raise NotFound
    return get_ticket(session(), signed_in_actor(), reference)


def _list_before() -> str:
    """The list from which somebody came, with its filters; the front door where they came from elsewhere."""
    before = urlsplit(request.referrer or "")
    path = local_path(f"{before.path}?{before.query}" if before.query else before.path)
    is_list = path is not None and before.netloc == request.host and before.path in LISTS
    return path if path and is_list else url_for("submitter.front")


def _page(reference: str, status: int, sent: Sent | None = None) -> tuple[str, int, dict[str, str]]:
    actor, now = signed_in_actor(), request_now()
    found = _seen(reference)
    context: dict[str, Any] = page_of(session(), found, actor, now, sent)
    context["back_url"] = _list_before()
    done = request.args.get("sent", "")
    context["draft_done"] = (
        f"{found.reference}.{done}" if status == 200 and re.fullmatch(r"[a-z_]+(\.\d+)?", done) else ""
    )
    return render_template("ticket/show.html", **context), status, {}
