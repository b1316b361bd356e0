"""Who is signed in here, and who may call which page: the session row behind Flask-Login, and the guard before every view."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from flask import Flask, current_app, flash, g, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_login import LoginManager, current_user, login_user, logout_user
from werkzeug.wrappers import Response

from feedback.kernel.access import require, rule_of
from feedback.kernel.actor import Actor
from feedback.kernel.clock import utc_now
from feedback.kernel.db import session as db_session
from feedback.kernel.errors import Forbidden, NotFound, NotSignedIn
from feedback.kernel.text import N_, Text
from feedback.people.credentials import OpenSession, SignedIn, find_session
from feedback.people.queries import Holder, load_actor

__all__ = [
    "begin",
    "current_actor",
    "current_session",
    "end",
    "init_sessions",
    "local_path",
    "request_now",
    "require",
    "signed_in_actor",
]

SIGN_IN_PATH = "/sign-in"
_LONGEST_NEXT = 1000
_OWN_DOOR = frozenset({"api"})
"""Blueprints that know their callers in another way and check the rules themselves."""
_BEFORE_NEW_PASSWORD = frozenset({"auth.account", "auth.change", "auth.leave", "auth.leave_everywhere"})

login_manager = LoginManager()


class SessionUser:
    """What Flask-Login calls a user: an open session of an account. Its id in the cookie is the session's random token."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, token: str, opened: OpenSession | None = None) -> None:
        self.token = token
        self.opened = opened

    def get_id(self) -> str:
        return self.token


def request_now() -> datetime:
    """The instant that counts as now for this whole request."""
    if "now" not in g:
        g.now = utc_now()
    now: datetime = g.now
    return now


def current_session() -> OpenSession | None:
    """The session of whoever is asking; None where nobody is signed in."""
    return current_user.opened if current_user.is_authenticated else None


def current_actor() -> Actor | None:
    """Whoever is asking, with the roles held at this instant; None where nobody is signed in."""
    if "actor" not in g:
        opened = current_session()
        g.actor = load_actor(db_session(), opened.account, now=request_now()) if opened else None
    actor: Actor | None = g.actor
    return actor


def signed_in_actor() -> Actor:
    """Whoever is asking. Raises NotSignedIn where nobody is."""
    actor = current_actor()
    if actor is None:
        raise NotSignedIn(Text(N_("Please sign in.")))
    return actor


def begin(signed: SignedIn) -> None:
    """Let this browser hold the new session, with nothing left of whatever it held before."""
    session.clear()
    login_user(SessionUser(signed.token))
    session.pop("_id", None)
    _forget_who()


def end() -> None:
    """Let this browser hold no session."""
    logout_user()
    session.clear()
    _forget_who()


def _forget_who() -> None:
    g.pop("actor", None)
    g.pop("account", None)


def local_path(wanted: str | None) -> str | None:
    """The path where it lies on this site, else None: no other host, no scheme, nothing that a browser reads as one."""
    if not wanted or len(wanted) > _LONGEST_NEXT or not wanted.isprintable():
        return None
    is_local = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted and " " not in wanted
    return wanted if is_local and not wanted.startswith(SIGN_IN_PATH) else None


@login_manager.user_loader  # type: ignore[untyped-decorator]
def _load(token: str) -> SessionUser | None:
    opened = find_session(db_session(), token, request_now())
    if opened is None:
        return None
    g.account = opened.account
    return SessionUser(token, opened)


def _guard() -> Response | None:
    """Before every view: its rule must be declared, and admit whoever is asking. A view without a rule is there for nobody."""
    if request.endpoint is None or request.blueprint in _OWN_DOOR:
        return None
    rule = rule_of(current_app.view_functions[request.endpoint])
    if rule is None:
        raise NotFound
    if rule.is_open:
        return None
    actor = current_actor()
    if actor is None:
        return _ask_to_sign_in()
    if not rule.admits(actor):
        raise Forbidden(Text(N_("This page belongs to another role.")))
    account: Holder = g.account
    if account.must_change_password and request.endpoint not in _BEFORE_NEW_PASSWORD:
        flash(_("Please choose a password of your own first."), "warning")
        return redirect(url_for("auth.account"))
    return None


def _ask_to_sign_in() -> Response:
    """Send a reader to sign in and back; a sent form is refused with what it held, because a redirect would lose it."""
    if request.method not in ("GET", "HEAD"):
        raise NotSignedIn(Text(N_("You are no longer signed in. Sign in in another window, then send this again.")))
    path = local_path(request.full_path.rstrip("?"))
    query = f"?{urlencode({'next': path})}" if path and path != "/" else ""
    return redirect(url_for("auth.enter") + query)


def init_sessions(app: Flask) -> None:
    """Know who is signed in, and guard every view."""
    settings = app.config["SETTINGS"]
    app.config.update(
        SESSION_COOKIE_NAME="__Host-zhida" if settings.is_https else "zhida",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_PATH="/",
        SESSION_REFRESH_EACH_REQUEST=False,
    )
    login_manager.session_protection = None  # phones change their address; the token is what counts
    login_manager.init_app(app, add_context_processor=False)
    app.before_request(_guard)
