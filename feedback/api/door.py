"""The API put together: every module of views, who is calling, refusals, throttling. The factory calls `init_api`."""

from __future__ import annotations

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from feedback.api import attachments, directory, docs, reports, similar, tickets
from feedback.api.access import api
from feedback.api.auth import identify
from feedback.api.body import MOST_BYTES
from feedback.api.errors import http_error, refusal, unexpected
from feedback.api.throttle import init_throttle
from feedback.kernel.errors import Forbidden, Refused
from feedback.people.usecases import record_denial

VIEWS = (attachments, directory, docs, reports, similar, tickets)
"""Importing them is what puts their views on the blueprint."""
PREFIX = "/api/"


def init_api(app: Flask) -> None:
    """Put the API on the application."""
    init_throttle(app)
    app.register_blueprint(api)


@api.before_app_request
def _answer_unrouted() -> Response | None:
    """An address or method that this door does not have is answered in its own way, not with a page."""
    error = request.routing_exception
    if error is None or isinstance(error, RequestRedirect) or not request.path.startswith(PREFIX):
        return None
    return http_error(error)


@api.before_request
def _know_caller() -> None:
    request.max_content_length = MOST_BYTES
    identify()


@api.after_request
def _no_needless_wait(response: Response) -> Response:
    """The limiter names a time to wait on every answer; only a refusal for the time being means it."""
    if response.status_code not in (429, 503):
        response.headers.pop("Retry-After", None)
    return response


@api.errorhandler(Refused)
def _refused(error: Refused) -> Response:
    if isinstance(error, Forbidden) and "api_caller" in g:
        record_denial(request.endpoint or "", actor=g.api_caller.actor, now=g.api_caller.now)
    return refusal(error)


@api.errorhandler(HTTPException)
def _http(error: HTTPException) -> Response:
    return http_error(error)


@api.errorhandler(Exception)
def _unexpected(error: Exception) -> Response:
    return unexpected(error)
