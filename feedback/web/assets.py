"""Files that pages load: ours from static/, Bootstrap's sheet from its package. Each under a name that holds its digest."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from functools import lru_cache
from pathlib import Path

import flask_bootstrap
from flask import Blueprint, Response, abort, request

from feedback.web.addresses import fixed_address
from feedback.web.session import require

STATIC = Path(__file__).resolve().parents[2] / "static"
BORROWED = {
    "bootstrap.min.css": Path(flask_bootstrap.__file__).parent / "static/bootstrap5/css/bootstrap.min.css",
}
FOREVER = "public, max-age=31536000, immutable"
WORTH_ZIPPING = ("text/css", "text/javascript", "image/svg+xml", "application/json", "application/manifest+json")

assets = Blueprint("assets", __name__)


@lru_cache(maxsize=64)
def _load(name: str, changed_at: float) -> tuple[bytes, bytes, str, str]:
    """Bytes, the same zipped, digest and type of a file. `changed_at` makes the cache see an edit."""
    raw = _path(name).read_bytes()
    content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if content_type == "application/javascript":
        content_type = "text/javascript"
    zipped = gzip.compress(raw, 9, mtime=0) if content_type in WORTH_ZIPPING else b""
    return raw, zipped, hashlib.sha256(raw).hexdigest()[:12], content_type


def _path(name: str) -> Path:
    path = BORROWED.get(name) or (STATIC / name).resolve()
    if name not in BORROWED and STATIC not in path.parents:
        abort(404)
    if not path.is_file():
        abort(404)
    return path


@lru_cache(maxsize=256)
def _digest(name: str) -> str:
    """As the file was when a page first named it: a new release starts new processes."""
    return _load(name, _path(name).stat().st_mtime)[2]


def asset(name: str) -> str:
    """The address of a file under static/ (or a borrowed one); it changes when the file does, so it may be kept for ever."""
    return fixed_address("assets.send", digest=_digest(name), name=name)


@assets.get("/assets/<digest>/<path:name>")
@require("anyone")
def send(digest: str, name: str) -> Response:
    """The file itself, zipped where the browser takes that; an old digest still gets today's file, but isn't kept."""
    raw, zipped, current, content_type = _load(name, _path(name).stat().st_mtime)
    use_zip = bool(zipped) and "gzip" in request.headers.get("Accept-Encoding", "")
    response = Response(zipped if use_zip else raw, content_type=content_type)
    if content_type.startswith("text/"):
        response.headers["Content-Type"] = f"{content_type}; charset=utf-8"
    if use_zip:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = FOREVER if digest == current else "no-cache"
    return response
