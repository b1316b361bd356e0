"""The page behind a one-time link: somebody who is not signed in chooses their password. Looking at it uses nothing up."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from feedback.kernel.db import session
from feedback.kernel.errors import Invalid, NotFound
from feedback.people.password_links import choose_password, find_link
from feedback.web.forms.auth import ChoosePasswordForm
from feedback.web.session import request_now, require
from feedback.web.translate import gettext as _

password_pages = Blueprint("password", __name__)

Answer = str | tuple[str, int] | Response


@password_pages.get("/choose-password/<token>")
@require("anyone")
def choose(token: str) -> Answer:
    """The form, or that the link does not work any more."""
    return _page(token, ChoosePasswordForm(), 200)


def _page(token: str, form: ChoosePasswordForm, status: int) -> Answer:
    owner = find_link(session(), token, request_now())
    if owner is None:
        return render_template("auth/link_over.html"), 404
    return render_template("auth/choose_password.html", form=form, owner=owner, token=token), status


@password_pages.post("/choose-password/<token>")
@require("anyone")
def chosen(token: str) -> Answer:
    """Set the password and use the link up."""
    form = ChoosePasswordForm()
    if not form.validate():
        return _page(token, form, 422)
    try:
        choose_password(token, form.new_password.data or "", now=request_now())
    except Invalid as invalid:
        form.new_password.errors = [text.render(_) for text in invalid.errors.values()]
        return _page(token, form, 422)
    except NotFound:
        return render_template("auth/link_over.html"), 404
    flash(_("Your password is set. Sign in with it."), "success")
    return redirect(url_for("auth.enter"), 303)
