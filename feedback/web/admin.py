"""The admin's pages: what needs attention, routing's settings, people and units to look up, background jobs and health.

No ticket and no identity is shown here.
"""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from feedback.kernel.db import session
from feedback.kernel.errors import Conflict, Invalid
from feedback.kernel.site import get_setting
from feedback.kernel.text import N_, Text
from feedback.notifications.queries import list_dead
from feedback.people.directory import count_accounts, list_accounts, unit_tree
from feedback.routing.danger import LISTS
from feedback.routing.usecases import (
    SELF_DISPATCH,
    SetDangerWords,
    SetSelfDispatch,
    set_danger_words,
    set_self_dispatch,
)
from feedback.settings import Settings
from feedback.web.errors import code_of
from feedback.web.filters import address, left_out_words
from feedback.web.forms.admin import AccountFilterForm, DangerWordsForm
from feedback.web.present_admin import account_row, dead_row, health_facts, problems, queue_rows, unit_row
from feedback.web.session import request_now, require, signed_in_actor
from feedback.web.translate import gettext as _
from feedback.web.translate import ngettext

admin_pages = Blueprint("admin", __name__, url_prefix="/admin")

Page = str | tuple[str, int] | Response
LONGEST_SEARCH = 200


def _settings() -> Settings:
    found: Settings = current_app.config["SETTINGS"]
    return found


@admin_pages.get("")
@require("admin")
def index() -> str:
    """What needs attention, and the way to everything else."""
    actor, now = signed_in_actor(), request_now()
    return render_template(
        "admin/index.html",
        problems=problems(session(), current_app.extensions["queues"], _settings(), now),
        self_dispatch=bool(get_setting(session(), SELF_DISPATCH)),
        accounts=count_accounts(session(), actor),
        units=len(unit_tree(session(), actor, now)),
    )


@admin_pages.get("/routing")
@require("admin")
def routing() -> str:
    """Whether the catalogue dispatches by itself, and the danger words."""
    return _routing_page({})


@admin_pages.post("/routing/self-dispatch")
@require("admin")
def self_dispatch() -> Page:
    """Switch it."""
    wanted = request.form.get("on")
    if wanted not in ("yes", "no"):
        raise Invalid({"on": Text(N_("Must be one of: %(expected)s."), expected="yes, no")})
    set_self_dispatch(SetSelfDispatch(on=wanted == "yes"), actor=signed_in_actor(), now=request_now())
    flash(
        _("The catalogue dispatches by itself again.")
        if wanted == "yes"
        else _("From now on a dispatcher sends every ticket."),
        "success",
    )
    return redirect(url_for("admin.routing"), 303)


@admin_pages.post("/routing/danger-words/<any(critical, urgent):level>")
@require("admin")
def danger_words(level: str) -> Page:
    """Replace one list."""
    form = DangerWordsForm(level, request.form)
    try:
        command = SetDangerWords.parse({"level": level, "words": form.listed(), "seen": form.seen_words()})
        kept = set_danger_words(command, actor=signed_in_actor(), now=request_now())
    except (Invalid, Conflict) as refused:
        if isinstance(refused, Invalid):
            form.show_errors(refused.errors)
        else:
            form.form_errors = [refused.text.render(_)]
            form.seen.data = "\n".join(get_setting(session(), LISTS[level]))
        return _routing_page({level: form}), code_of(refused)
    flash(ngettext("Saved: %(num)d word or phrase.", "Saved: %(num)d words and phrases.", len(kept)), "success")
    return redirect(url_for("admin.routing"), 303)


def _routing_page(refused: dict[str, DangerWordsForm]) -> str:
    forms = {}
    for level, name in LISTS.items():
        words = "\n".join(get_setting(session(), name))
        forms[level] = refused.get(level) or DangerWordsForm(level, data={"words": words, "seen": words})
    return render_template("admin/routing.html", self_dispatch=bool(get_setting(session(), SELF_DISPATCH)), forms=forms)


@admin_pages.get("/accounts")
@require("admin")
def accounts() -> str:
    """Who has an account, with the roles they hold."""
    actor, now = signed_in_actor(), request_now()
    q = request.args.get("q", "").strip()
    left_out = []
    if len(q) > LONGEST_SEARCH or not q.isprintable():
        left_out.append(
            _("The search was left out: at most %(limit)s characters that can be seen.", limit=LONGEST_SEARCH)
        )
        q = ""
    try:
        page = list_accounts(session(), actor, now=now, q=q, cursor=request.args.get("cursor"))
    except Invalid as refused:
        left_out.append(left_out_words("cursor", refused))
        page = list_accounts(session(), actor, now=now, q=q)
    kept = {"q": q} if q else {}
    return render_template(
        "admin/accounts.html",
        rows=[account_row(each, now) for each in page.items],
        form=AccountFilterForm(data=kept),
        kept=kept,
        left_out=left_out,
        pager={
            "words": ngettext("%(num)d account", "%(num)d accounts", count_accounts(session(), actor)),
            "first": address("admin.accounts", kept) if request.args.get("cursor") else None,
            "next": address("admin.accounts", kept, cursor=page.next) if page.next else None,
        },
    )


@admin_pages.get("/units")
@require("admin")
def units() -> str:
    """The tree of regions and departments."""
    tree = unit_tree(session(), signed_in_actor(), request_now())
    return render_template("admin/units.html", rows=[unit_row(each) for each in tree])


@admin_pages.get("/jobs")
@require("admin")
def jobs() -> str:
    """How the background parts are, and what was given up."""
    now, queues = request_now(), current_app.extensions["queues"]
    return render_template(
        "admin/jobs.html",
        facts=health_facts(session(), queues, _settings(), now),
        queues=queue_rows(queues),
        dead=[dead_row(each) for each in list_dead(session())],
    )
