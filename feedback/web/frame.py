"""What every page has around it: who is signed in, where they may go, languages, assets, error pages."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flask import Flask, current_app, g, request
from flask_wtf.csrf import CSRFProtect
from lucide.jinja import lucide
from markupsafe import Markup

from feedback.kernel.actor import Actor
from feedback.kernel.db import session
from feedback.kernel.text import N_
from feedback.notifications.hints import unread_and_put_away
from feedback.web.addresses import fixed_address
from feedback.web.assets import asset, assets
from feedback.web.errors import init_errors
from feedback.web.hints import first_words, page_of_first_words
from feedback.web.kept_text import init_kept_texts
from feedback.web.language import chosen_locale, has_large_text, init_languages
from feedback.web.present.words import ROLE_NAMES
from feedback.web.session import current_actor
from feedback.web.translate import gettext as _

csrf = CSRFProtect()

PLACES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("submitter.home", ("submitter",)),
    ("desk.desk", ("handler", "unit_head")),
    ("dispatcher.dispatch", ("dispatcher",)),
    ("leader.review", ("leader", "supervisor")),
    ("admin.index", ("admin",)),
)
"""Pages of the navigation and the roles that have them, in the order shown."""


LABELS = {
    "submitter.home": N_("My tickets"),
    "desk.desk": N_("Desk"),
    "dispatcher.dispatch": N_("Dispatch"),
    "leader.review": N_("Review"),
    "admin.index": N_("Administration"),
}


def navigation(actor: Actor | None) -> list[dict[str, Any]]:
    """Where this person may go; only pages that exist."""
    if actor is None:
        return []
    held, here = {grant.role for grant in actor.grants}, request.endpoint or ""
    return [
        {"url": fixed_address(endpoint), "label": _(LABELS[endpoint]), "active": _active(endpoint, here)}
        for endpoint, roles in PLACES
        if not held.isdisjoint(roles) and endpoint in current_app.view_functions
    ]


def _active(place: str, here: str) -> str | None:
    """What `aria-current` says of a place: this very page, or one that belongs to it."""
    if here == place or (here, place) == ("submitter.front", "submitter.home"):
        return "page"
    room = place.partition(".")[0]
    return "true" if here.startswith((f"{room}.", f"{room}_")) else None


def _frame() -> dict[str, Any]:
    actor = current_actor()
    me, unread, words = None, 0, None
    if actor:
        roles = dict.fromkeys(_(ROLE_NAMES[grant.role]) for grant in actor.grants)
        me = {"name": actor.name, "roles": list(roles)}
        page = page_of_first_words(actor)
        unread, is_put_away = unread_and_put_away(session(), actor, page)
        words = None if is_put_away else first_words(page)
    return {
        "me": me,
        "nav": navigation(actor),
        "unread": unread,
        "unread_url": fixed_address("notices.unread") if actor else None,
        "notices_url": fixed_address("notices.index"),
        "locale": chosen_locale(),
        "large_text": has_large_text(),
        "draft_owner": actor.submitter_key[:16] if actor else "",
        "first_words": words,
        "warnings": app_warnings(),
    }


@lru_cache(maxsize=512)
def icon(name: str, size: int | None = 24, **attributes: object) -> Markup:
    """An icon as SVG; drawn once for each size and attributes, because pages repeat a few of them many times."""
    return Markup(lucide(name, size=size, **attributes))  # noqa: S704 (drawn from the package's own files)


def app_warnings() -> list[str]:
    """What an administrator should know on every page (an http site in production, ...)."""
    return list(getattr(g, "warnings", []))


def init_frame(app: Flask) -> None:
    """Give every page its frame."""
    csrf.init_app(app)
    init_languages(app)
    init_kept_texts(app)
    app.register_blueprint(assets)
    app.jinja_env.globals.update(asset=asset, lucide=icon)
    app.context_processor(_frame)
    init_errors(app)
