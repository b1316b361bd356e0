"""What every answer tells the browser not to do, which proxies are believed, and how long a form may stay open."""

from __future__ import annotations

from flask import Flask, Response
from werkzeug.middleware.proxy_fix import ProxyFix

from feedback.files.kinds import LARGEST_FORM
from feedback.people.credentials import IDLE
from feedback.settings import Settings

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
YEAR = 365 * 24 * 3600


def init_security(app: Flask) -> None:
    """Set the headers on every answer; a view that sets one itself keeps its own. HSTS where BASE_URL is https.

    Nothing may be kept by a browser or a proxy unless its view says so, as files under a hashed name do.
    """
    settings: Settings = app.config["SETTINGS"]
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_FORM
    app.config["WTF_CSRF_TIME_LIMIT"] = int(IDLE.total_seconds())
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    headers = dict(HEADERS)
    if settings.is_https:
        headers["Strict-Transport-Security"] = f"max-age={YEAR}; includeSubDomains"

    @app.after_request
    def _add_headers(response: Response) -> Response:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response
