"""The admin's page of settings: what each does, and the form that changes it. What may be set is said by the rooms."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from feedback.calendars.queries import list_calendars
from feedback.kernel.db import session
from feedback.kernel.errors import Conflict, Invalid
from feedback.kernel.site import get_setting
from feedback.kernel.text import N_, Text
from feedback.notifications.quiet_hours import SetQuietHours, set_quiet_hours
from feedback.people.rights import is_site_admin
from feedback.people.root_dispatchers import SetRootDispatchers, set_root_dispatchers
from feedback.routing.danger import LISTS
from feedback.routing.usecases import (
    SELF_DISPATCH,
    SetDangerWords,
    SetSelfDispatch,
    set_danger_words,
    set_self_dispatch,
)
from feedback.sla.site_calendar import SetDefaultCalendar, set_default_calendar
from feedback.web.admin.pages import Page
from feedback.web.errors import code_of
from feedback.web.forms.admin import DangerWordsForm, DefaultCalendarForm, QuietHoursForm, RootDispatchersForm
from feedback.web.forms.base import PageForm, offer, option
from feedback.web.session import request_now, require, signed_in_actor
from feedback.web.translate import gettext as _
from feedback.web.translate import ngettext

setting_pages = Blueprint("admin_settings", __name__, url_prefix="/admin/settings")


@setting_pages.get("")
@require("admin")
def index() -> str:
    """All settings, one after the other."""
    return _settings_page({})


@setting_pages.post("/self-dispatch")
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
    return redirect(url_for("admin_settings.index"), 303)


@setting_pages.post("/danger-words/<any(critical, urgent):level>")
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
        return _settings_page({level: form}), code_of(refused)
    flash(ngettext("Saved: %(num)d word or phrase.", "Saved: %(num)d words and phrases.", len(kept)), "success")
    return redirect(url_for("admin_settings.index"), 303)


def _settings_page(refused: dict[str, PageForm]) -> str:
    words: dict[str, Any] = {}
    for level, name in LISTS.items():
        kept = "\n".join(get_setting(session(), name))
        words[level] = refused.get(level) or DangerWordsForm(level, data={"words": kept, "seen": kept})
    calendar = refused.get("calendar") or DefaultCalendarForm(
        data={"calendar": get_setting(session(), "default_calendar")}
    )
    offer(calendar, "calendar", [option(row.code, row.code) for row in list_calendars(session())])
    begins, _dash, ends = str(get_setting(session(), "quiet_hours")).partition("-")
    quiet = {"begins": begins, "ends": ends, "days_off": bool(get_setting(session(), "quiet_days_off"))}
    logins = "\n".join(get_setting(session(), "root_dispatchers"))
    return render_template(
        "admin/settings.html",
        may=is_site_admin(signed_in_actor()),
        self_dispatch=bool(get_setting(session(), SELF_DISPATCH)),
        words=words,
        calendar=calendar,
        quiet=refused.get("quiet") or QuietHoursForm(data=quiet),
        dispatchers=refused.get("dispatchers") or RootDispatchersForm(data={"logins": logins, "seen": logins}),
    )


@setting_pages.post("/quiet-hours")
@require("admin")
def quiet_hours() -> Page:
    """When no mail leaves about tickets that are not urgent."""
    form = QuietHoursForm(request.form)
    try:
        cmd = SetQuietHours.parse({**form.raw_fields(("begins", "ends")), "days_off": bool(form.days_off.data)})
        span = set_quiet_hours(cmd, actor=signed_in_actor(), now=request_now())
    except Invalid as refused:
        form.show_errors(refused.errors)
        return _settings_page({"quiet": form}), 422
    flash(_("Quiet hours: %(span)s.", span=span) if span else _("There are no quiet hours any more."), "success")
    return redirect(url_for("admin_settings.index"), 303)


@setting_pages.post("/default-calendar")
@require("admin")
def default_calendar() -> Page:
    """Which calendar counts where nobody named one."""
    form = DefaultCalendarForm(request.form)
    try:
        cmd = SetDefaultCalendar.parse({"calendar": "", **form.raw_fields(("calendar",))})
        set_default_calendar(cmd, actor=signed_in_actor(), now=request_now())
    except Invalid as refused:
        form.show_errors(refused.errors)
        return _settings_page({"calendar": form}), 422
    flash(_("Saved. It counts for deadlines that begin from now on."), "success")
    return redirect(url_for("admin_settings.index"), 303)


@setting_pages.post("/root-dispatchers")
@require("admin")
def root_dispatchers() -> Page:
    """Who takes tickets about the top unit itself."""
    form = RootDispatchersForm(request.form)
    try:
        cmd = SetRootDispatchers.parse({"logins": form.listed(), "seen": form.seen_logins()})
        set_root_dispatchers(cmd, actor=signed_in_actor(), now=request_now())
    except (Invalid, Conflict) as refused:
        if isinstance(refused, Invalid):
            form.show_errors(refused.errors)
        else:
            form.form_errors = [refused.text.render(_)]
            form.seen.data = "\n".join(get_setting(session(), "root_dispatchers"))
        return _settings_page({"dispatchers": form}), code_of(refused)
    flash(_("Saved."), "success")
    return redirect(url_for("admin_settings.index"), 303)
