"""The pages of whoever raises something: the front door, what needs them, the form, the receipt."""

from __future__ import annotations

import re
import secrets
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask import session as cookie
from werkzeug.wrappers import Response

from feedback.intake.submission import submit_ticket
from feedback.kernel import keyring
from feedback.kernel.actor import Actor
from feedback.kernel.audit import digest
from feedback.kernel.db import session
from feedback.kernel.errors import Invalid, NotFound
from feedback.kernel.idempotency import Once
from feedback.reading.look_alikes import say_the_same
from feedback.reading.needs import list_waiting
from feedback.reading.queries import NEWEST, list_tickets, ticket_view
from feedback.reading.raised import VOTED
from feedback.reading.search import TicketFilters
from feedback.tickets.actions import TicketRef
from feedback.tickets.visibility import get_ticket
from feedback.web.attachments import sent_files
from feedback.web.forms.submit import SubmitForm
from feedback.web.present.alike import alike_of
from feedback.web.present.cells import card_of, name_of, receipt_of, submitter_name
from feedback.web.present.home import needs_of
from feedback.web.present.proposals import proposals_of
from feedback.web.present.words import PRIVACY_SENTENCES
from feedback.web.session import request_now, require, signed_in_actor
from feedback.web.submit_choices import area_options, category_options, home_name, resolve_about

submitter_pages = Blueprint("submitter", __name__)

Answer = str | tuple[str, int] | Response

FRONT_PAGES = {
    "submitter": "submitter.home",
    "handler": "desk.desk",
    "unit_head": "desk.desk",
    "dispatcher": "dispatcher.dispatch",
    "leader": "leader.review",
    "supervisor": "leader.review",
    "admin": "admin.index",
}
"""The page on which somebody of a role begins."""
ON_THE_WAY = ("submitted", "dispatched", "in_progress", "suspended")
CARDS, ENDED = 20, 10
DRAFT = "submit"
_KEY_SHAPE = re.compile(r"[\x21-\x7e]{8,120}")
_REFERENCE = re.compile(r"[A-Za-z0-9-]{1,20}")
_DONE_SHAPE = re.compile(r"ZD-[0-9A-Z-]{1,20}\.[a-z_]{1,30}")
_RECEIPTS_KEPT = 5


@submitter_pages.get("/")
@require("signed_in")
def front() -> Answer:
    """The front door: the page of one's first role. Whoever submits is at home here, without a detour."""
    pages = [FRONT_PAGES.get(grant.role, "") for grant in signed_in_actor().grants]
    first = next((page for page in pages if page in current_app.view_functions), None)
    if first == "submitter.home":
        return home()
    return redirect(url_for(first)) if first else render_template("submitter/no_page.html")


@submitter_pages.get("/mine")
@require("submitter")
def home() -> Answer:
    """What needs me, the way to say something, and my tickets."""
    actor, now = signed_in_actor(), request_now()
    filters = TicketFilters(status=ON_THE_WAY, mine=True)
    page = list_tickets(
        session(), actor, filters, now=now, sort=NEWEST, limit=CARDS, cursor=request.args.get("after") or None
    )
    ended = list_tickets(
        session(),
        actor,
        TicketFilters(status=("closed",), mine=True),
        now=now,
        sort=NEWEST,
        limit=ENDED,
        cursor=request.args.get("ended") or None,
    )
    waiting = list_waiting(session(), actor, now)
    is_first = "after" not in request.args
    voted = [card_of(row, now, raised=VOTED) for row in waiting.voted] if is_first else []
    return render_template(
        "submitter/home.html",
        needs=needs_of(waiting.needs, now),
        cards=[*voted, *(card_of(row, now) for row in page.items)],
        next_url=url_for("submitter.home", after=page.next) if page.next else None,
        is_first=is_first,
        ended=[card_of(row, now) for row in ended.items],
        ended_url=url_for("submitter.home", ended=ended.next, _anchor="ended") if ended.next else None,
        shows_ended="ended" in request.args,
        draft_done=done if _DONE_SHAPE.fullmatch(done := request.args.get("sent", "")) else "",
    )


@submitter_pages.get("/submit")
@require("submitter", "handler", "dispatcher")
def write() -> Answer:
    """The form, empty."""
    return _form_page(SubmitForm(), 200)


@submitter_pages.post("/submit/proposals")
@require("submitter", "handler", "dispatcher")
def propose() -> dict[str, Any]:
    """What the page proposes for the text as it stands, as JSON; nothing is kept."""
    sent = request.form
    return proposals_of(
        session(),
        signed_in_actor(),
        sent.get("text", ""),
        sent.get("area", ""),
        sent.get("urgency", ""),
        request_now(),
        place=sent.get("place", ""),
    )


@submitter_pages.post("/submit")
@require("submitter", "handler", "dispatcher")
def submit() -> Answer:
    """Take it in, or show the form again with everything typed and what is wrong at the fields."""
    actor = signed_in_actor()
    form = SubmitForm(request.form)
    try:
        done = _submit(form, actor)
    except Invalid as invalid:
        was_sent = "Idempotency-Key" in invalid.errors
        form.show_refusal(invalid.errors)
        return _form_page(form, 422, was_sent=was_sent)
    if form.is_for_somebody_else:
        _remember_receipt(done.reference)
    return redirect(url_for("submitter.receipt", reference=done.reference), 303)


def _submit(form: SubmitForm, actor: Actor) -> TicketRef:
    now = request_now()
    fields = form.fields(may_write_for_others=actor.has_role("handler", "dispatcher"))
    if "about" in fields:
        fields["about"] = resolve_about(session(), fields["about"], now)
    with sent_files() as sending:
        return sending.done(submit_ticket(fields, actor=actor, now=now, once=_once(actor), files=sending.files))


def _once(actor: Actor) -> Once | None:
    """Makes a form that is sent twice one ticket; None for a browser that sent no key."""
    key = request.form.get("idempotency_key", "")
    if not _KEY_SHAPE.fullmatch(key):
        return None
    said = sorted(pair for pair in request.form.items(multi=True) if pair[0] not in ("csrf_token", "idempotency_key"))
    return Once(
        caller_key=keyring.mac("idempotency", actor.account_id),
        route="page:submit",
        key=key,
        body_digest=digest(repr(said)),
    )


def _form_page(form: SubmitForm, status: int, *, was_sent: bool = False) -> Answer:
    actor, now = signed_in_actor(), request_now()
    form.set_choices(category_options(session()), area_options(session(), now), home_name(session(), actor))
    sent_key = "" if was_sent else request.form.get("idempotency_key", "")
    page = render_template(
        "submitter/submit.html",
        form=form,
        key=sent_key if _KEY_SHAPE.fullmatch(sent_key) else secrets.token_urlsafe(16),
        draft=DRAFT,
        was_sent=was_sent,
        privacy_notes={code: name_of(PRIVACY_SENTENCES, code) for code in PRIVACY_SENTENCES},
        may_write_for_others=actor.has_role("handler", "dispatcher"),
        must_write_for_others=not actor.has_role("submitter"),
    )
    return page, status


def _remember_receipt(reference: str) -> None:
    """Let whoever typed it in for somebody else see the receipt, though the ticket itself is not theirs to see."""
    kept = [*cookie.get("receipts", []), reference]
    cookie["receipts"] = kept[-_RECEIPTS_KEPT:]


@submitter_pages.get("/submit/done/<reference>")
@require("submitter", "handler", "dispatcher")
def receipt(reference: str) -> Answer:
    """Who has it, by when they must answer, and what happens next."""
    if not _REFERENCE.fullmatch(reference):
        raise NotFound
    actor, now = signed_in_actor(), request_now()
    try:
        ticket = get_ticket(session(), actor, reference)
    except NotFound:
        if reference not in cookie.get("receipts", []):
            raise
        return render_template("submitter/receipt.html", reference=reference, view=None, receipt=None, draft=DRAFT)
    view = ticket_view(session(), ticket, actor, now)
    return render_template(
        "submitter/receipt.html",
        reference=view.reference,
        view=view,
        receipt=receipt_of(view, now, str((ticket.routing or {}).get("reason") or "")),
        submitter=submitter_name(view.submitter),
        alike=alike_of(say_the_same(session(), actor, ticket, now=now), now, joining=ticket)
        if "join" in view.allowed_actions
        else [],
        draft=DRAFT,
    )
