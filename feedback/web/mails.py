"""The page on which people say about what they want a mail, and when."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from feedback.kernel.db import session
from feedback.kernel.errors import Invalid
from feedback.notifications.mail_choices import TOPICS, ChooseMails, choices_of, choose_mails
from feedback.web.forms.mails import MailChoicesForm
from feedback.web.session import request_now, require, signed_in_actor
from feedback.web.translate import gettext as _

mail_pages = Blueprint("mails", __name__, url_prefix="/account/mails")

Answer = str | tuple[str, int] | Response


@mail_pages.get("")
@require("signed_in")
def index() -> Answer:
    """What I chose."""
    chosen = choices_of(session(), signed_in_actor().account_id or 0)
    return render_template("auth/mails.html", form=MailChoicesForm(data=chosen))


@mail_pages.post("")
@require("signed_in")
def choose() -> Answer:
    """Keep what was chosen."""
    form = MailChoicesForm(request.form)
    try:
        choose_mails(ChooseMails.parse(form.raw_fields(TOPICS)), actor=signed_in_actor(), now=request_now())
    except Invalid as refused:
        form.show_errors(refused.errors)
        return render_template("auth/mails.html", form=form), 422
    flash(_("Saved. It counts for mails from now on."), "success")
    return redirect(url_for("mails.index"), 303)
