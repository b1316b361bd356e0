"""A page of every refusal, as a view that fails would get it: `/refused/CODE` of a site that is made to be looked at."""

from __future__ import annotations

from typing import Never

from flask import Flask
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, ServiceUnavailable

from feedback.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Throttled
from feedback.kernel.text import Text
from feedback.web.session import require

CODES = (400, 403, 404, 409, 413, 422, 429, 500, 503)


def add_refusals(app: Flask) -> None:
    """Add the address to an application that has answered nothing yet."""

    @app.get("/refused/<int:code>")
    @require("anyone")
    def refused(code: int) -> Never:
        reasons: dict[int, Exception] = {
            400: BadRequest(),
            403: Forbidden(Text("This page belongs to another role.")),
            404: NotFound(),
            409: Conflict(Text("Somebody changed this list while you were writing. Look at it again, then save.")),
            413: RequestEntityTooLarge(),
            422: Invalid({"text": Text("Choose a file first.")}),
            429: Throttled(Text("They were urged already. You can do so again later."), retry_after=120),
            503: ServiceUnavailable(),
        }
        raise reasons.get(code) or RuntimeError("a fault to look at")
