"""Refusals as RFC 9457 problem documents, in the reader's language. The one place that turns an error into a status code."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Mapping
from typing import Any

from flask import Response, request
from flask_babel import force_locale, gettext
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge, TooManyRequests

from feedback.api.locale import reader_locale
from feedback.files.refusals import FileTooLarge, StoreAway, WrongFileType
from feedback.kernel.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    NotSignedIn,
    Refused,
    Throttled,
    VersionConflict,
)
from feedback.kernel.text import N_, Text
from feedback.tickets.actions import ACTIONS

PROBLEM_TYPE = "application/problem+json"
DOCS = "/api/docs"

STATUS_OF: tuple[tuple[type[Refused], int], ...] = (
    (NotSignedIn, 401),
    (NotFound, 404),
    (Forbidden, 403),
    (VersionConflict, 409),
    (Conflict, 409),
    (Throttled, 429),
    (WrongFileType, 415),
    (FileTooLarge, 413),
    (Invalid, 422),
    (StoreAway, 503),
)
TITLES: dict[int, str] = {
    400: N_("This can't be read"),
    401: N_("Who is asking?"),
    403: N_("Not yours to do"),
    404: N_("Not here"),
    405: N_("Not in this way"),
    409: N_("Not as things stand"),
    413: N_("Too large"),
    415: N_("Another kind of message is needed"),
    422: N_("Some fields need another look"),
    429: N_("Too often"),
    500: N_("Something went wrong here"),
    503: N_("Not now"),
}
CODES: dict[int, str] = {
    400: "malformed",
    401: "not_signed_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "wrong_type",
    422: "invalid",
    429: "throttled",
    503: "overloaded",
}
DETAILS: dict[int, str] = {
    400: N_("The message could not be read. Send JSON as the docs describe it."),
    404: N_("There is nothing here that you can see."),
    405: N_("This address does not take that method; the Allow header lists those it takes."),
    413: N_("The message is larger than one megabyte. Send less, or in parts."),
    415: N_("Send JSON, with Content-Type: application/json."),
    429: N_("Too many calls in a short time. Wait as long as Retry-After says, then go on."),
    500: N_("It was not saved. Try again; if it stays so, tell your administrator this number: %(error_id)s."),
    503: N_("Too much at once. Try again in a few seconds."),
}
CHALLENGE = 'Bearer realm="zhida"'
BUSY_SECONDS = 2

log = logging.getLogger(__name__)


class Malformed(Refused):
    """The body is no JSON object (400)."""

    code = "malformed"

    def __init__(self) -> None:
        super().__init__(Text(DETAILS[400]))


class WrongType(Refused):
    """The body is not declared as JSON (415)."""

    code = "wrong_type"

    def __init__(self) -> None:
        super().__init__(Text(DETAILS[415]))


class TooLarge(Refused):
    """The body is above the limit (413)."""

    code = "too_large"

    def __init__(self) -> None:
        super().__init__(Text(DETAILS[413]))


_OF_BODY: tuple[tuple[type[Refused], int], ...] = ((Malformed, 400), (WrongType, 415), (TooLarge, 413))


def problem(
    status: int,
    code: str,
    detail: Text,
    *,
    errors: Mapping[str, Text] | None = None,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """One problem document. `more` are further members for programs."""
    with force_locale(reader_locale()):
        document: dict[str, Any] = {
            "type": f"{DOCS}#{code}",
            "title": gettext(TITLES.get(status, TITLES[400])),
            "status": status,
            "code": code,
            "detail": detail.render(gettext),
            **more,
        }
        if errors is not None:
            document["errors"] = {name: text.render(gettext) for name, text in errors.items()}
        language = str(reader_locale()).replace("_", "-")
    response = Response(to_json(document), status=status, content_type=PROBLEM_TYPE)
    response.headers["Content-Language"] = language
    response.headers.extend(dict(headers or {}))
    return response


def to_json(document: Any) -> bytes:
    """JSON in UTF-8; a lone surrogate (from somebody's field name) becomes its escape again."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


def refusal(error: Refused) -> Response:
    """The answer to whatever a use-case or this door refused."""
    status = next((status for kind, status in (*STATUS_OF, *_OF_BODY) if isinstance(error, kind)), 409)
    headers: dict[str, str] = {}
    more: dict[str, Any] = {}
    if status == 401:
        has_token = "Authorization" in request.headers
        headers["WWW-Authenticate"] = f'{CHALLENGE}, error="invalid_token"' if has_token else CHALLENGE
    elif isinstance(error, VersionConflict):
        more["version"] = error.details.get("version")
    elif isinstance(error, Conflict):
        more = {name: error.details[name] for name in ("status", "action") if name in error.details}
        if "status" in more:
            more["ticket_status"] = more.pop("status")
        if "allowed" in error.details:
            more["allowed"] = _named(error.details["allowed"])
    elif isinstance(error, StoreAway):
        headers["Retry-After"] = str(BUSY_SECONDS)
    elif isinstance(error, Throttled):
        headers["Retry-After"] = str(max(1, int(error.details.get("retry_after", 1))))
    errors = error.errors if isinstance(error, Invalid) else None
    return problem(status, error.code, error.text, errors=errors, headers=headers, **more)


def _named(actions: list[str]) -> list[str]:
    """Actions by the names this door takes; the parts of `decide` are one action."""
    return sorted({name.split(":")[0] for name in actions} & set(ACTIONS))


def http_error(error: HTTPException) -> Response:
    """The answer to what Flask or the limiter refused."""
    status = error.code or 500
    if error.response is not None and status < 400:
        return error.get_response()  # type: ignore[return-value]
    known = status if status in CODES else 400
    headers: dict[str, str] = {}
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers["Allow"] = ", ".join(sorted(error.valid_methods))
    if isinstance(error, RequestEntityTooLarge):
        known = 413
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = "60"
    return problem(known, CODES[known], Text(DETAILS.get(known, DETAILS[400])), headers=headers)


def unexpected(error: Exception) -> Response:
    """The answer to a fault of ours: an error id for the log, and nothing of what happened.

    A database that does not answer in time, or that ended one of two writes that waited for each other, is busy: 503.
    """
    if isinstance(error, OperationalError):
        log.warning("the database did not answer in time at %s: %s", request.url_rule, type(error.orig).__name__)
        return problem(503, "overloaded", Text(DETAILS[503]), headers={"Retry-After": str(BUSY_SECONDS)})
    error_id = secrets.token_hex(6)
    log.error("fault %s at %s %s", error_id, request.method, request.url_rule, exc_info=error)
    return problem(500, "unexpected", Text(DETAILS[500], error_id=error_id), error_id=error_id)
