"""The admin's page of the category model: how good it is, how surely it must be right, training, and earlier versions."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for

from feedback.dispatch.learning import learning_state
from feedback.kernel.db import session
from feedback.kernel.errors import Invalid, Refused
from feedback.kernel.site import get_setting
from feedback.kernel.text import N_, Text
from feedback.people.rights import is_site_admin
from feedback.routing.learning import ask_for_training, list_models, roll_back
from feedback.routing.served_model import PRECISION, model_state
from feedback.routing.usecases import PRECISIONS, SetDispatchPrecision, set_dispatch_precision
from feedback.web.admin.pages import Page
from feedback.web.errors import code_of
from feedback.web.forms.admin import PrecisionForm
from feedback.web.forms.base import offer, option
from feedback.web.present.category_model import model_facts, version_rows
from feedback.web.session import request_now, require, signed_in_actor
from feedback.web.translate import gettext as _

model_pages = Blueprint("admin_model", __name__, url_prefix="/admin/category-model")


@model_pages.get("")
@require("admin")
def index() -> str:
    """How it stands, and what may be done."""
    return _page(PrecisionForm(data={"precision": str(get_setting(session(), PRECISION))}))


def _page(form: PrecisionForm) -> str:
    precision = get_setting(session(), PRECISION)
    offer(form, "precision", [option(str(each), f"{each} %") for each in sorted({*PRECISIONS, precision})])
    state, learning = model_state(session()), learning_state(session())
    rows = list_models(session())
    return render_template(
        "admin/category_model.html",
        may=is_site_admin(signed_in_actor()),
        form=form,
        learning=learning,
        serves=state.served is not None,
        facts=model_facts(state, rows, learning, request_now()),
        versions=version_rows(state, rows, request_now()),
    )


@model_pages.post("/precision")
@require("admin")
def precision() -> Page:
    """How surely it must be right."""
    form = PrecisionForm(request.form)
    try:
        typed = str(form.precision.data or "")
        is_number = typed.isascii() and typed.isdecimal() and len(typed) < 4
        cmd = SetDispatchPrecision.parse({"precision": int(typed) if is_number else typed})
        set_dispatch_precision(cmd, actor=signed_in_actor(), now=request_now())
    except Invalid as refused:
        form.show_errors(refused.errors)
        return _page(form), 422
    flash(_("Saved. It counts for tickets submitted from now on."), "success")
    return redirect(url_for("admin_model.index"), 303)


@model_pages.post("/training")
@require("admin")
def training() -> Page:
    """Have it trained now, by a job."""
    ask_for_training(actor=signed_in_actor(), now=request_now())
    if current_app.extensions["queues"].put_unless_waiting("learn_now"):
        flash(_("The training begins in a moment. Look here again in a minute."), "success")
    else:
        flash(_("Redis does not answer, so the training can't begin. Try again later."), "error")
    return redirect(url_for("admin_model.index"), 303)


@model_pages.post("/version")
@require("admin")
def version() -> Page:
    """Put another version in force."""
    wanted = request.form.get("version", "")
    if not (wanted.isascii() and wanted.isdecimal() and len(wanted) < 10):
        raise Invalid({"version": Text(N_("There is no such version of the category model."))})
    try:
        number = roll_back(int(wanted), actor=signed_in_actor(), now=request_now())
    except Refused as refused:
        if code_of(refused) == 403:
            raise
        flash(refused.text.render(_), "error")
    else:
        flash(_("Version %(version)s is in force.", version=number), "success")
    return redirect(url_for("admin_model.index"), 303)
