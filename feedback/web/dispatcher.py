"""The dispatcher's page: what waits for their office, why, and the way to send it off; and requests that they may decide."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from feedback.kernel.actor import Actor
from feedback.kernel.db import session
from feedback.kernel.errors import Conflict, Invalid, NotFound, VersionConflict
from feedback.kernel.text import Text
from feedback.reading.clocks import open_spans
from feedback.reading.queries import count_tickets, list_tickets
from feedback.reading.requests import list_decidable
from feedback.reading.search import TicketFilters
from feedback.tickets.actions import run_action
from feedback.tickets.lifecycle import SUBMITTED
from feedback.web.errors import code_of
from feedback.web.filters import Asked, address, asked_filters, left_out_words, region_options
from feedback.web.forms.dispatch import DispatchFilterForm, DispatchForm
from feedback.web.present.dispatch import Proposals, dispatch_row, request_row
from feedback.web.session import request_now, require, signed_in_actor
from feedback.web.translate import gettext as _
from feedback.web.translate import ngettext
from feedback.web.unit_picker import UnitPicker, unit_picker

dispatch_pages = Blueprint("dispatcher", __name__)

FILTERS = ("q", "area", "urgency")
REFERENCE = re.compile(r"[0-9A-Za-z-]{1,20}")
ROWS = 20
LAST = datetime.max.replace(tzinfo=UTC)
AT_OFFICE = TicketFilters(office=True, status=(SUBMITTED,))


@dataclass(frozen=True)
class Refusal:
    """A ticket that was not sent off: its form as it was filled in, with what is wrong."""

    reference: str
    form: DispatchForm
    notice: str
    status: int


@dispatch_pages.get("/dispatch")
@require("dispatcher")
def dispatch() -> str:
    """What waits, by what is due."""
    return _page(signed_in_actor(), request_now(), None)


@dispatch_pages.post("/dispatch/<reference>")
@require("dispatcher")
def send_off(reference: str) -> str | tuple[str, int] | Response:
    """Give one ticket to a unit, and come back to the list as it was."""
    if not REFERENCE.fullmatch(reference):
        raise NotFound
    actor, now = signed_in_actor(), request_now()
    form = DispatchForm(reference, request.form)
    picker = unit_picker(session(), now)
    try:
        fields = _fields(form, picker)
        run_action("dispatch", reference, fields, actor=actor, now=now, version=_version())
    except (Invalid, Conflict) as refused:
        refusal = _refusal(reference, form, refused)
        return _page(actor, now, refusal), refusal.status
    unit = next(offer for offer in picker.offers() if offer.endswith(f"({fields['lead']})"))
    flash(_("%(reference)s was sent to %(unit)s.", reference=reference, unit=unit.rpartition(" (")[0]), "success")
    return redirect(address("dispatcher.dispatch", {name: request.args.get(name, "") for name in FILTERS}), 303)


def _fields(form: DispatchForm, picker: UnitPicker) -> dict[str, Any]:
    """The fields of the command, with codes for what was typed. Raises Invalid."""
    typed = (form.lead.data or "").strip()
    lead = picker.code_of(typed, "lead") if typed else ""
    assists = [{"unit": picker.code_of(name, "assists")} for name in form.assists.raw()]
    category = request.form.get("category", "").strip()
    return {"lead": lead, **({"assists": assists} if assists else {}), **({"category": category} if category else {})}


def _version() -> int | None:
    sent = request.form.get("version", "")
    return int(sent) if sent.isascii() and sent.isdecimal() and len(sent) < 10 else None


def _refusal(reference: str, form: DispatchForm, refused: Invalid | Conflict) -> Refusal:
    text: Text = refused.text
    if isinstance(refused, Invalid):
        form.show_errors(refused.errors)
        notice = _("Not sent off yet: please look at the field below.")
    elif isinstance(refused, VersionConflict):
        notice = _("Not sent off: somebody changed this ticket while you were reading. It stands here as it is now.")
    else:
        notice = text.render(_)
    return Refusal(reference.upper(), form, notice, code_of(refused))


def _page(actor: Actor, now: datetime, refusal: Refusal | None) -> str:
    asked = asked_filters(session(), actor, request.args, FILTERS, now=now)
    filters = AT_OFFICE.model_copy(update={name: getattr(asked.filters, name) for name in FILTERS})
    # Pages come by when the matter is due; on a page it counts when somebody must have been chosen.
    try:
        page = list_tickets(session(), actor, filters, now=now, limit=ROWS, cursor=request.args.get("cursor"))
    except Invalid as refused:
        asked.left_out.append(left_out_words("cursor", refused))
        page = list_tickets(session(), actor, filters, now=now, limit=ROWS)
    spans = open_spans(session(), [row.reference for row in page.items], "dispatch")
    proposals = Proposals(session(), page.items)
    count = count_tickets(session(), actor, filters, now=now)
    first = sorted(page.items, key=lambda row: spans[row.reference][1] if row.reference in spans else LAST)
    rows = [dispatch_row(row, now, spans, proposals) for row in first]
    return render_template(
        "dispatcher/dispatch.html",
        rows=[{**row, **_form_of(row["reference"], refusal)} for row in rows],
        lost=refusal if refusal and refusal.reference not in [row["reference"] for row in rows] else None,
        requests=[request_row(each, now) for each in list_decidable(session(), actor, now)],
        offers=unit_picker(session(), now).spelt_offers(),
        asked=asked,
        filter_form=_filter_form(asked, now),
        send_args={**asked.kept},
        count=count,
        pager={
            "words": ngettext("%(num)d ticket", "%(num)d tickets", count),
            "first": address("dispatcher.dispatch", asked.kept) if request.args.get("cursor") else None,
            "next": address("dispatcher.dispatch", asked.kept, cursor=page.next) if page.next else None,
        },
    )


def _form_of(reference: str, refusal: Refusal | None) -> dict[str, Any]:
    if refusal and refusal.reference == reference:
        return {"form": refusal.form, "notice": refusal.notice}
    return {"form": DispatchForm(reference), "notice": None}


def _filter_form(asked: Asked, now: datetime) -> DispatchFilterForm:
    form = DispatchFilterForm(data=asked.kept)
    form.area.choices = region_options(session(), now, asked.kept.get("area"))
    form.offer_urgencies()
    return form
