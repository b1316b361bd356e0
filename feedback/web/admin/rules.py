"""The admin's pages about what rules tickets: the duty catalogue, the deadline policies, the calendars and official days.

They show what is in force with its version; changes come in as files (admin_imports.py), or typed for a year's notice.
"""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from feedback.calendars.notice import notice_rows
from feedback.calendars.queries import list_calendars, missing_official_years
from feedback.dispatch.rule_memory import adopt_offer, list_offers
from feedback.kernel.clock import local_day
from feedback.kernel.db import session
from feedback.kernel.errors import Invalid
from feedback.people.rights import is_site_admin
from feedback.reports.documents import to_csv
from feedback.routing.listing import count_rows, list_rows
from feedback.sla.queries import live_policies
from feedback.web.admin.imports import review
from feedback.web.admin.pages import LONGEST_SEARCH, Page
from feedback.web.filters import address, left_out_words
from feedback.web.forms.admin import CatalogueFilterForm
from feedback.web.forms.admin_imports import NoticeForm
from feedback.web.present.rules import calendar_row, catalogue_row, policy_row, policy_times, rule_offer
from feedback.web.session import request_now, require, signed_in_actor
from feedback.web.translate import gettext as _
from feedback.web.translate import ngettext

rule_pages = Blueprint("admin_rules", __name__, url_prefix="/admin")

NOTICE_COLUMNS = ("calendar", "rule", "date", "note")


@rule_pages.get("/catalogue")
@require("admin")
def catalogue() -> str:
    """Who leads for which category in which area."""
    q = request.args.get("q", "").strip()
    left_out = []
    if len(q) > LONGEST_SEARCH or not q.isprintable():
        left_out.append(
            _("The search was left out: at most %(limit)s characters that can be seen.", limit=LONGEST_SEARCH)
        )
        q = ""
    try:
        page = list_rows(session(), q=q, cursor=request.args.get("cursor"))
    except Invalid as refused:
        left_out.append(left_out_words("cursor", refused))
        page = list_rows(session(), q=q)
    kept = {"q": q} if q else {}
    return render_template(
        "admin/catalogue.html",
        rows=[catalogue_row(view, request_now()) for view in page.items],
        form=CatalogueFilterForm(data=kept),
        kept=kept,
        left_out=left_out,
        offers=[rule_offer(offer) for offer in list_offers(session(), request_now())] if not q else [],
        may=is_site_admin(signed_in_actor()),
        pager={
            "words": ngettext("%(num)d row in force", "%(num)d rows in force", count_rows(session())),
            "first": address("admin_rules.catalogue", kept) if request.args.get("cursor") else None,
            "next": address("admin_rules.catalogue", kept, cursor=page.next) if page.next else None,
        },
    )


@rule_pages.post("/catalogue/rules")
@require("admin")
def adopt_rule() -> Response:
    """Make what dispatchers do again and again a row of the catalogue."""
    offer = adopt_offer(request.form.get("rule", ""), actor=signed_in_actor(), now=request_now())
    flash(_("It is a rule now: %(rule)s", rule=rule_offer(offer)["rule"]), "success")
    return redirect(url_for("admin_rules.catalogue"))


@rule_pages.get("/policies")
@require("admin")
def policies() -> str:
    """Which times count for which tickets, in the order in which policies are tried."""
    found = live_policies(session())
    return render_template(
        "admin/policies.html",
        rows=[policy_row(policy, request_now()) for policy in found],
        all_times=[policy_times(policy) for policy in found],
    )


@rule_pages.get("/calendars")
@require("admin")
def calendars() -> str:
    """Which hours are working time, and whether the official days are known."""
    now = request_now()
    return render_template(
        "admin/calendars.html",
        rows=[calendar_row(row, now) for row in list_calendars(session())],
        missing=missing_official_years(session(), local_day(now)),
    )


def _year() -> int:
    """The year asked for, else the first that is missing, else next year."""
    today = local_day(request_now())
    asked = request.values.get("year", "")
    if asked.isascii() and asked.isdecimal() and 2000 <= int(asked[:6]) <= 2100:
        return int(asked)
    return next(iter(missing_official_years(session(), today)), today.year + 1)


@rule_pages.get("/official-days")
@require("admin")
def official_days() -> str:
    """The form for a year's notice."""
    return _notice_page(NoticeForm())


def _notice_page(form: NoticeForm) -> str:
    year = _year()
    missing = missing_official_years(session(), local_day(request_now()))
    return render_template(
        "admin/official_days.html",
        form=form,
        year=str(year),
        is_missing=year in missing,
        may=is_site_admin(signed_in_actor()),
    )


@rule_pages.post("/official-days")
@require("admin")
def try_notice() -> Page:
    """Try the notice out: which due times would move. Nothing is changed before the yes."""
    form, year = NoticeForm(request.form), _year()
    try:
        rows = notice_rows(year, form.holidays.data or "", form.workdays.data or "")
        lines = [list(NOTICE_COLUMNS), *([row[column] for column in NOTICE_COLUMNS] for row in rows)]
        return review("calendars", f"notice-{year}.csv", to_csv(lines).encode())
    except Invalid as refused:
        form.show_errors(refused.errors)
        return _notice_page(form), 422
