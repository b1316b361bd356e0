"""Everything the page of one ticket shows to one reader, put together from reads and presenters. No routes here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from feedback.kernel.actor import Actor
from feedback.people.queries import all_units, colleagues, units_by_code
from feedback.reading.clock_trace import explain_clock
from feedback.reading.clocks import list_clocks
from feedback.reading.look_alikes import say_the_same
from feedback.reading.queries import TicketView, ticket_view
from feedback.reading.requests import RequestView, list_requests
from feedback.reading.timeline import TimelineItem, list_timeline
from feedback.reading.views import unit_label
from feedback.tickets.models import Ticket
from feedback.tickets.seats import CONFIRMING
from feedback.tickets.summaries import areas_to_publish_to, summary_of
from feedback.web.forms.actions import DecideForm
from feedback.web.forms.base import option
from feedback.web.present.actions import Sent, act_url, actions_of, needed_choices, verdicts_for
from feedback.web.present.alike import alike_of
from feedback.web.present.cells import clocks_of, entries_of, name_of, status_of, steps_of, unit_codes, unit_name
from feedback.web.present.facts import facts_of, own_requests, people_of, requests_of
from feedback.web.present.files import files_of
from feedback.web.present.sheet import sheet_of
from feedback.web.present.ticket import ticket_url
from feedback.web.present.time import when_past
from feedback.web.present.words_actions import YES_NAMES
from feedback.web.replies import offered_replies
from feedback.web.submit_choices import area_options, category_options, unit_options
from feedback.web.translate import gettext as _

WORKING = ("handler", "unit_head")


def page_of(session: Session, ticket: Ticket, actor: Actor, now: datetime, sent: Sent | None = None) -> dict[str, Any]:
    """The context of templates/ticket/show.html."""
    view = ticket_view(session, ticket, actor, now)
    items = list_timeline(session, ticket, actor, now)
    requests = list_requests(session, ticket, actor, now)
    units = units_by_code(session, unit_codes(items))
    names = {code: unit_name(unit_label(unit)) for code, unit in units.items()}
    choices = _choices(session, ticket, view, actor, now) | {"requests": own_requests(requests)}
    actions = actions_of(view, sent, choices, may_override=actor.has_role("leader"))
    running = [clock for clock in view.clocks if clock.is_open]
    for action in actions:
        action["replies"] = offered_replies(session, view, actor, action["name"])
    has_voted = view.raised.my_verdict in CONFIRMING
    boxed = ("confirm",) if has_voted else ("confirm", "dispute")
    shown = [action for action in actions if action["name"] not in boxed]
    return {
        "view": view,
        "status": status_of(view, now, view.clocks, until=_asked_until(items), raised=view.raised),
        "steps": steps_of(view, now),
        "actions": [action for action in shown if not action["rare"]],
        "rare": [action for action in shown if action["rare"]],
        "rare_open": any(action["open"] for action in shown if action["rare"]),
        "verdict": None if has_voted else _verdict(view, actions),
        "joined": _joined(view),
        "files": files_of(next((item.files for item in items if item.action == "submit"), ())),
        "entries": entries_of(items, now, names),
        "clocks": clocks_of(running, now, why_url=url_for("ticket.why", reference=view.reference)),
        "ended_clocks": clocks_of([clock for clock in view.clocks if not clock.is_open], now),
        "facts": facts_of(view, now),
        "people": people_of(view),
        "requests": requests_of([request for request in requests if not request.may_decide], now),
        "decisions": [
            _decision(request, view, sent) | {"request": requests_of([request], now)[0]}
            for request in requests
            if request.may_decide
        ],
        "alike": _alike(session, ticket, view, actor, now),
        "summary": _summary(session, ticket, view, now),
        "sheet": sheet_of(view, items, now, names),
        "sent": sent,
        "kept": _kept(sent, view),
    }


def why_of(session: Session, ticket: Ticket, now: datetime) -> list[dict[str, Any]]:
    """Every due time of a ticket with the steps by which it came about, in the reader's words: what runs first."""
    clocks = [clock for clock in list_clocks(session, ticket, now) if clock.is_open or clock.met_at]
    why = {
        c.id: [step.text.render(_) for step in explain_clock(session, ticket, c.id).explanation.steps] for c in clocks
    }
    return clocks_of(clocks, now, why)


def _asked_until(items: Sequence[TimelineItem]) -> datetime | None:
    """Until when the newest question waits for its answer."""
    asked = next((item for item in reversed(items) if item.action == "ask_submitter"), None)
    until = asked.facts.get("until") if asked else None
    return datetime.fromisoformat(until) if until else None


def _verdict(view: TicketView, actions: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What whoever judges needs: {confirm, dispute?, accepts, verdict, yes, no}; None where there is nothing to judge."""
    by_name = {action["name"]: action for action in actions}
    if "confirm" not in by_name:
        return None
    verdict = verdicts_for(view)[0]
    accepts = verdict == "accepted"
    return {
        "confirm": by_name["confirm"],
        "dispute": by_name.get("dispute"),
        "accepts": accepts,
        "verdict": verdict,
        "yes": name_of(YES_NAMES, verdict),
        "no": _("I don't accept that") if accepts else _("No, it is not solved"),
    }


def _decision(request: RequestView, view: TicketView, sent: Sent | None) -> dict[str, Any]:
    """The form to decide a request with, as it came back if it was refused."""
    is_back = sent is not None and sent.action == "decide" and str(sent.form["request"].data) == str(request.id)
    form = sent.form if sent and is_back else DecideForm(slug=f"decide-{request.id}", data={"request": request.id})
    return {
        "id": request.id,
        "form": form,
        "url": act_url(view.reference, "decide"),
        "version": view.version,
        "draft": f"{view.reference}.decide.{request.id}",
        "open": True,
    }


def _joined(view: TicketView) -> list[dict[str, str]]:
    """The elder that it was joined to and the younger ones joined to it, as links."""
    elder, younger = view.raised.joined_into, view.raised.joined
    links = [(_("The elder ticket: %(reference)s", reference=elder), elder)] if elder else []
    links += [(_("Joined: %(reference)s", reference=one), one) for one in younger]
    return [{"text": text, "url": ticket_url(reference)} for text, reference in links]


def _alike(session: Session, ticket: Ticket, view: TicketView, actor: Actor, now: datetime) -> list[dict[str, Any]]:
    """What says the same, for the dispatcher who may join it."""
    if "join" not in view.allowed_actions or not actor.has_role("dispatcher"):
        return []
    return alike_of(say_the_same(session, actor, ticket, now=now), now, joining=ticket)


def _summary(session: Session, ticket: Ticket, view: TicketView, now: datetime) -> dict[str, Any] | None:
    """The summary that is published now, for whoever may publish one: {text, area, at}."""
    found = summary_of(session, ticket) if "publish_summary" in view.allowed_actions else None
    if found is None:
        return None
    area = all_units(session)[found.area_id]
    return {"text": found.text, "area": unit_name(unit_label(area)), "at": when_past(found.at, now)}


def _summary_areas(session: Session, ticket: Ticket, actor: Actor) -> list[Any]:
    """To which areas the dispatcher may publish a summary: the ticket's own, and those above it within the office."""
    units = all_units(session)
    offices = [grant.unit_path for grant in actor.grants_for("dispatcher")]
    found = max((areas_to_publish_to(units, ticket, path) for path in offices), key=len, default=[])
    return [option(unit.code, unit_name(unit_label(unit))) for unit in found]


def _choices(session: Session, ticket: Ticket, view: TicketView, actor: Actor, now: datetime) -> dict[str, list[Any]]:
    """The options that the offered actions need, and no others."""
    wanted = needed_choices(view.allowed_actions)
    found: dict[str, list[Any]] = {}
    if "units" in wanted:
        found["units"] = unit_options(session, now)
    if "categories" in wanted:
        found["categories"] = category_options(session)
    if "areas" in wanted:
        found["areas"] = area_options(session, now)
    if "summary_areas" in wanted:
        found["summary_areas"] = _summary_areas(session, ticket, actor)
    if "people" in wanted:
        found["people"] = _people(session, view, actor, now)
    return found


def _people(session: Session, view: TicketView, actor: Actor, now: datetime) -> list[Any]:
    """Who of the actor's own units that have a part may be given it."""
    parts = {leg.unit.code for leg in (view.lead, *view.assists) if leg and leg.unit}
    unit_ids = {grant.unit_id for grant in actor.grants_for(*WORKING) if grant.unit_code in parts}
    return [option(person.login, person.name) for person in colleagues(session, unit_ids, WORKING, now)]


def _kept(sent: Sent | None, view: TicketView) -> list[dict[str, str]]:
    """What was typed into a form that is no longer offered, so that nothing is lost."""
    if sent is None or sent.action in view.allowed_actions:
        return []
    return [
        {"label": field.label.text, "text": str(field.data)}
        for field in sent.form
        if field.type != "HiddenField" and isinstance(field.data, str) and field.data.strip()
    ]
