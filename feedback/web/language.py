"""Which language a reader gets, and how large the letters are: asked in the address, remembered in a cookie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, current_app, g, has_request_context, request
from flask_babel import Babel, get_translations
from markupsafe import Markup

LOCALES = {"zh_CN": "zh", "en": "en"}
"""Our names of the languages (settings, `?lang=`) and the names of their catalogues."""
YEAR = 365 * 24 * 3600


def chosen_locale() -> str:
    """`zh_CN` or `en`: the address, else the cookie, else the account's, else what the browser asks for, else the site's."""
    if "locale" in g:
        return str(g.locale)
    asked = request.args.get("lang", "")
    account = getattr(g, "account", None)
    candidates = (asked, request.cookies.get("lang", ""), getattr(account, "locale", None) or "")
    found = next((name for name in candidates if name in LOCALES), None)
    g.locale = found or _from_browser() or current_app.config["SETTINGS"].default_locale
    return str(g.locale)


def _from_browser() -> str | None:
    """The first language of Accept-Language that we speak; every kind of Chinese is ours."""
    for tag, _quality in request.accept_languages:
        start = tag.lower().replace("_", "-").split("-")[0]
        if start == "zh":
            return "zh_CN"
        if start == "en":
            return "en"
    return None


def catalogue() -> str:
    """The name of the catalogue of the reader's language."""
    return LOCALES[chosen_locale()] if has_request_context() else "en"


def texts() -> Any:
    """The texts of the reader's language, looked up once a request, because a page has hundreds (docs/speed.md)."""
    try:
        known = _kept_of_request().__dict__
    except RuntimeError:  # nobody reads: a command, a job
        return get_translations()
    held = known.get("page_texts")
    if held is not None and held[0] == known.get("locale"):
        return held[1]
    if not has_request_context():
        return get_translations()
    locale = chosen_locale()
    found = _by_locale.get(locale)
    if found is None:
        found = _by_locale[locale] = get_translations()
    g.page_texts = (locale, found)
    return found


_by_locale: dict[str, Any] = {}
"""The catalogues of pages, read once in the life of the process."""


_kept_of_request: Callable[[], Any] = g._get_current_object  # noqa: SLF001 (its documented way out of the proxy)
"""What is kept for this request. It is asked some hundred times a page, so without a proxy for each step."""


def _in_templates() -> Callable[..., Markup]:
    """`_()` of the templates: as Jinja's own, but a text without places is looked up once in the life of the process."""
    by_texts: dict[Any, dict[str, Markup]] = {}

    def page_text(text: str, /, **values: Any) -> Markup:
        found = texts()
        plain = by_texts.get(found)
        if plain is None:
            plain = by_texts[found] = {}
        made = plain.get(text)
        if made is None:
            made = plain[text] = Markup(found.ugettext(text))  # noqa: S704 (our own texts, from our own catalogues)
        return made % values if values or "%" in made else made

    return page_text


def has_large_text() -> bool:
    """Whether the reader asked for large letters."""
    return (request.args.get("text") or request.cookies.get("text")) == "large"


def init_languages(app: Flask) -> None:
    """Have Flask-Babel ask us, and remember what the address asked for."""
    Babel(app, locale_selector=catalogue, timezone_selector=lambda: app.config["SETTINGS"].timezone)
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=lambda text: texts().ugettext(text),
        ngettext=lambda one, many, num: texts().ungettext(one, many, num),
        pgettext=lambda context, text: texts().upgettext(context, text),
        npgettext=lambda context, one, many, num: texts().unpgettext(context, one, many, num),
        newstyle=True,
    )
    app.jinja_env.globals["_"] = _in_templates()

    @app.after_request
    def _remember(response: Response) -> Response:
        secure = app.config["SETTINGS"].is_https
        for name, allowed in (("lang", tuple(LOCALES)), ("text", ("large", "normal"))):
            value = request.args.get(name)
            if value in allowed:
                response.set_cookie(name, value, max_age=YEAR, httponly=True, samesite="Lax", secure=secure)
        return response
