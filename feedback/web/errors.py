"""What a page says when something was refused or went wrong; one place for every code."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable

from flask import Flask, render_template, request
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from feedback.files.refusals import StoreAway
from feedback.kernel.errors import Conflict, Forbidden, Invalid, NotFound, NotSignedIn, Refused, Throttled
from feedback.people.usecases import record_denial
from feedback.web.session import current_actor, request_now
from feedback.web.translate import sentences

log = logging.getLogger(__name__)

CODES: tuple[tuple[type[Refused], int], ...] = (
    (NotSignedIn, 401),
    (NotFound, 404),
    (Forbidden, 403),
    (Conflict, 409),
    (Invalid, 422),
    (Throttled, 429),
    (StoreAway, 503),
)
BUSY_SECONDS = 5
NOT_SHOWN = frozenset({"csrf_token", "password", "new_password", "repeat", "version", "idempotency_key"})
PAGES = (400, 403, 404, 409, 413, 422, 429, 500, 503)

Answer = tuple[str, int] | tuple[str, int, dict[str, str]]


def code_of(refused: Refused) -> int:
    """The HTTP code of a refusal."""
    return next((code for kind, code in CODES if isinstance(refused, kind)), 400)


def error_page(code: int, **error: object) -> Answer:
    """The page of a code. `error`: title, detail, next, retry_after (seconds), reference (templates/errors/layout.html).

    What had been typed is shown again, so that nothing is lost.
    """
    shown = code if code in PAGES else (400 if code < 500 else 500)
    kept = [
        {"label": name, "text": value} for name, value in _typed() if name not in NOT_SHOWN and len(value.strip()) > 1
    ]
    filled = {name: value for name, value in error.items() if value}
    return render_template(f"errors/{shown}.html", error={"kept": kept, **filled}), code


def _typed() -> Iterable[tuple[str, str]]:
    """What was typed; nothing where the message was too large to be read."""
    try:
        return request.form.items()
    except RequestEntityTooLarge:
        return ()


def init_errors(app: Flask) -> None:
    """Answer every refusal and every fault with a page that says what to do; the API's blueprint has its own."""

    @app.errorhandler(Refused)
    def _refused(refused: Refused) -> Answer:
        detail = refused.text.render(gettext)
        actor = current_actor() if isinstance(refused, Forbidden) else None
        if actor:
            record_denial(request.endpoint or "", actor=actor, now=request_now())
        if isinstance(refused, Invalid):
            detail = sentences(text.render(gettext) for text in refused.errors.values())
        wait = refused.details.get("retry_after", 60) if isinstance(refused, Throttled) else None
        page = error_page(code_of(refused), detail=detail, retry_after=wait)
        return (page[0], page[1], {"Retry-After": str(wait)}) if wait else page

    @app.errorhandler(CSRFError)
    def _csrf(_error: CSRFError) -> Answer:
        return error_page(400, detail=gettext("This page was open too long. Load it again and send once more."))

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Answer | HTTPException:
        if error.code is None or error.code < 400:
            return error
        return error_page(error.code)

    @app.errorhandler(OperationalError)
    def _busy(error: OperationalError) -> Answer:
        log.warning("the database did not answer in time at %s: %s", request.path, type(error.orig).__name__)
        page = error_page(503, retry_after=BUSY_SECONDS)
        return page[0], page[1], {"Retry-After": str(BUSY_SECONDS)}

    @app.errorhandler(Exception)
    def _fault(error: Exception) -> Answer:
        number = secrets.token_hex(4)
        log.error("fault %s at %s", number, request.path, exc_info=error)
        return error_page(500, reference=number)
