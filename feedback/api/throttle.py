"""How many calls a token may make. Counted in Redis; in memory while Redis is away, and never a reason to fail."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Flask, current_app, request
from flask_limiter import Limiter

from feedback.api.access import api
from feedback.settings import Settings

DEFAULT_RATE = "600 per minute"
_PATIENCE: dict[str, Any] = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5}
"""Seconds. A web request never waits longer for Redis."""


def _who() -> str:
    """The token as a digest (it is not looked up yet); without one the address."""
    header = request.headers.get("Authorization")
    if header:
        return hashlib.sha256(header.encode()).hexdigest()[:32]
    return request.remote_addr or "unknown"


def _rate() -> str:
    return str(current_app.config.get("API_RATE", DEFAULT_RATE))


def _is_page() -> bool:
    """Another door's request, which need not be looked at further."""
    return request.blueprint != api.name


def init_throttle(app: Flask) -> None:
    """Limit this door's calls per token; RateLimit headers on every answer, 429 with Retry-After above."""
    settings: Settings = app.config["SETTINGS"]
    limiter = Limiter(
        key_func=_who,
        storage_uri=storage_uri(settings.redis_url),
        storage_options=_PATIENCE,
        in_memory_fallback_enabled=True,
        swallow_errors=True,
        headers_enabled=True,
        strategy="fixed-window",
    )
    limiter.request_filter(_is_page)
    limiter.init_app(app)
    limiter.limit(_rate)(api)


def storage_uri(redis_url: str) -> str:
    """The limiter's own way to write a Redis address on a socket."""
    return f"redis+{redis_url}" if redis_url.startswith("unix://") else redis_url
