"""Signing in and out, and the account page: one's own sessions, tokens and password."""

from __future__ import annotations

import ipaddress

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from feedback.kernel.db import session
from feedback.kernel.errors import Invalid, NotSignedIn, Throttled
from feedback.people import credentials, tokens
from feedback.people.queries import list_sessions, units_by_id
from feedback.web.forms.auth import PasswordForm, SignInForm
from feedback.web.present.account import account_page, device_words
from feedback.web.session import (
    begin,
    current_actor,
    current_session,
    end,
    local_path,
    request_now,
    require,
    signed_in_actor,
)

auth = Blueprint("auth", __name__)

Answer = str | tuple[str, int] | tuple[str, int, dict[str, str]] | Response
FIELDS = {"current": "password", "password": "new_password"}
"""Fields of `change_password` and of the form that asks for them."""


def source() -> str:
    """Where the request comes from, for the throttle: an IPv6 caller has a whole /64 to choose addresses from."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    return str(address) if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))


def _after() -> str:
    return local_path(request.values.get("next")) or "/"


@auth.get("/sign-in")
@require("anyone")
def enter() -> Answer:
    """The page that asks who it is."""
    if current_actor():
        return redirect(_after())
    return _sign_in_page(SignInForm(), 200)


def _sign_in_page(form: SignInForm, status: int, *, retry_after: int | None = None) -> Answer:
    wait = -(-retry_after // 60) if retry_after else None
    page = render_template("auth/sign_in.html", form=form, next=local_path(request.values.get("next")), wait=wait)
    return page, status, {"Retry-After": str(retry_after)} if retry_after else {}


@auth.post("/sign-in")
@require("anyone")
def sign_in() -> Answer:
    """Begin a session. The answer to a wrong password and to an unknown name is one and the same."""
    form = SignInForm()
    if not form.validate():
        return _sign_in_page(form, 422)
    try:
        signed = credentials.sign_in(
            form.login.data or "",
            form.password.data or "",
            source=source(),
            device=device_words(request.user_agent.string),
            now=request_now(),
        )
    except NotSignedIn:
        form.form_errors.append(_("The sign-in name or the password is not right."))
        return _sign_in_page(form, 401)
    except Throttled as throttled:
        return _sign_in_page(form, 429, retry_after=throttled.details["retry_after"])
    _leave_session()
    begin(signed)
    if signed.failures:
        text = ngettext(
            "Since you last signed in, somebody typed a wrong password %(num)d time. If it was not you, change yours.",
            "Since you last signed in, somebody typed a wrong password %(num)d times. If it was not you, change yours.",
            signed.failures,
        )
        flash(text, "warning")
    return redirect(_after())


def _leave_session() -> None:
    """End the session that this browser held, if any."""
    opened = current_session()
    if opened:
        credentials.end_session(opened.session_id, actor=signed_in_actor(), now=request_now())


@auth.post("/sign-out")
@require("anyone")
def leave() -> Answer:
    """End this session."""
    _leave_session()
    end()
    flash(_("You are signed out."), "info")
    return redirect(url_for("auth.enter"))


@auth.get("/account")
@require("signed_in")
def account() -> Answer:
    """Who I am here, where I am signed in, which tokens work in my name."""
    return _account_page(PasswordForm(), 200)


def _account_page(form: PasswordForm, status: int, *, retry_after: int | None = None) -> Answer:
    opened, actor, now = current_session(), signed_in_actor(), request_now()
    here = opened.session_id if opened else 0
    sessions = list_sessions(session(), actor.account_id or 0, now, idle=credentials.IDLE)
    own_tokens = tokens.list_tokens(session(), actor.account_id or 0, now)
    units = units_by_id(session(), (grant.unit_id for grant in actor.grants))
    page = account_page(actor, sessions, own_tokens, units, here=here, now=now)
    wait = -(-retry_after // 60) if retry_after else None
    answer = render_template("auth/account.html", form=form, page=page, wait=wait)
    return answer, status, {"Retry-After": str(retry_after)} if retry_after else {}


@auth.post("/account/password")
@require("signed_in")
def change() -> Answer:
    """Change one's own password; the other sessions and all tokens end."""
    form = PasswordForm()
    if not form.validate():
        return _account_page(form, 422)
    opened = current_session()
    try:
        credentials.change_password(
            form.password.data or "",
            form.new_password.data or "",
            actor=signed_in_actor(),
            source=source(),
            keep_session=opened.session_id if opened else None,
            now=request_now(),
        )
    except Invalid as invalid:
        for name, text in invalid.errors.items():
            form[FIELDS[name]].errors = [text.render(_)]
        return _account_page(form, 422)
    except Throttled as throttled:
        return _account_page(form, 429, retry_after=throttled.details["retry_after"])
    flash(_("Your password is changed. Your other sessions and your tokens have ended."), "success")
    return redirect(url_for("auth.account"))


@auth.post("/account/sessions/<int:session_id>/end")
@require("signed_in")
def end_one(session_id: int) -> Answer:
    """End another of one's own sessions."""
    credentials.end_session(session_id, actor=signed_in_actor(), now=request_now())
    flash(_("That session has ended."), "success")
    return redirect(url_for("auth.account"))


@auth.post("/account/tokens/<int:token_id>/revoke")
@require("signed_in")
def revoke(token_id: int) -> Answer:
    """End one of one's own tokens."""
    tokens.revoke_token(token_id, actor=signed_in_actor(), now=request_now())
    flash(_("That token no longer works."), "success")
    return redirect(url_for("auth.account"))


@auth.post("/account/sign-out-everywhere")
@require("signed_in")
def leave_everywhere() -> Answer:
    """End all of one's own sessions, this one too, and all tokens."""
    credentials.sign_out_everywhere(actor=signed_in_actor(), now=request_now())
    end()
    flash(_("You are signed out everywhere."), "info")
    return redirect(url_for("auth.enter"))
