"""Pages go out packed to a browser that takes them so: on a weak line a page is read in a quarter of the time."""

from __future__ import annotations

import gzip
import io
import secrets

from flask import Flask, Response, request

SHORTEST = 2048
"""Shorter ones fit two packets as they are."""
LEVEL = 1
"""A fifth of a millisecond for a long page; the usual 6 takes three times as long for a sixth fewer bytes."""


def pack(page: bytes) -> bytes:
    """The page as gzip, with a name of random length in its head.

    Whoever can only see how long answers are would otherwise learn from it what stands beside words they chose.
    """
    packed = io.BytesIO()
    with gzip.GzipFile("x" * secrets.randbelow(100), "wb", LEVEL, packed, mtime=0) as file:
        file.write(page)
    return packed.getvalue()


def init_compression(app: Flask) -> None:
    """Pack every page of some length where the browser says that it can read that; files know better themselves."""

    @app.after_request
    def _pack(response: Response) -> Response:
        if response.mimetype != "text/html" or response.direct_passthrough or response.is_streamed:
            return response
        response.vary.add("Accept-Encoding")
        takes = request.accept_encodings.quality("gzip") > 0
        if takes and not response.content_encoding and len(page := response.get_data()) >= SHORTEST:
            response.set_data(pack(page))
            response.content_encoding = "gzip"
        return response
